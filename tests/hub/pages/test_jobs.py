"""Jobs go on without the web process, stop when asked, and are found again."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.errors import AuthorError
from autograder.files import write_whole
from autograder.gradebook.regrading import Keep
from hub.pages.jobs import Job, JobKind, Jobs, JobState, Order, is_locked
from hub.pages.live import read_progress
from tests.hub.pages.school import School

DEADLINE = 60.0
GRADE = Order(JobKind.GRADE, "layers")
REGRADE = Order(JobKind.REGRADE, "layers")
# Stands for mlsys: says what it was asked, then does what the file beside it says.
PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path
plan = Path(sys.argv[0]).with_name("plan").read_text()
print(json.dumps({"event": "found", "assignment": sys.argv[2], "jobs": 2}), flush=True)
print("not an event", flush=True)
print(json.dumps({"event": "attempt", "student": "ada", "state": "graded", "verdict": "OK", "points": 1,
                  "max_points": 2, "wall_seconds": 1.0, "sha256": "secret"}), flush=True)
sys.stderr.write("words for people\\n")
if "hub" in plan:
    print(json.dumps({"event": "environment", "names": sorted(os.environ)}), flush=True)
if "wait" in plan:
    stopped = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
    print(json.dumps({"event": "waiting"}), flush=True)
    end = time.monotonic() + 60
    while not stopped and time.monotonic() < end:
        time.sleep(0.01)
    sys.exit(130)
sys.exit(3 if "fail" in plan else 0)
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Jobs]:
    """Jobs whose commands do what a plan says."""
    script = tmp_path / "mlsys.py"
    script.write_text(PROGRAM)
    (tmp_path / "work").mkdir()

    def made(plan: str = "", **environment: str) -> Jobs:
        write_whole(tmp_path / "plan", plan.encode())  # a job that runs may be reading it
        return Jobs(
            tmp_path / "course.toml",
            tmp_path / "work",
            lambda: datetime.now(UTC),
            {**os.environ, **environment},
            (sys.executable, str(script)),
        )

    return made


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def ended(jobs: Jobs, job: Job) -> Job:
    until(lambda: not jobs.job(job.id).running)
    return jobs.job(job.id)


def kinds(jobs: Jobs, job: Job) -> list[str]:
    return [event["event"] for _, event in jobs.events(job.id)[0]]


def waiting(jobs: Jobs, job: Job) -> bool:
    return "waiting" in kinds(jobs, job)


def test_a_job_runs_its_commands_in_turn_and_keeps_what_they_report(make: Callable[..., Jobs]) -> None:
    jobs = make()
    done = ended(jobs, jobs.start(GRADE, "alan"))
    assert (done.state, done.exit, done.by, done.order) == (JobState.DONE, 0, "alan", GRADE)
    assert kinds(jobs, done) == ["step", "found", "attempt"] * 2 + ["end"]
    assert "not an event" in jobs.words(done.id) and "words for people" in jobs.words(done.id)
    assert done.typed == ("mlsys collect layers", "mlsys autograde layers")


def test_the_first_command_that_fails_is_the_last(make: Callable[..., Jobs]) -> None:
    jobs = make("fail")
    done = ended(jobs, jobs.start(GRADE, "alan"))
    assert (done.state, done.exit) == (JobState.FAILED, 3)
    assert kinds(jobs, done).count("step") == 1


def test_an_assignment_is_graded_by_one_job_at_a_time(make: Callable[..., Jobs]) -> None:
    jobs = make("wait")
    first = jobs.start(GRADE, "alan")
    with pytest.raises(AuthorError, match="is being graded already, by alan"):
        jobs.start(REGRADE, "eve")
    other = jobs.start(Order(JobKind.GRADE, "kernels"), "eve")
    assert jobs.grading("layers") == first
    assert {each.id for each in jobs.running()} == {first.id, other.id}
    for each in (first, other):
        until(lambda each=each: waiting(jobs, each))  # type: ignore[misc]  # mypy can't see the default
        jobs.stop(each.id)
        ended(jobs, each)


def test_a_stopped_job_ends_in_its_own_way_and_begins_nothing_more(make: Callable[..., Jobs]) -> None:
    jobs = make("wait")
    job = jobs.start(GRADE, "alan")
    until(lambda: waiting(jobs, job))
    jobs.stop(job.id)
    assert ended(jobs, job).state is JobState.STOPPED
    assert kinds(jobs, job).count("step") == 1
    jobs.stop(job.id)


def test_another_web_process_finds_a_job_that_is_running(make: Callable[..., Jobs]) -> None:
    job = make("wait").start(GRADE, "alan")
    later = make("wait")
    assert later.job(job.id).running
    assert later.grading("layers") == job
    until(lambda: waiting(later, job))
    later.stop(job.id)
    assert ended(later, job).state is JobState.STOPPED


def test_a_job_that_was_killed_is_told_apart(make: Callable[..., Jobs]) -> None:
    jobs = make("wait")
    job = jobs.start(GRADE, "alan")
    until(lambda: waiting(jobs, job))
    os.killpg(int((jobs.folder / job.id / "pid").read_text()), signal.SIGKILL)
    assert ended(jobs, job).state is JobState.LOST
    assert jobs.grading("layers") is None


def test_a_job_has_none_of_the_hubs_tokens(make: Callable[..., Jobs]) -> None:
    jobs = make("hub", JUPYTERHUB_API_TOKEN="secret", MLSYS_EXCHANGE_DB="sqlite:///x")
    job = ended(jobs, jobs.start(REGRADE, "alan"))
    names = next(event["names"] for _, event in jobs.events(job.id)[0] if event["event"] == "environment")
    assert "JUPYTERHUB_API_TOKEN" not in names
    assert {"MLSYS_COURSE", "MLSYS_COURSE_DIR", "MLSYS_EXCHANGE_DB"} <= set(names)


def test_events_go_on_where_a_reader_was(make: Callable[..., Jobs]) -> None:
    jobs = make()
    job = ended(jobs, jobs.start(REGRADE, "alan"))
    events, last = jobs.events(job.id)
    places = [place for place, _ in events]
    assert places == sorted(places) and places[-1] == last
    assert [event for _, event in jobs.events(job.id, places[1])[0]] == [event for _, event in events[2:]]
    assert jobs.events(job.id, last) == ([], last)
    with (jobs.folder / job.id / "events.jsonl").open("a") as log:
        log.write('{"event": "half')
    assert jobs.events(job.id, last) == ([], last)


def test_progress_is_added_up(make: Callable[..., Jobs]) -> None:
    jobs = make()
    job = ended(jobs, jobs.start(REGRADE, "alan"))
    progress = read_progress(jobs, job)
    assert (progress.expected, progress.done, progress.faults) == (2, 1, 0)
    assert "sha256" not in progress.attempts[0]


@pytest.mark.parametrize("name", ["", "..", "../../etc", "20260101T000000-grade-00000000", "x" * 300])
def test_an_id_that_is_none_is_no_job(make: Callable[..., Jobs], name: str) -> None:
    with pytest.raises(KeyError):
        make().job(name)
    with pytest.raises(KeyError):
        make().stop(name)


def test_commands_are_those_that_a_person_would_type() -> None:
    one = Order(JobKind.FEEDBACK, "layers", ("ada",), everything=True)
    assert one.commands == (
        ("feedback", "layers", "--json", "--student", "ada"),
        ("return", "layers", "--all", "--student", "ada"),
    )
    assert REGRADE.commands == (("regrade", "layers", "--dry-run", "--again", "--json"),)
    signed = replace(REGRADE, kind=JobKind.PUBLISH, keep=Keep.NEVER_LOWER, reason="--undo", by="alan")
    assert signed.commands == (
        (
            "regrade",
            "layers",
            "--publish",
            "--policy",
            "never-lower",
            "--reason=--undo",
            "--by=alan",
            "--json",
        ),
    )
    assert replace(signed, kind=JobKind.UNDO).commands == (
        ("regrade", "layers", "--undo", "--reason=--undo", "--by=alan", "--json"),
    )


def test_a_lock_that_is_not_there_is_free(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "lock")


def test_a_page_follows_a_job_and_misses_nothing(
    school: School, make: Callable[..., Jobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.pages.jobs.MLSYS", make().program)
    alan = school.visitor("alan")
    path = alan.post("/staff/a/layers/regrade").headers["location"].removeprefix("/services/course")
    stream = alan.get(f"{path}/events").text.replace("\r", "")
    events = [
        dict(line.split(": ", 1) for line in each.splitlines()) for each in stream.split("\n\n") if each
    ]
    assert [json.loads(each["data"]).get("event") for each in events] == [
        "step",
        "found",
        "attempt",
        "end",
        None,
    ]
    assert events[-1]["event"] == "end"
    rest = alan.get(f"{path}/events", **{"last-event-id": events[1]["id"]}).text.replace("\r", "")
    assert rest == stream.split("\n\n", 2)[2]
    page = alan.page(path)
    assert "Nobody's points would change." in page.text and "1 of 2" in page.text
    assert "mlsys regrade layers --dry-run" in alan.page("/staff/jobs").text


def test_a_regrading_is_looked_at_published_and_taken_back(
    school: School, make: Callable[..., Jobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.pages.jobs.MLSYS", make().program)
    alan = school.visitor("alan")
    jobs = Jobs(school.exchange.course.file, school.course_dir, school.exchange.clock)
    for fields in ({"act": "publish"}, {"act": "publish", "reason": " "}, {"act": "grade", "reason": "x"}):
        assert alan.post("/staff/a/layers/regrade", **fields).status_code == 400
    assert jobs.jobs() == ()
    said = "<b>why</b>\n--undo"
    for act, kind in (("publish", JobKind.PUBLISH), ("undo", JobKind.UNDO)):
        answer = alan.post("/staff/a/layers/regrade", act=act, reason=said, keep="never-lower")
        job = ended(jobs, jobs.job(answer.headers["location"].rpartition("/")[2]))
        assert job.order == Order(
            kind, "layers", keep=Keep.NEVER_LOWER, reason="<b>why</b> --undo", by="alan"
        )
        text = alan.page(f"/staff/jobs/{job.id}").text
        assert "Why: <b>why</b> --undo" in text
        assert ("Take it back" in text) == (act == "publish")
