"""What a process in a container sees of itself: user, rights, limits, environment, exit codes; with crun and runc."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import images
from tests.support.engine import Podpy, Result

RUNTIMES = ("crun", "runc")  # scripts/test installs both
PODMANS_CAPABILITIES = "00000000800405fb"  # Debian's podman 4.3.1, /proc/self/status of a container's root


@pytest.fixture(params=RUNTIMES)
def run(request: pytest.FixtureRequest, podpy: Podpy, busybox: str) -> object:
    """Return a function that runs `podpy run --rm --network=none OPTIONS… busybox COMMAND…`."""

    def call(*words: str, command: tuple[str, ...] = ("true",), **options: object) -> Result:
        return podpy(
            "--runtime",
            request.param,
            "run",
            "--rm",
            "--network=none",
            *words,
            busybox,
            *command,
            **options,  # type: ignore[arg-type]
        )

    return call


def sh(script: str) -> tuple[str, str, str]:
    return ("sh", "-c", script)


def status(text: str) -> dict[str, str]:
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def test_the_exit_code_is_the_commands(run) -> None:  # type: ignore[no-untyped-def]
    assert run(command=sh("exit 0")).returncode == 0
    assert run(command=sh("exit 42")).returncode == 42
    # Under an init: the kernel spares process 1 of a pid namespace from its own signals (pid_namespaces(7)).
    assert run("--init", command=sh("kill -9 $$")).returncode == 137


def test_a_command_that_is_not_there_is_127(run) -> None:  # type: ignore[no-untyped-def]
    run(command=("nosuch",)).fails(127, "nosuch", "not found")
    run(command=("/no/such",)).fails(127, "/no/such")
    run("-e", "PATH=/nowhere", command=("sh",)).fails(127, "sh")


def test_a_command_that_can_not_be_run_is_126(run) -> None:  # type: ignore[no-untyped-def]
    run(command=("/etc/passwd",)).fails(126)
    run(command=("/bin",)).fails(126)


def test_a_working_directory_that_is_not_there_is_126(run) -> None:  # type: ignore[no-untyped-def]
    run("-w", "/nope").fails(126, 'workdir "/nope" does not exist on container')
    run("-w", "/etc/passwd").fails(126, 'workdir "/etc/passwd" exists on container', "not a directory")
    assert run("-w", "/home/user", command=("pwd",)).ok() == "/home/user"
    assert run("--tmpfs", "/new", "-w", "/new", command=("pwd",)).ok() == "/new"


def test_root_has_podmans_capabilities_and_a_seccomp_filter(run) -> None:  # type: ignore[no-untyped-def]
    seen = status(run(command=("cat", "/proc/self/status")).ok())
    assert seen["CapEff"] == seen["CapPrm"] == seen["CapBnd"] == PODMANS_CAPABILITIES
    assert seen["CapInh"] == seen["CapAmb"] == "0" * 16
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("0", "2")


def test_capabilities_and_filter_follow_the_options(run) -> None:  # type: ignore[no-untyped-def]
    seen = status(run("--cap-drop=all", "--security-opt=no-new-privileges", command=("cat", "/proc/self/status")).ok())
    assert (seen["CapBnd"], seen["NoNewPrivs"]) == ("0" * 16, "1")
    options = ("--privileged", "--security-opt=seccomp=unconfined")
    seen = status(run(*options, command=("cat", "/proc/self/status")).ok())
    assert seen["Seccomp"] == "0" and int(seen["CapEff"], 16) > int(PODMANS_CAPABILITIES, 16)
    seen = status(run("-u", "1000", "--cap-add=net_raw", command=("cat", "/proc/self/status")).ok())
    assert seen["CapEff"] == seen["CapAmb"] == f"{1 << 13:016x}"


def test_users_are_names_and_numbers_of_the_container(run) -> None:  # type: ignore[no-untyped-def]
    assert run(command=("id",)).ok() == "uid=0(root) gid=0(root)"
    assert run("-u", "user", command=("id",)).ok() == "uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)"
    assert run("-u", "user:daemon", command=("id",)).ok() == "uid=1000(user) gid=1(daemon) groups=1(daemon)"
    assert "uid=4321" in run("-u", "4321:99", command=("id",)).ok()
    run("-u", "nobodyx").fails(126, "unable to find user nobodyx: no matching entries in passwd file")
    run("-u", "root:nogrp").fails(126, "unable to find group nogrp: no matching entries in group file")


def test_a_user_without_an_entry_gets_one(run) -> None:  # type: ignore[no-untyped-def]
    assert "4321:*:4321:0:container user:/:/bin/sh" in run("-u", "4321", command=("cat", "/etc/passwd")).ok()
    assert "4321" not in run("-u", "4321", "--passwd=false", command=("cat", "/etc/passwd")).ok()


def test_groups_are_added(run) -> None:  # type: ignore[no-untyped-def]
    assert run("--group-add=extra", "--group-add=77", command=("id", "-G")).ok() == "0 77 2000"


def test_home_and_hostname_and_the_sign_of_a_container(run) -> None:  # type: ignore[no-untyped-def]
    script = sh(
        "echo $HOME $HOSTNAME $container; hostname; cat /etc/hostname; test -e /run/.containerenv && echo there"
    )
    assert run("--hostname", "box", command=script).ok().split() == ["/root", "box", "podman", "box", "box", "there"]
    assert run("-u", "user", command=sh("echo $HOME")).ok() == "/home/user"


def test_variables(run) -> None:  # type: ignore[no-untyped-def]
    out = run("-e", "A=1 2", "-e", "B", "--unsetenv=PATH", env={"B": "caller"}, command=("/bin/env",)).ok().splitlines()
    assert {"A=1 2", "B=caller"} <= set(out)


def test_umask_and_ulimits(run) -> None:  # type: ignore[no-untyped-def]
    assert run("--umask=0077", command=sh("umask")).ok() == "0077"
    assert run("--ulimit=nofile=100:200", command=sh("ulimit -n; ulimit -Hn")).ok().split() == ["100", "200"]
    assert run("--ulimit=core=0", command=sh("ulimit -c")).ok() == "0"


def test_sysctls_of_the_containers_namespaces(run) -> None:  # type: ignore[no-untyped-def]
    shown = run("--sysctl=kernel.shmmax=4096", command=("cat", "/proc/sys/kernel/shmmax"))
    assert shown.ok() == "4096"
    run("--sysctl=vm.swappiness=1").fails(125, "vm.swappiness", "not allowed")


def test_only_three_descriptors_are_open(run) -> None:  # type: ignore[no-untyped-def]
    # The shell expands the pattern itself: no further process, no further descriptor.
    assert run(command=sh("cd /proc/self/fd && echo [0-9]*")).ok().split()[:3] == ["0", "1", "2"]
    out = run("-i", input="x", command=sh("for f in /proc/$$/fd/*; do readlink $f; done; true")).ok()
    assert not [line for line in out.splitlines() if line.startswith("/") and line not in ("/dev/null", "/dev/pts/0")]


def test_masked_paths_are_empty_and_read_only_ones_refuse(run) -> None:  # type: ignore[no-untyped-def]
    assert run(command=sh("cat /proc/keys /proc/timer_list | wc -c; ls /sys/firmware | wc -l")).ok().split() == [
        "0",
        "0",
    ]
    script = sh("echo 1 > /proc/sys/kernel/hostname 2>/dev/null || echo refused")
    assert run(command=script).ok() == "refused"
    assert run("--security-opt=unmask=/proc/keys", command=sh("cat /proc/keys >/dev/null && echo ok")).ok() == "ok"


def test_init_is_process_one(run) -> None:  # type: ignore[no-untyped-def]
    assert run("--init", command=sh("cat /proc/1/cmdline | tr '\\0' ' '")).ok().startswith("/run/podman-init -- sh -c")


def test_the_time_zone(run) -> None:  # type: ignore[no-untyped-def]
    zone = Path("/usr/share/zoneinfo/Asia/Tokyo")
    if zone.exists():
        run("--tz=Asia/Tokyo", command=("test", "-s", "/etc/localtime")).ok()
    run("--tz=No/Where").fails(125, "unknown time zone")


def test_the_image_gives_what_the_options_leave_open(
    podpy: Podpy, busybox_image: images.Image, session_base: Path
) -> None:
    settings = {
        "Entrypoint": ["/bin/echo", "e"], "Cmd": ["c"], "Env": ["PATH=/bin", "IMG=1"], "User": "user",
        "WorkingDir": "/made/here", "Volumes": {"/vol": {}}, "Labels": {"l": "1"}, "StopSignal": "SIGINT",
    }  # fmt: skip
    image = images.Image(busybox_image.layers, settings)
    name = "localhost/settings:latest"
    podpy.ok("load", "-i", str(image.write_docker_archive(session_base / "settings.tar", name)))

    def run(*words: str) -> str:
        return podpy.ok("run", "--rm", "--network=none", *words)

    assert run(name) == "e c"
    assert run(name, "d") == "e d"
    assert run("--entrypoint", "/bin/pwd", name) == "/made/here"
    script = "id -un; pwd; stat -c %U .; echo $IMG; grep -c ' /vol ' /proc/mounts"
    assert run("--entrypoint", "/bin/sh", name, "-c", script).split() == ["user", "/made/here", "user", "1", "1"]
    assert run("--entrypoint", "", "-u", "0", "-e", "IMG=2", name, "sh", "-c", "echo $IMG; id -u").split() == ["2", "0"]
    assert run("--image-volume=ignore", "--entrypoint", "", name, "sh", "-c", "ls / | grep -c vol || true") == "0"


def test_a_container_is_its_own_runtimes_whatever_is_asked_for_later(podpy: Podpy, busybox: str) -> None:
    first, second = RUNTIMES
    podpy.ok("--runtime", second, "run", "-d", "--name", "one", "--network=none", busybox, "sleep", "100")
    assert podpy.ok("--runtime", first, "exec", "one", "echo", "hi") == "hi"
    podpy.ok("--runtime", first, "rm", "-f", "-t", "0", "one")


def test_exec_has_its_own_user_directory_and_variables(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "one", "--network=none", "-e", "A=run", busybox, "sleep", "100")
    script = "id -u; pwd; echo $A $B $HOME; grep -E 'CapEff|Seccomp:' /proc/self/status"
    shown = podpy.ok("exec", "-u", "user", "-w", "/tmp", "-e", "B=exec", "one", "sh", "-c", script).split()
    assert shown[:5] == ["1000", "/tmp", "run", "exec", "/home/user"]
    assert shown[5:] == ["CapEff:", "0" * 16, "Seccomp:", "2"]
    assert status(podpy.ok("exec", "one", "cat", "/proc/self/status"))["CapEff"] == PODMANS_CAPABILITIES
    assert int(status(podpy.ok("exec", "--privileged", "one", "cat", "/proc/self/status"))["CapEff"], 16) > 1 << 40
    podpy("exec", "one", "nosuch").fails(127, "nosuch")
    podpy("exec", "one", "/etc/passwd").fails(126)
    podpy("exec", "-u", "ghost", "one", "true").fails(255, "unable to find user ghost")
