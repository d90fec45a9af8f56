"""Pods after a fault of their infra container, in user namespaces of their own, with limits that nobody enforces."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support import ports, wait
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")


@pytest.fixture(autouse=True)
def no_pods_are_left(podpy: Podpy) -> Iterator[None]:
    """Remove all pods after each test."""
    yield
    podpy.ok("pod", "rm", "--force", "--time=0", "--all")


def kill_infra(podpy: Podpy, pod: str) -> None:
    """Kill a pod's infra container, and wait until that is known."""
    infra = podpy.ok("pod", "inspect", "-f", "{{.InfraContainerID}}", pod)
    os.kill(int(podpy.ok("inspect", "-f", "{{.State.Pid}}", infra)), signal.SIGKILL)
    podpy.ok("wait", infra)


def spaces(podpy: Podpy, container: str) -> list[str]:
    """Return a container's namespaces that its pod shares."""
    script = "for kind in ipc net uts; do readlink /proc/self/ns/$kind; done"
    return podpy.ok("exec", container, "sh", "-c", script).split()


def test_a_start_after_the_infra_containers_death_starts_the_others_again(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=shop")
    for name in "ab":
        podpy.ok("run", "-d", "--stop-timeout=0", "--pod=shop", f"--name={name}", busybox, *SLEEP)
    kill_infra(podpy, "shop")
    done = podpy("pod", "start", "shop")
    assert done.ok() == "shop"
    assert "infra container had ended, so they are started again" in done.warnings[0]
    infra = podpy.ok("pod", "inspect", "-f", "{{.InfraContainerID}}", "shop")
    pid = podpy.ok("inspect", "-f", "{{.State.Pid}}", infra)
    assert spaces(podpy, "a") == spaces(podpy, "b")
    assert os.readlink(f"/proc/{pid}/ns/net") == spaces(podpy, "a")[1]
    assert podpy.ok("pod", "ps", "--format={{.Status}}") == "Running"


def test_who_starts_the_infra_container_again_says_whom_it_left_behind(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=shop", "--network=none")
    podpy.ok("run", "-d", "--stop-timeout=0", "--pod=shop", "--name=a", busybox, *SLEEP)
    podpy.ok("create", "--stop-timeout=0", "--pod=shop", "--name=b", busybox, *SLEEP)
    kill_infra(podpy, "shop")
    assert "a: the pod's infra container had ended, and was started again" in podpy("start", "b").warnings[0]
    assert spaces(podpy, "a") != spaces(podpy, "b")
    infra = podpy.ok("pod", "inspect", "-f", "{{.InfraContainerID}}", "shop")
    assert "a, b: the pod's infra container had ended, and was started again" in podpy("restart", infra).warnings[0]
    podpy.ok("pod", "start", "shop")
    assert spaces(podpy, "a") == spaces(podpy, "b")


def test_the_ports_of_a_pod_are_shown_at_each_member(podpy: Podpy, busybox: str) -> None:
    port = ports.free()
    podpy.ok("pod", "create", "--name=shop", f"-p=127.0.0.1:{port}:80")
    podpy.ok("run", "-d", "--stop-timeout=0", "--pod=shop", "--name=a", busybox, *SLEEP)
    podpy.ok("run", "-d", "--stop-timeout=0", "--network=container:a", "--name=joined", busybox, *SLEEP)
    shown = f"127.0.0.1:{port}->80/tcp"
    assert podpy.ok("ps", "--format={{.Ports}}").splitlines() == [shown] * 3
    assert podpy.ok("ps", "-a", "--noheading").count(shown) == 3
    for name in ("a", "joined"):
        assert podpy.ok("port", name) == f"80/tcp -> 127.0.0.1:{port}"
        bound = '{{(index .NetworkSettings.Ports "80/tcp" 0).HostPort}} {{len .HostConfig.PortBindings}}'
        assert podpy.ok("inspect", "-f", bound, name) == f"{port} 0"
    podpy.ok("rm", "-f", "-t0", "joined")


def test_a_paused_pod_stands_still(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=shop", "--network=none")
    podpy.ok("run", "-d", "--stop-timeout=0", "--pod=shop", "--name=a", busybox, *SLEEP)
    paused = podpy("pod", "pause", "shop")
    if paused.returncode:  # without a cgroup of its own nothing can be frozen
        assert "cgroup" in paused.stderr, paused.describe()
        return
    assert podpy.ok("pod", "ps", "--format={{.Status}}") == "Paused"
    podpy("exec", "a", "true").fails(255)
    podpy.ok("pod", "unpause", "shop")
    assert podpy.ok("pod", "ps", "--format={{.Status}}") == "Running"
    podpy.ok("exec", "a", "true")


def test_limits_of_a_pod_without_an_infra_container_are_no_mistake(podpy: Podpy) -> None:
    podpy.ok("pod", "create", "--name=shop", "--infra=false", "--memory=64m", "--cpus=0.5")
    assert podpy.ok("pod", "inspect", "-f", "{{.MemoryLimit}} {{.CPUQuota}}", "shop") == f"{64 << 20} 50000"
    podpy("pod", "create", "--memory=64m", "--share-parent=false").fails(125, "limits are set in the pod's own cgroup")


def test_the_only_container_of_a_pod_that_ends_with_it_can_be_restarted(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=shop", "--network=none", "--exit-policy=stop")
    podpy.ok("run", "-d", "--stop-timeout=0", "--pod=shop", "--name=a", busybox, *SLEEP)
    for _ in range(3):
        podpy.ok("restart", "a")
    for _ in range(3):  # the infra container is told to end, too
        podpy.ok("stop", "a")
        podpy.ok("start", "a")
    podpy.ok("stop", "a")
    podpy.ok("pod", "start", "shop")
    assert podpy.ok("pod", "ps", "--format={{.Status}}") == "Running"


def test_devices_and_volumes_of_a_pod_are_its_members(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=donor", "-v", "vol:/donated", busybox)
    podpy.ok(
        "pod", "create", "--name=shop", "--network=none", "--device=/dev/null:/dev/nothing", "--volumes-from=donor"
    )
    assert podpy.ok("run", "--rm", "--pod=shop", busybox, "sh", "-c", "ls -d /donated /dev/nothing") == (
        "/dev/nothing\n/donated"
    )
    podpy.ok("pod", "rm", "-f", "-t0", "shop")
    podpy.ok("rm", "donor")


def test_a_waiting_hook_holds_up_the_start(podpy: Podpy, busybox: str) -> None:
    text = """
kind: Pod
metadata: {name: shop}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - name: a
    image: localhost/busybox
    command: [sleep, "1000"]
    lifecycle: {postStart: {exec: {command: [sh, -c, "sleep 0.5; touch /hooked; exit CODE"]}}}
"""
    podpy.ok("kube", "play", "-", input=text.replace("CODE", "0"))
    podpy.ok("exec", "shop-a", "ls", "/hooked")
    podpy.ok("exec", "shop-a", "rm", "/hooked")
    podpy.ok("restart", "shop-a")
    podpy.ok("exec", "shop-a", "ls", "/hooked")
    failed = podpy("kube", "play", "--replace", "-", input=text.replace("CODE", "3"))
    failed.fails(125, "its hook postStart has failed with exit code 3", "Error: failed to start 1 containers")
    wait.until(lambda: podpy.ok("ps", "-aq", "--filter=status=exited", "--filter=name=shop-a"), what="it is ended")


PRIVATE = """
kind: ConfigMap
metadata: {name: cm}
data: {f: text}
---
kind: Pod
metadata: {name: shop}
spec:
  hostUsers: false
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  volumes:
  - {name: e, emptyDir: {}}
  - {name: m, emptyDir: {medium: Memory}}
  - {name: c, configMap: {name: cm, defaultMode: 0400}}
  initContainers:
  - {name: i, image: localhost/busybox, command: [sh, -c, "echo init > /e/i"], volumeMounts: [{name: e, mountPath: /e}]}
  containers:
  - name: a
    image: localhost/busybox
    command: [sh, -c, "cat /e/i /c/f; echo; touch /m/x; stat -c %u:%g /c/f /e; ls /sys/class/net; sleep 1000"]
    volumeMounts: [{name: e, mountPath: /e}, {name: m, mountPath: /m}, {name: c, mountPath: /c}]
  - {name: b, image: localhost/busybox, command: [sleep, "1000"], securityContext: {runAsUser: 1000}}
"""


def test_a_pod_with_a_user_namespace_of_its_own_has_its_volumes(podpy: Podpy, busybox: str) -> None:
    podpy.ok("kube", "play", "-", input=PRIVATE)
    logged = wait.until(lambda: podpy.ok("logs", "shop-a").splitlines()[5:] and podpy.ok("logs", "shop-a"), what="all")
    assert logged.splitlines()[:4] == ["init", "text", "0:0", "0:0"]
    assert "eth0" in logged.splitlines()[4:]
    assert podpy.ok("exec", "shop-b", "id", "-u") == "1000"
    maps = podpy.ok("exec", "shop-a", "cat", "/proc/self/uid_map")
    assert maps == podpy.ok("exec", "shop-b", "cat", "/proc/self/uid_map")
    assert maps.split()[1] != "0"
    podpy.ok("kube", "down", "-", input=PRIVATE)


SERVED = """
kind: Pod
metadata: {name: NAME}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - {name: c, image: localhost/busybox, command: [sh, -c, "trap 'exit 3' TERM; while :; do sleep 0.1; done"]}
"""


@pytest.mark.parametrize(("policy", "code"), [("none", "0"), ("any", "1"), ("all", "1")])
def test_a_service_container_runs_while_one_of_its_pods_does(
    podpy: Podpy, busybox: str, policy: str, code: str
) -> None:
    text = SERVED.replace("NAME", "one") + "---" + SERVED.replace("NAME", "two")
    options = ("--service-container", f"--service-exit-code-propagation={policy}")
    podpy.ok("kube", "play", *options, "-", input=text)
    (service,) = [name for name in podpy.ok("ps", "--format={{.Names}}").split() if name.endswith("-service")]
    podpy.ok("kill", "--signal=TERM", "one-c")
    podpy.ok("wait", "one-c")
    assert podpy.ok("inspect", "-f", "{{.State.Status}} {{.IsService}}", service) == "running true"
    podpy.ok("kill", "--signal=TERM", "two-c")
    assert podpy.ok("wait", service) == code
    podpy.ok("kube", "down", "-", input=text)
    assert podpy.ok("ps", "-aq") == ""
