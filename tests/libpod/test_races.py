"""Two calls on one container, and calls that fail or are interrupted halfway."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from podpy.errors import AlreadyError
from podpy.libpod.containers.container import Container
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.processes import describe, mentioning


def sleeper(podpy: Podpy, image: str, *options: str) -> str:
    """Start a container that runs until it is stopped and return its id."""
    return podpy.ok("run", "-d", "--name=c", "--network=none", "--stop-timeout=0", *options, image, "sleep", "300")


def helpers(podpy: Podpy) -> list[str]:
    """Return the processes of this podpy but for the holder of its namespaces."""
    found = (describe(pid) for pid in mentioning([podpy.home, podpy.runtime_dir], podpy.marker))
    return [text for text in found if "podpy-holder" not in text]


def nothing_runs(podpy: Podpy) -> None:
    """Wait until no container, conmon or podpy call is left."""
    wait.until(lambda: not helpers(podpy), what=f"nothing runs any more, but {helpers(podpy)}")


def test_a_rm_container_goes_though_another_call_saw_its_end_first(podpy: Podpy, busybox: str) -> None:
    words = ("run", "--rm", "--name=c", "--network=none", busybox, "sh", "-c", "echo runs; exec sleep 300")
    run = podpy.popen(*words, stdout=subprocess.PIPE)
    assert run.stdout is not None
    wait.for_text(run.stdout, b"runs")
    pid = podpy.json("inspect", "c")[0]["State"]["Pid"]
    run.send_signal(signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    wait.until(lambda: "removing" in podpy.ok("ps", "-a", "--format", "{{.State}}"), what="ps has seen the end")
    run.send_signal(signal.SIGCONT)
    assert run.wait(60) == 137
    assert podpy.ok("ps", "-aq") == ""
    nothing_runs(podpy)


def test_two_starts_at_once_both_succeed(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sleep", "300")
    starts = [podpy.popen("start", "c", stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    assert [(*start.communicate(timeout=60), start.returncode) for start in starts] == [(b"c\n", b"", 0)] * 4


class BesideAnotherCall(Container):
    """A container that another call starts at the moment when this one does, and of which then becomes `after`."""

    def __init__(self, after: str) -> None:
        self.after = after
        self.now = "exited"
        self.starts = 0

    @property
    def status(self) -> str:
        """Return the state as it is now."""
        return self.now

    def start(self) -> None:
        """Be late, once."""
        self.starts += 1
        if self.starts > 1 and self.after == "exited":
            self.now = "running"
            return
        self.now = self.after
        raise AlreadyError.improper("container c is already running")


def test_a_start_that_was_late_starts_what_has_ended_meanwhile() -> None:
    ended, running, paused = map(BesideAnotherCall, ("exited", "running", "paused"))
    ended.ensure_running()
    running.ensure_running()
    assert (ended.now, ended.starts, running.now, running.starts) == ("running", 2, "running", 1)
    with pytest.raises(AlreadyError):
        paused.ensure_running()


def test_rm_force_of_what_is_starting(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sleep", "300")
    for _ in range(3):
        start = podpy.popen("start", "c", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        podpy.ok("rm", "-f", "-t0", "c")
        start.wait(60)
        assert podpy.ok("ps", "-aq") == ""
        podpy.ok("create", "--name=c", "--network=none", busybox, "sleep", "300")
    nothing_runs(podpy)


def test_rm_force_of_what_was_only_made_ready(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sleep", "300")
    podpy.ok("init", "c")
    podpy.ok("rm", "-f", "-t0", "c")
    nothing_runs(podpy)


def test_start_attached_of_what_was_made_ready_shows_everything(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sh", "-c", "echo out; exit 5")
    podpy.ok("init", "c")
    result = podpy("start", "-a", "c")
    assert (result.stdout, result.returncode) == ("out\n", 5)


def test_a_start_that_fails_when_the_container_runs_leaves_nothing(podpy: Podpy, busybox: str) -> None:
    words = ("run", "-d", "--network=none", "--pidfile=/nowhere/pid", busybox, "sleep", "300")
    podpy(*words).fails(126, "/nowhere/pid")
    nothing_runs(podpy)
    assert podpy.ok("ps", "-a", "--format", "{{.State}}") == "created"


def test_kill_is_done_when_it_returns(podpy: Podpy, busybox: str) -> None:
    for policy in ("no", "always"):
        sleeper(podpy, busybox, f"--restart={policy}")
        podpy.ok("kill", "c")
        podpy.ok("rm", "c")
    nothing_runs(podpy)


def test_a_start_by_hand_begins_to_count_restarts_anew(podpy: Podpy, busybox: str) -> None:
    script = "echo run; exit 1"
    podpy.ok("run", "-d", "--name=c", "--restart=on-failure:1", "--network=none", busybox, "sh", "-c", script)
    wait.until(lambda: podpy.ok("logs", "c").count("run") == 2, what="the first restart")
    nothing_runs(podpy)
    podpy.ok("start", "c")
    wait.until(lambda: podpy.ok("logs", "c").count("run") == 4, what="another restart")


def test_a_restart_policy_counts_in_the_foreground_too(podpy: Podpy, busybox: str) -> None:
    script = "echo run; exit 3"
    words = ("run", "--name=c", "--restart=on-failure:1", "--network=none", busybox, "sh", "-c", script)
    assert podpy(*words).returncode == 3
    wait.until(lambda: podpy.ok("logs", "c").count("run") == 2, what="the restart")
    nothing_runs(podpy)


def test_a_create_that_fails_leaves_nothing(podpy: Podpy, busybox: str) -> None:
    cidfile = podpy.home / "cid"
    cidfile.write_text("x")
    podpy("run", "-v", "/data", f"--cidfile={cidfile}", busybox, "true").fails(125, "container id file exists")
    podpy("create", "-v", "/data", "--cidfile=/nowhere/cid", busybox, "true").fails(125, "/nowhere/cid")
    podpy.ok("create", "--name=c", busybox, "true")
    podpy("create", "-v", "/data", "--name=c", busybox, "true").fails(125, "already in use")
    assert podpy.ok("ps", "-a", "--format", "{{.Names}}") == "c"
    volumes = podpy.graphroot / "volumes"
    assert not volumes.exists() or os.listdir(volumes) == []


def test_explain_makes_and_removes_nothing(podpy: Podpy, busybox: str) -> None:
    sleeper(podpy, busybox)
    told = podpy.ok("run", "--explain", "--replace", "--name=c", "--network=none", "-v", "/data", "-v", "v:/v", busybox)
    assert "monitor" in told
    assert podpy.ok("ps", "--format", "{{.Names}}") == "c"
    volumes = podpy.graphroot / "volumes"
    assert not volumes.exists() or os.listdir(volumes) == []
    podpy("run", "--explain", "localhost/nothing-like-it").fails(125, "localhost/nothing-like-it")


def test_no_lock_is_left_of_a_container_that_is_gone(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("create", busybox, "true")
    podpy.ok("rm", container)
    waiting = podpy.popen("run", "--rm", "--network=none", busybox, "true")
    podpy("wait", "--latest")
    waiting.wait(60)
    podpy("stop", container)
    assert os.listdir(podpy.runroot / "locks") == []


def test_exec_where_the_bundle_is_gone_says_what_to_do(podpy: Podpy, busybox: str) -> None:
    container = sleeper(podpy, busybox)
    (podpy.runroot / "containers" / container / "bundle/config.json").unlink()
    podpy("exec", "c", "true").fails(125, "config.json", "podpy restart c")
    podpy.ok("restart", "c")
    podpy.ok("exec", "c", "true")


def test_a_signal_during_the_start_reaches_the_container(podpy: Podpy, busybox: str) -> None:
    """Whenever it comes: podpy isn't ended by it, and nothing is left."""
    for delay in ("0.02", "0.05", "0.08"):
        script = "trap 'exit 7' TERM; while :; do sleep 0.05; done"
        words = podpy.command("run", "--rm", "--network=none", busybox, "sh", "-c", script)
        # Again and again: a shell that is process 1 and has no handler yet takes no notice.
        signals = "while kill -TERM $p; do sleep 1; done 2>/dev/null"
        run = podpy.run(["sh", "-c", f'"$@" & p=$!; sleep $0; ({signals}) & wait $p', delay, *words])
        assert run.returncode in (7, 143), run.describe()
        podpy.ok("rm", "-af", "-t0")
    nothing_runs(podpy)


def test_debians_conmon_in_the_foreground_and_in_the_background(podpy: Podpy, busybox: str) -> None:
    """It inherits no attached client and tells no waiter: everything goes by its files."""

    def run(*words: str, input: str = "") -> tuple[str, int]:
        result = podpy("--conmon=/usr/bin/conmon", "run", "--rm", "--network=none", *words, input=input, timeout=60)
        return result.stdout, result.returncode

    assert run(busybox, "sh", "-c", "echo hi; exit 3") == ("hi\n", 3)
    assert run("-i", busybox, "cat", input="through\n") == ("through\n", 0)
    assert run(busybox, "nothing") == ("", 127)
    assert run("-d", busybox, "true")[1] == 0
    nothing_runs(podpy)
    assert podpy.ok("ps", "-aq") == ""


def test_a_joined_container_is_found_under_another_name(podpy: Podpy, busybox: str) -> None:
    sleeper(podpy, busybox)
    podpy.ok("create", "--name=d", "--network=container:c", busybox, "true")
    podpy.ok("rename", "c", "other")
    podpy.ok("start", "-a", "d")
    podpy("create", "--network=container:nobody", busybox).fails(125, 'no container with name or ID "nobody" found')


def test_a_mistake_in_how_to_attach_creates_nothing(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--attach=nonsense", busybox, "true").fails(125, "nonsense")
    podpy("run", "--detach-keys=ctrl-nonsense", busybox, "true").fails(125, "nonsense")
    assert podpy.ok("ps", "-aq") == ""


def test_podpy_and_conmon_are_killed_when_the_container_has_just_started(podpy: Podpy, busybox: str) -> None:
    words = ("run", "--name=c", "--network=none", busybox, "sleep", "300")
    podpy(*words, env={"PODPY_CRASH_AT": "WaitForStart:after"})
    directory = next((podpy.runroot / "containers").iterdir())
    os.kill(int((directory / "conmon.pid").read_text()), signal.SIGKILL)
    podpy.ok("rm", "-f", "-t0", "c")
    nothing_runs(podpy)
