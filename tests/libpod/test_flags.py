"""Rarely used flags of `run` and `create`: what the container sees of each."""

from __future__ import annotations

import platform
import pwd

import pytest

from tests.support import wait
from tests.support.engine import Podpy

QUICK = ("run", "--rm", "--network=none")


def test_lines_of_passwd_and_group_are_as_the_user_writes_them(podpy: Podpy, busybox: str) -> None:
    entries = ("--passwd-entry=me:x:$UID:$GID:$NAME:/here:/bin/ash", "--group-entry=us:x:$GID:$USERLIST")
    text = podpy.ok(*QUICK, *entries, "--user=1234:567", busybox, "cat", "/etc/passwd", "/etc/group")
    assert "me:x:1234:567:container user:/here:/bin/ash" in text.splitlines()
    assert "us:x:567:1234" in text.splitlines()
    host = pwd.getpwnam("daemon")
    name = "games" if "daemon" in podpy.ok(*QUICK, busybox, "cat", "/etc/passwd") else host.pw_name
    found = podpy.ok(*QUICK, f"--hostuser={pwd.getpwnam(name).pw_uid}", busybox, "grep", f"^{name}:", "/etc/passwd")
    assert found.split(":")[:3] == [name, "*", str(pwd.getpwnam(name).pw_uid)]
    assert podpy.ok(*QUICK, f"--hostuser={name}", "--user", name, busybox, "id", "-un") == name
    podpy("create", "--hostuser=nobody-of-this-name", busybox).fails(125, "unknown user nobody-of-this-name")


def test_podpys_own_init_reaps_passes_signals_on_and_ends_as_its_command(podpy: Podpy, busybox: str) -> None:
    own = f"--init-path={podpy.launcher.parent / 'init'}"
    script = """cat /proc/1/cmdline | tr '\\0' ' '; (sleep 0 & exec true)
    while cat /proc/[0-9]*/stat | grep -q ') Z '; do :; done; echo reaped; exit 7"""
    result = podpy(*QUICK, "--init", own, busybox, "sh", "-c", script)
    assert result.returncode == 7 and result.stdout.startswith("/run/podman-init -- sh -c"), result.describe()
    assert result.stdout.endswith("reaped\n")
    assert podpy(*QUICK, "--init", own, busybox, "nosuch").returncode == 127
    trap = "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done"
    podpy.ok("run", "-d", "--name=c", "--network=none", "--init", own, busybox, "sh", "-c", trap)
    wait.until(lambda: podpy.ok("logs", "c") == "up", what="the command runs")
    podpy.ok("stop", "c")
    assert podpy.ok("inspect", "c", "--format={{.State.ExitCode}}") == "5"


def test_chroot_directories_get_podpys_files_too(podpy: Podpy, busybox: str) -> None:
    script = "cmp /etc/hosts /srv/jail/etc/hosts && cmp /etc/hostname /srv/jail/etc/hostname && echo same"
    options = ("--chrootdirs=/srv/jail", "--hostname=me")
    assert podpy.ok(*QUICK, *options, busybox, "sh", "-c", script) == "same"
    podpy("create", "--chrootdirs=jail", busybox).fails(125, "must be an absolute path")


def test_tmpfs_for_systemd_have_the_size_that_is_asked_for(podpy: Podpy, busybox: str) -> None:
    options = ("--systemd=always", "--shm-size-systemd=1m")
    assert " tmpfs 1024 " in " ".join(podpy.ok(*QUICK, *options, busybox, "df", "-k", "/run").split()).replace(
        "tmpfs 1024", " tmpfs 1024"
    )


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs another word size")
def test_a_personality_is_the_containers_own(podpy: Podpy, busybox: str) -> None:
    assert podpy.ok("--runtime=crun", *QUICK, "--personality=LINUX32", busybox, "uname", "-m") == "i686"
    podpy("create", "--personality=VMS", busybox).fails(125, "VMS")


def test_required_containers_are_started_before(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=base", "--network=none", busybox, "sleep", "1000")
    podpy.ok("create", "--name=middle", "--network=none", "--requires=base", busybox, "sleep", "1000")
    assert podpy.ok("run", "--name=top", "--network=none", "--requires=middle", busybox, "echo", "up") == "up"
    assert set(podpy.ok("ps", "--format={{.Names}}").split()) == {"base", "middle"}
    podpy.ok("stop", "-t0", "middle", "base")
    assert podpy.ok("start", "-a", "top") == "up"
    assert set(podpy.ok("ps", "--format={{.Names}}").split()) == {"base", "middle"}
    assert podpy.json("inspect", "top", "--format={{json .Dependencies}}") == [
        podpy.ok("inspect", "middle", "--format={{.Id}}")
    ]
    podpy("rm", "-f", "-t0", "base").fails(125, "depend")
    podpy("run", "--requires=nosuch", busybox).fails(125, 'no container with name or ID "nosuch" found')


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--rdt-class=x", "resctrl"),
        ("--decryption-key=x", "podpy can't decrypt images"),
        ("--link-local-ip=169.254.1.2", "Podman has no such addresses"),
        ("--seccomp-policy=image", "an image doesn't choose"),
        ("--cgroup-conf=memory.high=1000000", "--cgroup-conf memory.high: this session has no cgroup of its own"),
        ("--device-read-iops=/dev/null:10", "--device-read-iops: this session has no cgroup of its own"),
    ],
)
def test_what_can_not_be_is_refused_in_one_line(podpy: Podpy, option: str, text: str) -> None:
    result = podpy("run", "--network=none", "--cgroups=disabled", option, "hello")
    assert [line for line in result.complaints if text in line], result.describe()
    assert result.returncode == 125


def test_a_plan_and_a_trace_of_create_start_and_exec(podpy: Podpy, busybox: str) -> None:
    assert "let the OCI runtime create and start" in podpy.ok("create", "--explain", "--network=none", busybox, "true")
    assert podpy.ok("ps", "-aq") == ""
    for words, step in (
        (("create", "--name=c", "--network=none", busybox, "sleep", "1000"), "the container's row is committed"),
        (("start", "c"), "the container's start is committed"),
        (("exec", "c", "true"), "container found"),
    ):
        done = podpy(words[0], "--trace", *words[1:])
        done.ok()
        assert f"ms  {step}\n" in done.stderr, done.describe()


def test_a_command_without_a_session_is_told_to_nobody_and_one_may_wait_for_the_start(
    podpy: Podpy, busybox: str
) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sleep", "1000")
    podpy("exec", "--wait=0", "c", "true").fails(125, "Error: timed out waiting for container: c\n")
    waiting = podpy.popen("exec", "--no-session", "--wait=60", "c", "sh", "-c", "exit 3")
    podpy.ok("start", "c")
    assert waiting.wait(60) == 3
    told = podpy.ok("events", "--stream=false", "--since=1h", "--format={{.Status}}").split()
    assert "start" in told and "exec" not in told and "exec_died" not in told
    assert podpy.ok("inspect", "c", "--format={{.ExecIDs}}") == "[]"


def test_what_a_service_manager_stops_starts_at_the_next_boot(podpy: Podpy, busybox: str) -> None:
    how = ("--network=none", "--restart=unless-stopped", "--annotation=kind=one", busybox, "sleep", "1000")
    boot = ("ps", "-a", "--filter=should-start-on-boot=true", "--filter=annotation=kind=one", "--format={{.Names}}")
    podpy.ok("run", "-d", "--name=c", *how)
    podpy.ok("stop", "--service", "-t0", "c")
    assert podpy.ok(*boot) == "c"
    assert podpy.ok("inspect", "c", "--format={{.State.StoppedByUser}} {{.State.Status}}") == "false exited"
    podpy.ok("start", "c")
    podpy.ok("stop", "-t0", "c")
    podpy.ok("stop", "--service", "c")  # whom the user has stopped, stays so
    assert podpy.ok(*boot) == ""


def test_containers_are_chosen_by_their_annotations(podpy: Podpy, busybox: str) -> None:
    for name in ("c", "d"):
        podpy.ok("create", f"--name={name}", f"--annotation=kind={name}", "--network=none", busybox, "true")
    podpy.ok("container", "cleanup", "--rm", "--stopped-only", "c")  # it was never started
    assert podpy.ok("ps", "-a", "--filter=annotation=kind", "--sort=names", "--format={{.Names}}") == "c\nd"
    podpy.ok("container", "prune", "-f", "--filter=annotation=kind=d")
    assert podpy.ok("ps", "-a", "--format={{.Names}}") == "c"
    podpy.ok("container", "cleanup", "--rm", "c")
    assert podpy.ok("ps", "-aq") == ""


def test_fields_and_a_tag_of_the_journal_are_templates(podpy: Podpy, busybox: str) -> None:
    label = "--log-opt=label=CONTAINER_IMAGE={{.ImageName}}"
    options = ("--log-driver=journald", "--log-opt=tag={{.Name}}!", label, "--log-opt=label=OF=me")
    podpy.ok("run", "-d", "--name=c", "--network=none", *options, busybox, "sleep", "1000")
    pid = podpy.ok("inspect", "c", "--format={{.State.ConmonPid}}")
    with open(f"/proc/{pid}/cmdline") as file:
        words = file.read().split("\0")
    assert {"c!", "CONTAINER_IMAGE=localhost/busybox:latest", "OF=me"} <= set(words)
    podpy("create", label, busybox).fails(125, "log labels can only be used with journald log driver")
    podpy("create", "--log-opt=label=a=b", busybox).fails(125, 'log label "a=b" contains invalid characters')
    bad = podpy("run", "--name=bad", "--network=none", options[0], "--log-opt=label=A={{.Nix}}", busybox, "true")
    bad.fails(125, "Error: --log-opt: line 1, column 3: no field Nix")


def test_on_the_hosts_network_the_host_is_this_machine_itself(podpy: Podpy, busybox: str) -> None:
    hosts = podpy.ok("run", "--rm", "--network=host", busybox, "cat", "/etc/hosts")
    assert "127.0.0.1\thost.containers.internal host.docker.internal" in hosts.splitlines()
