"""What the judge process loads before its children are forked, and what it makes of torch.

Contract: after ``guard_torch`` torch is never without the judge's rules, whoever imports it and when: the
parent for notebooks that need it, or a child whose check or whose student's answer does.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.judge.ranges import mind_ranges


class TorchFinder(MetaPathFinder):
    """Finds torch as everybody does, and gives it the judge's rules once it's loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "torch":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def execute_and_rule(module: ModuleType) -> None:
                execute(module)
                rule(module)

            loader.exec_module = execute_and_rule
        return spec


def guard_torch() -> None:
    """Once in a process, before torch is imported."""
    if "torch" in sys.modules:
        raise RuntimeError("torch is loaded already, without the judge's rules")
    sys.meta_path.insert(0, TorchFinder())


def rule(torch: Any) -> None:
    torch.set_num_threads(1)
    mind_ranges(torch)


def load(*names: str) -> None:
    """Imports what is installed of these."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def load_torch() -> None:
    """Where torch is installed: all of it that checks use."""
    load("torch", "torch.testing")
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        # A first backward pass with a gradient of one's own imports sympy: 0.3 s, here once for all.
        torch.ones(1, requires_grad=True).backward(torch.ones(1))


def require_one_thread() -> None:
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"the judge has {threads} threads; a child forked now might hang")
