"""What the kernel counts by user: a box that takes all of it leaves the platform enough.

As root a box has a user id of its own. As an ordinary user it has the platform's, in a namespace: that
is where these attacks hurt, and `test_ordinary_user` runs them there too.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from autograder.sandbox import Bind, BoxFailed, open_box, uids
from autograder.sandbox.policy import this_host
from tests.autograder.sandbox.boxes import hear, python_spec, run

HOLD = "\nos.read(os.pipe()[0], 1)\n"


@contextmanager
def box_that(code: str, **changes: object) -> Iterator[str]:
    """A box whose program has done its worst and holds on to it; what it said."""
    reader, writer = os.pipe()
    try:
        with open_box(python_spec(code + HOLD, writer, **changes)) as box:
            os.close(writer)
            yield hear(box, reader)
    finally:
        os.close(reader)


def test_descriptors_in_flight_do_not_stop_the_platforms() -> None:
    """A user with more of them than its limit on open files may send none: the judge gets no session."""
    code = """
import socket
held, sent, null = [], 0, os.open("/dev/null", os.O_RDONLY)
try:
    while True:
        held.append(socket.socketpair())
        while True:
            try:
                socket.send_fds(held[-1][0], [b"x"], [null] * 253, socket.MSG_DONTWAIT)
                sent += 253
            except BlockingIOError:
                break
except OSError as error:
    say(sent, error.errno)
"""
    with box_that(code) as words, ExitStack() as ours:
        sent, error = map(int, words.split())
        assert (sent >= 1000, error) == (True, 109)  # ETOOMANYREFS: it took all that there was for it
        left, right = (ours.enter_context(end) for end in socket.socketpair())
        socket.send_fds(left, [b"x"], [right.fileno()])


def test_platform_may_have_more_open_files_than_any_box() -> None:
    this_host()
    soft, hard = (
        sys.maxsize if n == resource.RLIM_INFINITY else n for n in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    assert soft >= min(hard, 65536)
    in_box = int(run("import resource; say(resource.getrlimit(resource.RLIMIT_NOFILE)[1])").said)
    # 253 is what one message carries; it is let go when the sender is still within its limit.
    assert in_box + 253 < soft


def test_pending_signals_do_not_stop_the_platforms() -> None:
    code = """
import ctypes, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
send, sent = ctypes.CDLL(None, use_errno=True).sigqueue, 0
while send(os.getpid(), int(signal.SIGRTMIN), None) == 0:
    sent += 1
say(sent)
"""
    # In a process of one thread: another would take the signal, and end by it.
    ours = """
import ctypes, os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
raise SystemExit(ctypes.CDLL(None).sigqueue(os.getpid(), int(signal.SIGRTMIN), None))
"""
    with box_that(code) as words:
        assert int(words) <= 512
        assert subprocess.run([sys.executable, "-I", "-c", ours]).returncode == 0


def test_pages_in_pipes_do_not_stop_the_platforms() -> None:
    """A user with many of them gets smaller pipes: boxes open, and programs speak, through those too."""
    code = """
import time
started, stopped = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        pipes = []
        try:
            while True:
                pipes.append(os.pipe())
        except OSError:
            os.write(stopped, b"x")
            time.sleep(1000)
for _ in range(8):
    os.read(started, 1)
say("all")
"""
    with box_that(code) as words:
        assert words == "all"
        reader, writer = os.pipe()
        os.write(writer, bytes(4096))
        os.close(writer)
        os.close(reader)
        assert run("say('fine' * 256)").said == "fine" * 256


def test_lease_does_not_hold_up_who_writes_a_shown_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    shown = tmp_path / "data"
    shown.write_text("1")
    code = """
import fcntl
answers = []
for command, argument in ((1024, fcntl.F_RDLCK), (1026, 0x8000003F)):
    try:
        fcntl.fcntl(os.open("/opt/x" if command == 1026 else "/opt/x/data", os.O_RDONLY), command, argument)
        answers.append("given")
    except OSError as error:
        answers.append(error.errno)
say(*answers)
"""
    with box_that(code, binds=(Bind(tmp_path, "/opt/x"),)) as words:
        assert words == "22 22"
        descriptor = os.open(shown, os.O_WRONLY | os.O_NONBLOCK)
        os.close(descriptor)


def test_set_uid_file_is_not_left_in_a_folder_of_the_host(tmp_path: Path) -> None:
    """Whoever runs it outside would be the box's user: as an ordinary user's box, the platform."""
    tmp_path.chmod(0o777)
    code = """
path = "/opt/home/program"
for make in (
    lambda: os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o4755)),
    lambda: (open(path, "w").close(), os.chmod(path, 0o4755)),
    lambda: os.chmod("program", 0o4755, dir_fd=os.open("/opt/home", os.O_RDONLY)),
    lambda: os.fchmod(os.open(path, os.O_RDONLY), 0o4755),
):
    try:
        make()
        say("made")
    except PermissionError:
        say("refused")
"""
    outcome = run(code, binds=(Bind(tmp_path, "/opt/home", writable=True),))
    assert outcome.said.splitlines() == ["refused"] * 4
    assert not (tmp_path / "program").stat().st_mode & 0o6000


@pytest.mark.skipif(not this_host().as_root, reason="an ordinary user's boxes share that user's uid")
def test_two_live_boxes_never_have_the_same_uid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sandbox.uids.secrets.randbelow", lambda most: 0)
    with box_that("say(os.getuid())") as first, box_that("say(os.getuid())") as second:
        assert int(first) != int(second)


def test_uid_is_free_again_when_its_owner_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uids, "COUNT", 2)
    folder = tmp_path / "uids"
    with ExitStack() as one, ExitStack() as two, ExitStack() as three:
        assert {uids.take_uid(one, folder), uids.take_uid(two, folder)} == {uids.FIRST, uids.FIRST + 1}
        with pytest.raises(BoxFailed, match="2 boxes are open on this host"):
            uids.take_uid(three, folder)
        one.close()
        assert uids.take_uid(three, folder) in (uids.FIRST, uids.FIRST + 1)
    assert (folder.stat().st_mode & 0o777) == 0o700


def test_uid_that_cannot_be_kept_opens_no_box(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with ExitStack() as owner, pytest.raises(BoxFailed, match="no user id can be kept"):
        uids.take_uid(owner, tmp_path / "file" / "uids")
