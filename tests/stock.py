"""The stock nbgrader's commands, each in a process of its own that is forked from one that has nbgrader loaded.

A command is as it is where it's started by name, but for the two to six seconds that loading takes, and
without the grammar that `autograder.unneeded` keeps from our own programs.

This file is the program of the server, too: ``python -m tests.stock``.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course.release import left_out
from tests.hub.command import ROOT

MOST_SECONDS = 300


def stock_nbgrader(
    folder: Path, *words: str, env: Mapping[str, str] | None = None, warn: bool = True
) -> subprocess.CompletedProcess[str]:
    """What `nbgrader` with these words did in a folder. ``env``: its variables, this process's where none are
    given; ``warn``: whether Python's warnings are shown."""
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    variables = {**(os.environ if env is None else env), "PATH": search}
    with tempfile.TemporaryDirectory() as scratch:
        # For what it starts by name: alembic, and itself.
        variables["PYTHONPATH"] = os.pathsep.join(
            filter(None, (variables.get("PYTHONPATH"), left_out(Path(scratch))))
        )
        out, err = (Path(scratch) / name for name in ("out", "err"))
        wanted = {"folder": str(folder), "words": words, "env": variables, "warn": warn}
        code = _asked({**wanted, "out": str(out), "err": str(err)})
        return subprocess.CompletedProcess(["nbgrader", *words], code, out.read_text(), err.read_text())


def _asked(request: Mapping[str, object]) -> int:
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return int(server.stdout.readline())


@functools.cache
def _server() -> subprocess.Popen[str]:
    """It ends with this process: then its stdin does."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def serve() -> None:
    for name in ("autograder.unneeded", "nbgrader.apps"):  # in this order; the second loads all commands
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            become(request)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def become(request: dict[str, Any]) -> None:
    """Runs the command in this process, as `python -m nbgrader` does. It ends it."""
    files = ((os.devnull, os.O_RDONLY), (request["out"], os.O_WRONLY), (request["err"], os.O_WRONLY))
    for number, (path, flags) in enumerate(files):
        os.dup2(os.open(path, flags | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    sys.path[0] = str(Path.cwd())
    sys.argv[1:] = request["words"]
    signal.alarm(MOST_SECONDS)
    if not request["warn"]:
        warnings.simplefilter("ignore")
    runpy.run_module("nbgrader", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve()
