"""Commands that end several containers signal all of them first, and then wait for all together."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.support import locks, wait
from tests.support.engine import Podpy, shared_directory

NAMES = ("a", "b", "c")
# Each ends well only if the others have got the signal, too, while it waits.
MEET = """
trap 'touch /s/got-$0; until [ -e /s/got-a -a -e /s/got-b -a -e /s/got-c ]; do sleep 0.05; done; touch /s/done-$0; exit 3' TERM
touch /s/ready-$0; while :; do sleep 0.05; done
"""  # noqa: E501


@pytest.fixture
def group(podpy: Podpy, busybox: str) -> Path:
    """Three containers, a, b and c, of which none ends at SIGTERM before all have got it; the directory they share."""
    shared = shared_directory(podpy)
    for name in NAMES:
        how = ("-d", "--network=none", "--stop-timeout=60", f"--name={name}", f"--volume={shared}:/s")
        podpy.ok("run", *how, busybox, "sh", "-c", MEET, name)
    wait.until(lambda: all((shared / f"ready-{name}").exists() for name in NAMES), what="all are ready")
    return shared


def ended_well(shared: Path) -> bool:
    """Return whether each has seen that the others got the signal."""
    return all((shared / f"done-{name}").exists() for name in NAMES)


def test_stop_waits_for_all_together_and_names_them_in_order(podpy: Podpy, group: Path) -> None:
    result = podpy("stop", "b", "nobody", "a", "b", "c")
    result.fails(125, 'no container with name or ID "nobody" found')
    assert result.stdout.split() == ["b", "a", "b", "c"]
    assert ended_well(group)
    assert set(podpy.ok("ps", "-a", "--format={{.ExitCode}}").split()) == {"3"}


def test_stop_tells_each_one_s_error_and_stops_the_others(podpy: Podpy, group: Path, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--stop-timeout=0", "--name=alone", busybox, "sleep", "300")
    monitor = podpy.json("inspect", "alone")[0]["State"]["ConmonPid"]
    os.kill(monitor, signal.SIGKILL)
    wait.for_end(monitor)
    result = podpy("stop", "a", "alone", "b", "c").fails(125, "its monitor (conmon) had been killed")
    assert result.stdout.split() == [*NAMES]
    assert ended_well(group)


def test_the_patience_of_each_counts_from_its_own_signal(podpy: Podpy, group: Path, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name=deaf", "--stop-timeout=1", busybox, "sleep", "300")
    result = podpy("stop", "--all")
    assert len(result.ok().split()) == 4
    assert [text.split()[6] for text in result.warnings] == ["deaf"]
    assert ended_well(group)


def test_rm_force_stops_all_together(podpy: Podpy, group: Path) -> None:
    assert podpy.ok("rm", "-f", *NAMES).split() == [*NAMES]
    assert ended_well(group)
    assert podpy.ok("ps", "-aq") == ""


def test_rmi_force_stops_the_image_s_containers_together(podpy: Podpy, group: Path, busybox: str) -> None:
    podpy.ok("rmi", "-f", busybox)
    assert ended_well(group)


def test_restart_stops_all_together(podpy: Podpy, group: Path) -> None:
    for name in NAMES:
        (group / f"ready-{name}").unlink()
    assert podpy.ok("restart", *NAMES).split() == [*NAMES]
    assert ended_well(group)
    wait.until(lambda: all((group / f"ready-{name}").exists() for name in NAMES), what="all run again")
    podpy.ok("rm", "-f", "-t0", *NAMES)


def test_restart_starts_first_whose_namespaces_others_join(podpy: Podpy, busybox: str) -> None:
    how = ("run", "-d", "--stop-timeout=0", "--network")
    podpy.ok(*how, "none", "--name=owner", busybox, "sleep", "300")
    podpy.ok(*how, "container:owner", "--name=guest", busybox, "sleep", "300")
    assert podpy.ok("restart", "guest", "owner").split() == ["guest", "owner"]
    network = "stat -Lc %i /proc/self/ns/net".split()
    assert podpy.ok("exec", "guest", *network) == podpy.ok("exec", "owner", *network)


def test_rm_force_keeps_what_another_container_joins(podpy: Podpy, busybox: str) -> None:
    how = ("run", "-d", "--stop-timeout=0", "--network")
    podpy.ok(*how, "none", "--name=owner", busybox, "sleep", "300")
    podpy.ok(*how, "container:owner", "--name=guest", busybox, "sleep", "300")
    podpy.ok(*how, "none", "--name=other", busybox, "sleep", "300")
    result = podpy("rm", "-f", "owner", "other").fails(125, "has dependent containers")
    assert result.stdout == "other\n"
    assert set(podpy.ok("ps", "--format={{.Names}}").split()) == {"owner", "guest"}
    assert podpy.ok("rm", "-f", "--depend", "owner") == "owner"


def test_what_joins_a_container_while_it_is_being_removed_is_refused_or_keeps_it(podpy: Podpy, busybox: str) -> None:
    owner = podpy.ok("create", "--network=none", "--name=owner", busybox, "true")
    lock = podpy.runroot / "locks" / owner
    with locks.held(lock):
        removal = podpy.popen("rm", "owner", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait.until(lambda: locks.is_awaited(lock), what="rm waits for the container's lock")
        podpy.ok("create", "--network=container:owner", "--name=guest", busybox, "true")
    _, told = removal.communicate(timeout=60)
    assert (removal.returncode, b"has dependent containers" in told) == (125, True), told
    assert set(podpy.ok("ps", "-a", "--format={{.Names}}").split()) == {"owner", "guest"}


def test_what_is_half_removed_cannot_be_joined(podpy: Podpy, busybox: str) -> None:
    owner = podpy.ok("create", "--network=none", "--name=owner", busybox, "true")
    with locks.held(podpy.runroot / "locks" / owner):  # nobody finishes it meanwhile
        with sqlite3.connect(podpy.graphroot / "podpy.sqlite") as database:
            database.execute("UPDATE containers SET status = 'removing' WHERE id = ?", (owner,))
        database.close()
        podpy("create", "--network=container:owner", busybox, "true").fails(125, "net namespace", "no such container")
