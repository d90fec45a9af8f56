"""Copies of directory trees: new volumes, layers for another id map."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from podpy.storage.layers.copying import copy_tree
from tests.support import needs

NAME = "user.mark"


def test_attributes_are_copied_where_the_target_can_hold_them(session_base: Path) -> None:
    """A volume may lie on a file system without them (ramfs, some network file systems): the files count."""
    needs.require("mount")
    base = session_base / "attributes"
    source, same, without = base / "source", base / "same", base / "without"
    for directory in (source, same, without):
        directory.mkdir(parents=True)
    (source / "file").write_text("text")
    os.setxattr(source / "file", NAME, b"1")
    copy_tree(os.fspath(source), os.fspath(same))
    assert os.getxattr(same / "file", NAME) == b"1"
    subprocess.run(["mount", "-t", "ramfs", "ramfs", without], check=True)
    try:
        copy_tree(os.fspath(source), os.fspath(without))
        assert (without / "file").read_text() == "text"
        with pytest.raises(OSError) as caught:
            os.setxattr(without / "file", NAME, b"1")
        assert caught.value.errno == errno.EOPNOTSUPP
    finally:
        subprocess.run(["umount", without], check=True)


def test_a_fifo_keeps_its_mode_and_a_link_its_target(session_base: Path) -> None:
    base = session_base / "modes"
    source, target = base / "source", base / "target"
    for directory in (source, target):
        directory.mkdir(parents=True)
    os.mkfifo(source / "pipe")
    os.chmod(source / "pipe", 0o622)
    (source / "link").symlink_to("pipe")
    copy_tree(os.fspath(source), os.fspath(target))
    assert stat.filemode((target / "pipe").lstat().st_mode) == "prw--w--w-"
    assert os.readlink(target / "link") == "pipe"
