"""The life of a container: create, start, stop, restart, kill, wait, pause, rename, rm."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support import wait
from tests.support.engine import Podpy, shared_directory
from tests.support.processes import all_pids, describe, mentioning

TRAP = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"


def sleeper(podpy: Podpy, image: str, *options: str, name: str = "c") -> str:
    """Start a container that runs for a while and return its id."""
    return podpy.ok("run", "-d", "--network=none", f"--name={name}", *options, image, "sleep", "300")


def trapper(podpy: Podpy, image: str, name: str = "c") -> None:
    """Start a container that exits with 3 at SIGTERM, and wait until it is ready to."""
    podpy.ok("run", "-d", "--network=none", f"--name={name}", image, "sh", "-c", TRAP)
    wait.until(lambda: "ready" in podpy.ok("logs", name), what="the container's first line")


def status(podpy: Podpy, name: str = "c") -> str:
    """Return what inspect says."""
    return podpy.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name)


def test_create_then_start(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "echo", "hi")
    assert status(podpy) == "created 0"
    assert podpy.ok("start", "-a", "c") == "hi"
    assert status(podpy) == "exited 0"
    assert podpy.ok("start", "c") == "c"
    assert podpy.ok("wait", "c") == "0"
    assert podpy.ok("logs", "c") == "hi\nhi"


def test_stop_gives_time_to_end_well(podpy: Podpy, busybox: str) -> None:
    trapper(podpy, busybox)
    assert podpy.ok("stop", "c") == "c"
    assert status(podpy) == "exited 3"


@pytest.mark.parametrize("command", [("stop",), ("kill",), ("rm", "-f"), ("restart",)], ids=lambda words: words[0])
def test_who_ends_a_container_cleans_up_after_it_and_the_monitor_runs_nothing(
    podpy: Podpy, busybox: str, command: tuple[str, ...]
) -> None:
    trapper(podpy, busybox)
    (identifier,) = podpy.ok("ps", "--no-trunc", "--quiet").split()
    monitor = int(podpy.ok("inspect", "--format", "{{.State.ConmonPid}}", "c"))
    descriptor = os.pidfd_open(monitor)
    ending = podpy.popen(*command, "c", stdout=subprocess.DEVNULL)
    while not select.select([descriptor], [], [], 0)[0]:  # a look takes less time than an exit command
        assert not [pid for pid in all_pids() if is_cleanup(pid, identifier)]
    os.close(descriptor)
    assert ending.wait(60) == 0
    if command == ("stop",):
        assert os.listdir(podpy.runroot / "containers") == []


def is_cleanup(pid: int, identifier: str) -> bool:
    """Return whether a process is the exit command of a container's monitor."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return False
    return "cleanup" in words and identifier in words and "--exit-command-arg" not in words


def test_stop_kills_what_does_not_end(podpy: Podpy, busybox: str) -> None:
    sleeper(podpy, busybox)
    done = podpy("stop", "-t", "1", "c")
    assert done.ok() == "c"
    warning = "StopSignal SIGTERM failed to stop container c in 1 seconds, resorting to SIGKILL"
    assert done.warnings == [warning]
    assert status(podpy) == "exited 137"


def test_stopping_what_does_not_run_is_no_error(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", busybox)
    assert podpy.ok("stop", "c") == "c"
    podpy("stop", "nobody").fails(125, 'no container with name or ID "nobody" found')
    podpy.ok("stop", "--ignore", "nobody")


def test_kill_and_wait(podpy: Podpy, busybox: str) -> None:
    sleeper(podpy, busybox)
    waiting = podpy.popen("wait", "c", stdout=subprocess.PIPE)
    assert podpy.ok("kill", "c") == "c"
    out, _ = waiting.communicate(timeout=60)
    assert out == b"137\n"
    podpy("kill", "c").fails(125, "can only kill running containers")


def test_wait_for_the_first_of_several(podpy: Podpy, busybox: str) -> None:
    for name in ("c", "d"):
        podpy.ok("run", "-d", f"--name={name}", "--network=none", busybox, "sleep", "1000")
    first = ("wait", "--exit-first-match", "c", "d")
    waiting = podpy.popen(*first, stdout=subprocess.PIPE)
    podpy.ok("kill", "d")
    assert waiting.communicate(timeout=60)[0] == b"137\n"
    assert podpy.ok(*first, "--condition=exited,paused") == "137"
    assert podpy.ok(*first[:2], "--condition=running", "d", "c") == "-1"
    assert podpy.ok("wait", "--exit-first-match", "--ignore", "c", "nobody") == "-1"
    podpy("wait", "--exit-first-match", "c", "nobody").fails(125, "no such container")


def test_a_stopped_monitor_is_named_instead_of_waiting_for_it(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=c", "--network=none", "--stop-timeout=0", busybox, "sleep", "1000")
    monitor = int(podpy.ok("inspect", "--format", "{{.State.ConmonPid}}", "c"))
    os.kill(monitor, signal.SIGSTOP)
    try:
        said = f"its monitor (process {monitor}) is stopped"
        podpy("kill", "c").fails(125, said, f"kill -CONT {monitor}")
        podpy("stop", "c").fails(125, said)
    finally:
        os.kill(monitor, signal.SIGCONT)
    assert podpy.ok("wait", "c") == "137"


def test_kill_takes_signals_by_name_and_number(podpy: Podpy, busybox: str) -> None:
    for given in ("TERM", "SIGTERM", str(int(signal.SIGTERM))):
        trapper(podpy, busybox)
        podpy.ok("kill", "-s", given, "c")
        assert podpy.ok("wait", "c") == "3"
        podpy.ok("rm", "c")
    podpy("kill", "-s", "NOSUCH", "c").fails(125, "NOSUCH")


def test_restart_starts_a_new_process(podpy: Podpy, busybox: str) -> None:
    sleeper(podpy, busybox)
    before = podpy.ok("inspect", "--format", "{{.State.Pid}}", "c")
    assert podpy.ok("restart", "-t", "0", "c") == "c"
    after = podpy.ok("inspect", "--format", "{{.State.Pid}}", "c")
    assert before != after
    assert status(podpy).startswith("running")


def test_a_container_that_runs_again_has_no_exit_code(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "c", "--network=none", busybox, "sleep", "1000")
    podpy.ok("kill", "c")
    assert podpy.ok("wait", "c") == "137"
    podpy.ok("start", "c")
    assert podpy.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "c") == "running 0"


def test_what_was_written_is_there_after_a_restart(podpy: Podpy, busybox: str) -> None:
    script = "cat /root/count 2>/dev/null; echo x >> /root/count"
    podpy.ok("create", "--name=c", "--network=none", busybox, "sh", "-c", script)
    assert [podpy.ok("start", "-a", "c") for _ in range(3)] == ["", "x", "x\nx"]


def test_a_running_container_is_not_removed_without_force(podpy: Podpy, busybox: str) -> None:
    container = sleeper(podpy, busybox)
    podpy("rm", "c").fails(2, "running or paused containers cannot be removed without force")
    assert podpy.ok("rm", "-f", "-t", "0", "c") == "c"
    assert podpy.ok("ps", "-aq") == ""
    assert not (podpy.graphroot / "containers" / container).exists()
    assert not (podpy.runroot / "containers" / container).exists()
    podpy("rm", "c").fails(1, "no such container")


def test_rename(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=one", busybox)
    podpy.ok("create", "--name=two", busybox)
    podpy("rename", "one", "two").fails(125, "already in use")
    podpy("rename", "one", "not/a/name").fails(125, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument")
    podpy.ok("rename", "one", "three")
    assert podpy.ok("inspect", "--format", "{{.Name}}", "three") == "three"
    assert podpy("container", "exists", "one").returncode == 1
    assert podpy("container", "exists", "three").returncode == 0


def test_containers_are_found_by_name_id_and_its_beginning(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("create", "--name=c", busybox)
    for name in ("c", container, container[:12], container[:3]):
        assert podpy.ok("inspect", "--format", "{{.Id}}", name) == container


def test_prune_leaves_running_ones(podpy: Podpy, busybox: str) -> None:
    running = sleeper(podpy, busybox)
    stopped = podpy.ok("create", busybox)
    assert podpy.ok("container", "prune", "-f") == stopped
    assert podpy.ok("ps", "-aq", "--no-trunc") == running


def test_init_makes_ready_and_start_goes_on(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sleep", "300")
    podpy.ok("init", "c")
    assert status(podpy).startswith("initialized")
    podpy.ok("start", "c")
    assert status(podpy).startswith("running")


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_killed_init_has_made_ready_and_started_nothing(podpy: Podpy, busybox: str, runtime: str) -> None:
    podpy.ok("--runtime", runtime, "create", "--name=c", "--network=none", busybox, "sleep", "300")
    podpy("--runtime", runtime, "init", "c", env={"PODPY_CRASH_AT": "WaitForStart:after"})
    assert status(podpy).startswith("initialized")
    podpy.ok("run", "--rm", "--network=none", busybox, "true")  # repairs
    assert status(podpy).startswith("initialized")
    podpy.ok("--runtime", runtime, "start", "c")
    assert status(podpy).startswith("running")


def test_what_was_made_ready_runs_when_its_start_was_killed_before_it_could_note_it(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sleep", "300")
    podpy.ok("init", "c")
    podpy.ok("unshare", "crun", "--root", str(podpy.runroot / "oci"), "start", podpy.ok("ps", "-aq", "--no-trunc"))
    assert status(podpy).startswith("running")
    podpy.ok("stop", "-t0", "c")
    assert status(podpy).startswith("exited")


@pytest.mark.parametrize(("policy", "code", "runs"), [("on-failure:2", 1, 3), ("on-failure", 0, 1), ("no", 1, 1)])
def test_restart_policies(podpy: Podpy, busybox: str, policy: str, code: int, runs: int) -> None:
    podpy.ok(
        "run", "-d", "--name=c", f"--restart={policy}", "--network=none", busybox, "sh", "-c", f"echo run; exit {code}"
    )

    def settled() -> bool:
        lines = podpy.ok("logs", "c").count("run")
        return lines == runs and status(podpy) == f"exited {code}"

    wait.until(settled, what=f"{runs} runs")

    def monitored() -> bool:
        found = mentioning([podpy.home, podpy.runtime_dir], podpy.marker)
        return any("conmon" in describe(pid) for pid in found)

    wait.until(lambda: not monitored(), what="nobody would start it again")
    assert settled()


def test_wait_tells_the_first_end_after_it_began_whatever_the_restart_policy(podpy: Podpy, busybox: str) -> None:
    """podman-wait(1) says so: a container with --restart=always would never have ended."""
    gate = shared_directory(podpy)
    script = "echo >> /ends; until [ -e /gate/go ]; do sleep 0.05; done; rm /gate/go; exit $(wc -l < /ends)"
    options = ["--restart=always", "--network=none", f"--volume={gate}:/gate"]
    podpy.ok("run", "-d", "--name=c", *options, busybox, "sh", "-c", script)
    for end in ("1", "2"):
        waiting = podpy.popen("wait", "--ignore", "nobody", "c", stdout=subprocess.PIPE)
        assert waiting.stdout is not None
        wait.for_text(waiting.stdout, b"-1\n")  # now c's turn has come
        wait.for_poll(waiting.pid)
        (gate / "go").touch()  # not by `exec`: the end of the container would kill that, too
        assert waiting.communicate(timeout=60)[0].decode().split() == [end]
        wait.until(lambda: podpy.json("inspect", "c")[0]["State"]["Running"], what="the container to run again")
    podpy.ok("rm", "-f", "-t0", "c")


def test_always_restarts_until_it_is_stopped(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=c", "--restart=always", "--network=none", busybox, "sh", "-c", "echo run; sleep 0.1")
    wait.until(lambda: podpy.ok("logs", "c").count("run") >= 3, what="three runs")
    podpy.ok("stop", "c")
    assert status(podpy).startswith("exited")


def test_many_commands_take_several_containers_and_go_on_after_a_failure(podpy: Podpy, busybox: str) -> None:
    for name in ("a", "b"):
        sleeper(podpy, busybox, name=name)
    result = podpy("stop", "-t0", "a", "nobody", "b")
    assert result.returncode == 125
    assert result.stdout.split() == ["a", "b"]
    assert "nobody" in result.stderr


def test_latest_and_all(podpy: Podpy, busybox: str) -> None:
    sleeper(podpy, busybox, name="a")
    last = sleeper(podpy, busybox, name="b")
    assert podpy.ok("kill", "--latest") == last
    assert len(podpy.ok("stop", "-a", "-t0").split()) == 1
    assert len(podpy.ok("rm", "-a").split()) == 2


def test_the_databases_log_stays_short(podpy: Podpy, busybox: str) -> None:
    """Every call reads it: it is copied home and emptied by the call that finds it long."""
    for _ in range(40):
        podpy.ok("create", busybox, "true")
    assert (podpy.graphroot / "podpy.sqlite-wal").stat().st_size < 1_500_000


def test_a_restart_by_policy_obeys_the_modules_of_the_first_start(podpy: Podpy, busybox: str) -> None:
    (podpy.home / "runc.conf").write_text('[engine]\nruntime = "runc"\n')
    run = ("run", "-d", "--name=c", "--network=none", "--restart=on-failure:1", busybox, "sh", "-c")
    podpy.ok(f"--module={podpy.home}/runc.conf", *run, "[ -e /twice ] && sleep 300; touch /twice; exit 1")
    wait.until(
        lambda: podpy.ok("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", "c") == "1 running",
        what="it runs again",
    )
    assert [path.name for path in (podpy.runroot / "oci").glob("*/st*")] == ["state.json"], "runc's"


def test_a_module_that_was_removed_meanwhile_is_in_no_end_s_way(podpy: Podpy, busybox: str) -> None:
    module = podpy.home / "own.conf"
    module.write_text("[engine]\nstop_timeout = 1\n")
    shared = shared_directory(podpy)
    run = ("run", "-d", "--name=c", "--network=none", "--restart=on-failure:1", f"--volume={shared}:/s", busybox)
    script = "touch /s/ready; until [ -e /s/go ]; do sleep 0.05; done; exit 1"
    environment = {"CONTAINERS_CONF": f"{module}.too"}
    shutil.copy(module, f"{module}.too")
    podpy.ok(f"--module={module}", *run, "sh", "-c", script, env=environment)
    wait.until((shared / "ready").exists, what="it runs")
    for path in (module, Path(f"{module}.too"), shared / "ready"):
        path.unlink()
    (shared / "go").touch()
    wait.until((shared / "ready").exists, what="its policy starts it again")
    wait.until(lambda: status(podpy) == "exited 1", what="it has ended for good")
    wait.until(lambda: not (podpy.runroot / "containers" / podpy.ok("ps", "-aq", "--no-trunc")).exists(), what="clean")


def test_one_with_rm_whose_restart_fails_is_gone(podpy: Podpy, busybox: str) -> None:
    source = shared_directory(podpy)
    sleeper(podpy, busybox, "--rm", f"--volume={source}:/s")
    source.rmdir()
    podpy("restart", "-t0", "c").fails(125, os.fspath(source))
    assert podpy.ok("ps", "-aq") == ""
