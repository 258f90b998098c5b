"""A regrading is published whole: other questions, other points, with all that people have written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.gradebook import AttemptState, Gradebook, Policy, State, read_standings
from autograder.gradebook.folders import notebook_bytes
from autograder.gradebook.regrading import (
    Keep,
    Ledger,
    Plan,
    Revision,
    Stale,
    is_fit,
    plan_revision,
    publish,
    read_ledger,
    regradings,
    released,
)
from course.gradebook import gradebook_url
from tests.autograder.conftest import nbgrader
from tests.autograder.gradebook.gradings import grading
from tests.autograder.gradebook.regrading.dumps import WARRANT, grades, mark, remark, scores, tables, theirs
from tests.autograder.gradebook.regrading.questions import (
    NEW_MAX,
    drafted,
    new_result,
    old_result,
    other_questions,
    revision,
)
from tests.autograder.gradebook.test_nbgrader_reads import ASK
from tests.autograder.notebooks import two_questions


def held(book: Gradebook) -> Ledger:
    with book.database.reading() as session:
        return read_ledger(session, "layers")


def others(layout: Ledger, keep: Keep = Keep.REPLACE) -> Revision:
    """All three judged by the other questions: ada loses relu's points, bob now has layer's."""
    source = other_questions()
    return revision(
        source,
        drafted(layout, source, new_result(check_relu=0)),
        drafted(layout, source, new_result(check_scale=2.5), student="bob"),
        drafted(layout, source, None, student="cid", problem="layers.ipynb is empty."),
        layout=layout,
        keep=keep,
    )


def published(book: Gradebook, made: Revision) -> None:
    publish(book, made, plan_revision(book, made), WARRANT)


def test_planning_writes_nothing(book: Gradebook, graded: Path, layout: Ledger) -> None:
    before = tables(graded, ours=True)
    plan = plan_revision(book, others(layout))
    assert plan.refitted and len(plan.added) == 3
    assert tables(graded, ours=True) == before


def test_questions_are_added_removed_and_weighted_anew(book: Gradebook, graded: Path, layout: Ledger) -> None:
    assert is_fit(book, "layers", {"layers": two_questions()})
    assert not is_fit(book, "layers", {"layers": other_questions()})
    published(book, others(layout))
    assert is_fit(book, "layers", {"layers": other_questions()})
    assert scores(graded) == {"ada": (11, NEW_MAX), "bob": (16.5, NEW_MAX), "cid": (0, NEW_MAX)}
    assert grades(graded) == {
        "check-relu": (0, None, False),
        "check-layer": (6, None, False),
        "check-scale": (5, None, False),
        "why": (None, None, True),
    }
    with theirs(graded) as opened:
        notebook = opened.find_notebook("layers", "layers")
        assert {cell.name for cell in notebook.solution_cells} == {"relu", "layer", "scale", "why"}
        assert opened.find_source_cell("scale", "layers", "layers").source.startswith("def scale():")
    assert [(each.number, each.counts, each.max_points) for each in book.attempts("bob")] == [
        (1, False, 12),
        (2, True, 19),
    ]
    book.record_attempt(grading(new_result(), student="dan", source=other_questions()))
    assert scores(graded)["dan"] == (19, NEW_MAX)


def test_what_was_planned_is_what_is_there_afterwards(book: Gradebook, graded: Path, layout: Ledger) -> None:
    plan = plan_revision(book, others(layout))
    published(book, others(layout))
    told = {each.student: each.after.total for each in plan.moves if each.after}
    assert told == {student: score for student, (score, _) in scores(graded).items()}
    standing = {each.student: each.points for each in read_standings(book)}
    assert standing["cid"] == 0


@pytest.mark.slow
def test_the_stock_nbgrader_goes_on_with_it(
    book: Gradebook, graded: Path, layout: Ledger, tmp_path: Path
) -> None:
    published(book, others(layout))
    words = ASK.replace("== 2", "== 3")
    done = subprocess.run(
        [sys.executable, "-c", words, gradebook_url(graded)], cwd=graded, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    before = tables(graded, ours=False)
    (graded / "source/layers/layers.ipynb").write_bytes(notebook_bytes(other_questions()))
    nbgrader(graded, "generate_assignment", "layers", "--force")
    assert tables(graded, ours=False) == before
    nbgrader(graded, "export", "--to", "grades.csv")
    assert "bob" in (graded / "grades.csv").read_text()


def test_marks_and_comments_by_hand_survive(book: Gradebook, graded: Path, layout: Ledger) -> None:
    mark(graded, "why", 2.5)
    mark(graded, "check-relu", 3)
    remark(graded, "layer", "Nicely done.")
    remark(graded, "why", "Short, but right.")
    published(book, others(layout))
    assert grades(graded)["why"] == (None, 2.5, False), "the same answer needs no second look"
    assert grades(graded)["check-relu"] == (0, 3, True), "other points for the question need one"
    assert scores(graded)["ada"] == (3 + 6 + 5 + 2.5, NEW_MAX)
    with theirs(graded) as opened:
        for cell, words in (("layer", "Nicely done."), ("why", "Short, but right.")):
            assert opened.find_comment(cell, "layers", "layers", "ada").comment == words


def test_who_was_not_judged_anew_keeps_the_same_part_of_the_points(
    book: Gradebook, graded: Path, layout: Ledger
) -> None:
    source = other_questions()
    made = revision(source, drafted(layout, source, new_result()), layout=layout)
    published(book, made)
    assert grades(graded, "bob") == {
        "check-relu": (8, None, False),
        "check-layer": (0, None, False),
        "check-scale": (None, None, True),
        "why": (None, None, True),
    }
    assert {each.student: each.state for each in read_standings(book)}["bob"] is State.PENDING


def test_a_notebook_is_added_and_another_one_goes(book: Gradebook, graded: Path, layout: Ledger) -> None:
    renamed = layout.copy()
    for row in renamed.rows("notebook"):
        row["name"] = "more-layers"
    source = other_questions()
    one = drafted(layout, source, new_result())
    moved = replace(one, notebooks=tuple(replace(each, name="more-layers") for each in one.notebooks))
    made = replace(revision(source, moved, layout=renamed), sources={"more-layers": source})
    published(book, made)
    assert set(released(held(book))) == {"more-layers"}
    assert scores(graded)["ada"] == (19, NEW_MAX)
    assert scores(graded)["bob"] == (0, NEW_MAX)


def test_the_same_questions_judged_anew(book: Gradebook, graded: Path) -> None:
    source = two_questions()
    made = revision(source, drafted(held(book), source, old_result(), student="bob"))
    published(book, made)
    assert scores(graded)["bob"] == (12, 15)
    assert [each.counts for each in book.attempts("bob")] == [False, True]


def test_lateness_is_reckoned_anew(book: Gradebook, graded: Path) -> None:
    source = two_questions()
    made = revision(
        source,
        drafted(held(book), source, old_result()),
        late=lambda student, at: 60.0,
        penalty=lambda late, points: points / 4,
    )
    published(book, made)
    attempt = book.attempts("ada")[-1]
    assert (attempt.late_seconds, attempt.penalty) == (60, 3)
    with theirs(graded) as opened:
        assert opened.find_submission("layers", "ada").late_submission_penalty == 3


def test_the_best_attempt_counts_where_the_course_says_so(book: Gradebook, graded: Path) -> None:
    book.record_attempt(grading(old_result(check_layer=0), minutes=5), Policy.BEST)
    source = two_questions()
    worse = drafted(held(book), source, old_result(check_layer=0, check_relu=0))
    same = drafted(held(book), source, old_result(check_layer=0), minutes=5)
    published(book, revision(source, worse, same, policy=Policy.BEST))
    assert [each.counts for each in book.attempts("ada")] == [False, False, False, True]
    assert scores(graded)["ada"] == (6, 15)


def test_a_submission_that_was_never_judged_gets_its_first_grade(
    book: Gradebook, graded: Path, layout: Ledger
) -> None:
    source = other_questions()
    made = revision(source, drafted(layout, source, new_result(), student="eve"), layout=layout)
    plan = plan_revision(book, made)
    assert {each.student: each.before for each in plan.moves}["eve"] is None
    publish(book, made, plan, WARRANT)
    assert scores(graded)["eve"] == (19, NEW_MAX)
    assert {each.student: each.attempt for each in read_standings(book)}["eve"] == 1


def test_publishing_twice_does_nothing(book: Gradebook, graded: Path, layout: Ledger) -> None:
    published(book, others(layout))
    before = tables(graded, ours=True)
    again = plan_revision(book, revision(other_questions(), *others(layout).drafted))
    assert (again.added, again.refitted) == ((), False)
    with pytest.raises(Stale):
        publish(book, others(layout), plan_revision_of_before(book, layout), WARRANT)
    assert tables(graded, ours=True) == before


def plan_revision_of_before(book: Gradebook, layout: Ledger) -> Plan:
    """A plan that rests on another gradebook than there is."""
    plan = plan_revision(book, others(layout))
    return replace(plan, seen={**plan.seen, "ada": "another state"})


CHANGES: dict[str, Callable[[Gradebook, Path], object]] = {
    "a mark by hand": lambda book, course: mark(course, "why", 1),
    "a comment": lambda book, course: remark(course, "why", "Hm."),
    "an attempt": lambda book, course: book.record_attempt(grading(old_result(), minutes=9)),
    "a student's first attempt": lambda book, course: book.record_attempt(
        grading(old_result(), student="eve")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_published_that_was_not_looked_at(
    book: Gradebook, graded: Path, layout: Ledger, change: str
) -> None:
    plan = plan_revision(book, others(layout))
    CHANGES[change](book, graded)
    before = tables(graded, ours=True)
    with pytest.raises(Stale, match=r"changed of (ada|eve) .*look again with --dry-run"):
        publish(book, others(layout), plan, WARRANT)
    assert tables(graded, ours=True) == before


def test_a_fault_since_is_no_change(book: Gradebook, graded: Path, layout: Ledger) -> None:
    seen = plan_revision(book, others(layout)).seen
    book.record_attempt(grading(None, minutes=1, fault="no box started"))
    publish(book, others(layout), plan_revision(book, others(layout)), WARRANT, seen)
    states = [each.state for each in book.attempts("ada")]
    assert states == [AttemptState.GRADED, AttemptState.FAULT, AttemptState.GRADED]
    assert book.attempts("ada")[-1].counts


def test_the_record_says_who_when_why_and_by_what(book: Gradebook, layout: Ledger) -> None:
    old = book.attempts("ada")[0].source_version
    published(book, others(layout))
    (line,) = regradings(book, "layers")
    assert (line.by, line.at, line.reason) == (WARRANT.by, WARRANT.at, WARRANT.reason)
    assert (line.code_version, line.environment) == (WARRANT.code_version, WARRANT.environment)
    assert line.source_before == (old,)
    assert line.source_after == (book.attempts("ada")[-1].source_version,)
    assert line.counts == {"up": 1, "down": 1, "first": 0, "unchanged": 1, "kept": 0}
    assert (line.policy, line.undone, line.undoes) == ("replace", False, None)
    assert regradings(book, "another") == ()
