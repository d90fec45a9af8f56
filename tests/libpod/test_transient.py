"""`--transient-store`: containers that go with the boot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from podpy.storage.database.database import FILE_NAME
from tests.support.engine import Podpy
from tests.support.library import run_program

EARLIER = "00000000-0000-0000-0000-000000000000"


def reboot(podpy: Podpy) -> None:
    """Let this boot's transient containers look like an earlier one's."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with sqlite3.connect(podpy.graphroot / FILE_NAME) as connection:
        connection.execute("UPDATE container_specs SET spec = replace(spec, ?, ?)", (boot, EARLIER))
    connection.close()
    (podpy.graphroot / "transient").write_text(EARLIER)


@pytest.mark.parametrize(
    "first_call", [("ps", "-a"), ("pod", "ls"), ("volume", "ls"), ("rm", "--ignore", "none")], ids="-".join
)
def test_transient_containers_go_with_the_boot_and_others_stay(
    podpy: Podpy, busybox: str, first_call: tuple[str, ...]
) -> None:
    podpy.ok("create", "--name=lasting", "--network=none", busybox)
    podpy.ok("--transient-store", "create", "--name=passing", "--network=none", "-v=/anonymous", "-v=v:/v", busybox)
    podpy.ok("--transient-store", "pod", "create", "--name=pod", "--network=none")
    podpy.ok("rm", "--ignore", "none")
    assert podpy.ok("ps", "-a", "--format={{.Names}}", "--filter=name=ing").split() == ["lasting", "passing"]
    assert podpy.ok("--transient-store", "info", "-f", "{{.Store.TransientStore}}") == "true"
    reboot(podpy)
    told = podpy.ok(*first_call)
    assert "passing" not in told
    assert "pod" not in told
    assert podpy.ok("ps", "-a", "--format={{.Names}}") == "lasting"
    assert podpy.ok("volume", "ls", "-q") == "v"
    assert podpy.ok("pod", "ls", "-q") == ""


def test_a_library_that_only_reads_sees_none_of_an_earlier_boot(podpy: Podpy, busybox: str) -> None:
    podpy.ok("--transient-store", "create", "--name=passing", "--network=none", busybox)
    reboot(podpy)
    program = "import podpy\nwith podpy.Runtime() as runtime:\n    print(runtime.containers.list(all=True))\n"
    assert run_program(podpy, program).ok() == "[]"
