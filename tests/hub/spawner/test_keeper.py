"""A user's server: what it can reach, and that it can reach nothing else."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.spawner.processes import Process, is_running, start_time
from tests.hub.spawner.shells import UserServer, hub_stand_in, order_for, user_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hub_port() -> Iterator[int]:
    with hub_stand_in() as port:
        yield port


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("s")
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="module")
def mallory(state: Path, hub_port: int) -> Iterator[UserServer]:
    with user_server(order_for(state, "mallory", hub_port)) as server:
        yield server


def test_the_hub_is_reached_at_its_own_address(mallory: UserServer, hub_port: int) -> None:
    source = (
        f"import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:{hub_port}/hub/x').read())"
    )
    assert "the hub was asked for /hub/x" in mallory.run(source)


def test_no_other_port_of_the_host_is_in_reach(mallory: UserServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as secret:
        port = secret.getsockname()[1]
        said = mallory.run(f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)")
    assert "ConnectionRefusedError" in said


def test_there_is_no_network(mallory: UserServer) -> None:
    assert "unreachable" in mallory.run("import socket; socket.create_connection(('192.0.2.1', 80), 5)")


def test_a_port_that_a_user_takes_is_nobody_elses(mallory: UserServer, state: Path, hub_port: int) -> None:
    listening = (
        "import socket, builtins; builtins.kept = socket.create_server(('127.0.0.1', 9999)); print('ok')"
    )
    assert mallory.run(listening) == "ok\n"
    with socket.create_server(("127.0.0.1", 9999)):
        pass  # the host's own port is free
    with user_server(order_for(state, "ann", hub_port)) as ann:
        assert "ConnectionRefusedError" in ann.run(
            "import socket; socket.create_connection(('127.0.0.1', 9999))"
        )


def test_work_in_the_home_outlives_the_server(state: Path, hub_port: int) -> None:
    with user_server(order_for(state, "zoe", hub_port)) as server:
        assert server.run("open('work.txt', 'w').write('mine')") == ""
    with user_server(order_for(state, "zoe", hub_port)) as server:
        assert server.run("print(open('/home/zoe/work.txt').read())") == "mine\n"


def test_other_homes_and_the_state_are_not_there(mallory: UserServer, state: Path, hub_port: int) -> None:
    with user_server(order_for(state, "bob", hub_port)) as bob:
        bob.run("open('secret.txt', 'w').write('of bob')")
        seen = mallory.run(
            "import os\n"
            "for top, folders, files in os.walk('/'):\n"
            "    folders[:] = [f for f in folders if (top, f) not in {('/', 'proc'), ('/', 'usr'), ('/', 'dev')} and f != 'site-packages']\n"
            "    if 'secret.txt' in files or 'gradebook.db' in files or 'hub.toml' in files: print(top, files)\n"
            "print(sorted(os.listdir('/home')), os.path.exists(" + repr(str(state)) + "))"
        )
    assert seen == "['mallory'] False\n"


def test_other_users_processes_are_not_there(mallory: UserServer, state: Path, hub_port: int) -> None:
    with user_server(order_for(state, "bob", hub_port)):
        count = mallory.run("import os; print(sum(name.isdigit() for name in os.listdir('/proc')))")
    assert 2 <= int(count) <= 6


def test_the_platforms_environment_stays_outside(mallory: UserServer) -> None:
    seen = mallory.run("import os; print(open('/proc/1/environ').read(), dict(os.environ))")
    assert "PYTEST" not in seen and "VIRTUAL_ENV" not in seen


def test_the_door_is_the_only_socket_and_cant_be_replaced(mallory: UserServer) -> None:
    assert "Read-only file system" in mallory.run("import os; os.unlink('/opt/mlsys-door/hub.sock')")
    assert "Read-only file system" in mallory.run("open('/opt/mlsys-door/x', 'w')")


def test_endless_processes_end_at_the_limit(mallory: UserServer) -> None:
    bomb = (
        "import subprocess, sys\nmade = []\n"
        "try:\n    for _ in range(200): made.append(subprocess.Popen([sys.executable, '-c', 'input()']))\n"
        "except OSError as e: print('refused', len(made))\n"
        "finally:\n    for each in made: each.kill(), each.wait()\n"
    )
    assert mallory.run(bomb).startswith("refused")


def test_the_keeper_ends_its_box(state: Path, hub_port: int) -> None:
    with user_server(order_for(state, "kim", hub_port)) as server:
        server.run("print(1)")
        keeper = server.process.pid
        boxes = [int(pid) for pid in Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()]
        box = Process(boxes[0], start_time(boxes[0]))
        os.kill(keeper, signal.SIGKILL)
        server.process.wait(timeout=30)
        _until_gone(box)


def _until_gone(process: Process) -> None:
    descriptor = None
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    import select

    assert select.select([descriptor], [], [], 30)[0], "the box outlives its keeper"
    os.close(descriptor)
    assert not is_running(process)
