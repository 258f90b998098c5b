"""Each attack on the hub gets the answers that it must get, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from course.reader import read_course
from hub.exchange.exchange import Exchange
from hub.exchange.records import Extension, Member, Release, Returned, Role, Submission
from tests.hub.exchange.course import notebook
from tests.hub.exchange.serving import Hub, Service
from tests.hub.place import MALLORY, OPEN, SECRET, HubAttack, Place, Victim, hub_attacks


@dataclass(frozen=True)
class Course:
    """Everything that an attack must leave as it is."""

    staff: tuple[Member, ...]
    releases: tuple[Release, ...]
    extensions: tuple[Extension, ...]
    submissions: tuple[Submission, ...]
    files: dict[str, bytes]
    returned: tuple[Returned, ...]
    course_dir: frozenset[str]


def seen(place: Place) -> Course:
    exchange, name = place.exchange, place.victim.name
    submissions = tuple(each for each in exchange.submissions() if not each.student.startswith(MALLORY))
    folders = ("submitted", "snapshots", "release")
    return Course(
        staff=tuple(each for each in exchange.roster() if each.is_staff),
        releases=exchange.releases(),
        extensions=exchange.extensions(),
        submissions=submissions,
        files=exchange.read_submission(submissions[0]),
        returned=tuple(each for each in exchange.returned() if each.student == name),
        course_dir=frozenset(
            str(path) for each in folders for path in (exchange.course_dir / each).rglob("*")
        ),
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, Service]]:
    with Hub() as hub, Service(tmp_path_factory.mktemp("attacked"), hub) as service:
        yield hub, service


@pytest.fixture
def place(running: tuple[Hub, Service]) -> Iterator[Place]:
    hub, service = running
    with Exchange(read_course(service.course_file), service.course_dir) as exchange:
        exchange.enrol([Member("alan", Role.INSTRUCTOR), Member("victim")])
        exchange.release(OPEN, {"layers.ipynb": notebook("# your answer")})
        for assignment in ("02-kernels", "03-future"):
            exchange.release(assignment, {"layers.ipynb": notebook(SECRET)})
        taken = exchange.submit("victim", OPEN, {"layers.ipynb": notebook(SECRET)})
        given = exchange.give_back(
            "victim", OPEN, {"layers.html": SECRET.encode()}, sha256=taken.sha256, attempt=1
        )
        with_mallory = Place(service, hub, exchange, Victim("victim", taken.id, given.id))
        yield with_mallory
        with_mallory.close()


@pytest.mark.slow
@pytest.mark.parametrize("attack", hub_attacks(), ids=lambda attack: attack.name)
def test_attack_gets_what_it_deserves(place: Place, attack: HubAttack) -> None:
    before = seen(place)
    attack.run(place)
    assert seen(place) == before
    statuses = {status for status, _ in place.said}
    assert statuses
    assert statuses <= attack.answers, [each for each in place.said if each[0] not in attack.answers][:3]
    assert not any(SECRET in text for _, text in place.said)
    with place.service.client(place.hub.token("victim")) as victim:
        assert victim.get("/submissions").status_code == 200
    log = (place.service.folder / "service.log").read_text()
    assert "Traceback" not in log, log[-3000:]


def test_there_are_attacks() -> None:
    assert len(hub_attacks()) >= 15


def test_nothing_of_an_upload_that_was_refused_stays(place: Place, tmp_path: Path) -> None:
    kept = sum(1 for path in (place.exchange.course_dir / "exchange").rglob("*") if path.is_file())
    place.submit(place.me, "late", assignment="02-kernels")
    place.raw_upload([(b"../x.ipynb", b"{}")])
    assert kept == sum(1 for path in (place.exchange.course_dir / "exchange").rglob("*") if path.is_file())
