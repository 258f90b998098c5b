"""The shell that runs cells, against IPython's own."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.async_helpers import _should_be_async
from IPython.core.inputtransformer2 import TransformerManager

from autograder.sandbox.shell import Transformers

LINES = (
    "", "  ", "x = 1", "    y", "if x:", "def f(a):", "    return a  # what?", "await f()", "async with f():",
    "%time x", "%%bash", "!ls", "!!ls", "x = !ls", "x = %pwd", "x?", "?x", "f(x)??", "/f 1", ",f a", ";f a",
    ">>> x", "... x", "In [1]: x", "   ...: x", "\tx", "x = (", "a,", "% b", ")", "'''", '"""', "y \\", "+ 1",
    "# %time", "é = '?'", "return 1", "x = '!ls'", "\f", "\x0b", "x; y", "print(f'{x!r}')", "from x import *",
)  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=8).map("\n".join))
@example("x = '''\n%time x\n!ls\n'''\ny = x")
@example("x = y[\n...: ]")
@example("await f()\nx")
def test_cells_are_changed_as_ipython_changes_them(cell: str) -> None:
    ours, stock = Transformers(), changed(TransformerManager(), cell)
    assert changed(ours, cell) == stock
    if ours.compiled is not None:
        assert ours.compiled == (stock, _should_be_async(stock))


def changed(manager: TransformerManager, cell: str) -> str:
    try:
        return str(manager.transform_cell(cell))
    except SyntaxError as error:
        return repr(error)


def test_a_transformer_of_a_cells_own_is_asked() -> None:
    class Loud:
        @classmethod
        def find(cls, lines: object) -> None:
            asked.append(lines)

    asked: list[object] = []
    ours = Transformers()
    ours.token_transformers.append(Loud)
    ours.transform_cell("x = 1\ny = 2")
    assert asked


def test_cells_run_as_before() -> None:
    """A cell of plain Python, one with a magic, one that awaits, and one that can't be compiled."""
    program = """
import sys, types
sys.modules["__main__"] = types.ModuleType("__main__")
from autograder.sandbox.shell import Outputs, make_shell
outputs = Outputs()
shell = make_shell(outputs)
said = []
for cell in (
    "async def f():\\n    return 3\\nx = 1\\nx + 1",
    "y = x\\n%pinfo2 nothing_here\\ny",
    "z = await f()\\nz",
    "x = 5\\nreturn x",
    "import asyncio\\nawait asyncio.sleep(0)\\nz + x",
):
    outputs.start(10_000)
    with outputs.capture():
        fine = shell.run_cell(cell, store_history=True).success
    shown = [item for item in outputs.finish() if item["output_type"] != "stream"]
    said += [fine, [item.get("ename") or item["data"]["text/plain"] for item in shown]]
print(said, file=sys.__stdout__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    expected = [True, ["2"], True, ["1"], True, ["3"], False, ["SyntaxError"], True, ["8"]]
    assert done.stdout.strip() == str(expected)


def test_an_agent_that_warmed_up_is_as_a_new_one() -> None:
    program = """
import sys, types
sys.modules["__main__"] = types.ModuleType("__main__")
import numpy as np
from autograder.sandbox.agent import Agent
agent = Agent()
def seen():
    shell, objects = agent.shell, agent.objects
    names = {name: repr(value) for name, value in shell.user_ns.items()}
    return names, shell.execution_count, dict(shell.user_ns_hidden), repr(vars(objects)), list(agent.callbacks)
before = seen()
agent.warm_up(1.0, [2, "a"], np.ones(3))
print(seen() == before, agent.run_cell("x = 1\\nlen(In), Out, _", 1000))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    result = {"output_type": "execute_result", "data": {"text/plain": "(2, {}, '')"}, "metadata": {}}
    assert done.stdout.strip() == f"True {['ok', [{**result, 'execution_count': 2}]]}"
