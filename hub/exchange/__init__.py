"""Carries files between staff and students: releases out, submissions in, feedback back.

No shared folder: students' servers and the instructor's reach it through the course service alone.
"""
