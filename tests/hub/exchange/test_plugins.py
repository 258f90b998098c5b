"""nbgrader's own commands and JupyterLab's Assignment List, through the real service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.gradebook import latest_receipt, read_snapshot, receipts
from course.reader import read_course
from hub.exchange.exchange import Exchange
from hub.exchange.receipts import check_files, check_receipt, read_receipt
from hub.exchange.records import Member, Role
from tests.hub.exchange.course import notebook
from tests.hub.exchange.serving import ROOT, Hub, Service
from tests.stock import stock_nbgrader

ASSIGNMENT = "01-layers"
CONFIG = """\
from hub.exchange.plugins import configure_exchange
c = get_config()
configure_exchange(c)
"""


@dataclass(frozen=True)
class Person:
    """Somebody's server: a home and the environment that the hub gives it."""

    home: Path
    environment: dict[str, str]

    def nbgrader(self, *arguments: str, code: int = 0) -> str:
        """What the command said."""
        done = stock_nbgrader(self.home, *arguments, env=self.environment)
        words = done.stdout + done.stderr
        assert done.returncode == code, words
        assert "Traceback" not in words, words
        return words


@dataclass(frozen=True)
class Place:
    """The service, and how people reach it."""

    hub: Hub
    service: Service

    def person(self, name: str, home: Path) -> Person:
        home.mkdir(exist_ok=True)
        (home / "nbgrader_config.py").write_text(CONFIG)
        keep = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
        return Person(
            home,
            {
                **keep,
                "HOME": str(home),
                "PYTHONPATH": str(ROOT),
                "JUPYTERHUB_API_TOKEN": self.hub.token(name),
                "JUPYTERHUB_USER": name,
                "MLSYS_COURSE_URL": self.service.url,
                "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
            },
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("plugins")
    with Hub() as hub, Service(folder, hub) as service:
        with Exchange(read_course(service.course_file), service.course_dir) as exchange:
            exchange.enrol([Member("alan", Role.INSTRUCTOR)])
        yield Place(hub, service)


@pytest.mark.slow
@pytest.mark.long
def test_the_whole_way_with_nbgraders_commands(place: Place, tmp_path: Path) -> None:
    alan = place.person("alan", tmp_path / "teaching")
    ada = place.person("ada", tmp_path / "ada")
    folder = alan.home / "release" / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / "layers.ipynb").write_bytes(notebook("# your answer"))

    assert "Released as: mls 01-layers" in alan.nbgrader("release_assignment", ASSIGNMENT)
    assert "add --force" in alan.nbgrader("release_assignment", ASSIGNMENT, code=1)
    alan.nbgrader("release_assignment", ASSIGNMENT, "--force")

    assert "mls 01-layers\n" in ada.nbgrader("list")
    ada.nbgrader("fetch_assignment", ASSIGNMENT)
    work = ada.home / ASSIGNMENT
    assert (work / "layers.ipynb").read_bytes() == notebook("# your answer")
    assert "(already downloaded)" in ada.nbgrader("list")
    assert "add --replace" in ada.nbgrader("fetch_assignment", ASSIGNMENT, code=1)

    (work / "layers.ipynb").write_bytes(notebook("answer = 42"))
    (work / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")
    (work / "data.bin").write_bytes(b"0" * 1000)
    assert "Submitted as: mls 01-layers" in ada.nbgrader("submit", ASSIGNMENT)
    [kept] = (work / "receipts").iterdir()
    receipt = read_receipt(kept.read_bytes())
    check_files(receipt, {"layers.ipynb": notebook("answer = 42")})
    assert receipt.submission.student == "ada"
    ada.nbgrader("submit", ASSIGNMENT)
    assert [path.name for path in (work / "receipts").iterdir()] == [kept.name]
    assert "no feedback available" in ada.nbgrader("list", "--cached")

    assert "for somebody else" in ada.nbgrader("submit", ASSIGNMENT, "--student", "grace", code=1)
    assert "for instructors" in ada.nbgrader("list", "--remove", code=1)
    assert "leave --course out" in ada.nbgrader("list", "--course", "other", code=1)
    assert "no assignment" in ada.nbgrader("fetch_assignment", "99-none", code=1)

    assert "Collecting submission: ada 01-layers" in alan.nbgrader("collect", ASSIGNMENT)
    assert "Collecting submission" not in alan.nbgrader("collect", ASSIGNMENT, "--update")
    taken = latest_receipt(alan.home, "ada", ASSIGNMENT)
    assert taken is not None
    assert taken.received == receipt.submission.received
    assert read_snapshot(alan.home, taken) == {"layers.ipynb": notebook("answer = 42")}
    assert len(receipts(alan.home, "ada", ASSIGNMENT)) == 1

    alan.nbgrader("db", "assignment", "add", ASSIGNMENT)
    pages = alan.home / "feedback" / "ada" / ASSIGNMENT
    pages.mkdir(parents=True)
    (pages / "layers.html").write_text("<p>9 of 10</p>")
    assert "Feedback released to: ada 01-layers" in alan.nbgrader("release_feedback", ASSIGNMENT)
    assert "feedback ready to be fetched" in ada.nbgrader("list", "--cached")
    ada.nbgrader("fetch_feedback", ASSIGNMENT)
    [page] = (work / "feedback").glob("*/layers.html")
    assert page.read_text() == "<p>9 of 10</p>"
    assert "feedback already fetched" in ada.nbgrader("list", "--cached")
    assert "mls ada 01-layers" in alan.nbgrader("list", "--inbound")

    alan.nbgrader("list", "--remove")
    assert "mls 01-layers" not in ada.nbgrader("list")
    check_receipt(receipt, public_key(place))


def public_key(place: Place) -> str:
    with place.service.client(place.hub.token("ada")) as client:
        key: str = client.get("/course").json()["receipt_key"]
    return key


@pytest.mark.slow
@pytest.mark.long
def test_the_assignment_list_of_jupyterlab(place: Place, tmp_path: Path) -> None:
    """JupyterLab's server extension calls these functions; it runs in the student's server."""
    with place.service.client(place.hub.token("alan")) as alan:
        done = alan.put(
            f"/assignments/{ASSIGNMENT}/release", files=[("f", ("layers.ipynb", notebook("lab")))]
        )
        assert done.status_code == 200
    grace = place.person("grace", tmp_path / "grace")

    listed = in_lab(grace, "list_assignments()")
    assert [(each["assignment_id"], each["status"]) for each in listed["value"]] == [(ASSIGNMENT, "released")]
    assert in_lab(grace, "list_courses()") == {"success": True, "value": ["mls"]}
    assert in_lab(grace, f"fetch_assignment('mls', '{ASSIGNMENT}')") == {"success": True}
    [entry] = in_lab(grace, "list_assignments('mls')")["value"]
    assert (entry["status"], entry["path"]) == ("fetched", ASSIGNMENT)
    assert entry["notebooks"] == [{"notebook_id": "layers", "path": f"{ASSIGNMENT}/layers.ipynb"}]
    assert in_lab(grace, f"submit_assignment('mls', '{ASSIGNMENT}')") == {"success": True}

    submitted = in_lab(grace, "list_assignments('mls')")["value"][1]
    [submission] = submitted["submissions"]
    assert (submitted["status"], submission["has_exchange_feedback"]) == ("submitted", False)
    with place.service.client(place.hub.token("alan")) as alan:
        [taken] = alan.get("/submissions", params={"student": "grace"}).json()["submissions"]
        for page in (b"first", b"second"):
            done = alan.post(
                f"/assignments/{ASSIGNMENT}/feedback/grace",
                params={"sha256": taken["sha256"], "attempt": "1"},
                files=[("f", ("layers.html", page))],
            )
            assert done.status_code == 200
            submission = of_grace(grace)
            assert submission["has_exchange_feedback"]
            assert submission["feedback_updated"] == (page == b"second")
            assert in_lab(grace, f"fetch_feedback('mls', '{ASSIGNMENT}')") == {"success": True}
            submission = of_grace(grace)
            assert submission["has_local_feedback"]
            assert not submission["feedback_updated"]
            shown = grace.home / submission["local_feedback_path"]
            assert (shown / "layers.html").read_bytes() == page

    refused = in_lab(grace, "submit_assignment('mls', '02-kernels')")
    assert not refused["success"]


def of_grace(grace: Person) -> dict[str, Any]:
    [submission] = in_lab(grace, "list_submitted_assignments('mls')")["value"][0]["submissions"]
    found: dict[str, Any] = submission
    return found


def in_lab(person: Person, call: str) -> dict[str, Any]:
    """The answer of a call of the Assignment List's server extension, in a process as the server is."""
    program = (
        "import json, logging; logging.disable()\n"
        "from nbgrader.server_extensions.assignment_list.handlers import AssignmentList\n"
        "manager = AssignmentList(); manager.root_dir = '.'\n"
        f"print(json.dumps(manager.{call}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=person.home,
        env=person.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["success"] or "submit" in call, found
    return found
