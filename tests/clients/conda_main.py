"""Starts conda: `python conda_main.py create …` is `conda create …`.

conda is not on PyPI; conda-lock carries a whole one as `conda_lock._vendor.conda`. It imports some
of its modules by the name `conda`, and `conda_lock` itself would import a solver that conda does
not need: so `conda` is made a second name of the carried one, and `conda_lock` an empty parent.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class SecondName(MetaPathFinder, Loader):
    """Finds `conda` and what is below it under `conda_lock._vendor`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for the names that are ours."""
        if name == "conda" or name.startswith("conda."):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The one module that has both names."""
        return importlib.import_module(f"conda_lock._vendor.{spec.name}")

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it has run under its first name."""


def without_contents(name: str) -> ModuleType:
    """The package `name` without what its `__init__` would import."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.submodule_search_locations is not None
    package = ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    return package


# conda starts processes of its own that import this file again: they only need the names.
sys.modules["conda_lock"] = without_contents("conda_lock")
sys.meta_path.insert(0, SecondName())

if __name__ == "__main__":
    from conda_lock._vendor.conda.cli import main

    sys.exit(main())
