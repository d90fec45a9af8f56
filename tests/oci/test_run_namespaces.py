"""Namespaces and limits of a running container."""

from __future__ import annotations

import grp
import os
from collections.abc import Callable

import pytest

from podpy.rootless.checks.controllers import missing_controllers
from podpy.rootless.checks.mends import one_line
from tests.support.engine import Podpy, Result

Run = Callable[..., Result]


@pytest.fixture
def run(podpy: Podpy, busybox: str) -> Run:
    """Return a function that runs a shell script in a container."""

    def call(script: str, *words: str) -> Result:
        return podpy("run", "--rm", "--network=none", *words, busybox, "sh", "-c", script)

    return call


def test_keep_id_is_the_user_outside_and_inside(podpy: Podpy, run: Run) -> None:
    uid, gid = podpy.user.uid, podpy.user.gid
    folder = podpy.home / "kept"
    podpy.run(["mkdir", str(folder)]).ok()
    assert run("id -u; id -g; touch /d/new", "--userns=keep-id", "-v", f"{folder}:/d").ok().split() == [
        str(uid),
        str(gid),
    ]
    assert (folder / "new").stat().st_uid == uid


def test_keep_id_may_be_another_number(podpy: Podpy, run: Run) -> None:
    folder = podpy.home / "kept"
    podpy.run(["mkdir", str(folder)]).ok()
    shown = run("id -u; id -g; touch /d/new", "--userns=keep-id:uid=33,gid=44", "-v", f"{folder}:/d").ok()
    assert shown.split() == ["33", "44"] and (folder / "new").stat().st_uid == podpy.user.uid


def test_keep_id_with_root_is_root_of_the_subordinate_ids(run: Run) -> None:
    assert run("id -u; stat -c %u /bin/busybox", "--userns=keep-id", "-u", "0").ok().split() == ["0", "0"]


def test_the_user_has_a_name_with_keep_id(podpy: Podpy, run: Run) -> None:
    assert run("id -un", "--userns=keep-id").ok() == podpy.user.name


def test_with_keep_id_others_may_exec_as_the_caller(podpy: Podpy, busybox: str) -> None:
    """As toolbox and distrobox do: the first process is root, what the user does are exec sessions of his own."""
    options = ("--userns=keep-id", "--user", "root:root", "--network=none", "--workdir=/tmp")
    podpy("run", "-d", "--name", "box", *options, busybox, "sleep", "100").ok()
    name, uid = podpy.user.name, podpy.user.uid
    seen = podpy.ok("exec", "-u", name, "box", "sh", "-c", "id -u; id -un; id -gn; echo $HOME").split()
    assert seen[:2] == [str(uid), name] and seen[3] == "/tmp"
    assert seen[2] == grp.getgrgid(podpy.user.gid).gr_name
    podpy("restart", "-t0", "box").ok()
    assert podpy.ok("exec", "box", "grep", "-c", f"^{name}:", "/etc/passwd") == "1"


def test_the_home_of_a_user_who_gets_a_line_is_the_lines(run: Run) -> None:
    script = "grep ^200: /etc/passwd; echo $HOME"
    shown = run(script, "--userns=keep-id:uid=200,gid=210", "-w", "/var").ok().splitlines()
    assert shown == ["200:*:200:210:container user:/var:/bin/sh", "/var"]


def test_nomap_leaves_the_user_out(podpy: Podpy, run: Run) -> None:
    folder = podpy.home / "kept"
    podpy.run(["mkdir", str(folder)]).ok()
    assert run("stat -c %u /d", "--userns=nomap", "-v", f"{folder}:/d").ok() == "65534"


def test_auto_is_a_piece_of_the_subordinate_ids(run: Run) -> None:
    assert run("cat /proc/self/uid_map", "--userns=auto").ok().split()[2] == "1024"
    assert run("cat /proc/self/uid_map", "--userns=auto:size=100").ok().split()[2] == "100"
    run("true", "--userns=auto:size=99999999").fails(125, "--userns=auto", "free ids")


def test_explicit_maps(run: Run) -> None:
    assert run("cat /proc/self/uid_map", "--uidmap=0:1:500", "--gidmap=0:1:500").ok().split() == ["0", "1", "500"]
    run("true", "--uidmap=0:1:999999").fails(125, "--uidmap", "has only the ids")


def test_the_hosts_processes_names_and_queues(run: Run) -> None:
    assert int(run("ls -d /proc/[0-9]* | wc -l", "--pid=host").ok()) > 2
    with open("/proc/sys/kernel/hostname") as file:
        assert run("hostname", "--uts=host").ok() == file.read().strip()
    run("test -d /dev/shm", "--ipc=host").ok()


def test_another_containers_namespaces_are_joined(podpy: Podpy, run: Run, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "one", "--network=none", "--hostname", "first", busybox, "sleep", "100")
    kinds = ("pid", "ipc", "uts", "net")
    own = podpy.ok("exec", "one", "sh", "-c", "for n in pid ipc uts net; do readlink /proc/1/ns/$n; done").split()
    options = ("--pid=container:one", "--ipc=container:one", "--uts=container:one", "--network=container:one")
    script = "for n in pid ipc uts net; do readlink /proc/self/ns/$n; done; hostname; echo $HOSTNAME; cat /etc/hostname"
    seen = podpy.ok("run", "--rm", *options, busybox, "sh", "-c", script).split()
    assert dict(zip(kinds, seen, strict=False)) == dict(zip(kinds, own, strict=True))
    assert seen[-3:] == ["first"] * 3
    run("true", "--pid=container:nosuch").fails(125, "nosuch")


def test_shared_memory_is_shared_with_the_ipc_namespace(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "one", "--network=none", busybox, "sh", "-c", "echo hi > /dev/shm/x; sleep 100")
    podpy.ok("exec", "one", "sh", "-c", "while ! test -s /dev/shm/x; do :; done")
    seen = podpy.ok("run", "--rm", "--network=none", "--ipc=container:one", busybox, "cat", "/dev/shm/x")
    assert seen == "hi"


def test_a_limit_that_can_not_be_enforced_says_what_to_delegate(run: Run) -> None:
    result = run("true", "--memory=64m")
    if result.returncode:
        result.fails(125, "--memory", one_line(missing_controllers(["memory"])))
    # The default limit of processes never stands in the way.
    run("true").ok()
    run("true", "--pids-limit=0").ok()


def test_without_cgroups_no_limit_can_be_asked_for(run: Run) -> None:
    run("true", "--cgroups=disabled").ok()
    run("true", "--cgroups=disabled", "--memory=64m").fails(125, "--memory")


def test_privileged_sees_devices_and_writes_sysctls(run: Run) -> None:
    assert int(run("ls /dev | wc -l", "--privileged").ok()) > int(run("ls /dev | wc -l").ok())
    assert run("echo 1 > /proc/sys/net/ipv4/ip_forward && echo ok", "--privileged").ok() == "ok"


def test_an_ipc_namespace_is_shared_only_by_who_offers_it(podpy: Podpy, busybox: str) -> None:
    for mode in ("private", "none", "shareable", "host"):
        podpy.ok("run", "-d", "--name", mode, "--network=none", f"--ipc={mode}", busybox, "sleep", "100")
    for mode in ("private", "none"):
        for command in ("run", "create"):
            words = [command, "--network=none", f"--ipc=container:{mode}", busybox, "true"]
            podpy(*words).fails(125, "joining IPC of container", "is not allowed: non-shareable IPC")
    for mode in ("shareable", "host"):
        podpy.ok("run", "--rm", "--network=none", f"--ipc=container:{mode}", busybox, "true")


def test_the_hosts_namespaces_are_joined_over_a_container_that_has_them(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=h", "--pid=host", "--network=host", "--uts=host", busybox, "sleep", "100")
    joined = ["--pid=container:h", "--network=container:h", "--uts=container:h"]
    shown = podpy.ok("run", "--rm", *joined, busybox, "sh", "-c", "cd /proc/self/ns; readlink net; readlink uts")
    assert shown.split() == [os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/uts")]


def test_without_ipc_there_is_no_shared_memory(run: Run) -> None:
    assert run("ls -d /dev/shm 2>/dev/null || echo none", "--ipc=none").ok() == "none"


def test_the_hosts_name_goes_with_the_hosts_network(podpy: Podpy, busybox: str) -> None:
    shown = podpy.ok("run", "--rm", "--network=host", "--uts=host", busybox, "sh", "-c", "hostname; cat /etc/hostname")
    assert shown.split() == [os.uname().nodename] * 2


@pytest.mark.parametrize("userns", ["keep-id", "auto", "nomap"])
@pytest.mark.parametrize("network", ["pasta", "slirp4netns"])
def test_sysfs_shows_the_containers_network_with_a_user_namespace(
    podpy: Podpy, busybox: str, userns: str, network: str
) -> None:
    for access, words in (("ro", []), ("rw", ["--privileged"])):
        script = "ls /sys/class/net; awk '$5 == \"/sys\" {print $6}' /proc/self/mountinfo"
        command = ["run", "--rm", f"--userns={userns}", f"--network={network}", *words, busybox, "sh", "-c", script]
        *interfaces, options = podpy.ok(*command).split()
        assert len(interfaces) == 2 and "lo" in interfaces, interfaces
        assert {access, "nosuid", "nodev", "noexec"} <= set(options.split(","))


def test_a_map_may_be_made_of_host_ids_names_and_what_is_left(run: Run, podpy: Podpy) -> None:
    own = str(podpy.user.uid)
    found = run("cat /proc/self/uid_map", f"--uidmap=+u77:@{own}:1", "--user=77").ok()
    rows = [tuple(int(word) for word in line.split()) for line in found.splitlines()]
    assert (77, 0, 1) in rows and rows[0][0] == 0, "the rest is filled up from 0 on"
    named = run("cat /proc/self/gid_map", f"--subuidname={podpy.user.name}").ok().split()
    assert named[:2] == ["0", "1"]
    run("true", "--subuidname=nobody-has-that").fails(125, "/etc/subuid has no ids of that name")
    small = run("cat /proc/self/uid_map", "--userns=keep-id:uid=3,gid=3,size=5").ok().split("\n")
    assert sum(int(line.split()[2]) for line in small) == 6
