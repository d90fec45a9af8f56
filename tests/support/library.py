"""Programs that import podpy, run as podpy's user."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import podpy as podpy_package
from tests.support.engine import Podpy, Result


def package_directory(podpy: Podpy) -> Path:
    """Return the directory to import the tested podpy from."""
    package = podpy.launcher.parents[2]
    if not (package / "podpy/__init__.py").exists():  # an installed podpy is tested, by its launcher alone
        package = Path(podpy_package.__file__ or "").parents[1]
    return package


def run_program(
    podpy: Podpy, text: str, *arguments: str, env: Mapping[str, str] | None = None, input: str | None = None
) -> Result:
    """Run the text of a program, in podpy's home directory."""
    script = podpy.home / "caller.py"
    script.write_text(text)
    script.chmod(0o644)
    command = [sys.executable, os.fspath(script), *arguments]
    return podpy.run(command, env={"PYTHONPATH": os.fspath(package_directory(podpy)), **(env or {})}, input=input)
