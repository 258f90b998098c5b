"""Faults of the platform: killed processes, full disks, locked databases, clocks that step.

Whatever fails, running the batch again must end in the gradebook of an undisturbed run.
"""
