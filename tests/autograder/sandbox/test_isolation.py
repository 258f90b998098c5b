"""What a program in a box can't see, reach or become. Every probe runs inside one."""

# ruff: noqa: S108 - the paths are a box's own

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

import autograder
from autograder.sandbox import Bind, BoxFile, Scratch, interpreter, open_box
from autograder.sandbox.policy import this_host
from tests.autograder.sandbox.boxes import hear, python_spec, run

pytestmark = pytest.mark.usefixtures("warmth")

REPOSITORY = Path(autograder.__file__).resolve().parent.parent


def test_program_has_no_privileges_and_a_filter() -> None:
    outcome = run("""
lines = open("/proc/self/status").read().splitlines()
status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
say(os.getuid(), *(int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")))
say(status["NoNewPrivs"], status["Seccomp"], status["Groups"].split())
""")
    uid, *capabilities = outcome.said.splitlines()[0].split()
    assert int(uid) != 0
    assert capabilities == ["0", "0", "0", "0"]
    assert outcome.said.splitlines()[1].startswith("1 2")


@pytest.mark.skipif(not this_host().as_root, reason="an ordinary user's boxes share that user's uid")
def test_root_mode_gives_up_the_bounding_set_and_all_groups() -> None:
    outcome = run("""
for line in open("/proc/self/status"):
    if line.startswith(("CapBnd", "Groups")):
        say(line.strip())
""")
    assert outcome.said.splitlines() == ["Groups:", "CapBnd:\t0000000000000000"]


def test_first_process_is_out_of_reach() -> None:
    """As an ordinary user it has the program's uid; whoever writes its memory chooses the exit status."""
    outcome = run("""
import ctypes
for name in ("environ", "cmdline", "maps", "mem", "fd", "fd/2", "fd/5", "root", "cwd", "task/1/mem"):
    for flags in (os.O_RDONLY, os.O_RDWR):
        try:
            os.open("/proc/1/" + name, flags)
            say("opened", name)
        except OSError:
            pass
limits = (ctypes.c_ulong * 2)(0, 0)
if ctypes.CDLL(None).prlimit(1, 0, limits, None) == 0:
    say("its limits were set")
try:
    os.kill(1, 9)
except OSError:
    pass
say("still there", os.path.exists("/proc/1"))
""")
    assert outcome.said == "still there True"
    assert outcome.ending.code == 0


def test_nothing_in_proc_can_be_written() -> None:
    """Not its own memory behind the page tables, nor how readily the host ends it when memory is short."""
    outcome = run("""
for name in ("mem", "oom_score_adj", "comm", "clear_refs", "coredump_filter", "setgroups", "uid_map",
             "attr/current", "timerslack_ns", "loginuid", "sched", "autogroup"):
    try:
        os.open("/proc/self/" + name, os.O_WRONLY)
        say("opened", name)
    except OSError:
        pass
""")
    assert outcome.said == ""


def test_what_the_kernel_says_of_others_is_not_shown() -> None:
    outcome = run("""
for name in ("kallsyms", "kcore", "keys", "key-users", "interrupts", "modules", "timer_list", "sched_debug"):
    try:
        if open("/proc/" + name, "rb").read(1):
            say("read", name)
    except OSError:
        pass
""")
    assert outcome.said == ""


def test_no_network_but_loopback_and_no_socket_but_unix_ones() -> None:
    outcome = run("""
import socket
say([line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]])
for family in (socket.AF_INET, socket.AF_INET6, 40, socket.AF_PACKET, 38):
    try:
        socket.socket(family, socket.SOCK_STREAM)
        say("made", family)
    except OSError:
        pass
socket.socket(socket.AF_UNIX)
say("unix")
""")
    assert outcome.said.splitlines() == ["['lo']", "unix"]


def test_kernels_answer_for_refused_calls() -> None:
    outcome = run("""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def refused(name, *arguments):
    if getattr(libc, name)(*arguments) != -1:
        say("allowed", name)
for bit in (0x00020000, 0x10000000, 0x20000000, 0x40000000):
    refused("unshare", bit)
refused("ptrace", 0, 0, 0, 0)
refused("mount", b"none", b"/tmp", b"tmpfs", 0, None)
refused("umount2", b"/tmp", 2)
refused("chroot", b"/tmp")
refused("sethostname", b"x", 1)
refused("syscall", 321, 0, 0, 0)   # bpf
refused("syscall", 425, 1, 0)      # io_uring_setup
refused("syscall", 323, 1)         # userfaultfd
refused("syscall", 250, 0, 0, 0)   # keyctl
refused("syscall", 298, 0, 0, -1, -1, 0)  # perf_event_open
refused("prctl", 22, 2, 0, 0, 0)   # PR_SET_SECCOMP
say("done")
""")
    assert outcome.said == "done"


def test_call_of_another_abi_ends_the_program() -> None:
    outcome = run("import ctypes\nctypes.CDLL(None).syscall(0x40000000)\nsay('lived')")
    assert outcome.said == ""
    assert outcome.ending.signal == 31  # SIGSYS


def test_only_what_was_passed_is_inherited(tmp_path: Path, warmth: str) -> None:
    secret = (tmp_path / "secret").open("w")
    os.set_inheritable(secret.fileno(), True)
    with secret:
        outcome = run("""
for name in sorted(os.listdir("/proc/self/fd"), key=int):
    try:
        say(name, os.readlink("/proc/self/fd/" + name))
    except FileNotFoundError:
        pass  # the listing's own
""")
    links = [line.split(" ", 1)[1] for line in outcome.said.splitlines()]
    assert links[:3] == ["/dev/null"] * 3
    # A forked box has the agent in it, and the agent's line.
    others = sorted(link.split(":")[0] for link in links[3:])
    assert others == ["pipe", *([] if warmth == "cold" else ["socket"])]


def test_environment_is_the_policys_and_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSYS_TEST", "of the host")
    outcome = run("say(*sorted(os.environ))\nsay(os.environ['HOME'], os.getcwd())", env={"EXTRA": "1"})
    names, places = outcome.said.splitlines()
    assert "MLSYS_TEST" not in names
    assert {"EXTRA", "OMP_NUM_THREADS", "PYTHONNOUSERSITE"} <= set(names.split())
    assert places == "/tmp/home /tmp/home"


def test_nothing_but_its_own_folders_can_be_written() -> None:
    outcome = run("""
import sys
from pathlib import Path
for folder in ("/", "/usr", "/usr/lib", "/etc", "/dev", "/opt", "/proc/sys/kernel", "/tmp", "/dev/shm",
               "/tmp/home", sys.prefix, os.path.dirname(os.__file__)):
    try:
        Path(folder, "x").write_text("x")
        say(folder)
    except OSError:
        pass
""")
    assert outcome.said.split() == ["/tmp", "/dev/shm", "/tmp/home"]


def test_no_mount_gives_set_uid_programs_or_devices_their_power() -> None:
    outcome = run("""
for line in open("/proc/self/mountinfo"):
    fields = line.split()
    point, options = fields[4], set(fields[5].split(","))
    if "nosuid" not in options:
        say("nosuid", point)
    if "nodev" not in options and not point.startswith("/dev/"):
        say("nodev", point)
""")
    assert outcome.said == ""


def test_set_uid_program_gives_nothing() -> None:
    outcome = run("""
import subprocess
for program in ("/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd"):
    subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, check=False)
child = subprocess.run(["/usr/bin/env", "grep", "-E", "^(Uid|CapEff)", "/proc/self/status"],
                       stdout=subprocess.PIPE, text=True, check=False).stdout.split()
say(len({*child[1:5]}), int(child[-1], 16))
""")
    assert outcome.said == "1 0"


def test_devices_are_the_harmless_ones() -> None:
    outcome = run("""
import stat
for name in sorted(os.listdir("/dev")):
    try:
        found = os.stat("/dev/" + name)
    except FileNotFoundError:  # what a link names isn't in a box
        continue
    kind = stat.filemode(found.st_mode)[0]
    if kind in "bc":
        say(f"{kind}{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}")
""")
    harmless = {"c1:3", "c1:5", "c1:7", "c1:8", "c1:9", "c5:0", "c5:2"}  # null zero full random urandom tty ptmx
    assert set(outcome.said.split()) == harmless


def test_abstract_socket_of_the_host_is_not_there() -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0mlsys-test-{os.getpid()}")
        listening.listen()
        code = f"""
import socket
try:
    socket.socket(socket.AF_UNIX).connect("\\0mlsys-test-{os.getpid()}")
    say("connected")
except ConnectionRefusedError:
    say("refused")
"""
        assert run(code).said == "refused"


def test_crash_leaves_no_core() -> None:
    code = """
import resource
say(*resource.getrlimit(resource.RLIMIT_CORE))
if os.fork() == 0:
    os.chdir("/tmp")
    os.kill(os.getpid(), 6)
os.wait()
say(*os.listdir("/tmp"))
"""
    assert run(code).said.splitlines() == ["1 1", "home"]


def test_packages_and_kernelspecs_of_the_environment_take_no_file() -> None:
    folders = [*interpreter().package_folders, interpreter().prefix / "share/jupyter/kernels"]
    code = f"""
for folder in {[str(f) for f in folders]!r}:
    for name in ("x.pth", "sitecustomize.py", "usercustomize.py", "__pycache__/x.pyc"):
        try:
            open(folder + "/" + name, "w")
            say("written", folder, name)
        except OSError:
            pass
"""
    assert run(code).said == ""


def test_repository_and_the_hosts_files_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("")
    paths = [
        *REPOSITORY.iterdir(),
        tmp_path / "canary",
        *map(Path, ("/etc/shadow", "/etc/passwd", "/root", "/home", "/var", "/sys", "/usr/src")),
    ]
    shown = interpreter().roots
    hidden = [str(path) for path in paths if not any(root.is_relative_to(path) for root in shown)]
    assert str(REPOSITORY / "autograder") in hidden
    outcome = run(f"for path in {hidden!r}:\n    if os.path.lexists(path): say(path)")
    assert outcome.said == ""


@pytest.mark.skipif(not interpreter().roots, reason="needs a virtual environment")
def test_settings_kept_in_the_environment_are_not_shown() -> None:
    folder = interpreter().prefix / "etc"
    if not folder.is_dir():
        pytest.skip("the environment has no settings")
    assert run(f"say(os.listdir({str(folder)!r}))").said == "[]"


def test_host_out_of_memory_ends_boxes_first() -> None:
    assert run("say(open('/proc/self/oom_score_adj').read())").said == "500"


def test_callers_umask_does_not_close_the_box(tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        assert run("say('open')", files=(BoxFile("/opt/a/b", b""),), hide=("pandas",)).said == "open"
    finally:
        os.umask(previous)


def test_no_process_of_the_host_is_there(warmth: str) -> None:
    outcome = run("say(*sorted(int(name) for name in os.listdir('/proc') if name.isdecimal()))")
    # The init, and the program; the number of an earlier one isn't given again.
    assert outcome.said == ("1 3" if warmth == "second" else "1 2")


def test_a_bind_shows_what_it_names_and_only_that(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "a.txt").write_text("seen")
    (tmp_path / "other").write_text("")
    outcome = run(
        """
say(open("/opt/deep/er/a.txt").read(), set(os.listdir("/opt")) - {"mlsys"}, os.listdir("/opt/deep"))
try:
    open("/opt/deep/er/b", "w")
except OSError as error:
    say(error.errno)
""",
        binds=(Bind(tmp_path / "shown", "/opt/deep/er"),),
    )
    assert outcome.said.splitlines() == ["seen {'deep'} ['er']", "30"]


def test_a_file_made_of_bytes_can_be_read_and_not_changed() -> None:
    outcome = run(
        "say(open('/opt/kernel/it').read())\nopen('/opt/kernel/it', 'w')",
        status=1,
        files=(BoxFile("/opt/kernel/it", b"made up"),),
    )
    assert outcome.said == "made up"
    assert outcome.ending.code == 1


def test_scratch_takes_no_more_than_its_size() -> None:
    code = """
try:
    open("/run/x/a", "wb").write(bytes(1 << 20))
except OSError as error:
    say(error.errno)
"""
    assert run(code, scratch=(Scratch("/run/x", kb=64),)).said == "28"


def test_hidden_package_does_not_import_and_is_not_there() -> None:
    code = """
import importlib.util, pathlib, sys
for name in ("pandas", "pandas.io"):
    try:
        __import__(name)
        say("imported", name)
    except ModuleNotFoundError as error:
        say(error.name)
[folder] = [p for p in map(pathlib.Path, sys.path) if (p / "pandas").exists()]
say(*sorted(entry.name for entry in (folder / "pandas").iterdir()))
"""
    assert run(code, hide=("pandas",)).said.splitlines() == ["pandas", "pandas", "__init__.py"]


def test_hidden_module_of_one_file_does_not_import() -> None:
    name = next(
        path.stem
        for folder in interpreter().package_folders
        for path in sorted(folder.glob("*.py"))
        if path.stem.isidentifier() and not path.stem.startswith("_")
    )
    code = f"""
try:
    import {name}
    say("imported")
except ModuleNotFoundError as error:
    say(error.name)
"""
    assert run(code, hide=(name,)).said == name


def test_python_is_quiet_with_an_environment_that_names_the_repository() -> None:
    """An editable install leaves a finder that points to folders which aren't in the box."""
    outcome = run(
        "import IPython, numpy\ntry:\n    import course\nexcept ModuleNotFoundError:\n    say('clean')",
        diagnose=True,
    )
    assert outcome.said == "clean"
    assert outcome.diagnosis == ""


def test_box_knows_nothing_of_the_hosts_name() -> None:
    assert run("import socket\nsay(socket.gethostname())").said == "box"


def test_arguments_of_the_box_are_not_in_the_hosts_process_list(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    reader, writer = os.pipe()
    code = "say('ready')\nos.read(os.pipe()[0], 1)"
    with open_box(python_spec(code, writer, binds=(Bind(tmp_path, "/opt/x"),))) as box:
        os.close(writer)
        assert hear(box, reader) == "ready"
        line = Path(f"/proc/{box.init_pid}/cmdline").read_text()
    os.close(reader)
    assert "--args" in line
    assert str(tmp_path) not in line


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_pinned_box_stays_on_its_core() -> None:
    core = max(os.sched_getaffinity(0))
    code = """
say(*os.sched_getaffinity(0))
try:
    os.sched_setaffinity(0, range(os.cpu_count()))
except PermissionError:
    say("refused")
"""
    assert run(code, cpus=(core,)).said.splitlines() == [str(core), "refused"]


def test_a_writable_bind_is_the_hosts_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)
    bind = Bind(tmp_path / "out", "/opt/out", writable=True)
    assert run("open('/opt/out/a', 'w').write('from the box')", binds=(bind,)).ending.code == 0
    assert (tmp_path / "out" / "a").read_text() == "from the box"
