"""Subordinate ids: the files' lines, NSS, and the map that comes of them."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from podpy.rootless import subids

LINES = """\
# a comment
alice:100000:65536
1001:200000:10
bob:300000:10
alice:100000:65536
alice:400000:0
alice:x:10
alice
1001 : 5:5
alice:500000:20"""


def test_lines_by_name_and_by_number_count_once_each(tmp_path: Path) -> None:
    """In the file's order; comments, other users, empty and broken lines don't count."""
    path = tmp_path / "subuid"
    path.write_text(LINES)
    assert subids.from_file(os.fspath(path), 1001, "alice") == [(100000, 65536), (200000, 10), (500000, 20)]
    assert subids.from_file(os.fspath(path), 1002, "bob") == [(300000, 10)]
    assert subids.from_file(os.fspath(path), 1003, "") == []
    assert subids.from_file(os.fspath(tmp_path / "none"), 1001, "alice") == []


def test_map_counts_on_from_one() -> None:
    """0 is the user; the ranges follow each other without gaps; not more lines than the kernel takes."""
    assert subids.id_map(1000, [(100000, 10), (300000, 5)]) == [(0, 1000, 1), (1, 100000, 10), (11, 300000, 5)]
    assert len(subids.id_map(1000, [(100000 + i, 1) for i in range(1000)])) == 340


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("passwd: files\n", ""),
        ("subid: sss\n", "sss"),
        ("subid:   sss  # FreeIPA\n", "sss"),
        ("# subid: sss\n", ""),
        ("subid: files\n", ""),
    ],
)
def test_nsswitch_says_who_is_asked(tmp_path: Path, text: str, source: str) -> None:
    """Only `subid:` with another source than files."""
    path = tmp_path / "nsswitch.conf"
    path.write_text(text)
    assert subids.nss_source(os.fspath(path)) == source


def test_other_sources_are_asked_through_getsubids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program knows sssd and others; the files aren't read then."""
    name = pwd.getpwuid(os.getuid()).pw_name
    program = tmp_path / "getsubids"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -g ]; then echo "0: $2 700000 30"; exit; fi\n'
        f'if [ "$1" = {name} ]; then echo "0: $1 500000 10"; echo "1: $1 600000 20"; fi\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    nsswitch = tmp_path / "nsswitch.conf"
    nsswitch.write_text("subid: sss\n")
    ranges = tmp_path / "subuid"
    ranges.write_text(f"{name}:1:1\n")
    files = subids.SubidFiles(os.fspath(ranges), os.fspath(ranges), os.fspath(nsswitch))
    assert subids.find(os.getuid(), files) == ([(500000, 10), (600000, 20)], [(700000, 30)])


@pytest.mark.parametrize("line", ["bob:4294967295:1", "bob:4294967290:6", "bob:²:5", "bob:5:٣", "bob:5:" + "9" * 5000])
def test_a_line_beyond_the_last_id_or_of_other_digits_does_not_count(tmp_path: Path, line: str) -> None:
    path = tmp_path / "subuid"
    path.write_text(f"{line}\nbob:4294967290:5\n", encoding="utf-8")
    assert subids.from_file(os.fspath(path), 1002, "bob") == [(4294967290, 5)]
