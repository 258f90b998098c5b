"""Attack: everything that a student's terminal may try, on a real hub, in the real box."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from course.material import read_assignment
from course.reader import read_course
from hub.login.accounts import Accounts
from tests.hub.browser.conftest import PASSWORD, Hub, Person
from tests.hub.browser.test_servers import words_of

pytestmark = pytest.mark.slow
ASSIGNMENT = "07-autograd"
REACH = Path(__file__).parents[2] / "attacks" / "terminal" / "reach.py"
FORBIDDEN = (
    ("GET", "/hub/api/users"),
    ("GET", "/hub/api/users/ines"),
    ("POST", "/hub/api/users/ines/tokens"),
    ("POST", "/hub/api/users/ines/server"),
    ("DELETE", "/hub/api/users/ben/server"),
    ("GET", "/hub/api/proxy"),
    ("GET", "/hub/api/services"),
    ("POST", "/hub/api/shutdown"),
    ("GET", "/user/ines/api/contents"),
    ("GET", "/services/course/metrics"),
    ("GET", "/services/course/api/v1/roster"),
    ("POST", f"/services/course/api/v1/assignments/{ASSIGNMENT}/autograde"),
    ("PUT", f"/services/course/api/v1/assignments/{ASSIGNMENT}/release"),
)


def listening_ports() -> list[int]:
    """Every TCP port that somebody listens on, of the host's IPv4."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A"]


def hidden_line() -> str:
    """A line that only the hidden checks have."""
    text = (read_assignment(read_course(), ASSIGNMENT).solutions / "hidden.py").read_text()
    # As it stands in JSON too, so that the plan itself shows that the search finds something.
    plain = [line.strip() for line in text.splitlines() if not set(line) & set('"\\')]
    return max(plain, key=len)


def test_a_students_terminal_reaches_nothing_of_others(hub: Hub, person: Callable[[str], Person]) -> None:
    for name in ("ben", "cleo"):
        Accounts(hub.state).add(name, PASSWORD, one_time=False)
    cleo = person("cleo")
    cleo.log_in()
    cleo.open_lab()
    ben = person("ben")
    ben.log_in()
    page = ben.open_lab()
    home = hub.state / "homes" / "ben"
    public = int(hub.url.rsplit(":")[-1].strip("/"))
    plan = {
        "hidden": hidden_line(),
        "ports": [port for port in listening_ports() if port != public],
        "asked": FORBIDDEN,
    }
    assert plan["ports"]
    (home / "plan.json").write_text(json.dumps(plan))
    shutil.copy(REACH, home / "reach.py")
    page.locator(".jp-LauncherCard", has_text="Terminal").click()
    page.locator(".jp-Terminal").click()
    page.keyboard.type("python3 reach.py plan.json > said.txt 2>&1; echo exit $? >> said.txt\n")
    said = words_of(home / "said.txt")
    assert said.endswith("exit 0\n"), said
    reached = json.loads(said.splitlines()[0])
    answers = reached.pop("answers")
    assert {each: code for each, code in answers.items() if code < 400 or code >= 500} == {}
    assert reached.pop("hidden") == ["/home/ben/plan.json"]
    assert reached == {
        "kept": ["/opt/mlsys/course/course.toml"],
        "homes": ["ben"],
        "ports": [],
        "namespaces": False,
        "mounts": False,
        "escapes": [],
    }
