"""What goes between students and staff, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from autograder.errors import AuthorError, PlatformError, SubmissionError
from autograder.gradebook import content_sha256, latest_receipt, read_snapshot, receipts
from hub.exchange.exchange import Exchange
from hub.exchange.lookups import extended
from hub.exchange.records import Member, Role, Submission
from hub.exchange.refusals import Closed, Unknown
from tests.hub.exchange.course import CLOSES, DUE, FIRST, MOST, OPENS, SECOND, Hands, notebook, small_course

T = TypeVar("T")
HOUR = timedelta(hours=1)


def hand_in(exchange: Exchange, text: str = "1", student: str = "ada", assignment: str = FIRST) -> Submission:
    return exchange.submit(student, assignment, {"layers.ipynb": notebook(text)})


def test_a_submission_is_kept_as_it_came_with_our_time(exchange: Exchange, hands: Hands) -> None:
    files = {"layers.ipynb": notebook("x"), "notes.txt": b"not taken"}
    taken = exchange.submit("ada", FIRST, files)
    assert (taken.number, taken.received, taken.late) == (1, hands.now, timedelta(0))
    assert taken.ignored == ("notes.txt",)
    assert taken.sha256 == content_sha256({"layers.ipynb": notebook("x")})
    assert exchange.read_submission(taken) == {"layers.ipynb": notebook("x")}
    assert exchange.submissions() == (taken,)


def test_the_same_bytes_as_the_newest_get_the_same_receipt_at_any_time(
    exchange: Exchange, hands: Hands
) -> None:
    first = hand_in(exchange)
    hands.now = CLOSES + HOUR
    assert hand_in(exchange) == first
    assert exchange.terms("ada", FIRST).used == 1


def test_going_back_to_an_earlier_answer_is_an_attempt(exchange: Exchange, hands: Hands) -> None:
    for text in "121":
        hands.on(minutes=1)
        hand_in(exchange, text)
    assert [each.number for each in exchange.submissions("ada")] == [1, 2, 3]


def test_who_follows_submissions_misses_none(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """One has its number and isn't kept yet: none with a higher number is kept before it."""
    numbered, kept = threading.Event(), threading.Event()

    def looked_up(session: Session, student: str | None) -> dict[tuple[str, str], datetime]:
        if student == "ada":
            numbered.set()
            assert kept.wait(60)
        return extended(session, student)

    monkeypatch.setattr("hub.exchange.exchange.extended", looked_up)
    with ThreadPoolExecutor() as pool:
        ada = pool.submit(hand_in, exchange)
        assert numbered.wait(60)
        bob = pool.submit(hand_in, exchange, student="bob")
        wait([bob], timeout=0.5)
        seen = exchange.since(0, 9)
        kept.set()
        wait([ada, bob])
    last = seen[-1].id if seen else 0
    assert [*seen, *exchange.since(last, 9)] == sorted((ada.result(), bob.result()), key=lambda each: each.id)


def test_attempts_run_out(exchange: Exchange) -> None:
    for number in range(MOST):
        hand_in(exchange, str(number))
    with pytest.raises(Closed, match=f"all {MOST} attempts"):
        hand_in(exchange, "one more")
    assert hand_in(exchange, str(MOST - 1)).number == MOST
    assert exchange.terms("ada", FIRST).left == 0
    assert exchange.terms("grace", FIRST).left == MOST


def test_dates_hold_to_the_microsecond(exchange: Exchange, hands: Hands) -> None:
    hands.now = OPENS - timedelta(microseconds=1)
    with pytest.raises(Closed, match="opens on 01 February 2027 at 09:00 UTC"):
        hand_in(exchange)
    with pytest.raises(Closed):
        exchange.fetch("ada", FIRST)
    hands.now = OPENS
    assert hand_in(exchange, "first").late == timedelta(0)
    hands.now = CLOSES
    assert hand_in(exchange, "last").late == CLOSES - DUE
    hands.now = CLOSES + timedelta(microseconds=1)
    with pytest.raises(Closed, match="ask your instructor for an extension"):
        hand_in(exchange, "too late")


def test_an_upload_that_waited_in_our_queue_keeps_the_time_at_which_it_came(
    exchange: Exchange, hands: Hands
) -> None:
    hands.now = CLOSES + HOUR
    taken = exchange.submit("ada", FIRST, {"a.ipynb": b"{}"}, received=CLOSES)
    assert taken.received == CLOSES


def test_an_extension_moves_the_end_for_one_student(exchange: Exchange, hands: Hands) -> None:
    later = DUE + timedelta(days=7)
    granted = exchange.extend("ada", FIRST, later, by="alan", reason="ill")
    hands.now = CLOSES + HOUR
    assert hand_in(exchange).late == timedelta(0)
    with pytest.raises(Closed):
        hand_in(exchange, student="grace")
    assert exchange.due("ada", FIRST) == later
    assert exchange.due("grace", FIRST) == DUE
    assert exchange.terms("ada", FIRST).extended
    assert exchange.extensions() == (granted,)
    assert exchange.extensions(SECOND) == ()
    exchange.end_extension("ada", FIRST)
    assert exchange.extensions() == ()
    assert exchange.submissions("ada")[0].late == hands.now - DUE


def test_a_second_extension_replaces_the_first(exchange: Exchange) -> None:
    exchange.extend("ada", FIRST, DUE + 2 * HOUR, by="alan")
    exchange.extend("ada", FIRST, DUE + HOUR, by="alan")
    assert [each.due for each in exchange.extensions()] == [DUE + HOUR]


def test_an_extension_that_changes_nothing_is_refused(exchange: Exchange) -> None:
    with pytest.raises(AuthorError, match="not after the due date"):
        exchange.extend("ada", FIRST, DUE, by="alan")
    with pytest.raises(AuthorError, match="time zone"):
        exchange.extend("ada", FIRST, DUE.replace(tzinfo=None) + HOUR, by="alan")
    with pytest.raises(Unknown, match="nobody on the roster"):
        exchange.extend("adda", FIRST, DUE + HOUR, by="alan")


def test_only_what_is_released_is_open(exchange: Exchange) -> None:
    for act in (lambda: hand_in(exchange, assignment=SECOND), lambda: exchange.fetch("ada", SECOND)):
        with pytest.raises(Closed, match="released"):
            act()
    assert [each.assignment for each in exchange.releases()] == [FIRST]


def test_staff_fetch_before_the_date(exchange: Exchange, hands: Hands) -> None:
    hands.now = OPENS - HOUR
    assert exchange.fetch("alan", FIRST) == {"layers.ipynb": notebook("# your answer")}


def test_a_withdrawn_assignment_is_gone_for_students_and_nothing_is_lost(exchange: Exchange) -> None:
    first = hand_in(exchange)
    exchange.withdraw(FIRST)
    assert exchange.releases() == ()
    assert not exchange.terms("ada", FIRST).released
    with pytest.raises(Closed):
        exchange.fetch("ada", FIRST)
    with pytest.raises(Closed):
        hand_in(exchange, "2")
    assert hand_in(exchange) == first
    assert exchange.submissions() == (first,)
    exchange.release(FIRST, {"layers.ipynb": notebook("# your answer")})
    assert hand_in(exchange, "2").number == 2


def test_a_release_comes_from_the_course_directory(exchange: Exchange) -> None:
    folder = exchange.course_dir / "release" / SECOND
    (folder / "data").mkdir(parents=True)
    (folder / "kernels.ipynb").write_bytes(notebook())
    (folder / "data" / "x.csv").write_bytes(b"1,2")
    (folder / ".hidden").write_bytes(b"")
    released = exchange.release(SECOND)
    assert [each.name for each in released.files] == ["kernels.ipynb", "data/x.csv"]
    assert exchange.release(SECOND) == released
    assert exchange.fetch("ada", SECOND)["data/x.csv"] == b"1,2"
    (folder / "data" / "x.csv").write_bytes(b"3")
    assert exchange.release(SECOND).version != released.version
    (folder / "link.csv").symlink_to("/etc/hostname")
    with pytest.raises(SubmissionError, match="no plain file"):
        exchange.release(SECOND)


def test_what_is_not_in_the_course_is_unknown(exchange: Exchange) -> None:
    for act in (exchange.release, exchange.withdraw, lambda name: exchange.terms("ada", name)):
        with pytest.raises(Unknown, match="no assignment 'layers'"):
            act("layers")
    with pytest.raises(AuthorError, match="mlsys release"):
        exchange.release(SECOND)


def test_people_are_enrolled_as_students_on_first_contact(exchange: Exchange) -> None:
    assert exchange.member("new") == Member("new", Role.STUDENT)
    exchange.enrol([Member("new", Role.INSTRUCTOR, "New Person", "new@example.org")])
    assert exchange.member("new").is_staff
    assert [each.name for each in exchange.roster()] == ["ada", "alan", "grace", "new"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\0b", "ada ", "a" * 65, "\u0430da", ".ada"])
def test_who_has_no_proper_name_is_nobody(exchange: Exchange, name: str) -> None:
    for act in (
        lambda: exchange.member(name),
        lambda: exchange.enrol([Member(name)]),
        lambda: hand_in(exchange, student=name),
    ):
        with pytest.raises(SubmissionError, match="student id"):
            act()


def test_two_at_once_of_the_same_bytes_are_one_submission(exchange: Exchange) -> None:
    taken = at_once([lambda: hand_in(exchange)] * 8)
    assert len(set(taken)) == 1
    assert len(exchange.submissions()) == 1


def test_many_at_once_get_numbers_of_their_own_and_no_more_than_are_allowed(exchange: Exchange) -> None:
    taken = at_once([lambda text=str(n): attempt(exchange, text) for n in range(12)])  # type: ignore[misc]
    kept = [each for each in taken if isinstance(each, Submission)]
    assert sorted(each.number for each in kept) == list(range(1, MOST + 1))
    assert sum(isinstance(each, Closed) for each in taken) == 12 - MOST
    assert sorted(exchange.submissions(), key=lambda each: each.number) == sorted(
        kept, key=lambda each: each.number
    )


def attempt(exchange: Exchange, text: str) -> Submission | Closed:
    try:
        return hand_in(exchange, text)
    except Closed as error:
        return error


def at_once(acts: list[Callable[[], T]]) -> list[T]:
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        barrier.wait(30)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_two_processes_share_one_exchange(
    exchange: Exchange, tmp_path: Path, hands: Hands, database: str | None
) -> None:
    with Exchange(small_course(tmp_path), tmp_path / "course", database=database, clock=hands) as other:
        taken = at_once([lambda: hand_in(exchange, "1"), lambda: hand_in(other, "2")])
        assert {each.number for each in taken} == {1, 2}
        assert other.public_key == exchange.public_key
        assert other.secret("x") == exchange.secret("x") != exchange.secret("y")


def test_a_clock_that_goes_back_does_not_change_the_order(exchange: Exchange, hands: Hands) -> None:
    first = hand_in(exchange, "1")
    hands.on(hours=-5)
    second = hand_in(exchange, "2")
    assert second.received > first.received
    assert [each.number for each in exchange.submissions()] == [1, 2]


def test_bytes_that_changed_in_the_storage_are_never_handed_out(exchange: Exchange) -> None:
    taken = hand_in(exchange)
    sha256 = taken.files[0].sha256
    path = exchange.course_dir / "exchange" / sha256[:2] / sha256
    path.chmod(0o600)
    path.write_bytes(notebook("better answer"))
    with pytest.raises(PlatformError, match="not what was kept"):
        exchange.read_submission(taken)


def test_collecting_lays_all_submissions_down_in_order_once(exchange: Exchange, hands: Hands) -> None:
    for text, student in (("1", "ada"), ("2", "grace"), ("3", "ada"), ("1", "ada")):
        hands.on(minutes=1)
        hand_in(exchange, text, student)
    assert len(exchange.collect(FIRST, ["grace"])) == 1
    assert len(exchange.collect(FIRST)) == 3
    assert exchange.collect(FIRST) == ()
    course_dir = exchange.course_dir
    of_ada = exchange.submissions("ada")
    assert [each.received for each in receipts(course_dir, "ada", FIRST)] == [
        each.received for each in of_ada
    ]
    newest = latest_receipt(course_dir, "ada", FIRST)
    assert newest is not None
    assert read_snapshot(course_dir, newest) == exchange.read_submission(of_ada[-1])
    stamp = (course_dir / "submitted" / "ada" / FIRST / "timestamp.txt").read_text()
    assert stamp.startswith(f"{hands.now:%Y-%m-%d %H:%M:%S}")


def test_feedback_is_given_back_once_and_newest_first(exchange: Exchange) -> None:
    taken = hand_in(exchange)
    first = exchange.give_back("ada", FIRST, {"layers.html": b"5/10"}, sha256=taken.sha256, attempt=1)
    again = exchange.give_back("ada", FIRST, {"layers.html": b"5/10"}, sha256=taken.sha256, attempt=1)
    second = exchange.give_back("ada", FIRST, {"layers.html": b"6/10"}, sha256=taken.sha256, attempt=2)
    assert first == again
    assert exchange.returned("ada") == (second, first)
    assert exchange.returned("grace") == ()
    assert exchange.read_returned(second) == {"layers.html": b"6/10"}


@pytest.mark.parametrize(
    "name", ["../x.html", "/x.html", "a/../x.html", "a//b", ".x", "a/.x", "a\0b", "a\\b"]
)
def test_staff_files_stay_in_their_folder(exchange: Exchange, name: str) -> None:
    with pytest.raises(SubmissionError, match="no file name"):
        exchange.release(FIRST, {name: b""})
    with pytest.raises(SubmissionError, match="no file name"):
        exchange.give_back("ada", FIRST, {name: b""}, sha256="0", attempt=1)


def test_only_the_owner_of_the_course_directory_reads_the_exchange(exchange: Exchange) -> None:
    hand_in(exchange)
    for path in (exchange.course_dir / "exchange", *(exchange.course_dir / "exchange").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0
    database = exchange.course_dir / "exchange.db"
    assert not database.exists() or database.stat().st_mode & 0o077 == 0


def test_arrivals_are_the_newest_submissions(exchange: Exchange, hands: Hands) -> None:
    for text in "12":
        hands.on(minutes=1)
        newest = hand_in(exchange, text)
    other = hand_in(exchange, "3", "grace")
    found = {each.student: (each.number, each.sha256, each.received) for each in exchange.arrivals()}
    assert found == {each.student: (each.number, each.sha256, each.received) for each in (newest, other)}


def test_the_attempt_whose_feedback_came_last_is_told(exchange: Exchange) -> None:
    for attempt in (2, 1, 3):
        exchange.give_back("ada", FIRST, {"page.html": b"%d" % attempt}, sha256="0" * 64, attempt=attempt)
    assert exchange.returned_attempts() == {("ada", FIRST): 3}
