"""`--rm`: whoever saw a container end may use its name, and no ended one stays, whatever was killed."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.support import locks, wait
from tests.support.engine import Podpy, shared_directory
from tests.support.processes import describe, mentioning

TRIES = 5


def sleeper(podpy: Podpy, image: str, *options: str) -> str:
    """Start a container with --rm that ends at once when it is asked to; return its id."""
    script = "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done"
    return podpy.ok("run", "-d", "--rm", "--name=c", "--network=none", *options, image, "sh", "-c", script)


def kill_monitor(podpy: Podpy, container: str, *, first: bool = True) -> None:
    """Kill a container's conmon, and its first process."""
    directory = podpy.runroot / "containers" / container
    for name in ("conmon.pid", *(["pidfile"] if first else [])):
        pid = int((directory / name).read_text())
        os.kill(pid, signal.SIGKILL)
        wait.for_end(pid)


@pytest.mark.parametrize(
    "end", [["stop", "c"], ["kill", "c"], ["rm", "-f", "-t1", "c"], ["stop", "-t0", "c"]], ids=" ".join
)
def test_its_name_is_free_when_the_call_that_ended_it_returns(podpy: Podpy, busybox: str, end: list[str]) -> None:
    for _ in range(TRIES):
        sleeper(podpy, busybox)
        podpy.ok(*end)
        assert podpy.ok("ps", "-aq") == ""
    podpy.ok("create", "--name=c", "--network=none", busybox, "true")


def test_what_systemd_ends_after_exec_stop_leaves_nothing(podpy: Podpy, busybox: str) -> None:
    """systemd.kill(5): what is left in a unit's cgroup gets SIGTERM as soon as ExecStop has returned."""
    for _ in range(TRIES):
        sleeper(podpy, busybox)
        podpy.ok("stop", "c")
        for pid in mentioning([podpy.home, podpy.runtime_dir], podpy.marker):
            if "podpy-holder" not in describe(pid):
                try:
                    os.kill(pid, signal.SIGTERM)
                except ProcessLookupError:
                    continue
        assert podpy.ok("ps", "-aq") == ""


@pytest.mark.parametrize(
    ("waiter", "first", "code"),
    [(["wait", "--ignore", "nobody", "c"], b"-1\n", 0), (["attach", "c"], b"here\n", 3)],
    ids=["wait", "attach"],
)
def test_its_name_is_free_when_a_call_that_waited_returns(
    podpy: Podpy, busybox: str, waiter: list[str], first: bytes, code: int
) -> None:
    gate = shared_directory(podpy)
    script = "until [ -e /gate/go ]; do echo here; sleep 0.02; done; exit 3"
    for _ in range(TRIES):
        volume = f"--volume={gate}:/gate"
        podpy.ok("run", "-d", "--rm", "--name=c", "--network=none", volume, busybox, "sh", "-c", script)
        waiting = podpy.popen(*waiter, stdout=subprocess.PIPE)
        assert waiting.stdout is not None
        wait.for_text(waiting.stdout, first)
        wait.for_poll(waiting.pid)
        (gate / "go").touch()  # not by `exec`: the end of the container would kill that, too
        said = waiting.communicate(timeout=60)[0]
        assert waiting.returncode == code
        assert said == b"3\n" or waiter[0] == "attach"
        assert podpy.ok("ps", "-aq") == ""
        (gate / "go").unlink()


def test_wait_for_one_that_is_being_removed_tells_its_code(podpy: Podpy, busybox: str) -> None:
    container = sleeper(podpy, busybox)
    waiting = [podpy.popen("wait", "c", stdout=subprocess.PIPE) for _ in range(3)]
    wait.until(lambda: podpy.ok("logs", "c") == "ready", what="it ends well when it is asked to")
    podpy.ok("stop", "c")
    codes = {process.communicate(timeout=60)[0].decode().strip() for process in waiting}
    assert codes <= {"4", ""}  # "": it came when the container was gone
    podpy("wait", container).fails(125, "no container with name or ID")


def test_restart_keeps_it(podpy: Podpy, busybox: str) -> None:
    container = sleeper(podpy, busybox)
    for _ in range(3):
        podpy.ok("restart", "c")
        assert podpy.ok("ps", "--no-trunc", "--format", "{{.ID}} {{.State}}") == f"{container} running"
    podpy.ok("stop", "c")
    assert podpy.ok("ps", "-aq") == ""


def test_a_stop_of_one_that_is_created_keeps_it(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--rm", "--name=c", "--network=none", busybox, "true")
    podpy.ok("stop", "c")
    assert podpy.ok("ps", "-a", "--format", "{{.State}}") == "created"


@pytest.mark.parametrize("seen", [False, True], ids=["unseen", "seen by ps"])
@pytest.mark.parametrize(
    "call",
    [
        ["create", "--name=c", "--network=none", "IMAGE", "true"],
        ["run", "-d", "--name=c", "--network=none", "IMAGE", "true"],
        ["start", "other"],
        ["stop", "other"],
        ["restart", "-t0", "other"],
        ["rename", "other", "c"],
        ["rm", "other"],
    ],
    ids=lambda call: call[0],
)
def test_any_changing_call_finishes_one_whose_monitor_was_killed(
    podpy: Podpy, busybox: str, call: list[str], seen: bool
) -> None:
    podpy.ok("create", "--name=other", "--network=none", busybox, "sleep", "300")
    container = sleeper(podpy, busybox)
    kill_monitor(podpy, container)
    if seen:
        assert "Removing" in podpy.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}")
    podpy.ok(*(busybox if word == "IMAGE" else word for word in call))
    assert container[:12] not in podpy.ok("ps", "-aq")
    assert not (podpy.runroot / "containers" / container).exists()
    podpy.ok("rm", "-af", "-t0")


def test_system_check_names_one_whose_monitor_was_killed(podpy: Podpy, busybox: str) -> None:
    container = sleeper(podpy, busybox)
    kill_monitor(podpy, container)
    podpy.ok("ps", "-a")
    assert container[:12] in podpy.ok("system", "check")
    assert podpy.ok("ps", "-aq") == ""
    assert podpy("system", "check").ok() == ""


def test_wait_for_one_whose_monitor_was_killed(podpy: Podpy, busybox: str) -> None:
    container = sleeper(podpy, busybox)
    kill_monitor(podpy, container)
    assert podpy.ok("wait", "c") == "-1"
    assert podpy.ok("ps", "-aq") == ""


def test_the_exit_code_of_one_that_nobody_saw_end_is_unknown(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "300")
    kill_monitor(podpy, container)
    assert podpy.ok("ps", "-a", "--format", "{{.Status}}").startswith("Exited (-1)")
    assert podpy.ok("inspect", "--format", "{{.State.ExitCode}}", "c") == "-1"
    assert podpy.ok("wait", "c") == "-1"


@pytest.mark.parametrize("options", [[], ["--rm"]], ids=["kept", "rm"])
def test_stop_without_a_monitor_stops_it_and_says_so(podpy: Podpy, busybox: str, options: list[str]) -> None:
    container = podpy.ok("run", "-d", *options, "--name=c", "--network=none", busybox, "sleep", "300")
    first = int((podpy.runroot / "containers" / container / "pidfile").read_text())
    kill_monitor(podpy, container, first=False)
    podpy("stop", "-t0", "c").fails(125, "Error: ", "monitor")
    wait.for_end(first)
    assert podpy.ok("ps", "-a", "--format", "{{.Status}}")[:11] == ("" if options else "Exited (-1)")
    podpy.ok("rm", "-f", "-i", "c")


def has_image(podpy: Podpy, name: str) -> bool:
    return podpy("image", "exists", name).returncode == 0


def test_rmi_removes_the_image_when_the_container_is_gone(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "--rmi", "--network=none", busybox, "true")
    assert not has_image(podpy, busybox)
    assert podpy.ok("ps", "-aq") == ""


def test_rmi_in_the_background(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--rmi", "--name=c", "--network=none", busybox, "sleep", "300")
    assert has_image(podpy, busybox)
    podpy.ok("stop", "-t0", "c")
    wait.until(lambda: not has_image(podpy, busybox), what="the image to go")
    assert podpy.ok("ps", "-aq") == ""


def test_rmi_removes_the_name_that_was_asked_for_and_nothing_that_is_used(podpy: Podpy, busybox: str) -> None:
    podpy.ok("tag", busybox, "localhost/other:1")
    podpy.ok("run", "--rmi", "--network=none", "localhost/other:1", "true")
    assert has_image(podpy, busybox) and not has_image(podpy, "localhost/other:1")
    podpy.ok("create", "--name=user", busybox)
    podpy.ok("run", "--rmi", "--network=none", busybox, "true")
    assert has_image(podpy, busybox)


def test_rmi_of_what_did_not_start_leaves_the_image(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--rmi", "--network=none", busybox, "nosuch").fails(127, "nosuch")
    assert has_image(podpy, busybox)
    assert podpy.ok("ps", "-aq") == ""


def test_cleanup_with_rmi_removes_container_and_image_though_it_is_asked_to_end(podpy: Podpy, busybox: str) -> None:
    """systemd sends SIGTERM to what is left in a unit's cgroup, conmon's exit command, when ExecStop has returned."""
    podpy.ok("run", "--name=c", "--network=none", busybox, "true")
    lock = podpy.runroot / "locks" / podpy.ok("ps", "-aq", "--no-trunc")
    with locks.held(lock):
        cleanup = podpy.popen("container", "cleanup", "--rm", "--rmi", "c")
        wait.until(lambda: locks.is_awaited(lock), what="the cleanup is at its container")
        cleanup.terminate()
    assert cleanup.wait(timeout=120) == 0
    assert not has_image(podpy, busybox)
    assert podpy.ok("ps", "-aq") == ""


@pytest.mark.parametrize(
    ("call", "option"),
    [(("rm", "-v", "-f", "-i"), "--cidfile="), (("pod", "rm", "--ignore", "--force"), "--pod-id-file=")],
)
def test_the_second_removal_of_a_unit_starts_no_interpreter_and_so_needs_no_home(
    podpy: Podpy, call: tuple[str, ...], option: str
) -> None:
    """Its file is gone with what it named."""
    unusable = {"HOME": "/dev/null", "XDG_RUNTIME_DIR": "/dev/null", "XDG_DATA_HOME": "/dev/null"}
    path = shared_directory(podpy) / "id"
    assert podpy(*call, f"{option}{path}", env=unusable).ok() == ""
    path.write_text("nonesuch")
    path.chmod(0o644)
    assert podpy(*call, f"{option}{path}", env=unusable).returncode != 0  # there is something to do: podpy looks
    assert podpy(*call[:-1], f"{option}{path}.gone", "-x", env=unusable).returncode != 0  # an option that it knows not
