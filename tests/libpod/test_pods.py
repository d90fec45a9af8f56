"""Pods: what a user sees of making, running, listing and removing them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.support import wait
from tests.support.engine import Podpy, shared_directory

SLEEP = ("sleep", "1000")
NO_POD = "no pod with name or ID nosuch found: no such pod"


@pytest.fixture(autouse=True)
def no_pods_are_left(podpy: Podpy) -> Iterator[None]:
    """Remove all pods after each test."""
    yield
    podpy.ok("pod", "rm", "--force", "--time=0", "--all")


@pytest.fixture
def shop(podpy: Podpy, busybox: str) -> str:
    """A pod `shop` without a network, with the containers a and b, which aren't started."""
    podpy.ok("pod", "create", "--name=shop", "--network=none")
    for name in ("a", "b"):
        podpy.ok("create", "--pod=shop", f"--name={name}", busybox, *SLEEP)
    return "shop"


def state(podpy: Podpy, name: str = "shop") -> str:
    return podpy.ok("pod", "inspect", "-f", "{{.State}}", name)


def test_a_pods_life(podpy: Podpy, shop: str) -> None:
    identifier = podpy.ok("pod", "inspect", "-f", "{{.ID}}", shop)
    assert state(podpy) == "Created"
    assert podpy.ok("pod", "start", shop) == shop
    assert state(podpy) == "Running"
    assert podpy.ok("exec", "a", "hostname") == shop
    podpy.ok("stop", "--time=0", "a")
    assert state(podpy) == "Degraded"
    assert podpy.ok("pod", "stop", "--time=0", shop) == shop
    assert state(podpy) == "Exited"
    assert podpy.ok("inspect", "-f", "{{.State.ExitCode}}", f"{identifier[:12]}-infra") == "0"
    assert podpy.ok("pod", "start", identifier[:10]) == identifier[:10]
    assert podpy.ok("pod", "kill", shop) == identifier
    assert state(podpy) == "Exited"
    assert podpy.ok("pod", "restart", shop) == identifier
    assert podpy.ok("pod", "rm", "--force", "--time=0", shop) == identifier
    assert (podpy.ok("pod", "ls", "-q"), podpy.ok("ps", "-aq")) == ("", "")
    podpy("pod", "exists", shop).fails(1)


@pytest.mark.parametrize("command", [("stop",), ("rm", "--force")], ids=lambda words: words[0])
def test_several_pods_are_stopped_together(podpy: Podpy, busybox: str, command: tuple[str, ...]) -> None:
    shared = shared_directory(podpy)
    names = ("one", "two")
    for name, other in (names, names[::-1]):
        # It ends only when the other one has been told to end, too.
        told = f"touch /v/{name}; until test -e /v/{other}; do sleep 0.05; done; exit 3"
        script = f"trap '{told}' TERM; touch /v/{name}.ready; while :; do sleep 0.05; done"
        podpy.ok("pod", "create", f"--name={name}", "--network=none")
        podpy.ok("run", "-d", f"--pod={name}", f"--name={name}-c", "-v", f"{shared}:/v", busybox, "sh", "-c", script)
    for name in names:
        wait.until((shared / f"{name}.ready").exists, what=f"{name} waits for its signal")
    done = podpy("pod", *command, *names)
    assert (len(done.ok().splitlines()), done.warnings) == (2, [])
    if command == ("stop",):
        assert [podpy.ok("inspect", "-f", "{{.State.ExitCode}}", f"{name}-c") for name in names] == ["3", "3"]


def test_rm_all_removes_pods_too(podpy: Podpy, shop: str) -> None:
    podpy.ok("pod", "start", shop)
    infra = podpy.ok("pod", "inspect", "-f", "{{.InfraContainerID}}", shop)
    podpy("rm", "--all").fails(2, "without force")
    removed = podpy.ok("rm", "--all", "--force", "--time=0").splitlines()
    assert len(removed) == 3 and removed[-1] == infra
    assert (podpy.ok("pod", "ls", "-q"), podpy.ok("ps", "-aq")) == ("", "")


def test_containers_share_what_the_pod_says(podpy: Podpy, busybox: str) -> None:
    def spaces(container: str) -> list[str]:
        return podpy.ok(
            "exec", container, "sh", "-c", "for kind in ipc net uts pid; do readlink /proc/self/ns/$kind; done"
        ).split()

    podpy.ok("pod", "create", "--name=usual", "--network=none")
    podpy.ok("pod", "create", "--name=pids", "--network=none", "--share=+pid", "--infra-name=keeper")
    for pod in ("usual", "pids"):
        for number in "12":
            podpy.ok("run", "-d", f"--pod={pod}", f"--name={pod}{number}", busybox, *SLEEP)
    one, two = spaces("usual1"), spaces("usual2")
    assert one[:3] == two[:3] and one[3] != two[3]
    assert spaces("pids1") == spaces("pids2")
    assert podpy.ok("exec", "pids1", "cat", "/proc/1/comm") == "pause"
    assert podpy.ok("exec", "usual1", "sh", "-c", "cat /etc/hostname; echo $HOSTNAME") == "usual\nusual"
    assert podpy.ok("inspect", "-f", "{{.Config.Hostname}}", "usual1") == "usual"
    assert podpy.ok("ps", "-q", "--filter=name=keeper")
    assert podpy.ok("pod", "inspect", "-f", "{{.SharedNamespaces}}", "pids") == "[pid uts ipc net]"
    podpy.ok("pod", "create", "--name=hosts", "--network=none", "--pid=host", "--uts=host")
    names = podpy.ok("run", "--rm", "--pod=hosts", busybox, "hostname")
    assert names == podpy.ok("run", "--rm", "--network=none", "--uts=host", busybox, "hostname")
    assert podpy.ok("pod", "inspect", "-f", "{{.SharedNamespaces}}", "hosts") == "[uts ipc net pid]"
    podpy.ok("pod", "create", "--name=none", "--share=none")
    podpy.ok("run", "--rm", "--pod=none", "--network=none", busybox, "true")


def test_shared_processes_are_reaped_by_the_infra_container(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=p", "--network=none", "--share=+pid")
    script = "(sleep 0 & exec true); while cat /proc/[0-9]*/stat | grep -q ') Z '; do :; done; echo reaped"
    assert podpy.ok("run", "--rm", "--pod=p", busybox, "sh", "-c", script) == "reaped"


FILTERED = {
    "status=created": "bare\nshop",
    "ctr-names=^a$": "shop",
    "ctr-number=3": "shop",
    "ctr-status=running": "",
    "label!=tier": "shop",
    "until=1h": "",
}


def test_a_list_of_pods(podpy: Podpy, shop: str, busybox: str) -> None:
    podpy.ok("pod", "create", "--infra=false", "--label=tier=back", "--name=bare")
    lines = podpy.ok("pod", "ps").splitlines()
    assert lines[0].split("  ")[0] == "POD ID" and lines[0].endswith("INFRA ID      # OF CONTAINERS")
    assert [line.split()[1:3] for line in lines[1:]] == [["bare", "Created"], ["shop", "Created"]]
    assert [line.split()[-1] for line in lines[1:]] == ["0", "3"]
    names = podpy.ok("pod", "ps", "--noheading", "--ctr-names", "--ctr-status", "--filter=name=shop")
    assert names.endswith("-infra,a,b  created,created,created")
    whole = podpy.json("pod", "ls", "--format=json", "--filter=label=tier=back")
    assert [(pod["Name"], pod["Status"], pod["Containers"], pod["Labels"]) for pod in whole] == [
        ("bare", "Created", None, {"tier": "back"})
    ]
    assert podpy.ok("pod", "ls", "--format={{.Name}} {{.NumberOfContainers}}", "--sort=number") == "bare 0\nshop 3"
    chosen = {key: podpy.ok("pod", "ls", "--format={{.Name}}", f"--filter={key}", "--sort=name") for key in FILTERED}
    assert chosen == FILTERED
    podpy("pod", "ps", "--filter=foo=1").fails(125, "foo is an invalid filter")
    podpy("pod", "ps", "--sort=foo").fails(125, "invalid option for --sort, options are: id, names, or number")
    assert [line.split()[-1] for line in podpy.ok("ps", "-a", "--pod").splitlines()] == ["PODNAME", *["shop"] * 3]
    assert podpy.ok("ps", "-a", "--filter=pod=shop", "--format={{.Names}} {{.PodName}}").splitlines()[1:] == [
        "a shop",
        "b shop",
    ]
    assert [row["IsInfra"] for row in podpy.json("ps", "-a", "--format=json")] == [True, False, False]


def test_what_belongs_to_the_pod_is_refused_for_a_container(podpy: Podpy, shop: str, busybox: str) -> None:
    shared = "network cannot be configured when it is shared with a pod"
    podpy("run", "--pod=shop", "-p", "80", busybox).fails(
        125,
        f"Error: invalid config provided: published or exposed ports must be defined when the pod is created: {shared}",
    )
    podpy("run", "--pod=shop", "--add-host=a:1.2.3.4", busybox).fails(125, "extra host entries must be specified on")
    podpy("run", "--pod=nosuch", busybox).fails(125, NO_POD)
    podpy("run", "--pid=pod", busybox).fails(125, "no pod is given")
    infra = podpy.ok("pod", "inspect", "-f", "{{.InfraContainerID}}", "shop")
    podpy("rm", "--force", infra).fails(125, "cannot be removed without removing the pod")
    podpy.ok("container", "prune", "--force")
    assert podpy.ok("pod", "ls", "--format={{.NumberOfContainers}}") == "1"


def test_a_pod_that_goes_while_its_last_end_is_looked_at_is_no_error(podpy: Podpy) -> None:
    script = """
from podpy import Runtime
from podpy.libpod.pods.last_end import stop_if_last
from podpy.spec.pod import PodSpec

with Runtime() as runtime:
    pod = runtime.pods.create(PodSpec(name="shop", exit_policy="stop"))
    engine, lock_of = pod.engine, pod.engine.lock
    engine.lock = lambda name: (setattr(engine, "lock", lock_of), pod.remove(force=True), lock_of(name))[2]
    print(stop_if_last(engine, pod.id))
"""
    environment = {"PYTHONPATH": str(podpy.launcher.parents[2])}
    assert podpy.run([sys.executable, "-c", script], env=environment).ok() == "False"
    assert podpy.ok("pod", "ls", "-q") == ""


def test_errors_are_podmans(podpy: Podpy, shop: str, busybox: str) -> None:
    told = podpy("create", f"--name={shop}", busybox).fails(125, f'the container name "{shop}" is already in use')
    assert f"Hint: podpy pod rm {shop}" in told.stderr
    for command in ("logs", "port"):
        told = podpy(command, shop).fails(125, "no such container")
        assert "Hint: It is a pod's name: podpy pod --help" in told.stderr
    podpy("pod", "rm", "nosuch").fails(1, NO_POD)
    podpy.ok("pod", "rm", "--ignore", "nosuch")
    found = podpy("pod", "inspect", "nosuch").fails(125, "no such pod nosuch")
    assert found.stdout == "[]\n"
    podpy("pod", "create", "--name=shop").fails(125, 'adding pod to state: name "shop" is in use: pod already exists')
    podpy("pod", "create", "a/b").fails(125, "running pod create option: names must match [a-zA-Z0-9]")
    podpy("pod", "create", "--share=foo").fails(
        125, "invalid kernel namespace to share: foo. Options are: cgroup, ipc,"
    )
    podpy("pod", "create", "--infra=false", "--share=net").fails(
        125, "cannot set share(net) namespaces without an infra"
    )
    podpy("pod", "create", "--infra=false", "-p=80").fails(125, "you must have an infra container to publish port")
    podpy("pod", "create", "--exit-policy=foo").fails(125, 'invalid pod exit policy: "foo"')
    podpy("pod", "stop").fails(125, "you must provide at least one name or id")
    podpy.ok("pod", "start", shop)
    refused = podpy("pod", "rm", shop).fails(125, "not all containers could be removed from pod")
    assert len([line for line in refused.complaints if "running or paused containers cannot be removed" in line]) == 2
    assert "a container that depends on container" in refused.complaints[-1]
    assert refused.stderr.splitlines()[-1] == "Hint: Stop it first (podpy pod stop shop) or use --force"
    assert state(podpy) == "Running"


def test_run_makes_a_new_pod(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--pod=new:fresh", "--network=none", "--add-host=other:1.2.3.4", busybox, *SLEEP)
    assert state(podpy, "fresh") == "Running"
    assert "1.2.3.4\tother" in podpy.ok("run", "--rm", "--pod=fresh", busybox, "cat", "/etc/hosts")
    podpy("run", "--pod=new:fresh", busybox, "true").fails(125, "pod already exists")
    podpy("run", "--pod=new:gone", "--pull=never", "localhost/nosuch").fails(125)
    assert podpy.ok("pod", "ls", "--format={{.Name}}") == "fresh"


def test_a_file_has_the_pods_id(podpy: Podpy, busybox: str) -> None:
    path = os.path.join(podpy.home, "pod.id")
    made = podpy.ok("pod", "create", "--network=none", f"--pod-id-file={path}")
    podpy("pod", "create", f"--pod-id-file={path}").fails(125, "pod id file exists")
    podpy.ok("run", "-d", f"--pod-id-file={path}", "--name=c", busybox, *SLEEP)
    assert podpy.ok("inspect", "-f", "{{.Pod}}", "c") == made
    assert podpy.ok("pod", "rm", "-f", "-t0", f"--pod-id-file={path}") == made
    assert not os.path.exists(path)
    podpy("pod", "create", "--network=none", "--pod-id-file=/no/such/file").fails(125, "No such file or directory")
    assert podpy.ok("pod", "ls", "-q") == ""


def test_with_the_exit_policy_stop_the_last_end_stops_the_pod(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=shop", "--network=none", "--exit-policy=stop")
    podpy.ok("run", "-d", "--pod=shop", "--name=a", busybox, *SLEEP)
    podpy.ok("run", "--pod=shop", busybox, "true")
    assert state(podpy) == "Degraded"
    podpy.ok("stop", "--time=0", "a")
    wait.until(lambda: state(podpy) == "Exited", what="the pod is stopped")


def test_starting_a_member_starts_the_infra_container(podpy: Podpy, shop: str) -> None:
    podpy.ok("start", "a")
    assert podpy.ok("pod", "ps", "--ctr-status", "--noheading").endswith("running,running,created")


def test_containers_that_need_others_start_after_them(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=shop", "--network=none")
    podpy.ok("create", "--pod=shop", "--name=a", busybox, *SLEEP)
    podpy.ok("create", "--pod=shop", "--name=b", "--requires=a", busybox, *SLEEP)
    podpy.ok("pod", "start", "shop")
    events = podpy.ok("events", "--stream=false", "--filter=event=start", "--format={{.Name}}").split()
    assert events[-2:] == ["a", "b"]


def test_init_containers_run_first(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=shop", "--network=none", "-v", "data:/data")
    add = ("sh", "-c", "echo $0 >> /data/log")
    podpy.ok("create", "--pod=shop", "--init-ctr=once", "--name=first", busybox, *add, "once")
    podpy.ok("create", "--pod=shop", "--init-ctr=always", "--name=each", busybox, *add, "each")
    podpy.ok("create", "--pod=shop", "--name=main", busybox, "sh", "-c", "cat /data/log; sleep 1000")
    podpy.ok("pod", "start", "shop")
    wait.until(lambda: podpy.ok("logs", "main") == "once\neach", what="the main container has read the log")
    podpy("container", "exists", "first").fails(1)
    podpy.ok("pod", "stop", "-t0", "shop")
    podpy.ok("pod", "start", "shop")
    wait.until(lambda: podpy.ok("logs", "main").endswith("once\neach\neach"), what="it ran again")
    podpy("create", "--pod=shop", "--init-ctr=x", busybox).fails(125, "init container type must be one of always, once")
    podpy.ok("create", "--pod=shop", "--init-ctr=always", "--name=bad", busybox, "false")
    podpy.ok("pod", "stop", "-t0", "shop")
    podpy("pod", "start", "shop").fails(125, "init container bad exited with code 1")


def test_events_tell_of_pods(podpy: Podpy, shop: str) -> None:
    podpy.ok("pod", "start", shop)
    podpy.ok("pod", "rm", "-f", "-t0", shop)
    told = podpy.ok("events", "--stream=false", "--filter=type=pod", "--format={{.Status}} {{.Name}}").splitlines()
    assert told == ["create shop", "start shop", "remove shop"]
    members = podpy.ok("events", "--stream=false", "--filter=container=a", "--format={{.PodID}}").splitlines()
    assert {len(pod) for pod in members} == {64}


def test_prune_and_reset_know_pods(podpy: Podpy, shop: str, busybox: str) -> None:
    ended = podpy.ok("pod", "inspect", "-f", "{{.ID}}", shop)
    podpy.ok("pod", "create", "--name=new", "--network=none")
    podpy.ok("pod", "create", "--name=runs", "--network=none")
    podpy.ok("run", "-d", "--pod=runs", busybox, *SLEEP)
    podpy.ok("pod", "start", shop)
    podpy.ok("pod", "stop", "-t0", shop)
    assert podpy.ok("system", "prune", "--dry-run").splitlines()[:2] == ["Would delete Pods", ended]
    assert podpy.ok("pod", "prune", "--force") == ended
    assert podpy.ok("pod", "ls", "--format={{.Name}}", "--sort=name") == "new\nruns"
    podpy.ok("system", "reset", "--force")
    assert podpy.ok("pod", "ls", "-q") == ""
