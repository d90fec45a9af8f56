"""What podpy itself refuses to start, with Podman's exit codes: before anything is made, or the container waits."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from podpy.rootless.checks.controllers import missing_controllers
from podpy.rootless.checks.mends import one_line
from tests.support import ports
from tests.support.engine import Podpy


@pytest.fixture
def taken() -> Iterator[int]:
    """A TCP port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def nothing_is_left(podpy: Podpy) -> bool:
    """Return whether there is neither a container nor a volume."""
    return podpy.json("ps", "--all", "--format", "json") == [] and not list((podpy.graphroot / "volumes").glob("*"))


def test_a_container_whose_port_is_taken_waits_for_its_start(podpy: Podpy, busybox: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = ("-v", "/data", "-p", f"127.0.0.1:{server.getsockname()[1]}:80", busybox, "true")
        podpy("run", "--rm", *words).fails(126, "address already in use")
        assert nothing_is_left(podpy)
        podpy("run", "--name", "x", *words).fails(126, "address already in use")
    assert podpy.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}") == "x Created"
    podpy.ok("start", "--attach", "x")


def test_a_port_that_needs_a_privilege_is_refused(podpy: Podpy, busybox: str) -> None:
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
        if int(file.read()) == 0:
            return  # there is none here
    podpy("run", "--rm", "-v", "/data", "-p", "1:80", busybox, "true").fails(126, "need a privilege")
    assert nothing_is_left(podpy)


def test_a_container_that_replaces_another_may_have_its_port(podpy: Podpy, busybox: str, taken: int) -> None:
    free = ports.free()
    words = ("run", "-d", "--replace", "--name", "x", "-p", f"127.0.0.1:{free}:80", busybox, "sleep", "100")
    first, second = podpy.ok(*words), podpy.ok(*words)
    assert first != second


def test_a_limit_without_its_controller_leaves_no_container_and_doctor_says_the_same(
    podpy: Podpy, busybox: str
) -> None:
    checks = {check["name"]: check for check in podpy.json("system", "doctor", "--json")}
    done = podpy("run", "--rm", "--name", "x", "-v", "/data", "--memory=64m", busybox, "true")
    if checks["cgroups"]["ok"]:
        done.ok()
        return
    done.fails(125, "--memory", one_line(checks["cgroups"]["mend"]))
    assert nothing_is_left(podpy)


TABLE = "#subsys_name\thierarchy\tnum_cgroups\tenabled\nnosuch1\t0\t1\t0\nnosuch2\t3\t1\t1\nnosuch3\t0\t1\t1\n"


@pytest.mark.parametrize(
    ("controller", "mend"),
    [
        ("nosuch1", "boot with cgroup_enable=nosuch1"),
        ("nosuch2", "boot with cgroup v2 only"),
        ("nosuch3", "this kernel hasn't got it"),
        ("nosuch4", "this kernel hasn't got it"),
    ],
)
def test_delegating_is_advised_only_where_the_root_has_the_controller(
    tmp_path_factory: pytest.TempPathFactory, controller: str, mend: str
) -> None:
    table = tmp_path_factory.mktemp("cgroups") / "table"
    table.write_text(TABLE)
    assert mend in missing_controllers([controller], str(table))
    assert "Delegate" not in missing_controllers([controller], str(table))


def test_what_stops_a_run_whose_container_is_made_is_126(podpy: Podpy, busybox: str) -> None:
    podpy("--runtime-flag=nosuch", "run", "--network=none", "--name", "x", busybox, "true").fails(126)
    assert podpy.ok("ps", "-a", "--format", "{{.State}}") == "created"
    podpy("run", "-p", "80:80/sctp", busybox, "true").fails(126, "sctp")


def test_a_command_that_is_not_there_is_125_in_the_background(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name", "x", busybox, "sleep", "100")
    podpy("exec", "-d", "x", "nosuch").fails(125, "nosuch")
    podpy("exec", "x", "nosuch").fails(127, "nosuch")


def test_what_is_not_there_of_the_host_is_refused_by_create(podpy: Podpy, busybox: str) -> None:
    podpy("create", "--init", "--init-path=/nope", busybox).fails(125, "container-init binary not found on the host")
    podpy("create", "--device=/nope", busybox).fails(125, "stat /nope: no such file or directory")
    podpy("create", "-v", "/nope:/x", busybox).fails(125, "/nope")
    assert nothing_is_left(podpy)


def test_an_image_to_be_updated_from_its_registry_says_which(podpy: Podpy, busybox: str) -> None:
    label = "--label=io.containers.autoupdate="
    told = 'short name: auto updates require fully-qualified image reference: "busybox"'
    podpy("create", label + "registry", "busybox").fails(125, told)
    assert nothing_is_left(podpy)
    podpy.ok("create", label + "registry", busybox)
    podpy.ok("create", label + "local", "busybox")


def test_a_working_directory_that_is_not_absolute_is_126(podpy: Podpy, busybox: str) -> None:
    podpy("run", "-w", "x", busybox, "true").fails(126, "it needs to be an absolute path")
    assert nothing_is_left(podpy)


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_an_option_behind_the_image_is_told_from_a_command(podpy: Podpy, busybox: str, runtime: str) -> None:
    run = (f"--runtime={runtime}", "run", "--rm", "--network=none", busybox)
    podpy(*run, "-it", "sh").fails(127, "-it is the command here: podpy's options stand before the image")
    assert "Hint" not in podpy(*run, "no-such-command").fails(127).stderr


def test_an_image_that_was_made_here_and_is_not_here_has_no_registry(podpy: Podpy) -> None:
    podpy("run", "localhost/nosuch").fails(125, "Hint: localhost/… names images that were made here")


def test_a_name_that_is_not_utf_8_is_nobodys(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "x")
    for words in (("container",), ("volume",), ("secret",)):
        assert podpy(*words, "exists", "x\udcff").returncode == 1
        podpy(*words, "inspect", "x\udcff").fails(125, "no such")
    podpy("volume", "rm", "x\udcff").fails(1, "no such volume")
    podpy("secret", "create", "x\udcff", "-", input="data").fails(125, "isn't UTF-8")
    assert podpy.ok("events", "--stream=false", "--filter=container=\udcff") == ""


def test_names_that_are_not_utf8_are_mounted_or_refused_in_words(podpy: Podpy, busybox: str) -> None:
    odd = os.fsdecode(b"\xff")
    source = podpy.home / odd
    source.mkdir(mode=0o755)
    (source / "seen").touch()
    how = ("run", "--rm", "--network=none")
    assert podpy.ok(*how, "-v", f"{source}:/there", busybox, "ls", "/there") == "seen"
    for words, told in (
        (("-h", odd), 'hostname "\\xff" isn\'t UTF-8: invalid argument'),
        (("-w", f"/{odd}"), 'working directory "/\\xff" isn\'t UTF-8: invalid argument'),
        (("-v", f"/tmp:/{odd}"), 'place of a mount "/\\xff" isn\'t UTF-8: invalid argument'),
    ):
        podpy(*how, *words, busybox, "true").fails(125, f"Error: {told}\n")
    gone = podpy(*how, "-v", f"/no{odd}:/there", busybox, "true").fails(125, "Error: statfs /no\\xff: no such file")
    assert "Hint: Make it first: mkdir -p /no\\xff\n" in gone.stderr
    podpy("volume", "create", odd).fails(125, "Hint: '\\xff' doesn't\n")
    assert podpy.ok("ps", "-aq") == ""


def test_what_would_steer_a_terminal_is_escaped_in_errors(podpy: Podpy) -> None:
    podpy("inspect", "a\x1b[2Jb\u0085").fails(125, 'no such object: "a\\x1b[2Jb\\x85"')
    podpy("inspect", "grün\t日本").fails(125, 'no such object: "grün\t日本"')
