"""Ends of pods that nobody asks for, or that come while something else happens to the pod."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.support import wait
from tests.support.engine import Podpy

POD = """\
kind: Pod
metadata: {name: shop}
spec:
"""
ENDS_ON_SIGTERM = "command: [sh, -c, \"trap 'exit 0' TERM; echo ready; sleep 1000 & wait\"]"


@pytest.fixture(autouse=True)
def no_pods_are_left(podpy: Podpy) -> Iterator[None]:
    """Remove all pods after each test."""
    yield
    podpy.ok("pod", "rm", "--force", "--time=0", "--all")


def state(podpy: Podpy) -> str:
    """Return the pod's state."""
    return podpy.ok("pod", "inspect", "--format={{.State}}", "shop")


def test_a_pod_is_stopped_at_its_deadline_and_not_started_again(podpy: Podpy, busybox: str) -> None:
    text = (
        f"{POD}  restartPolicy: Always\n  activeDeadlineSeconds: 2\n  containers:\n"
        f"  - {{name: runs, image: {busybox}, {ENDS_ON_SIGTERM}}}\n"
        f'  - {{name: fails, image: {busybox}, command: ["false"]}}\n'  # waits to be started again
    )
    podpy.ok("kube", "play", "--network=none", "-", input=text)
    assert state(podpy) in ("Running", "Degraded")
    wait.until(lambda: state(podpy) == "Exited", what="the deadline")
    shown = "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}"
    assert podpy.ok("inspect", f"--format={shown}", "shop-runs") == "exited 0 0"
    assert podpy.ok("inspect", f"--format={shown}", "shop-fails").startswith("exited 1 ")
    assert "activeDeadlineSeconds: 2" in podpy.ok("kube", "generate", "shop")
    podpy.ok("pod", "start", "shop")  # anew
    assert state(podpy) in ("Running", "Degraded")


def test_a_jobs_deadline_is_that_of_its_pod(podpy: Podpy, busybox: str) -> None:
    text = (
        "kind: Job\nmetadata: {name: shop}\nspec:\n  activeDeadlineSeconds: 1\n  template:\n    spec:\n"
        "      restartPolicy: OnFailure\n      activeDeadlineSeconds: 1000\n      containers:\n"
        f'      - {{name: runs, image: {busybox}, command: ["sleep", "1000"]}}\n'
        "      terminationGracePeriodSeconds: 0\n"
    )
    podpy.ok("kube", "play", "--network=none", "--wait", "-", input=text)
    assert podpy.ok("pod", "ps", "-q") == ""


@pytest.mark.parametrize("seconds", ["0", "-1"])
def test_a_deadline_is_a_time_in_which_something_can_run(podpy: Podpy, busybox: str, seconds: str) -> None:
    text = f"{POD}  activeDeadlineSeconds: {seconds}\n  containers: [{{name: a, image: {busybox}}}]\n"
    told = f"standard input:4: spec.activeDeadlineSeconds: {seconds} is no number of seconds that a pod can run"
    assert told in podpy("kube", "play", "-", input=text).stderr


def test_a_pod_can_be_stopped_while_a_hook_after_the_start_runs(podpy: Podpy, busybox: str) -> None:
    hook = 'lifecycle: {postStart: {exec: {command: [sh, -c, "echo begun > /begun; sleep 1000"]}}}'
    text = f"{POD}  containers:\n  - {{name: a, image: {busybox}, {ENDS_ON_SIGTERM}, {hook}}}\n"
    podpy.ok("kube", "play", "--network=none", "--start=false", "-", input=text)
    with podpy.popen("pod", "start", "shop", stdout=subprocess.DEVNULL) as starting:
        wait.until(lambda: podpy("exec", "shop-a", "cat", "/begun").returncode == 0, what="the hook runs")
        podpy.ok("pod", "stop", "shop")
        assert starting.wait() == 0
    assert state(podpy) == "Exited"


@pytest.mark.parametrize("command", [["stop", "--time=0"], ["rm", "--force", "--time=0"], ["kill"]])
def test_a_stop_that_waits_for_a_hook_can_be_cut_short(podpy: Podpy, busybox: str, command: list[str]) -> None:
    hook = 'lifecycle: {preStop: {exec: {command: [sh, -c, "echo begun > /proc/1/fd/1; sleep 1000"]}}}'
    text = (
        f"{POD}  terminationGracePeriodSeconds: 1000\n"
        f"  containers:\n  - {{name: a, image: {busybox}, {ENDS_ON_SIGTERM}, {hook}}}\n"
    )
    podpy.ok("kube", "play", "--network=none", "-", input=text)
    with podpy.popen("pod", "stop", "shop", stdout=subprocess.DEVNULL) as stopping:
        wait.until(lambda: "begun" in podpy.ok("logs", "shop-a"), what="the hook runs")
        podpy.ok("pod", *command, "shop")
        assert stopping.wait(wait.PATIENCE) == 0
    left = "" if "rm" in command else "shop-a exited 137"
    assert podpy.ok("ps", "-a", "--filter=name=shop-a", "--format={{.Names}} {{.State}} {{.ExitCode}}") == left


def test_a_start_that_waits_for_an_init_container_can_be_stopped(podpy: Podpy, busybox: str) -> None:
    init = f"{{name: first, image: {busybox}, command: [sh, -c, 'echo begun; exec sleep 1000']}}"
    text = f"{POD}  initContainers: [{init}]\n  containers: [{{name: a, image: {busybox}, {ENDS_ON_SIGTERM}}}]\n"
    podpy.ok("kube", "play", "--network=none", "--start=false", "-", input=text)
    with podpy.popen("pod", "start", "shop", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as starting:
        wait.until(lambda: "begun" in podpy.ok("logs", "shop-first"), what="the init container runs")
        podpy.ok("pod", "stop", "--time=0", "shop")
        assert starting.wait(wait.PATIENCE) == 125
        assert starting.stderr is not None
        assert b"init container shop-first exited with code 137" in starting.stderr.read()
    assert podpy.ok("ps", "-a", "--filter=name=shop-a", "--format={{.State}}") == "created"


def test_a_pod_that_two_calls_replace_at_once_stays_whole(podpy: Podpy, busybox: str) -> None:
    containers = "".join(f"  - {{name: {name}, image: {busybox}, {ENDS_ON_SIGTERM}}}\n" for name in "abc")
    text = f"{POD}  containers:\n{containers}"
    podpy.ok("kube", "play", "--network=none", "-", input=text)
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    calls = [podpy.popen("kube", "play", "--network=none", "--replace", "-", **streams) for _ in range(3)]
    for each in calls:
        assert each.stdin is not None
        each.stdin.write(text.encode())
        each.stdin.close()
        each.stdin = None
    told = [each.communicate(timeout=wait.PATIENCE)[1].decode() for each in calls]
    assert any(each.returncode == 0 for each in calls), told
    for each, words in zip(calls, told, strict=True):
        if each.returncode:
            assert words.count("Error: ") == 1, told
            assert "Hint: another call has just made it: try again" in words
    shown = podpy.ok("ps", "-a", "--filter=pod=shop", "--format={{.Names}} {{.State}}").splitlines()
    assert sorted(each for each in shown if "infra" not in each) == [f"shop-{name} running" for name in "abc"]
    assert len(podpy.ok("pod", "ps", "-q").splitlines()) == 1
    assert len(podpy.ok("ps", "-aq").splitlines()) == 4
