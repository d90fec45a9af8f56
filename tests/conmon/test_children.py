"""Children: all of them are found, and nobody else; and an init sees theirs end."""

from __future__ import annotations

import subprocess
from pathlib import Path

from podpy.process import own_program
from tests.conmon.conftest import SOURCES
from tests.support import wait


def test_many_children_are_killed_and_nobody_else(build_dir: Path) -> None:
    """Their numbers don't fit into one page: the last one there may be the beginning of somebody else's number."""
    program = build_dir / "many-children"
    flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", f"-I{SOURCES}"]
    sources = [str(Path(__file__).with_name("many_children.c")), str(SOURCES / "util.c")]
    subprocess.run(["cc", *flags, "-o", str(program), *sources], check=True)
    assert subprocess.run([str(program), "1501"], check=True, capture_output=True).stdout == b"1501 0\n"
    words = [str(program), "300", "deep"]
    deep = subprocess.run(words, check=True, capture_output=True, timeout=wait.PATIENCE).stdout
    assert deep == b"300 0\n", "each is the child of the one before"


def test_an_init_sees_its_commands_end_though_its_caller_ignores_children() -> None:
    """The caller itself doesn't ignore it: the kernel keeps no status for whoever does."""
    ignoring = ["env", "--ignore-signal=CHLD", own_program("init"), "--", "sh", "-c", "exit 7"]
    assert subprocess.run(ignoring, check=False, timeout=wait.PATIENCE).returncode == 7
