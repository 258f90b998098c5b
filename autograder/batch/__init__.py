"""Grades many submissions at once and says how far it is."""
