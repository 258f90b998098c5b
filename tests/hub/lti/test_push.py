"""Grades pushed to a platform that behaves as real ones do: all of them arrive, once, and what doesn't is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from autograder.errors import AuthorError, PlatformError
from autograder.gradebook.gradetable import GradeState
from hub.coursework import Busy
from hub.lti.planning import Choices, Fate
from hub.lti.push import Preview, Verdict
from tests.hub.lti.faults import Fault, Kind, at, on
from tests.hub.lti.gradebook import EXTENSION, INSTRUCTOR, Column, Person, dropped, moment
from tests.hub.lti.platform import AGS, SCOPES
from tests.hub.lti.room import FIRST, ONCE, QUICK, Room, grade


def test_grades_arrive_and_are_read_back_with_one_request(room: Room) -> None:
    report = room.push(room.grades(10, 7.5, 0, 3.25, None))
    assert room.shown() == {"1000": 10, "1001": 7.5, "1002": 0, "1003": 3.25}
    assert [each.verdict for each in report.deliveries] == [Verdict.CONFIRMED] * 4
    assert [each.fate for each in report.preview.rows][-1] is Fate.PENDING
    reads = [each for each in room.platform.heard if each.path.endswith("/results")]
    assert len(reads) == 1  # none before the column was made, one for all after
    assert room.platform.columns[0].tag == "mlsys"


def test_what_is_there_is_not_sent_again(room: Room) -> None:
    grades = room.grades(10, 7.5, 0, 3.25, 1)
    room.push(grades)
    before = len(room.platform.scores())
    report = room.push(grades)
    assert not report.deliveries
    assert {each.fate for each in report.preview.rows} == {Fate.UNCHANGED}
    assert len(room.platform.scores()) == before
    assert len(room.platform.columns) == 1


def test_a_regrade_sends_what_changed_and_later(room: Room) -> None:
    room.push(room.grades(1, 2, 3, 4, 5))
    room.push(room.grades(1, 2, 9, 4, 5))
    assert room.shown()["1002"] == 9
    of_them = [each for each in room.platform.scores() if each["userId"] == "1002"]
    first, second = (moment(each["timestamp"]) for each in of_them)
    assert first is not None and second is not None
    assert second - first >= timedelta(seconds=1)


def test_a_score_says_all_that_the_specification_wants(room: Room) -> None:
    room.push(room.grades(7))
    (sent,) = room.platform.scores()
    assert sent["timestamp"].endswith("Z")
    assert moment(sent["timestamp"]) <= datetime.now(UTC) + timedelta(seconds=2)  # type: ignore[operator]
    assert sent == {
        "userId": "1000",
        "scoreGiven": 7,
        "scoreMaximum": 10,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": sent["timestamp"],
    }


def test_nothing_but_what_is_final_is_sent(room: Room) -> None:
    names = [each.login for each in room.platform.people[1:]]
    states = [GradeState.PENDING, GradeState.FAULT, GradeState.MISSING, GradeState.EXCUSED]
    grades = [grade(name, None, state=state) for name, state in zip(names, states, strict=False)]
    report = room.push(grades)
    assert [each.fate.value for each in report.preview.rows] == ["pending", "fault", "missing", "excused"]
    assert not room.platform.scores()
    assert not room.platform.columns


def test_missing_work_is_a_zero_only_where_that_is_asked_for(room: Room) -> None:
    grades = [grade("s0000", None, state=GradeState.MISSING), grade("s0001", None, state=GradeState.PENDING)]
    room.push(grades, order=room.order(missing_as_zero=True))
    assert room.shown() == {"1000": 0}


def test_missing_work_that_may_still_come_in_is_no_zero(room: Room) -> None:
    grades = [grade(name, None, state=GradeState.MISSING) for name in ("s0000", "s0001")]
    choices = Choices(missing_as_zero=True, not_due=frozenset({("s0001", FIRST)}))
    report = room.push(grades, order=replace(room.order(), choices=choices))
    assert room.shown() == {"1000": 0}
    assert report.preview.rows[1].note == "may still come in"


def test_a_dry_run_changes_nothing_there(room: Room) -> None:
    preview = room.look(room.grades(1, 2))
    assert [each.fate for each in preview.sending] == [Fate.NEW, Fate.NEW]
    assert "will be made" in preview.notes[0]
    assert {each.method for each in room.platform.heard} == {"GET"}


def test_a_no_of_staff_sends_nothing(room: Room) -> None:
    asked: list[Preview] = []

    def confirm(preview: Preview) -> bool:
        asked.append(preview)
        return False

    report = room.push(room.grades(1, 2), confirm=confirm)
    assert report.declined and len(asked) == 1
    assert not room.platform.columns


def test_teachers_and_who_was_dropped_get_no_score(room: Room) -> None:
    people = room.platform.people
    people[2] = dropped(people[2])
    people[3] = replace(people[3], roles=(INSTRUCTOR,))
    report = room.push(room.grades(1, 2, 3))
    assert [each.fate for each in report.preview.rows] == [Fate.NEW, Fate.DROPPED, Fate.DROPPED]
    assert room.shown() == {"1000": 1}


def test_an_overridden_grade_is_a_silent_refusal_that_is_told_each_time(room: Room) -> None:
    column = Column(1, "Layers", 10, FIRST, activity=True)
    room.platform.columns.append(column)
    room.push(room.grades(4, 5))
    column.override("1000", 4)  # the same value by hand: from now on nothing changes it
    for _ in range(2):
        report = room.push(room.grades(8, 5))
        assert [each.verdict for each in report.failed] == [Verdict.SILENT]
        assert room.shown() == {"1000": 4, "1001": 5}


def test_a_grade_that_is_not_ours_is_written_over_only_where_that_is_asked_for(room: Room) -> None:
    room.push(room.grades(4, 5))
    room.platform.column(FIRST).override("1000", 9)
    report = room.push(room.grades(6, 5))
    assert [each.fate for each in report.preview.rows] == [Fate.OVERWRITES, Fate.UNCHANGED]
    assert room.shown()["1000"] == 9
    room.push(room.grades(6, 5), order=room.order(overwrite=True))
    assert room.shown()["1000"] == 6  # a column of the tool's own does take it


def test_a_score_over_the_maximum_is_told_and_not_sent(room: Room) -> None:
    report = room.push(room.grades(12, 5))
    assert [each.fate for each in report.preview.rows] == [Fate.OVER, Fate.NEW]
    report = room.push(room.grades(12, 5), order=room.order(over_maximum=True))
    assert [(each.verdict, each.planned.student) for each in report.failed] == [(Verdict.DIFFERS, "s0000")]
    assert room.shown() == {"1000": 10, "1001": 5}  # it was cut


def test_a_column_of_another_maximum_rescales_and_is_the_same_grade(room: Room) -> None:
    room.platform.columns.append(Column(1, "Layers", 20, FIRST))
    report = room.push(room.grades(7, 3.33))
    assert not report.failed
    assert room.shown() == {"1000": 14, "1001": pytest.approx(6.66)}
    assert "rescales" in report.preview.notes[0]
    assert not room.push(room.grades(7, 3.33)).deliveries
    room.platform.column(FIRST).rescale(50)
    assert not room.push(room.grades(7, 3.33)).deliveries


def test_a_later_score_of_another_is_a_conflict_until_its_time_has_come(room: Room) -> None:
    room.push(room.grades(4, 5))
    kept = room.platform.column(FIRST).of("1000")
    kept.stamp = datetime.now(UTC) + timedelta(hours=1)  # somebody pushed with a wrong clock
    report = room.push(room.grades(6, 5))
    assert [each.verdict for each in report.failed] == [Verdict.CONFLICT]
    assert room.shown()["1000"] == 4
    sent = [each for each in room.platform.scores() if each["userId"] == "1000"]
    assert len({each["timestamp"] for each in sent}) == len(sent) == 3  # once more, with a later time


def test_a_conflict_of_this_second_is_sent_again_later(room: Room) -> None:
    column = Column(1, "Layers", 10, FIRST)
    room.platform.columns.append(column)

    def somebody_is_first(count: int, method: str, path: str) -> None:
        if path.endswith("/scores") and column.of("1000").stamp is None:
            column.of("1000").stamp = datetime.now(UTC)

    room.platform.breaks(somebody_is_first)
    assert not room.push(room.grades(6)).failed
    assert room.shown() == {"1000": 6}
    assert len(room.platform.scores()) == 2


def test_a_clock_that_was_set_back_sends_nothing_with_an_old_time(room: Room) -> None:
    room.push(room.grades(4, 5))
    room.on(hours=-1)
    report = room.push(room.grades(6, 7))
    assert [each.verdict for each in report.failed] == [Verdict.CONFLICT] * 2
    assert "clock" in report.failed[0].note
    assert len(room.platform.scores()) == 2


def test_a_score_has_the_platforms_time_where_our_clock_is_ahead(room: Room) -> None:
    room.platform.switches.ahead = timedelta(seconds=-100)
    room.push(room.grades(4))
    sent = moment(room.platform.scores()[0]["timestamp"])
    assert sent is not None and sent < datetime.now(UTC) - timedelta(seconds=90)


def test_clocks_that_are_far_apart_are_an_error(room: Room) -> None:
    room.platform.switches.ahead = timedelta(hours=2)
    report = room.push(room.grades(4))
    assert "clock" in str(report.broken)
    assert not room.platform.scores()


def test_canvas_is_told_that_it_is_no_new_submission(room: Room) -> None:
    room.platform.switches.is_canvas = True
    room.launch()
    for score in (4, 6, 7):  # one attempt is allowed there
        assert not room.push(room.grades(score)).failed
    kept = room.platform.column(FIRST).of("1000")
    assert (kept.score, kept.submissions) == (7, 0)
    assert all(each[EXTENSION] == {"new_submission": False} for each in room.platform.scores())


def test_canvas_refuses_an_older_time_and_that_is_a_conflict(room: Room) -> None:
    room.platform.switches.is_canvas = True
    room.launch()
    room.push(room.grades(4))
    room.platform.column(FIRST).of("1000").stamp = datetime.now(UTC) + timedelta(hours=1)
    report = room.push(room.grades(6))
    assert [each.verdict for each in report.failed] == [Verdict.CONFLICT]


def test_a_student_whom_the_platform_refuses_holds_nobody_up(room: Room) -> None:
    """The roster says Learner, the gradebook doesn't."""
    room.platform.breaks(on("/scores", Fault(Kind.ANSWER, 422), times=1))
    report = room.push(room.grades(1, 2, 3))
    assert [(each.verdict, each.status) for each in report.failed] == [(Verdict.REFUSED, 422)]
    assert len(room.shown()) == 2


def test_feedback_goes_along_where_it_is_asked_for(room: Room) -> None:
    grades = [grade("s0000", 4, feedback="Layer 2 is\nright."), grade("s0001", 5)]
    room.push(grades, order=replace(room.order(), feedback=True))
    comments = {each["userId"]: each.get("comment") for each in room.platform.scores()}
    assert comments == {"1000": "Layer 2 is\nright.", "1001": None}


@pytest.mark.parametrize(("pages", "typographic"), [(2, True), (2, False), (1, True)])
def test_pages_are_followed_whatever_their_quotes(room: Room, pages: int, typographic: bool) -> None:
    room.platform.switches.pages, room.platform.switches.typographic = pages, typographic
    room.platform.columns += [Column(n, f"Other {n}", 10, f"other-{n}") for n in range(1, 4)]
    assert not room.push(room.grades(1, 2, 3, 4, 5)).failed
    assert sorted(room.shown().items()) == [(f"{1000 + n}", n + 1) for n in range(5)]
    assert not room.push(room.grades(1, 2, 3, 4, 5)).deliveries


@pytest.mark.parametrize("type_id", [True, False])
def test_the_query_of_a_column_stays_in_its_addresses(room: Room, type_id: bool) -> None:
    room.platform.switches.type_id = type_id
    room.launch()
    assert not room.push(room.grades(1)).failed
    queries = {each.query for each in room.platform.heard if each.path.endswith(("/scores", "/results"))}
    assert queries == {"type_id=2" if type_id else ""}


def test_a_token_that_ends_in_the_middle_is_renewed_once(room: Room) -> None:
    room.platform.breaks(on("/scores", Fault(Kind.ANSWER, 401), times=1))
    assert not room.push(room.grades(1, 2, 3)).failed
    assert len(room.platform.tokens) == 2
    room.platform.breaks(on("/scores", Fault(Kind.ANSWER, 401)))
    report = room.push(room.grades(4, 5, 6))
    assert "token" in str(report.broken)
    assert room.shown() == {"1000": 1, "1001": 2, "1002": 3}


def test_a_token_is_renewed_before_it_ends(room: Room) -> None:
    room.platform.switches.token_seconds = 5  # less than the margin
    assert not room.push(room.grades(1)).failed
    assert len(room.platform.tokens) > 3


def test_a_busy_platform_is_asked_again(room: Room) -> None:
    for status in (429, 500, 502, 503, 504):
        room.platform.breaks(on("/scores", Fault(Kind.ANSWER, status, {"Retry-After": "0"}), times=2))
        room.on(seconds=5)
        assert not room.push(room.grades(status / 100)).failed


def test_a_platform_that_wants_a_long_pause_is_left_alone(room: Room) -> None:
    room.platform.breaks(on("/scores", Fault(Kind.ANSWER, 429, {"Retry-After": "86400"})))
    report = room.push(room.grades(1))
    assert "86400 seconds" in str(report.broken)


def test_what_took_effect_before_an_error_is_found_and_not_sent_twice(room: Room) -> None:
    room.platform.breaks(on("/scores", Fault(Kind.LATE, 503), times=1))
    report = room.push(room.grades(1, 2))
    assert not report.failed
    assert {user: kept.writes for user, kept in room.platform.column(FIRST).kept.items()} == {
        "1000": 1,
        "1001": 1,
    }


@pytest.mark.parametrize("kind", [Kind.BEFORE, Kind.AFTER, Kind.MIDWAY])
def test_a_column_is_made_once_though_the_connection_broke(room: Room, kind: Kind) -> None:
    room.platform.breaks(on("/lineitems", Fault(kind), "POST", times=1))
    assert not room.push(room.grades(1)).failed
    assert [each.resource_id for each in room.platform.columns] == [FIRST]


def test_several_columns_of_an_assignment_are_a_choice_for_staff(room: Room) -> None:
    room.platform.columns += [Column(1, "A", 10, FIRST), Column(2, "B", 10, FIRST)]
    with pytest.raises(AuthorError, match="--line-item"):
        room.push(room.grades(1))
    chosen = room.platform.item_id(room.platform.columns[1])
    room.push(room.grades(1), order=replace(room.order(), line_item=chosen))
    assert room.platform.grades(room.platform.columns[1]) == {"1000": 1}
    assert not room.push(room.grades(1)).deliveries  # it is remembered


def test_a_chosen_column_must_be_the_courses(room: Room) -> None:
    with pytest.raises(AuthorError, match="no column"):
        room.push(room.grades(1), order=replace(room.order(), line_item="https://else.test/1"))


@pytest.mark.parametrize("scope", [SCOPES[2], SCOPES[3]])
def test_without_the_scopes_nothing_is_sent(room: Room, scope: str) -> None:
    room.platform.switches.granted = tuple(each for each in SCOPES if each != scope)
    with pytest.raises(PlatformError, match=scope.removeprefix(AGS)):
        room.push(room.grades(1))
    assert not room.platform.heard


def test_two_pushes_at_once_are_one(room: Room) -> None:
    def confirm(preview: Preview) -> bool:
        with pytest.raises(Busy):
            room.push(room.grades(9))
        return True

    room.push(room.grades(1), confirm=confirm)
    assert room.shown() == {"1000": 1}


def test_progress_is_told_to_the_end(room: Room) -> None:
    told: list[tuple[int, int]] = []
    room.push(room.grades(1, 2, 3), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)


def test_ids_are_opaque(room: Room) -> None:
    odd = [
        "0003",
        "3",
        "ä ö/ü?&#%",
        "<script>",
        '"; DROP TABLE',
        "💥",
        "a" * 400,
        "a\nb\x1b[31m\u202e",
        " ",
        "X" * 3 + "=1+1",
    ]
    room.platform.people = [Person(each, f"o{n}") for n, each in enumerate(odd)]
    room.launch()
    report = room.push([grade(f"o{n}", n) for n in range(len(odd))])
    assert not report.failed
    assert room.shown() == {each: n for n, each in enumerate(odd)}


def test_a_drop_that_outlasts_all_tries_is_told_and_the_rest_goes_on_later(room: Room) -> None:
    room.platform.breaks(on("/scores", Fault(Kind.BEFORE)))
    report = room.push(room.grades(1, 2))
    assert "doesn't answer" in str(report.broken)
    assert {each.verdict for each in report.failed} == {Verdict.UNKNOWN}
    room.platform.breaks(None)
    assert not room.push(room.grades(1, 2)).failed
    assert room.shown() == {"1000": 1, "1001": 2}


def requests_of_a_push(room: Room) -> int:
    room.push(room.grades(1, 2, 3, 4, 5))
    return room.platform.faulty.count


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind.BEFORE, Kind.AFTER, Kind.MIDWAY])
@pytest.mark.parametrize("pace", ["patient", "impatient"])
@pytest.mark.parametrize("number", range(1, 12))
def test_a_push_that_is_interrupted_at_any_request_and_run_again_is_right(
    room: Room, number: int, kind: Kind, pace: str
) -> None:
    """Token, columns, roster, column made, five scores, results: ten requests; at the eleventh nothing
    breaks. Impatient, the first run ends there; patient, it goes on by itself."""
    grades = room.grades(1, 2, 3, 4, 5)
    room.platform.breaks(at(number, Fault(kind)))
    try:
        broken = room.push(grades, pace=ONCE if pace == "impatient" else QUICK).broken is not None
    except PlatformError:
        broken = True
    # Before a column is made again, it is looked for in any case.
    assert broken == (pace == "impatient" and number <= 10 and number != 4)
    room.platform.breaks(None)
    report = room.push(grades)
    assert report.broken is None and not report.failed
    assert room.shown() == {"1000": 1, "1001": 2, "1002": 3, "1003": 4, "1004": 5}
    assert len(room.platform.columns) == 1
    writes = [kept.writes for kept in room.platform.column(FIRST).kept.values()]
    assert writes == [1] * 5  # whatever was sent twice was taken once
    sent = [each["userId"] for each in room.platform.scores()]
    assert all(sent.count(user) <= 2 for user in set(sent))


def test_a_push_makes_as_many_requests_as_that_test_thinks(room: Room) -> None:
    assert requests_of_a_push(room) == 10
