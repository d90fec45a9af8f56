"""Restart policies: the back-off between two starts, and what ends it."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.support import locks, wait
from tests.support.engine import Podpy, shared_directory


def waiting(podpy: Podpy, image: str, *options: str) -> int:
    """Start a container that always fails, and return its monitor's pid, stopped while it waits for a restart.

    A stopped monitor waits for ever. Who misses one wait catches the next, which is twice as long. The call that has
    started the container, the former monitor's exit command, may still be at it.
    """
    words = ("run", "-d", "--name=c", "--network=none", "--restart=always", *options, image, "sh", "-c", "exit 3")
    container = podpy.ok(*words)
    directory = podpy.runroot / "containers" / container
    exit_record, lock = podpy.runroot / "exits" / container, podpy.runroot / "locks" / container

    def waits(monitor: int) -> bool:
        has_exit_command = Path(f"/proc/{monitor}/task/{monitor}/children").read_text().strip()
        has_ended = (directory / "restart").exists() and exit_record.exists()
        return has_ended and not has_exit_command and locks.is_free(lock)

    def has_stopped(monitor: int) -> bool:
        state = Path(f"/proc/{monitor}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            raise ProcessLookupError
        return state == "T"

    def caught() -> int:
        try:
            monitor = int((directory / "conmon.pid").read_text())
            if not waits(monitor):
                return 0
            os.kill(monitor, signal.SIGSTOP)
            wait.until(lambda: has_stopped(monitor), what="the monitor has stopped")  # it may have been in fork(2)
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
    lines = dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line)
    podpy.ok("start", "never")
    for key, running in (
        ("ExecStart", {"always", "never"}),
        ("ExecStop", {"never"}),
        ("ExecStart", {"always", "never"}),
    ):
        podpy.run(shlex.split(lines[key])).ok()
        assert set(podpy.ok("ps", "--format", "{{.Names}}").split()) == running
    podpy.ok("system", "boot", "disable")
    assert not unit.exists() and not link.is_symlink()


def with_source(podpy: Podpy, image: str, policy: str) -> Path:
    """Start a container that sleeps and has a directory of the host mounted, and return that."""
    source = podpy.home / "source"
    mkdir(podpy, source)
    podpy.ok(
        "run", "-d", "--name=c", "--network=none", f"--restart={policy}", f"-v={source}:/d", image, "sleep", "1000"
    )
    return source


def mkdir(podpy: Podpy, path: Path) -> None:
    path.mkdir()
    os.chown(path, podpy.user.uid, podpy.user.gid)


def end(podpy: Podpy) -> int:
    """End the container from outside, so that its policy counts, and return its monitor's pid."""
    pid, monitor = podpy.ok("inspect", "--format", "{{.State.Pid}} {{.State.ConmonPid}}", "c").split()
    os.kill(int(pid), signal.SIGKILL)
    return int(monitor)


def told(podpy: Podpy) -> tuple[int, str]:
    """Return how often it was restarted; its state, exit code and error."""
    words = podpy.ok(
        "inspect", "--format", "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}} {{.State.Error}}", "c"
    )
    count, _, rest = words.partition(" ")
    return int(count), rest


def test_a_restart_that_fails_is_tried_again_until_it_succeeds_or_the_user_stops_it(podpy: Podpy, busybox: str) -> None:
    source = with_source(podpy, busybox, "always")
    source.rmdir()
    monitor = end(podpy)

    def has_failed(times: int) -> bool:
        count, rest = told(podpy)
        return count >= times and rest.startswith("restarting 125 ") and str(source) in rest

    wait.until(lambda: has_failed(2), what="two starts have failed")
    assert Path(f"/proc/{monitor}").exists(), "the same one waits"
    mkdir(podpy, source)
    wait.until(lambda: told(podpy)[1] == "running 0 ", what="it runs again")
    wait.for_end(monitor)
    source.rmdir()
    before = told(podpy)[0]
    monitor = end(podpy)
    wait.until(lambda: has_failed(before + 1), what="another start has failed")
    podpy.ok("stop", "c")
    wait.for_end(monitor)
    assert told(podpy)[1].startswith("exited 125 ")


def test_restarts_that_fail_are_counted_for_on_failure(podpy: Podpy, busybox: str) -> None:
    source = with_source(podpy, busybox, "on-failure:2")
    source.rmdir()
    monitor = end(podpy)
    wait.for_end(monitor)
    count, rest = told(podpy)
    assert count == 2 and rest.startswith("exited 125 ") and str(source) in rest
    assert not list((podpy.runroot / "containers").iterdir())
    assert podpy("start", "c").fails(125, str(source))
    mkdir(podpy, source)
    podpy.ok("start", "c")
    assert told(podpy) == (0, "running 0 ")


def test_a_container_is_never_shown_as_exited_while_its_policy_starts_it_again(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=c", "--network=none", "--restart=on-failure:3", busybox, "sh", "-c", "exit 3")
    seen = []

    def ended() -> bool:
        seen.append(told(podpy))
        return seen[-1] == (3, "exited 3 ")

    wait.until(ended, what="three restarts")
    assert not [each for each in seen[:-1] if each[1].startswith("exited")]


def test_an_update_of_the_policy_counts_for_the_wait_after_the_next_end(podpy: Podpy, busybox: str) -> None:
    directory = (
        podpy.runroot / "containers" / podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "1000")
    )
    podpy.ok("update", "--restart=always", "c")
    monitor = end(podpy)
    wait.until(lambda: (directory / "restart").exists() or told(podpy)[0] == 1, what="the monitor waits")
    wait.for_end(monitor)
    assert told(podpy) == (1, "running 0 ")
    podpy.ok("update", "--restart=no", "c")
    wait.for_end(end(podpy))
    assert told(podpy)[1] == "exited 137 "
