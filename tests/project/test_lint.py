"""ruff, its formatter, mypy --strict and shellcheck (where it is) have nothing to say."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.support.engine import CHECKOUT

CHECKS = {
    "ruff": [sys.executable, "-m", "ruff", "check", "--quiet", "."],
    "format": [sys.executable, "-m", "ruff", "format", "--quiet", "--diff", "."],
    "types": [sys.executable, "-m", "mypy", "--strict"],
    "test types": [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir=.mypy_cache/tests",  # the other check may write its own at the same time, on another worker
        "--explicit-package-bases",
        "tests/support",
        "tests/project",
    ],
}
SCRIPTS = ("scripts/quickstart", "scripts/test", ".ci/run")


@pytest.mark.parametrize("check", CHECKS)
def test_python_is_clean(check: str) -> None:
    done = subprocess.run(CHECKS[check], cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_shell_scripts_parse_as_posix_sh(script: str) -> None:
    shell = shutil.which("dash") or "/bin/sh"
    done = subprocess.run([shell, "-n", script], cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (CHECKOUT / script).read_text().startswith("#!/bin/sh\n")
