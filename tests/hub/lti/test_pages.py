"""Staff send grades from the page: look first, then send, and see what came of it."""

from __future__ import annotations

import pytest

from autograder.judge import Verdict
from tests.autograder.gradebook.gradings import result
from tests.hub.lti.classroom import LAYERS, Classroom
from tests.hub.lti.gradebook import Column, dropped
from tests.hub.pages.school import School, Sheet, Visitor

pytestmark = pytest.mark.slow


def sent(staff: Visitor, **fields: str) -> Sheet:
    """The job's page after it has ended."""
    answer = staff.post(f"/staff/a/{LAYERS}/push", **fields)
    assert answer.status_code == 303, answer.text
    job = answer.headers["location"].partition("?")[0].rpartition("/")[2]
    assert staff.get(f"/staff/jobs/{job}/events").status_code == 200
    return staff.page(f"/staff/jobs/{job}")


def test_look_then_send_then_what_differs(classroom: Classroom) -> None:
    expected = classroom.grade_all()
    platform = classroom.platform
    platform.columns.append(Column(1, "Layers", 15, LAYERS, activity=True))
    platform.people[5] = dropped(platform.people[5])
    del expected["1004"]
    with classroom.exchange() as exchange:
        staff = School(classroom.course_dir, exchange).visitor("ines")
        assert "Send to the learning platform" in staff.page(f"/staff/a/{LAYERS}").text
        looked = sent(staff)
        assert "4 scores of 5 students would be sent" in looked.text
        assert "not an active learner" in looked.text
        assert not platform.scores()
        assert "confirmed" in sent(staff, act="push").text
        assert classroom.shown() == expected
        platform.column(LAYERS).override("1000", 12)
        classroom.grade("s0000", result(Verdict.OK, Verdict.WRONG, Verdict.OK), minutes=5)
        assert "silently refused" in sent(staff, act="push").text
        assert staff.post(f"/staff/a/{LAYERS}/push", act="grade").status_code == 400


def test_without_a_platform_there_is_no_button(classroom: Classroom) -> None:
    with classroom.exchange() as exchange:
        staff = School(classroom.course_dir, exchange).visitor("ines")
        classroom.run("forget", "course-42")
        assert "Send to the learning platform" not in staff.page(f"/staff/a/{LAYERS}").text
        classroom.grade_all()
        assert "no launch" in sent(staff).text
