"""--chmod of COPY and ADD, in numbers and letters, means what chmod(1) means."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from podpy.build.steps.modes import parse
from podpy.errors import UsageError
from tests.build.building import Builder

TEXTS = [
    "755", "0", "4711", "u=rwX,go=rX", "a=rX", "u+x", "go-w", "g=u", "o=g,u+s", "g+s", "a+t", "u=rwxs,g=", "+X",
    "a=", "u=r,u+w", "ug+rw-x", "o=u-w", "u=s", "a-s", "o+t",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_modes_are_those_of_chmod(tmp_path: Path, text: str) -> None:
    file, directory = tmp_path / "f", tmp_path / "d"
    file.touch()
    directory.mkdir()
    for path, is_directory in ((file, False), (directory, True)):
        for mode in (0o644, 0o755, 0o600, 0o4755, 0o2770, 0o1777, 0):
            check(path, text, mode, is_directory=is_directory)


def check(path: Path, text: str, mode: int, *, is_directory: bool) -> None:
    """Compare what chmod(1) makes of a mode with what podpy does."""
    path.chmod(mode)
    given = f"00{int(text, 8):04o}" if text.isdigit() else text  # five digits: a directory's s goes, too
    subprocess.run(["chmod", given, path], check=True, umask=0)
    assert oct(parse(text)(mode, is_directory)) == oct(stat.S_IMODE(os.stat(path).st_mode))


@pytest.mark.parametrize("text", ["8", "77777", "u", "x=r", "u=q", "u=rwx;", "u=rwx,", "u=gr", "-1x", "u=r w"])
def test_what_is_no_mode_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="Error parsing chmod"):
        parse(text)


def test_copies_get_the_mode_and_the_cache_knows_it(build: Builder) -> None:
    build.write({"d/run": "x", "d/data": "x"})
    (build.context / "d/run").chmod(0o700)
    (build.context / "d/data").chmod(0o600)
    text = "ARG M=u=rwX,go=rX\nCOPY --chmod=$M d /d\nCOPY --chmod=a+x <<E /e\nE\n"
    files = build.files(build.ok(text))
    assert [oct(files[name].mode) for name in ("d/run", "d/data", "e")] == ["0o755", "0o644", "0o755"]
    files = build.files(build.ok(text, "--build-arg", "M=go="))
    assert [oct(files[name].mode) for name in ("d/run", "d/data")] == ["0o700", "0o600"]
