"""What a pod is asked for, its containers have; and the commands that look at pods or copy them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from podpy.errors import UsageError
from podpy.libpod.pods.limits import device_properties, properties, settings, throttles
from podpy.libpod.pods.order import stages
from podpy.spec.container import ContainerSpec, Resources
from tests.support import wait
from tests.support.engine import Podpy, shared_directory

SLEEP = ("sleep", "1000")


@pytest.fixture(autouse=True)
def no_pods_are_left(podpy: Podpy) -> Iterator[None]:
    """Remove all pods after each test."""
    yield
    podpy.ok("pod", "rm", "--force", "--time=0", "--all")


def test_containers_have_their_pods_mounts_policies_and_sysctls(podpy: Podpy, busybox: str) -> None:
    options = ("-v=/anonymous", "-v=named:/named", "--restart=on-failure:3", "--security-opt=mask=/proc/version")
    network = ("--network=pasta", "--sysctl=net.ipv4.ip_unprivileged_port_start=70", "--add-host=other:1.2.3.4")
    podpy.ok("pod", "create", "--name=p", "--shm-size=2m", *options, *network)
    podpy.ok("run", "-d", "--pod=p", "--name=a", busybox, *SLEEP)
    podpy.ok("run", "-d", "--pod=p", "--name=b", "--restart=no", busybox, *SLEEP)
    podpy.ok("exec", "a", "touch", "/anonymous/x", "/named/x", "/dev/shm/x")
    assert podpy.ok("exec", "b", "ls", "/anonymous", "/named", "/dev/shm").count("x") == 3
    assert podpy.ok("exec", "b", "df", "-k", "/dev/shm").split()[-5] == "2048"
    assert podpy.ok("exec", "a", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start") == "70"
    assert "1.2.3.4\tother" in podpy.ok("exec", "a", "cat", "/etc/hosts")
    assert podpy.ok("exec", "a", "cat", "/proc/version") == ""
    policy = "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}"
    assert podpy.ok("inspect", "-f", policy, "a", "b").splitlines() == ["on-failure 3", "no 0"]
    podpy.ok("pod", "rm", "-f", "-t0", "p")
    assert podpy.ok("volume", "ls", "-q") == "named"


def test_a_pods_user_namespace_is_its_containers(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=p", "--network=none", "--userns=keep-id")
    alone = podpy.ok("run", "--rm", "--network=none", "--userns=keep-id", busybox, "cat", "/proc/self/uid_map")
    look = "cat /proc/self/uid_map; touch /mine; stat -c %u /mine"
    assert podpy.ok("run", "--rm", "--pod=p", busybox, "sh", "-c", look) == f"{alone}\n0"


def test_published_ports_are_the_infra_containers(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=p", "-p=127.0.0.1::80")
    script = "mkdir /www; echo page >/www/index.html; exec httpd -f -p 80 -h /www"
    podpy.ok("run", "-d", "--pod=p", "--name=web", busybox, "sh", "-c", script)
    shown = podpy.ok("pod", "inspect", "-f", '{{(index .InfraConfig.PortBindings "80/tcp" 0).HostPort}}', "p")
    run = ("run", "--rm", "--network=host", busybox, "wget", "-qO-", f"http://127.0.0.1:{shown}/index.html")
    wait.until(lambda: podpy(*run).stdout == "page\n", what="the server answers")


def test_logs_top_and_stats_of_a_pod(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=p", "--network=none")
    for name in "ab":
        podpy.ok("run", "-d", "--pod=p", f"--name={name}", busybox, "sh", "-c", f"echo I am {name}; exec sleep 1000")
    wait.until(lambda: len(podpy.ok("pod", "logs", "p").splitlines()) == 2, what="both have said something")
    assert podpy.ok("pod", "logs", "--names", "p").splitlines() == ["a I am a", "b I am b"]
    assert podpy.ok("pod", "logs", "--container=b", "p") == "I am b"
    commands = [line.split()[-3:] for line in podpy.ok("pod", "top", "p", "pid", "args").splitlines()]
    assert commands == [["PID", "COMMAND"], ["1", "/pause"], *[["1", "sleep", "1000"]] * 2]
    lines = [line.split() for line in podpy.ok("pod", "stats", "--no-stream", "p").splitlines()]
    assert lines[0][:4] == ["POD", "CID", "NAME", "CPU"]
    assert [line[2] for line in lines[2:]] == ["a", "b"]
    assert {row["Name"] for row in podpy.json("pod", "stats", "--no-stream", "--format=json")} >= {"a", "b"}
    podpy("pod", "top", "nosuch").fails(125, "unable to look up requested container: no pod with name or ID nosuch")
    podpy("pod", "stats", "--no-stream", "nosuch").fails(125, "unable to get list of pods: no pod with name or ID")


def test_a_copy_of_a_pod_has_copies_of_its_containers(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=p", "--network=none", "--label=a=b", "--exit-policy=stop")
    podpy.ok("create", "--pod=p", "--name=c", busybox, *SLEEP)
    podpy.ok("pod", "clone", "--start", "--label=c=d", "p")
    show = "{{.Name}} {{.Status}} {{.ContainerNames}} {{.Labels}}"
    copy = podpy.ok("pod", "ls", f"--format={show}", "--filter=name=p-clone").split()
    assert (copy[:2], copy[2].split(",")[1:], copy[3]) == (["p-clone", "Running"], ["c-clone"], "c=d")
    assert podpy.ok("pod", "inspect", "-f", "{{.ExitPolicy}}", "p-clone") == "stop"
    podpy.ok("pod", "clone", "--destroy", "p", "other")
    assert podpy.ok("pod", "ls", "--format={{.Name}}", "--sort=name") == "other\np-clone"
    podpy.ok("container", "clone", "--pod=other", "c-clone", "moved")
    assert podpy.ok("ps", "-a", "--filter=pod=other", "--format={{.Names}}").splitlines()[-1] == "moved"


def test_what_goes_by_force_takes_the_whole_pod_along(podpy: Podpy, busybox: str) -> None:
    podpy.ok("network", "create", "net")
    podpy.ok("pod", "create", "--name=one", "--network=net")
    podpy.ok("create", "--pod=one", busybox, *SLEEP)
    podpy.ok("pod", "create", "--name=two", "--volume=vol:/v")
    podpy.ok("network", "rm", "--force", "net")
    assert podpy.ok("pod", "ls", "--format={{.Name}}") == "two"
    podpy.ok("volume", "rm", "--force", "vol")
    assert (podpy.ok("pod", "ls", "-q"), podpy.ok("ps", "-aq")) == ("", "")


def test_the_exit_policy_holds_although_the_last_end_was_seen_by_nobody(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=p", "--network=none", "--exit-policy=stop")
    podpy.ok("run", "-d", "--pod=p", "--name=c", busybox, *SLEEP)
    data = podpy.json("inspect", "c")[0]["State"]
    for pid in (data["ConmonPid"], data["Pid"]):
        os.kill(pid, signal.SIGKILL)
    podpy.ok("run", "--rm", "--network=none", busybox, "true")
    wait.until(lambda: podpy.ok("pod", "inspect", "-f", "{{.State}}", "p") == "Exited", what="the pod is stopped")


def test_a_circle_is_an_error_that_names_it() -> None:
    def held(name: str, *needed: str) -> Any:
        modes = {"network": "none", "userns": "host", **dict.fromkeys(("pid", "ipc", "uts", "cgroupns"), "private")}
        return SimpleNamespace(id=name, name=name, spec=ContainerSpec(requires=[*needed], **modes))

    plain = [held("infra"), held("a", "infra"), held("b", "infra"), held("c", "a", "elsewhere")]
    assert [[each.name for each in stage] for stage in stages(plain)] == [["infra"], ["a", "b"], ["c"]]
    with pytest.raises(UsageError, match="in a circle: a → c → b → a"):
        stages([held("infra"), held("a", "c"), held("b", "a"), held("c", "b")])


def test_limits_of_devices_are_lines_of_io_max_and_properties_of_the_slice() -> None:
    asked = Resources(device_read_bps=["/dev/null:1048576"], device_write_iops=["/dev/zero:10"])
    assert throttles(asked) == ["1:3 rbps=1048576", "1:5 wiops=10"]
    assert device_properties(asked) == ["IOReadBandwidthMax=/dev/null 1048576", "IOWriteIOPSMax=/dev/zero 10"]


def test_limits_are_files_of_the_pods_cgroup_and_properties_of_its_slice() -> None:
    asked = Resources(memory=1 << 20, memory_swap=3 << 20, cpus=0.5, cpu_shares=1024, cpuset_cpus="0-1")
    assert settings(asked) == {
        "memory.max": "1048576",
        "memory.swap.max": "2097152",
        "cpu.weight": "39",
        "cpu.max": "50000 100000",
        "cpuset.cpus": "0-1",
    }
    assert properties(asked) == {
        "MemoryMax": "1048576",
        "MemorySwapMax": "2097152",
        "CPUWeight": "39",
        "CPUQuota": "50%",
        "AllowedCPUs": "0-1",
    }


def test_an_init_container_needs_a_pod(podpy: Podpy, busybox: str) -> None:
    podpy("create", "--init-ctr=always", busybox).fails(125, "Error: must specify pod value with init-ctr")
    assert podpy.ok("ps", "-aq") == ""


def test_a_member_isnt_started_again_without_its_infra_container(podpy: Podpy, busybox: str) -> None:
    shared = shared_directory(podpy)
    podpy.ok("pod", "create", "--name=shop", "--network=none")
    script = "until [ -e /s/end ]; do sleep 0.1; done; exit 3"
    run = ["run", "-d", "--pod=shop", "--name=a", "--restart=always", f"--volume={shared}:/s", busybox]
    podpy.ok(*run, "sh", "-c", script)
    podpy.ok("kill", podpy.ok("pod", "inspect", "-f", "{{.InfraContainerID}}", "shop"))
    (shared / "end").touch()
    state = "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}"
    wait.until(lambda: podpy.ok("inspect", "-f", state, "a") == "exited 3 0", what="it has ended for good")
    (shared / "end").unlink()
    podpy.ok("pod", "start", "shop")
    assert podpy.ok("pod", "inspect", "-f", "{{.State}}", "shop") == "Running"
