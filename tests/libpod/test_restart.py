"""Restart policies: the back-off between two starts, and what ends it."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.support import wait
from tests.support.engine import Podpy, shared_directory


def waiting(podpy: Podpy, image: str, *options: str) -> int:
    """Start a container that always fails, and return its monitor's pid, stopped while it waits for a restart.

    A stopped monitor waits for ever. Who misses one wait catches the next, which is twice as long.
    """
    words = ("run", "-d", "--name=c", "--network=none", "--restart=always", *options, image, "sh", "-c", "exit 3")
    container = podpy.ok(*words)
    directory = podpy.runroot / "containers" / container
    exit_record = podpy.runroot / "exits" / container

    def waits(monitor: int) -> bool:
        has_exit_command = Path(f"/proc/{monitor}/task/{monitor}/children").read_text().strip()
        return (directory / "restart").exists() and exit_record.exists() and not has_exit_command

    def caught() -> int:
        try:
            monitor = int((directory / "conmon.pid").read_text())
            if not waits(monitor):
                return 0
            os.kill(monitor, signal.SIGSTOP)
            if waits(monitor):
                return monitor
        except (OSError, ValueError):
            return 0
        os.kill(monitor, signal.SIGCONT)
        return 0

    return wait.until(caught, what="the monitor waits")


def facts(podpy: Podpy) -> str:
    """Return state, whether it is restarting, and exit code."""
    return podpy.ok("inspect", "--format", "{{.State.Status}} {{.State.Restarting}} {{.State.ExitCode}}", "c")


def test_a_container_that_waits_is_shown_as_restarting(podpy: Podpy, busybox: str) -> None:
    monitor = waiting(podpy, busybox)
    assert facts(podpy) == "restarting true 3"
    assert podpy.ok("ps", "--format", "{{.Status}} {{.State}}").startswith("Restarting (3) ")
    assert "Restarting (3) " in podpy.ok("ps", "-a")
    assert podpy.ok("ps", "-aq", "--filter", "status=restarting") != ""
    page = podpy.ok("why", "c")
    assert "with exit code 3" in page
    assert "Its restart policy (always) starts it again in a moment" in page
    podpy("rm", "c").fails(2, "as it is restarting", "without force")
    podpy("exec", "c", "true").fails(255, "can only create exec sessions on running containers")
    podpy("kill", "c").fails(125, "can only kill running containers")
    assert podpy.ok("container", "prune", "-f") == ""
    assert podpy.ok("stop", "c") == "c"
    wait.for_end(monitor)
    assert facts(podpy) == "exited false 3"
    assert "Exited (3) " in podpy.ok("ps", "-a")
    assert not list((podpy.runroot / "containers").iterdir())


def test_removal_and_another_start_end_the_wait(podpy: Podpy, busybox: str) -> None:
    monitor = waiting(podpy, busybox)
    assert podpy.ok("rm", "-f", "-t0", "c") == "c"
    wait.for_end(monitor)
    monitor = waiting(podpy, busybox)
    assert podpy.ok("start", "c") == "c"
    wait.for_end(monitor)
    podpy.ok("rm", "-f", "-t0", "c")
    monitor = waiting(podpy, busybox)
    assert podpy.ok("restart", "-t0", "c") == "c"
    wait.for_end(monitor)
    podpy.ok("rm", "-f", "-t0", "c")


@pytest.mark.parametrize("call", [("ps", "-a"), ("system", "check")])
def test_a_monitor_that_is_killed_while_it_waits_leaves_an_exited_container(
    podpy: Podpy, busybox: str, call: tuple[str, ...]
) -> None:
    os.kill(waiting(podpy, busybox), signal.SIGKILL)
    podpy.ok(*call)
    assert facts(podpy) == "exited false 3"
    podpy.ok("system", "check")
    assert podpy.ok("start", "c") == "c"
    podpy.ok("rm", "-f", "-t0", "c")


def test_each_wait_is_twice_as_long(podpy: Podpy, busybox: str) -> None:
    shared = shared_directory(podpy)
    options = ("--name=c", "--network=none", "--restart=on-failure:4", f"--volume={shared}:/s")
    script = "cat /proc/uptime >>/s/starts; exit 1"
    directory = podpy.runroot / "containers" / podpy.ok("run", "-d", *options, busybox, "sh", "-c", script)
    seen: list[str] = []

    def starts() -> list[float]:
        path = shared / "starts"
        return [float(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []

    def look() -> bool:
        with contextlib.suppress(FileNotFoundError):
            text = (directory / "restart").read_text().strip()
            if text not in seen:
                seen.append(text)
        return len(starts()) == 5

    wait.until(look, what="four restarts")
    state = ("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", "c")
    wait.until(lambda: podpy.ok(*state) == "4 exited", what="the end of the last one")
    # A busy machine may have missed some, and starts later than it might.
    assert seen == [text for text in ("100 policy", "200 policy", "400 policy", "800 policy") if text in seen]
    pauses = [later - sooner for sooner, later in itertools.pairwise(starts())]
    assert all(pause > least for pause, least in zip(pauses, (0.08, 0.18, 0.38, 0.78), strict=True)), pauses


def test_restarts_are_events(podpy: Podpy, busybox: str) -> None:
    import sqlite3

    words = ("run", "-d", "--name=c", "--network=none", "--restart=on-failure:1", busybox, "sh", "-c", "exit 1")
    podpy.ok(*words)

    def actions() -> list[str]:
        with sqlite3.connect(podpy.graphroot / "podpy.sqlite") as database:
            return [action for (action,) in database.execute("SELECT action FROM events WHERE type = 'container'")]

    wait.until(lambda: actions()[-1] == "cleanup", what="the end of the last run")
    assert actions() == ["create", "init", "start", "died", "restart", "init", "start", "died", "cleanup"]


def test_a_unit_starts_after_a_reboot_what_is_to_run(podpy: Podpy, busybox: str) -> None:
    for name, policy in (("always", "always"), ("stopped", "unless-stopped"), ("never", "no")):
        podpy.ok("create", f"--name={name}", "--network=none", f"--restart={policy}", busybox, "sleep", "300")
    podpy.ok("start", "stopped")
    podpy.ok("stop", "-t0", "stopped")
    said = podpy.ok("system", "boot", "enable").splitlines()
    unit = podpy.home / ".config/systemd/user/podpy-restart.service"
    assert said[0] == str(unit)
    assert all(line.startswith("Still missing: sudo loginctl enable-linger ") for line in said[1:])
    assert podpy.ok("system", "boot", "enable").splitlines() == said, "once more changes nothing"
    link = unit.parent / "default.target.wants/podpy-restart.service"
    assert link.resolve() == unit
    command = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    done = podpy.run(shlex.split(command.removeprefix("ExecStart=")))
    assert done.returncode == 0, done.describe()
    assert podpy.ok("ps", "--format", "{{.Names}}") == "always"
    podpy.ok("system", "boot", "disable")
    assert not unit.exists() and not link.is_symlink()
