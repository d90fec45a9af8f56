"""Tests with the same mark `xdist_group` run in one worker: they share a name on the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MARKED = """
import pytest
from pathlib import Path
pytestmark = pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_it(number, worker_id):
    (Path(__file__).parent / f"by-{worker_id}").touch()
"""


def test_a_group_stays_together(tmp_path: Path) -> None:
    (tmp_path / "test_marked.py").write_text(MARKED)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadgroup"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert len([*tmp_path.glob("by-*")]) == 1
