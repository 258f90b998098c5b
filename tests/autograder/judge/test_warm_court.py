"""A court whose boxes are forked gives the marks of one whose boxes are started, and survives its zygotes."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import AuthorError, PlatformError
from autograder.judge import Court, Judgement, Settings, Verdict, plan_notebook
from autograder.judge.court import Seen, judge_spec
from autograder.judge.desk import JudgeDesk
from autograder.sandbox import BoxSpec
from tests.autograder.judge.notebooks import check, given, ignore, notebook, scratch, solve, told
from tests.autograder.judge.test_strays import honest
from tests.autograder.sandbox.boxes import program_of

EVERYTHING = (
    given("import numpy as np, torch, random"),
    scratch("print(np.arange(3), torch.ones(2))\nnp.eye(2)"),
    solve("right", "def right(x):\n    return np.asarray(x) * 2"),
    check("right-seen", "assert (right([1, 2]) == [2, 4]).all()", "assert right(rng.normal(size=9)).shape == (9,)", points=2),
    solve("wrong", "def wrong(t):\n    return t.sum()"),
    check("wrong-seen", "assert float(wrong(torch.ones(1))) == 1", "assert float(wrong(torch.ones(4))) == 1, 'mean'", points=3),
    solve("dies", "import os\ndef dies():\n    os._exit(3)"),
    check("dies-seen", "dies()", points=1),
    solve("greedy", "def greedy():\n    return len(bytearray(3 << 30))"),
    check("greedy-seen", "assert greedy() == 3 << 30", points=1),
    solve("raises", "def raises():\n    return 1 / 0"),
    check("raises-seen", "assert raises() == 0", points=1),
    scratch("print('the end')"),
)  # fmt: skip


def judge(court: Court, *cells: Any, settings: Settings | None = None, seen: Seen | None = None) -> Judgement:
    source = notebook(*cells)
    return court.judge_for_staff(
        plan_notebook(source, source), settings or Settings.of_source(source), b"seed", seen=seen
    )


def zygote_pids(court: Court) -> list[int]:
    assert court.boxes is not None
    return [program_of(each.box) for each in court.boxes.zygotes.values() if each.box.running]


def test_marks_messages_and_outputs_are_those_of_a_cold_box(court: Court) -> None:
    with Court(warm=False) as cold:
        expected = told(judge(cold, *EVERYTHING).result)
        assert cold.boxes is None
    verdicts = [verdict for _, verdict, _, _ in expected[0]]
    assert verdicts == [Verdict.OK, Verdict.WRONG, Verdict.CRASH, Verdict.MEMORY, Verdict.ERROR]
    assert told(judge(court, *EVERYTHING).result) == expected


ONCE = (
    given("import os, subprocess, sys\nimport builtins"),
    scratch("os.mkdir('/tmp/once')\nassert not hasattr(builtins, 'once')\nbuiltins.once = True"),
    scratch("subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\nprint('begun')"),
    solve(
        "look",
        "def look():\n    return [sum(map(str.isdigit, os.listdir('/proc'))), os.listdir('/tmp/once')]",
    ),
    check("alone", "assert look() == [3, []]", "assert look() == [3, []]", points=1),
)


def test_what_can_be_done_once_can_be_done_in_each_pass(court: Court, opened: list[int]) -> None:
    """Though both have one box."""
    checks, cells = told(judge(court, *ONCE, seen=ignore).result)
    assert [verdict for _, verdict, _, _ in checks] == [Verdict.OK]
    assert [status for _, status, _ in cells] == [Verdict.OK] * 4
    assert len(opened) == 2
    assert len(set(opened)) == 1


def test_a_box_whose_program_died_is_not_used_again(court: Court, opened: list[int]) -> None:
    dies = (
        given("import os"),
        solve("dies", "def dies():\n    os._exit(3)"),
        check("dies-seen", "dies()", "dies()", points=1),
    )
    checks, _ = told(judge(court, *dies, seen=ignore).result)
    assert [verdict for _, verdict, _, _ in checks] == [Verdict.CRASH]
    assert len(set(opened)) == len(opened) == 2


def test_no_box_is_left_when_judging_is_broken_off(
    court: Court, monkeypatch: pytest.MonkeyPatch, opened: list[int]
) -> None:
    """Between the passes, when an emptied box waits for the second one."""

    def stop(self: object, result: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("autograder.judge.court.visible_result", stop)
    source = notebook(*honest())
    with pytest.raises(KeyboardInterrupt):
        court.judge_for_staff(plan_notebook(source, source), Settings.of_source(source), b"seed", seen=ignore)
    assert len(opened) == 1
    assert not Path(f"/proc/{opened[0]}").exists()


def test_a_judge_that_is_killed_while_it_starts_is_started_again() -> None:
    with Court() as court:
        assert court.box is not None
        first = court.box.init_pid
        os.kill(first, signal.SIGKILL)
        court.wait()
        assert court.box.init_pid != first
        assert told(judge(court, *honest()).result)[0][0][1] is Verdict.OK


def test_waiting_for_the_judge_is_waiting_for_torch_too() -> None:
    """No session begins, and has its seconds counted, before what it needs is loaded."""
    with Court(warm=False) as court:
        court.prepare(Settings(preload=("torch",)))
        court.wait()
        assert court.box is not None
        assert "libtorch" in Path(f"/proc/{program_of(court.box)}/maps").read_text()


def test_closing_waits_for_no_judge_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(fd: int) -> BoxSpec:
        return replace(judge_spec(fd), argv=("/usr/bin/sleep", "600"))

    monkeypatch.setattr("autograder.judge.court.judge_spec", silent)
    court = Court(warm=False)
    court.start()
    refused: list[str] = []

    def wait() -> None:
        try:
            court.wait()
        except PlatformError as error:
            refused.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not court.lock.locked():
        os.sched_yield()
    closing = threading.Thread(target=court.close)
    closing.start()
    for thread in (closing, waiting):
        thread.join(60)
        assert not thread.is_alive()
    assert refused == ["the court is closed"]


@pytest.mark.parametrize("operation", ["attach", "cell", "check"])
def test_a_zygote_that_dies_costs_nobody_anything(
    court: Court, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    undisturbed = told(judge(court, *honest()).result)
    asked = getattr(JudgeDesk, operation)
    killed: list[int] = []

    def ask(self: object, *arguments: Any, **named: Any) -> Any:
        if not killed:
            killed.extend(zygote_pids(court))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        return asked(self, *arguments, **named)

    monkeypatch.setattr(JudgeDesk, operation, ask)
    assert told(judge(court, *honest()).result) == undisturbed
    assert killed
    assert not set(killed) & set(zygote_pids(court))


def test_what_an_assignment_hides_is_not_preloaded(court: Court) -> None:
    source = notebook(
        given("import torch"), solve("f", "def f():\n    return 1"), check("c", "assert f() == 1", points=1)
    )
    settings = Settings(hide=("torch",)).with_usual_preloads(source)
    assert settings.preload == ()
    result = court.judge(plan_notebook(source, source), settings, b"seed")
    assert [cell.status for cell in result.cells] == [Verdict.ERROR, Verdict.OK]


def test_what_a_source_imports_of_the_usual_is_preloaded() -> None:
    lines = "import numpy as np\nfrom torch.nn import Linear\nimport json"
    source = notebook(given(lines), solve("f", "def f():\n    return 1"))
    assert Settings.of_source(source).preload == ("numpy", "torch")
    assert Settings.of_source(notebook(given("import json, torch.nn as nn\nfrom . import numpy"))).preload == ("torch",)
    assert Settings.of_source(notebook(given("import json"))).preload == ()


def test_an_assignment_says_what_to_preload() -> None:
    source = notebook(given("import torch"))
    own = {"version": 1, "assignment": "x", "check_seconds": 1, "limits": Settings().limits.__dict__}
    source.metadata["mlsys"] = {**own, "preload": ["numpy.fft"]}
    assert Settings.of_source(source).preload == ("numpy.fft",)
    source.metadata["mlsys"] = {**own, "preload": "numpy"}
    with pytest.raises(AuthorError, match="preload must be a list"):
        Settings.of_source(source)


def test_a_preload_that_does_not_exist_is_a_fault_that_names_it(court: Court) -> None:
    cells = (solve("f", "def f():\n    return 1"), check("c", "assert f() == 1", points=1))
    judgement = judge(court, *cells, settings=Settings(preload=("numppy",)))
    assert judgement.result.verdict is Verdict.FAULT
    [words] = judgement.staff.values()
    assert "numppy" in words
    assert "preload" in words
