"""Puts right what a killed process left in a course directory.

Contract: ``mend`` is called before an assignment is graded, by the one process that may grade it. It
removes unfinished folders, and makes ``submitted/`` and ``autograded/`` what they must be: the newest
snapshot, and the attempt that counts. What is right stays untouched. Snapshots, attempts and the
database are what is trusted here: they are never mended.
"""

from __future__ import annotations

import re
import shutil

from autograder.gradebook.folders import attempt_folder, autograded_folder, copy_folder, remove_leftovers
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.intake import lay_out_newest
from autograder.gradebook.snapshots import submitters


def mend(gradebook: Gradebook, assignment: str) -> None:
    """Mends the folders of one assignment. Raises PlatformError where they can't be written or read."""
    course = gradebook.course
    for student in submitters(course, assignment):
        lay_out_newest(course, student, assignment)
    for home in sorted((course / "attempts").glob(f"*/{assignment}")):
        remove_leftovers(home, r"\d+")
    for home in sorted((course / "autograded").glob("*")):
        remove_leftovers(home, re.escape(assignment))
    for student in gradebook.ungraded_again(assignment):
        shutil.rmtree(autograded_folder(course, student, assignment), ignore_errors=True)
    for student, number in gradebook.counting_numbers(assignment).items():
        kept = attempt_folder(course, student, assignment, number)
        if kept.is_dir():  # a course directory that was restored in part says so where the page is shown
            copy_folder(kept, autograded_folder(course, student, assignment))
