"""Each finding can be run, stops at its first error, and stands in the list of the README."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.engine import CHECKOUT

FOLDER = CHECKOUT / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
LONGEST = 60


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_is_a_short_strict_script(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert os.access(script, os.X_OK)
    assert lines[0] == "#!/bin/sh" and "set -eu" in lines
    assert len(lines) <= LONGEST and max(map(len, lines)) <= 120
    shell = shutil.which("dash") or "/bin/sh"
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_readme_has_each_finding_and_no_other() -> None:
    rows = re.findall(r"^- \[[^]]+\]\((\S+)\): ", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert rows == [script.name for script in SCRIPTS]
    assert len(rows) >= 5
