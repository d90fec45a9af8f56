"""The same engine as root: no user namespace, cgroups of its own."""

from __future__ import annotations

import os

from tests.support.engine import Podpy
from tests.support.images import BUSYBOX


def test_the_life_of_a_container(podpy_root: Podpy, busybox_archive: os.PathLike[str]) -> None:
    podpy_root.ok("load", "-qi", os.fspath(busybox_archive))
    assert podpy_root.ok("run", "--rm", BUSYBOX, "id", "-u") == "0"
    assert podpy_root.ok("run", "--rm", BUSYBOX, "cat", "/proc/self/uid_map").split() == ["0", "0", "4294967295"]
    podpy_root.ok("run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "300")
    assert podpy_root.ok("exec", "c", "id", "-u") == "0"
    podpy_root.ok("pause", "c")
    assert podpy_root.ok("ps", "-a", "--format", "{{.Status}}") == "Paused"
    podpy_root.ok("unpause", "c")
    assert podpy_root.ok("exec", "c", "echo", "still here") == "still here"
    podpy_root.ok("stop", "-t0", "c")
    podpy_root.ok("rm", "c")
    assert podpy_root("system", "check").ok() == ""
