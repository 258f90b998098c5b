"""Grades in files for the gradebooks of learning management systems, and their rosters read.

``formats`` lists the formats; ``exporting`` plans fresh files and filled-in downloads from the grade
table; ``roster`` matches an LMS's people with the hub's. A module a format says what its importer does.
"""
