"""`podpy update`: what can be changed of a container afterwards, and that a refused change changes nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from podpy.errors import UsageError
from podpy.oci.document.resources import for_update
from podpy.spec.changes import Changes, changed
from podpy.spec.container import ContainerSpec, Resources, Ulimit
from tests.support import needs
from tests.support.engine import Podpy


def test_variables_ulimits_and_the_restart_policy_change_and_inspect_shows_it(podpy: Podpy, busybox: str) -> None:
    script = "echo $A-$B-$container; ulimit -n"
    container = podpy.ok("create", "--name=c", "--network=none", "-e=B=1", busybox, "sh", "-c", script)
    words = ("--restart=on-failure:3", "-e=A=1", "--unsetenv=B", "--unsetenv=container", "--ulimit=nofile=100:200")
    assert podpy.ok("update", *words, "/c") == container
    assert podpy.json("inspect", "c", "--format", "{{json .HostConfig.RestartPolicy}}") == {
        "Name": "on-failure",
        "MaximumRetryCount": 3,
    }
    environment = podpy.json("inspect", "c", "--format", "{{json .Config.Env}}")
    assert "A=1" in environment and not any(item.startswith(("B=", "container=")) for item in environment)
    assert podpy.ok("start", "-a", "c").splitlines() == ["1--", "100"]
    with sqlite3.connect(podpy.graphroot / "podpy.sqlite") as database:
        told = database.execute("SELECT id FROM events WHERE type = 'container' AND action = 'update'").fetchall()
        policy = database.execute("SELECT restart_policy FROM containers").fetchall()
    assert (told, policy) == ([(container,)], [("on-failure",)])


def test_a_container_that_runs_is_changed_for_exec_at_once_and_for_itself_at_its_next_start(
    podpy: Podpy, busybox: str
) -> None:
    podpy.ok("run", "-d", "--name=c", "--network=none", "-e=A=old", busybox, "sleep", "1000")
    podpy.ok("update", "--latest", "-e=A=new", "--ulimit=nofile=100:200")
    assert podpy.ok("exec", "c", "sh", "-c", "echo $A; ulimit -n").splitlines() == ["new", "100"]
    assert "A=new" in podpy.ok("inspect", "c")
    assert podpy.ok("exec", "c", "sh", "-c", "tr '\\0' '\\n' < /proc/1/environ | grep ^A=") == "A=old"


def test_an_update_that_was_killed_after_the_runtime_took_its_limits_is_undone(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "1000")
    with sqlite3.connect(podpy.graphroot / "podpy.sqlite") as database:
        ((spec,),) = database.execute("SELECT spec FROM container_specs").fetchall()
    left = podpy.runroot / "containers" / container / "update"
    left.write_text(spec)
    assert "undone" not in podpy.ok("system", "check", "--quick"), "it was committed"
    assert not left.exists()
    killed = spec.replace('"memory":null', '"memory":67108864')
    assert killed != spec
    left.write_text(killed)
    assert f"container {container[:12]}: an update of its limits was undone" in podpy.ok("system", "check", "--quick")
    assert not left.exists()
    left.write_text(killed)
    podpy.ok("update", "-e=A=1", "c")
    assert not left.exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--restart=foo", "c"], 'Error: "foo" is not a valid restart policy: invalid argument'),
        (["--restart=always", "c"], "the --rm option conflicts with --restart"),
        (["--memory-swap=10m", "c"], "you should always set a memory limit when using a memoryswap limit"),
        (["--memory=10k", "c"], "minimum memory limit allowed is 6MB"),
        (["--memory-swappiness=5", "c"], "cgroup v1"),
        (["nosuch"], 'no container with name or ID "nosuch" found'),
        ([], "requires a name, id"),
        (["--device-read-iops=/dev/null:1m", "c"], "Number must be a positive integer"),
        (["--blkio-weight-device=/dev/null:5", "c"], "N from 10 to 1000"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    podpy: Podpy, busybox: str, words: list[str], text: str
) -> None:
    podpy.ok("create", "--rm", "--name=c", "--network=none", busybox, "true")
    before = podpy.json("inspect", "c")
    podpy("update", *words).fails(125, text)
    assert podpy.json("inspect", "c") == before


def test_a_limit_that_can_not_be_enforced_is_refused_and_the_container_can_still_be_started(
    podpy: Podpy, busybox: str
) -> None:
    podpy.ok("create", "--name=c", "--network=none", "--cgroups=disabled", busybox, "true")
    podpy("update", "--memory=64m", "c").fails(125, "--memory: this session has no cgroup of its own")
    assert podpy.ok("inspect", "c", "--format", "{{.HostConfig.Memory}}") == "0"
    podpy.ok("update", "--restart=no", "c")
    podpy.ok("start", "-a", "c")


def test_limits_of_a_container_that_runs_reach_its_cgroup(podpy: Podpy, busybox: str) -> None:
    needs.require("cgroup-delegation")
    podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "1000")
    podpy.ok("update", "--memory=64m", "--pids-limit=50", "c")
    read = ("exec", "c", "sh", "-c", "cd /sys/fs/cgroup; cat memory.max pids.max")
    assert podpy.ok(*read).split() == [str(64 << 20), "50"]
    assert podpy.ok("inspect", "c", "--format", "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}").split() == [
        str(64 << 20),
        str(128 << 20),
    ]
    podpy.ok("update", "--memory=0", "--pids-limit=-1", "c")
    assert podpy.ok(*read).split() == ["max", "max"]


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ({}, {"resources": {"memory": 64 << 20}}, {"memory": 64 << 20, "memory_swap": 128 << 20}),
        (
            {"memory": 64 << 20, "memory_swap": 128 << 20},
            {"memory_swap": "-1"},
            {"memory": 64 << 20, "memory_swap": -1},
        ),
        ({"memory": 64 << 20, "memory_swap": -1}, {"resources": {"memory": 0}}, {}),
        ({"cpus": 1.5}, {"resources": {"cpu_quota": 1000}}, {"cpu_quota": 1000}),
        ({"cpu_quota": 1000, "cpu_period": 5000}, {"resources": {"cpus": 2.0}}, {"cpus": 2.0}),
        ({"pids_limit": 5}, {"resources": {"cpu_shares": 7}}, {"pids_limit": 5, "cpu_shares": 7}),
    ],
)
def test_a_limit_takes_the_place_of_what_it_contradicts(
    before: dict[str, Any], changes: dict[str, Any], after: dict[str, Any]
) -> None:
    spec = changed(ContainerSpec(resources=Resources(**before)), Changes(**changes))
    assert spec.resources == Resources(**after)


def test_a_swap_limit_is_compared_with_the_memory_limit_that_stays() -> None:
    spec = ContainerSpec(resources=Resources(memory=64 << 20))
    with pytest.raises(UsageError, match="minimum memoryswap limit should be larger than memory limit"):
        changed(spec, Changes(memory_swap="32m"))


def test_ulimits_that_are_not_named_stay() -> None:
    spec = ContainerSpec(ulimits=[Ulimit(name="core", soft=0, hard=0), Ulimit(name="nofile", soft=1, hard=1)])
    found = changed(spec, Changes(ulimits=[Ulimit(name="nofile", soft=5, hard=6)])).ulimits
    assert [(limit.name, limit.hard) for limit in found] == [("core", 0), ("nofile", 6)]


def test_a_limit_that_is_taken_away_is_told_to_the_runtime() -> None:
    before = Resources(memory=64 << 20, memory_swap=128 << 20, pids_limit=5)
    after = Resources(pids_limit=0, cpu_quota=-1)
    assert for_update(after, before) == {
        "memory": {"limit": -1, "swap": -1},
        "cpu": {"quota": -1},
        "pids": {"limit": -1},
    }
