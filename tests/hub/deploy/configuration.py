"""Runs a configuration file as the hub does, and holds what it sets against the classes' own settings."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

from traitlets.config import Config, Configurable

from hub.settings import HubSettings


def load(file: Path, settings: HubSettings) -> Config:
    c = Config()
    exec(compile(file.read_bytes(), file, "exec"), {"c": c, "settings": settings})  # noqa: S102 - ours
    return c


def class_of(path: str) -> type[Configurable]:
    module, _, name = path.rpartition(".")
    found: type[Configurable] = getattr(importlib.import_module(module), name)
    return found


def require_known(c: Config, *classes: type[Configurable]) -> None:
    """Fails for a class that isn't one of these or their parents, a name that it hasn't, a value of
    another type."""
    known = {parent.__name__: parent for cls in classes for parent in inspect.getmro(cls)}
    for section, values in c.items():
        assert section in known, f"c.{section}"
        for name, value in values.items():
            fits = [cls for cls in classes if issubclass(cls, known[section])]
            for cls in fits:
                traits: dict[str, Any] = cls.class_traits(config=True)
                assert name in traits, f"c.{section}.{name}"
                traits[name]._validate(cls.__new__(cls), value)
