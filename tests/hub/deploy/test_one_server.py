"""The files of hub/deploy/one-server are what systemd and Caddy take, and what a box can live in."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jupyterhub import orm

from autograder.errors import AuthorError
from hub import foreground, lifecycle
from hub.foreground import make_room_for_boxes, make_way
from hub.settings import HubSettings, write_settings
from hub.spawner.processes import Process, start_time
from tests.hub.command import ROOT

FOLDER = ROOT / "hub" / "deploy" / "one-server"
UNITS = sorted(path.name for path in FOLDER.glob("mlsys*"))
HUB, BACKUP = "mlsys-hub.service", "mlsys-backup.service"
# What makes `mount -t proc`, a new namespace or a host name in a box fail.
FORBIDDEN = """RestrictNamespaces ProtectKernelTunables ProtectKernelLogs ProtectProc ProcSubset
    ProtectControlGroups ProtectHostname PrivateUsers MemoryDenyWriteExecute""".split()


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    parser.read(FOLDER / name)
    return parser


def test_there_is_a_unit_for_each_part() -> None:
    assert UNITS == [BACKUP, "mlsys-backup.timer", HUB, "mlsys.slice"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    version = subprocess.run(
        ["systemd-analyze", "--version"], capture_output=True, text=True, check=True
    ).stdout
    too_new = "DelegateSubgroup=hub\n" if int(version.split()[1]) < 254 else ""  # the page says what follows
    for name in UNITS:
        text = (FOLDER / name).read_text().replace(too_new, "")
        for program in ("python", "mlsys"):
            text = text.replace(f"/opt/mlsys/.venv/bin/{program}", str(Path(sys.executable).parent / program))
        text = text.replace("file:///opt/mlsys", "file:///").replace("/opt/mlsys", str(tmp_path))
        (tmp_path / name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    # It also speaks of other units of this machine.
    said = [line for line in done.stderr.splitlines() if "mlsys" in line or str(tmp_path) in line]
    assert (done.returncode, said) == (0, [])


def test_the_hub_is_hardened_as_far_as_boxes_allow() -> None:
    service = unit(HUB)["Service"]
    assert not [name for name in FORBIDDEN if name in service]
    assert service["User"] == "mlsys"
    assert service["NoNewPrivileges"] == service["ProtectHome"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["SystemCallFilter"].startswith("~") and "@mount" not in service["SystemCallFilter"]
    assert service["OOMPolicy"] == "continue", "a box that runs out of memory would end the hub"
    assert "AF_NETLINK" in service["RestrictAddressFamilies"], "bwrap sets up the box's loopback by it"


def test_what_runs_without_boxes_is_hardened_fully() -> None:
    service = unit(BACKUP)["Service"]
    wanted = set(FORBIDDEN) - {"ProtectProc", "ProcSubset", "PrivateUsers", "MemoryDenyWriteExecute"}
    assert not [name for name in wanted if service.get(name) != "yes"]
    assert service["UMask"] == "0077"


def test_everything_is_in_one_slice_with_a_limit() -> None:
    assert {unit(name)["Service"]["Slice"] for name in (HUB, BACKUP)} == {"mlsys.slice"}
    assert "MemoryMax" in unit("mlsys.slice")["Slice"]


def test_the_programs_that_units_start_exist() -> None:
    started = unit(HUB)["Service"]["ExecStart"].split()
    assert started[1:] == ["-m", foreground.__name__]
    words = unit(BACKUP)["Service"]["ExecStart"].split()[1:]
    assert words == ["backup", "/var/backups/mlsys", "--keep", "14"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_box_starts_under_the_units_limits_of_privilege() -> None:
    """No capability in the bounding set and no new privileges, as the unit says."""
    dropped = [
        "setpriv",
        "--reuid=64555",
        "--regid=64555",
        "--clear-groups",
        "--bounding-set=-all",
        "--no-new-privs",
    ]
    box = [
        "bwrap",
        "--unshare-all",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--hostname",
        "box",
    ]
    done = subprocess.run(
        [*dropped, "--", *box, "true"], capture_output=True, text=True, check=False, timeout=60
    )
    if "Operation not permitted" in done.stderr and "namespace" in done.stderr:
        pytest.skip("this host has no unprivileged user namespaces")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["Caddyfile", "Caddyfile.own-certificate"])
def test_caddy_takes_the_file(name: str, tmp_path: Path) -> None:
    text = (FOLDER / name).read_text()
    assert text.count("{") == text.count("}")
    assert "reverse_proxy 127.0.0.1:8000" in text
    if shutil.which("caddy") is None:
        pytest.skip("Caddy isn't installed (Debian's package caddy); only its brackets were counted")
    command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(FOLDER / name)]
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not re.search(r'"level":"(warn|error)"', done.stderr), done.stderr
    server = json.loads(done.stdout)["apps"]["http"]["servers"]["srv0"]
    assert server["listen"] == [":443"]
    told = json.dumps(server)
    assert "Strict-Transport-Security" in told
    assert "/services/course/metrics" in told
    assert ("/etc/caddy/hub.key" in done.stdout) == name.endswith("own-certificate")


def test_both_caddyfiles_differ_in_the_certificate_alone() -> None:
    def rules(name: str) -> list[str]:
        return [line for line in (FOLDER / name).read_text().splitlines() if not line.startswith("#")]

    plain, own = rules("Caddyfile"), rules("Caddyfile.own-certificate")
    assert [line for line in own if line not in plain] == ["\ttls /etc/caddy/hub.crt /etc/caddy/hub.key"]


def test_every_step_of_the_page_has_a_check() -> None:
    page = (FOLDER / "README.md").read_text()
    steps = page.split("\n## ")[1:]
    assert len(steps) == 10
    assert not [step.splitlines()[0] for step in steps if "Check:" not in step]


def test_the_page_speaks_of_settings_metrics_and_files_that_exist() -> None:
    from hub.metrics import requests, stored

    page = (FOLDER / "README.md").read_text()
    known = Path(requests.__file__).read_text() + Path(stored.__file__).read_text()
    for name in re.findall(r"\b(mlsys_[a-z_]+?)(?:_total|_bucket)?\b(?=[{`\[)])", page):
        assert f'"{name}' in known, name
    for name in re.findall(r"hub/deploy/one-server/(\w[\w.-]+)", page):
        assert list(FOLDER.glob(f"{name}*")), name


# hub.foreground, which the unit starts


def test_the_process_is_found_by_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = HubSettings(tmp_path / "hub", tmp_path / "course.toml", tmp_path / "course", ("ines",))
    write_settings(settings)
    became: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *given: became.append(given))
    monkeypatch.setattr(os, "chdir", lambda path: None)
    foreground.become_the_hub(settings)
    assert lifecycle.running(settings) == Process(os.getpid(), start_time(os.getpid()))
    [(program, command, environment)] = became
    assert (program, command[1:5]) == (sys.executable, ["-m", "hub.lean", "jupyterhub", "--config"])
    assert Path(command[5]).is_file()
    assert environment["MLSYS_HUB_STATE"] == str(settings.state)


def test_a_hub_that_was_not_set_up_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLSYS_HUB_STATE", str(tmp_path))
    assert foreground.main() == 2
    assert "mlsys up" in capsys.readouterr().err
    (tmp_path / "hub.toml").write_text("colour = 1\n")
    assert foreground.main() == 2
    assert AuthorError.__name__ not in capsys.readouterr().err


def test_boxes_get_room_beside_the_hub_in_a_delegated_group(tmp_path: Path) -> None:
    service = tmp_path / "mlsys.slice" / "mlsys-hub.service"
    service.mkdir(parents=True)
    assert make_room_for_boxes("0::/mlsys.slice/mlsys-hub.service\n", tmp_path)
    assert (service / "main" / "cgroup.procs").read_text() == str(os.getpid())
    assert (service / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


def test_a_hub_that_systemd_put_beside_boxes_stays_there(tmp_path: Path) -> None:
    """As DelegateSubgroup= says; a group inside that one would be in the way of the next start."""
    subgroup = unit(HUB)["Service"]["DelegateSubgroup"]
    service = tmp_path / "mlsys.slice" / "mlsys-hub.service"
    (service / subgroup).mkdir(parents=True)
    assert make_room_for_boxes(f"0::/mlsys.slice/mlsys-hub.service/{subgroup}\n", tmp_path)
    assert (service / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    assert list((service / subgroup).iterdir()) == []
    (service / "mlsys-box").mkdir()
    assert not make_way("0::/mlsys.slice/mlsys-hub.service/.control\n", tmp_path)
    assert list((service / "mlsys-box").iterdir()) == []


def test_a_hub_that_put_itself_there_makes_way_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreground, "PATIENCE_SECONDS", 0.0)  # no kernel ends what is in a plain folder
    service = tmp_path / "mlsys.slice" / "mlsys-hub.service"
    for name in (".control", "mlsys-box"):
        (service / name).mkdir(parents=True)
    assert make_room_for_boxes("0::/mlsys.slice/mlsys-hub.service\n", tmp_path)
    assert make_way("0::/mlsys.slice/mlsys-hub.service/.control\n", tmp_path)
    [killed] = service.glob("*/cgroup.kill")
    assert (killed.parent.name, killed.read_text()) == ("mlsys-box", "1")
    assert (service / "cgroup.subtree_control").read_text() == "-memory -pids -cpu"
    assert unit(HUB)["Service"]["ExecStopPost"].split()[1:] == ["-m", foreground.__name__, "--make-way"]


@pytest.mark.parametrize("own", ["0::/\n", "9:memory:/x\n0::/x\n", "0::/not/there\n", ""])
def test_nothing_changes_where_no_group_was_delegated(own: str, tmp_path: Path) -> None:
    assert not make_room_for_boxes(own, tmp_path)
    assert not make_way(own, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_jupyterhub_keeps_its_users_in_postgresql(postgres_url: str) -> None:
    """As the page's step on PostgreSQL says, with the driver that this project has."""
    sessions = orm.new_session_factory(postgres_url)
    with sessions() as session:
        session.add(orm.User(name="ada"))
        session.commit()
    with sessions() as session:
        assert [user.name for user in session.query(orm.User)] == ["ada"]
        engine = session.get_bind()
    engine.dispose()
