"""A class of sixteen that hands in everything a grader has to deal with, and the marks it must get."""
