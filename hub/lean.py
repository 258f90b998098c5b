"""Starts one of JupyterHub's programs without what it needn't load: see `autograder.unneeded`.

Contract: ``python -m hub.lean jupyterhub …`` and ``python -m hub.lean jupyterhub-singleuser …`` do what the
programs of these names do with the other arguments, a second sooner. What they start loads what it likes.
"""

from __future__ import annotations

import sys
from importlib import import_module

import autograder.unneeded  # noqa: F401

PROGRAMS = {"jupyterhub": "jupyterhub.app", "jupyterhub-singleuser": "jupyterhub.singleuser"}


def main() -> None:
    name = sys.argv.pop(1)
    import_module(PROGRAMS[name]).main()


if __name__ == "__main__":
    main()
