"""The IPython shell that runs the student's cells, and the capped record of what they show.

Contract: outputs are nbformat v4 dicts. Past the cap nothing more is recorded and a line says so;
printing more than the cap is no error of the student's.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.history import HistoryManager
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Instance, Type

CUT = "\n[output cut: the limit for this notebook is reached]\n"


class Outputs:
    """The outputs of one cell at a time."""

    def __init__(self) -> None:
        self.left = 0
        self.cut = False
        self.items: list[dict[str, Any]] = []
        self.streams: list[list[str]] = []

    def start(self, cap: int) -> None:
        self.left, self.cut, self.items = cap, False, []

    def finish(self) -> list[dict[str, Any]]:
        for item in self.items:
            if isinstance(item.get("text"), list):
                item["text"] = "".join(item["text"])
        items, self.items = self.items, []
        return items

    def stream(self, name: str, text: str) -> None:
        text = self._fit(text)
        if not text:
            return
        if self.items and self.items[-1].get("name") == name:
            self.items[-1]["text"].append(text)
        else:
            self.items.append({"output_type": "stream", "name": name, "text": [text]})

    def bundle(self, kind: str, data: dict[str, Any], metadata: dict[str, Any], **more: Any) -> None:
        shown = {mime: body for mime, body in data.items() if isinstance(body, str)}
        if self._spend(sum(len(body) for body in shown.values())):
            self.items.append({"output_type": kind, "data": shown, "metadata": {}, **more})

    def error(self, name: str, text: str, frames: list[str]) -> None:
        body = [frame[:4000] for frame in frames[:50]]
        if self._spend(len(name) + len(text) + sum(map(len, body))):
            self.items.append({"output_type": "error", "ename": name, "evalue": text, "traceback": body})

    @contextlib.contextmanager
    def capture(self) -> Iterator[None]:
        out, err = Stream(self, "stdout"), Stream(self, "stderr")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield

    def _fit(self, text: str) -> str:
        if len(text) <= self.left:
            self.left -= len(text)
            return text
        part, self.left = text[: self.left], 0
        return part + self._note()

    def _spend(self, size: int) -> bool:
        if size <= self.left:
            self.left -= size
            return True
        self.left = 0
        note = self._note()
        if note:
            self.items.append({"output_type": "stream", "name": "stdout", "text": [note]})
        return False

    def _note(self) -> str:
        if self.cut:
            return ""
        self.cut = True
        return CUT


class Stream(io.TextIOBase):
    """sys.stdout and sys.stderr of a cell."""

    def __init__(self, outputs: Outputs, name: str) -> None:
        self.outputs = outputs
        self.name = name

    encoding = "utf-8"

    def write(self, text: str) -> int:
        self.outputs.stream(self.name, str(text))
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False


class Publisher(DisplayPublisher):
    """display() goes to the record."""

    shell: Shell

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **ignored: Any) -> None:
        self.shell.outputs.bundle("display_data", data, metadata or {})

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.items.clear()


class ResultHook(DisplayHook):
    """A cell's last expression goes to the record."""

    shell: Shell

    def __call__(self, result: Any = None) -> None:
        if result is None or self.quiet():  # type: ignore[no-untyped-call]
            return
        data, metadata = self.compute_format_data(result)  # type: ignore[no-untyped-call]
        self.update_user_ns(result)  # type: ignore[no-untyped-call]
        self.shell.outputs.bundle(
            "execute_result", data, metadata, execution_count=self.shell.execution_count
        )


class Transformers(TransformerManager):
    """IPython's, whose search for magics changes only what isn't Python: a cell that compiles is spared it,
    half of what IPython takes to run a cell. ``compiled``: the last one that did, and whether it awaits."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.usual = list(self.token_transformers)
        self.compiled: tuple[str, bool] | None = None

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        source = "".join(lines)
        if self.token_transformers == self.usual and self.compiles(source):
            return lines
        changed: list[str] = super().do_token_transforms(lines)  # type: ignore[no-untyped-call]
        return changed

    def compiles(self, source: str) -> bool:
        try:
            code = compile(source, "<>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except Exception:  # IPython tells what is wrong with it
            return False
        self.compiled = source, bool(code.co_flags & inspect.CO_COROUTINE)
        return True


class Shell(InteractiveShell):
    """An IPython shell with no terminal, no history file and no files of its own."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(ResultHook)
    input_transformer_manager = Instance(Transformers, ())
    outputs: Outputs

    def should_run_async(
        self, raw_cell: str, *, transformed_cell: str | None = None, preprocessing_exc_tuple: Any = None
    ) -> bool:
        compiled: tuple[str, bool] | None = self.input_transformer_manager.compiled
        if self.autoawait and compiled is not None and compiled[0] == transformed_cell:
            return compiled[1]
        awaits: bool = super().should_run_async(
            raw_cell, transformed_cell=transformed_cell, preprocessing_exc_tuple=preprocessing_exc_tuple
        )
        return awaits

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        try:
            text = str(evalue)[:4000]
        except Exception:  # a student's __str__ may do anything
            text = ""
        self.outputs.error(etype.__name__, text, [str(frame) for frame in stb])

    def make_folders(self) -> None:
        """Where this process has a /tmp that it hadn't when the shell was made."""
        profile: Any = self.profile_dir
        os.makedirs(profile.location, exist_ok=True)  # noqa: PTH103 -- before the student's code, for speed

    def warm_up(self, *results: object) -> None:
        """Loads what a first cell, a first result and a first error load. A notebook sees nothing of it."""
        self.run_cell("pass", store_history=False)  # type: ignore[no-untyped-call]
        formatter: Any = self.display_formatter
        for each in results:
            formatter.format(each)
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            self.InteractiveTB.structured_traceback(*sys.exc_info())

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no event loop to attach to."""

    def system(self, cmd: str) -> None:
        """``!command``: runs in the box like the rest of the cell."""
        done = subprocess.run(  # noqa: S602 -- the student's own shell line, inside the student's own box
            cmd, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", check=False,
        )  # fmt: skip
        sys.stdout.write(done.stdout)
        self.user_ns["_exit_code"] = done.returncode


def make_shell(outputs: Outputs) -> Shell:
    """The shell whose namespace is the notebook's ``__main__``."""
    HistoryManager.enabled = False  # type: ignore[assignment]  # a trait's default, set on the class
    os.environ.setdefault("IPYTHONDIR", "/tmp/.ipython")  # noqa: S108 -- the box's private tmpfs
    main = sys.modules["__main__"]
    shell = Shell.instance(user_module=main, user_ns=main.__dict__, colors="nocolor")
    shell.outputs = outputs
    return shell
