"""Changing auth.json, policy.json and their kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.engine import CHECKOUT

CHANGE = """
import sys
sys.path.insert(0, {source!r})
from podpy.config.rewriting import Rewriting
with Rewriting({path!r}) as file:
    file.replace(b"new", 0o600)
"""


def test_a_changed_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path) -> None:
    """A power cut must not leave an empty auth.json: fsync of the file, rename, fsync of the directory."""
    path, trace = tmp_path / "made/auth.json", tmp_path / "trace"
    script = CHANGE.format(source=f"{CHECKOUT}/src", path=f"{path}")
    strace = ["strace", "-y", "-e", "trace=fsync,rename", "-e", "signal=none", "-o", trace]
    subprocess.run([*strace, sys.executable, "-c", script], check=True, env={"PYTHONDONTWRITEBYTECODE": "1"})
    calls = [line.partition("(")[::2] for line in trace.read_text().splitlines() if str(path.parent) in line]
    assert [call for call, _ in calls] == ["fsync", "rename", "fsync"], calls
    assert f"<{path}.new>" in calls[0][1] and f"<{path.parent}>" in calls[2][1]
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o600
