"""Races a student's function against the reference and scores the ratio."""
