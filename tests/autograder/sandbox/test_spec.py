"""What may be asked of a box, and what is refused before anything starts."""

# ruff: noqa: S108 - the paths are a box's own

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.sandbox import DEFAULT_LIMITS, Bind, BoxFile, BoxSpec, Limits, Scratch

TRUE = BoxSpec(argv=("/bin/true",), limits=DEFAULT_LIMITS)


@pytest.mark.parametrize("target", ["opt/x", "/opt/../etc", "/opt//x", "/", "/opt/x/", "", "/opt/\0x"])
def test_target_must_be_a_plain_absolute_path(target: str) -> None:
    with pytest.raises(ValueError, match="plain absolute path"):
        BoxFile(target, b"")


@pytest.mark.parametrize("target", ["/proc/x", "/dev/shm", "/usr/lib/x", "/etc/passwd", "/lib64", "/bin/sh"])
def test_target_may_not_lie_in_what_the_policy_puts_there(target: str) -> None:
    with pytest.raises(ValueError, match="the policy's own"):
        Bind(Path("/opt"), target)


def test_source_must_be_absolute_and_not_the_whole_host(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="absolute path"):
        Bind(Path("relative"), "/opt/x")
    (tmp_path / "link").symlink_to("/")
    for source in (Path("/"), Path("/usr/.."), tmp_path / "link"):
        with pytest.raises(ValueError, match="root folder can't be bound"):
            Bind(source, "/opt/x")


def test_program_must_be_named_by_its_absolute_path() -> None:
    for argv in ((), ("true",)):
        with pytest.raises(ValueError, match="must begin with an absolute path"):
            replace(TRUE, argv=argv)


def test_zero_bytes_and_odd_names_are_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        replace(TRUE, argv=("/bin/true", "a\0b"))
    with pytest.raises(ValueError, match="not the name of an environment variable"):
        replace(TRUE, env={"A=B": "c"})


def test_standard_descriptors_are_not_the_callers() -> None:
    with pytest.raises(ValueError, match="the platform's"):
        replace(TRUE, pass_fds=(2,))


def test_sizes_and_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Scratch("/opt/x", kb=0)
    for wrong in (0, -1, float("nan"), float("inf"), True, "8"):
        with pytest.raises(ValueError, match="memory_mb must be a positive number"):
            replace(DEFAULT_LIMITS, memory_mb=wrong)  # type: ignore[arg-type]  # wrong kinds are the test


def test_every_limit_must_be_given() -> None:
    with pytest.raises(TypeError):
        Limits(cell_seconds=1)  # type: ignore[call-arg]  # missing limits are the test
