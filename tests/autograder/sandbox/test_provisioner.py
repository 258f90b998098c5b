"""Notebooks through nbclient, in a kernel that runs in a box."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager, start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from autograder.sandbox import SandboxError, kernelspec
from autograder.sandbox.policy import this_host
from autograder.sandbox.provisioner import BoxProvisioner
from tests.autograder.sandbox.boxes import SMALL

LIMITS = replace(SMALL, memory_mb=256, processes=64)
Execute = Callable[..., list[Any]]


@pytest.fixture
def jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jupyter folders of the test's own; kernelspecs go to its "kernels"."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return tmp_path


@pytest.fixture
def execute(jupyter: Path) -> Execute:
    def run(cells: Sequence[str], hide: Sequence[str] = (), **options: Any) -> list[Any]:
        kernelspec.write(jupyter / "kernels", LIMITS, hide)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        settings = {"timeout": 60, "allow_errors": True, **options}
        NotebookClient(notebook, kernel_name=kernelspec.NAME, **settings).execute()
        return [words(cell.outputs) for cell in notebook.cells]

    return run


def words(outputs: list[Any]) -> str:
    """What a cell showed, or the name of its error."""
    return "".join(
        each.get("text") or each.get("ename") or each.get("data", {}).get("text/plain", "")
        for each in outputs
    )


def test_notebook_with_numpy_runs_without_a_network(execute: Execute) -> None:
    shown = execute(
        [
            "import numpy as np\nnp.arange(5).sum().item()",
            "import socket\nsocket.socket()",
            "import os\n'JUPYTER_PATH' in os.environ, os.path.exists('/etc/passwd'), os.getcwd()",
            "print('words')",
            "!echo from a shell",
            "import asyncio\nawait asyncio.sleep(0, 'awaited')",
        ]
    )
    assert shown[:4] == ["10", "OSError", "(False, False, '/tmp/home')", "words\n"]
    assert shown[4].strip() == "from a shell"
    assert shown[5] == "'awaited'"


def test_cell_over_its_time_is_interrupted_and_the_kernel_goes_on(execute: Execute) -> None:
    shown = execute(["x = 1", "while True: x += 1", "x > 1"], timeout=2, interrupt_on_timeout=True)
    assert shown == ["", "KeyboardInterrupt", "True"]


def test_hidden_package_does_not_import_in_the_kernel(execute: Execute) -> None:
    assert execute(["import torch"], hide=["torch"]) == ["ModuleNotFoundError"]


def test_socket_folder_takes_no_more_than_its_kilobytes(execute: Execute) -> None:
    code = "open('/run/jupyter/fill', 'wb').write(bytes(1 << 20))"
    assert execute([code, "'alive'"]) == ["OSError", "'alive'"]


def test_program_that_ends_its_kernel_is_seen(execute: Execute) -> None:
    with pytest.raises(DeadKernelError):
        execute(["import os\nos._exit(3)"])


def first_process(manager: KernelManager) -> int:
    provisioner = manager.provisioner
    assert isinstance(provisioner, BoxProvisioner)
    assert provisioner.box is not None
    return provisioner.box.init_pid


@pytest.mark.slow
def test_kernel_restarts_in_a_new_box(jupyter: Path) -> None:
    kernelspec.write(jupyter / "kernels", LIMITS)
    manager, client = start_new_kernel(kernel_name=kernelspec.NAME)
    try:
        first = first_process(manager)
        client.stop_channels()
        manager.restart_kernel(now=True)
        second = first_process(manager)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive("1 + 1", timeout=60)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert first != second
    assert reply["content"]["status"] == "ok"
    assert not Path(f"/proc/{second}/root").exists()


def test_missing_or_unknown_limit_is_refused(jupyter: Path) -> None:
    complete = asdict(LIMITS)
    for wrong in ({}, {**complete, "memory": 1}, {**complete, "memory_mb": 0}):
        provisioner = BoxProvisioner(kernel_id="k", kernel_spec=KernelSpec(display_name="spec"), limits=wrong)
        with pytest.raises(SandboxError, match=r"kernelspec spec: its provisioner's limits are wrong"):
            provisioner._limits()


def test_kernelspec_is_found_by_jupyter_with_its_limits(jupyter: Path) -> None:
    kernelspec.write(jupyter / "kernels", LIMITS, hide=["torch"])
    spec = KernelSpecManager().get_kernel_spec(kernelspec.NAME)
    assert spec.interrupt_mode == "message"
    provisioner = spec.metadata["kernel_provisioner"]
    assert provisioner["provisioner_name"] == "mlsys-box"
    assert provisioner["config"] == {"limits": asdict(LIMITS), "hide": ["torch"]}


def test_kernelspec_is_installed_below_a_prefix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kernelspec.main(["--prefix", str(tmp_path)]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder == tmp_path / "share" / "jupyter" / "kernels" / kernelspec.NAME
    assert (folder / "kernel.json").exists()


def groups_of_this_process() -> set[Path]:
    """The control groups of boxes that this process opened; the court of other tests has one too."""
    place = this_host().place
    bases = place.bases.values() if place is not None else ()
    mine = f"-{os.getpid()}-"
    return {path for base in bases for path in base.glob("mlsys-*") if mine in path.name}


def test_kernels_leave_no_group_behind(execute: Execute) -> None:
    before = groups_of_this_process()
    execute(["1"])
    assert groups_of_this_process() == before
