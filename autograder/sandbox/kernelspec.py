"""The kernelspec "mlsys-python": this Python as a Jupyter kernel that runs in a box.

Contract: `install` writes it where Jupyter looks, `write` into a folder of one's own; both replace what
was there. ``python -m autograder.sandbox.kernelspec [--prefix DIR]`` does the first.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from autograder.sandbox.limits import DEFAULT_LIMITS, Limits
from autograder.sandbox.python import interpreter

NAME = "mlsys-python"
PROVISIONER = "mlsys-box"


def contents(limits: Limits = DEFAULT_LIMITS, hide: Sequence[str] = ()) -> dict[str, object]:
    """kernel.json as an object."""
    config = {"limits": asdict(limits), "hide": list(hide)}
    return {
        "argv": [interpreter().executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (in a box)",
        "language": "python",
        # A signal would reach what stands around the kernel; a message reaches the kernel.
        "interrupt_mode": "message",
        "metadata": {"kernel_provisioner": {"provisioner_name": PROVISIONER, "config": config}},
    }


def write(kernels: Path, limits: Limits = DEFAULT_LIMITS, hide: Sequence[str] = (), name: str = NAME) -> Path:
    """Write the spec as ``kernels/name``; a folder whose parent is on JUPYTER_PATH is found by Jupyter."""
    folder = kernels / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(contents(limits, hide), indent=1) + "\n")
    return folder


def install(
    prefix: Path, limits: Limits = DEFAULT_LIMITS, hide: Sequence[str] = (), name: str = NAME
) -> Path:
    """Install the spec below a prefix (``sys.prefix`` serves this environment); returns its folder."""
    with tempfile.TemporaryDirectory() as scratch:
        source = write(Path(scratch), limits, hide, name)
        found = KernelSpecManager().install_kernel_spec(str(source), name, prefix=str(prefix))
    return Path(found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=f"Install the kernelspec {NAME}.")
    parser.add_argument("--prefix", type=Path, default=Path(sys.prefix), help="default: this environment")
    print(install(parser.parse_args(arguments).prefix))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
