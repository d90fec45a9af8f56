"""`--transient-store`: containers that go with the boot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from podpy.storage.database.database import FILE_NAME
from tests.support.engine import Podpy

EARLIER = "00000000-0000-0000-0000-000000000000"


def reboot(podpy: Podpy) -> None:
    """Let this boot's transient containers look like an earlier one's."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with sqlite3.connect(podpy.graphroot / FILE_NAME) as connection:
        connection.execute("UPDATE container_specs SET spec = replace(spec, ?, ?)", (boot, EARLIER))
    connection.close()
    (podpy.graphroot / "transient").write_text(EARLIER)


def test_transient_containers_go_with_the_boot_and_others_stay(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=lasting", "--network=none", busybox)
    podpy.ok("--transient-store", "create", "--name=passing", "--network=none", "-v=/anonymous", "-v=v:/v", busybox)
    podpy.ok("--transient-store", "pod", "create", "--name=pod", "--network=none")
    podpy.ok("rm", "--ignore", "none")
    assert podpy.ok("ps", "-a", "--format={{.Names}}", "--filter=name=ing").split() == ["lasting", "passing"]
    assert podpy.ok("--transient-store", "info", "-f", "{{.Store.TransientStore}}") == "true"
    reboot(podpy)
    podpy.ok("rm", "--ignore", "none")
    assert podpy.ok("ps", "-a", "--format={{.Names}}") == "lasting"
    assert podpy.ok("volume", "ls", "-q") == "v"
    assert podpy.ok("pod", "ls", "-q") == ""
