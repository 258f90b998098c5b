"""Runs submissions in boxes, judges them from outside, and keeps their grades."""
