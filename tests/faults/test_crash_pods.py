"""kill -9 of podpy at each step of a pod's life: the next call finishes or undoes it, and nothing is left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.faults.repaired import KILLED, assert_repaired
from tests.support import wait
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")


@pytest.fixture
def shop(podpy: Podpy, busybox: str) -> str:
    podpy.ok("pod", "create", "--name=shop", "--network=none", "--exit-policy=stop")
    for name in "ab":
        podpy.ok("create", "--pod=shop", f"--name={name}", "--stop-signal=KILL", busybox, *SLEEP)
    return "shop"


@pytest.mark.parametrize("moment", ["pod:root", "MakeContainerLayer:before"])
def test_podpy_is_killed_while_it_makes_a_pod(podpy: Podpy, busybox: str, moment: str) -> None:
    killed = podpy("run", "-d", "--pod=new:shop", "--network=none", busybox, *SLEEP, env={"PODPY_CRASH_AT": moment})
    assert killed.returncode == KILLED, killed.describe()
    names = podpy.ok("pod", "ls", "--format={{.Name}} {{.InfraID}}").split()
    assert names in ([], ["shop", *names[1:]]) and len(names) in (0, 2)
    podpy.ok("pod", "rm", "--force", "--time=0", "--all")
    assert_repaired(podpy, busybox)


@pytest.mark.parametrize("moment", ["StartConmon:after", "WaitForStart:after"])
def test_podpy_is_killed_while_it_starts_a_pod(podpy: Podpy, shop: str, busybox: str, moment: str) -> None:
    podpy("pod", "start", shop, env={"PODPY_CRASH_AT": moment})
    podpy.ok("pod", "start", shop)
    assert podpy.ok("pod", "inspect", "-f", "{{.State}}", shop) == "Running"
    podpy.ok("pod", "rm", "--force", "--time=0", shop)
    assert_repaired(podpy, busybox)


@pytest.mark.parametrize("moment", ["end:signalled", "end:recorded", "end:finished"])
def test_podpy_is_killed_while_it_stops_a_pod_and_the_monitors_do_the_rest(
    podpy: Podpy, shop: str, busybox: str, moment: str
) -> None:
    podpy.ok("pod", "start", shop)
    containers = podpy.runroot / "containers"
    monitors = [int((path / "conmon.pid").read_text()) for path in containers.iterdir()]
    assert len(monitors) == 3
    killed = podpy("pod", "stop", shop, env={"PODPY_CRASH_AT": moment})
    assert killed.returncode == KILLED, killed.describe()
    for monitor in monitors:  # of the infra container, too: whose exit policy is `stop`
        wait.for_end(monitor)
    assert list(containers.iterdir()) == []
    assert podpy.ok("pod", "inspect", "-f", "{{.State}}", shop) == "Exited"
    podpy.ok("pod", "rm", shop)
    assert_repaired(podpy, busybox)


@pytest.mark.parametrize(
    "moment", ["pod:removing", "RemoveContainerLayer:before", "RemoveContainerLayer:after", "pod:empty"]
)
def test_a_removal_that_is_killed_is_finished_by_the_next_call(
    podpy: Podpy, shop: str, busybox: str, moment: str
) -> None:
    podpy.ok("pod", "start", shop)
    killed = podpy("pod", "rm", "--force", "--time=0", shop, env={"PODPY_CRASH_AT": moment})
    assert killed.returncode == KILLED, killed.describe()
    podpy.ok("run", "--rm", "--network=none", busybox, "true")
    assert podpy.ok("pod", "ls", "-q") == ""
    assert_repaired(podpy, busybox)


def test_a_pod_that_cant_be_removed_keeps_no_other_call_from_its_work(podpy: Podpy, shop: str, busybox: str) -> None:
    podpy.ok("pod", "start", shop)
    podpy.ok("exec", "a", "touch", "/stuck")
    (stuck,) = Path(podpy.home).rglob("stuck")
    if subprocess.run(["chattr", "+i", stuck], check=False, capture_output=True).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        podpy("pod", "rm", "--force", "--time=0", shop).fails(125, "Operation not permitted")
        told = podpy("run", "--rm", "--network=none", busybox, "echo", "well")
        assert told.ok() == "well"
        assert any("removed" in text for text in told.warnings)
    finally:
        (stuck,) = Path(podpy.home).rglob("stuck")
        subprocess.run(["chattr", "-i", stuck], check=True)
    podpy.ok("run", "--rm", "--network=none", busybox, "true")
    assert podpy.ok("pod", "ls", "-q") == ""
    assert_repaired(podpy, busybox)
