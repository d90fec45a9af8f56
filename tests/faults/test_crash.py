"""kill -9 of podpy before and after each operation, and of the others: the next call repairs, and nothing is left."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.repaired import KILLED, SEED, assert_repaired
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, Image, Layer

OPERATIONS = (
    "MakePrivateMounts",
    "MakeRunDirectory",
    "FindCgroups",
    "CreateNetns",
    "StartPasta",
    "MakeContainerLayer",
    "RefuseLinks",
    "LookUpUser",
    "AddAccounts",
    "LinkMtab",
    "WriteFiles",
    "BuildConfig",
    "WriteConfig",
    "StartConmon",
    "WaitForPasta",
    "WaitForStart",
    "RemoveContainerLayer",
)

PARALLEL_RUNS = 50


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_podpy_is_killed_at_an_operation(podpy: Podpy, busybox: str, operation: str, moment: str) -> None:
    command = ["run", "--rm", "--network", "pasta", busybox, "sleep", "0.1"]
    result = podpy(*command, env={"PODPY_CRASH_AT": f"{operation}:{moment}"})
    assert result.returncode == KILLED, result.describe()
    assert_repaired(podpy, busybox)


MOUNTS = {
    "MakeWorkdir": "--workdir=/tmp",
    "MountNested": "--volume=vol:/etc",
    "PrepareVolume": "--volume=vol:/etc",
    "MountSubpath": "--mount=type=volume,src=vol,dst=/d,subpath=a",
    "MountHostOverlay": "--volume=.:/d:O",
    "MountLayers": "--mount=type=image,src=localhost/busybox,dst=/d,rw=true",
    "GiveTree": "--volume=vol:/d:U",
    "FindNamespaces": "--ipc=container:other",
    "BorrowSharedMemory": "--ipc=container:other",
    "ExposeMounts": "--userns=nomap",
    "MountSysfs": "--userns=keep-id",
}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("operation", MOUNTS)
def test_podpy_is_killed_at_an_operation_of_a_mount(podpy: Podpy, busybox: str, operation: str, moment: str) -> None:
    podpy.ok("run", "--rm", "--network=none", "-v", "vol:/v", busybox, "mkdir", "-p", "/v/a")
    podpy.ok("run", "-d", "--name=other", "--network=none", busybox, "sleep", "1000")
    network = "pasta" if operation == "MountSysfs" else "none"
    command = ["run", "--rm", f"--network={network}", MOUNTS[operation], busybox, "true"]
    result = podpy(*command, env={"PODPY_CRASH_AT": f"{operation}:{moment}"})
    assert result.returncode == KILLED, result.describe()
    podpy.ok("rm", "--force", "--time=0", "other")
    assert_repaired(podpy, busybox)


@pytest.mark.parametrize("victim", ["conmon", "container", "pasta"])
def test_a_helper_is_killed(podpy: Podpy, busybox: str, victim: str) -> None:
    container = podpy.ok("run", "-d", "--network", "pasta", busybox, "sleep", "1000")
    directory = podpy.runroot / "containers" / container
    file = {"conmon": "conmon.pid", "container": "pidfile", "pasta": "pasta.pid"}[victim]
    os.kill(int((directory / file).read_text()), signal.SIGKILL)
    if victim == "container":
        assert podpy.ok("wait", container) == "137"
    assert_repaired(podpy, busybox)


def test_a_killed_conmon_leaves_an_unknown_code_never_zero(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("run", "-d", "--network", "none", busybox, "sleep", "1000")
    directory = podpy.runroot / "containers" / container
    pid = int((directory / "pidfile").read_text())
    os.kill(int((directory / "conmon.pid").read_text()), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    assert podpy.ok("wait", container) != "0"


ENDINGS = (("stop",), ("kill",), ("rm", "--force"), ("restart",))
AT_ONCE = ("-d", "--stop-signal=KILL")


@pytest.mark.parametrize("moment", ["end:signalled", "end:recorded", "end:finished"])
@pytest.mark.parametrize("command", ENDINGS, ids=lambda command: command[0])
def test_a_call_that_ends_a_container_is_killed_and_the_monitor_does_the_rest(
    podpy: Podpy, busybox: str, command: tuple[str, ...], moment: str
) -> None:
    container = podpy.ok("run", *AT_ONCE, "--name=c", "--network=pasta", busybox, "sleep", "1000")
    monitor = int((podpy.runroot / "containers" / container / "conmon.pid").read_text())
    killed = podpy(*command, "c", env={"PODPY_CRASH_AT": moment})
    assert killed.returncode == KILLED, killed.describe()
    wait.for_end(monitor)
    assert os.listdir(podpy.runroot / "containers") == []
    assert podpy.ok("ps", "--all", "--format={{.Names}} {{.State}} {{.ExitCode}}") == "c exited 137"
    podpy.ok("start", "c")
    assert_repaired(podpy, busybox)


@pytest.mark.parametrize("command", ENDINGS, ids=lambda command: command[0])
def test_all_containers_have_got_their_signals_before_the_call_waits_for_one(
    podpy: Podpy, busybox: str, command: tuple[str, ...]
) -> None:
    names = ("a", "b", "c")
    for name in names:
        podpy.ok("run", *AT_ONCE, f"--name={name}", "--network=none", busybox, "sleep", "1000")
    monitors = [each["State"]["ConmonPid"] for each in podpy.json("inspect", *names)]
    killed = podpy(*command, *names, env={"PODPY_CRASH_AT": "end:signalled"})
    assert killed.returncode == KILLED, killed.describe()
    for monitor in monitors:
        wait.for_end(monitor)
    assert podpy.ok("ps", "--all", "--format={{.State}} {{.ExitCode}}").split("\n") == ["exited 137"] * 3
    assert_repaired(podpy, busybox)


@pytest.mark.parametrize("moment", ["end:signalled", "end:recorded", "end:finished"])
def test_a_call_that_ends_a_container_of_a_moment_is_killed(podpy: Podpy, busybox: str, moment: str) -> None:
    container = podpy.ok("run", *AT_ONCE, "--rm", "--network=none", busybox, "sleep", "1000")
    monitor = int((podpy.runroot / "containers" / container / "conmon.pid").read_text())
    killed = podpy("stop", container, env={"PODPY_CRASH_AT": moment})
    assert killed.returncode == KILLED, killed.describe()
    wait.for_end(monitor)
    assert podpy.ok("ps", "--all", "--quiet") == ""
    assert os.listdir(podpy.graphroot / "containers") == []
    assert_repaired(podpy, busybox)


def test_a_call_that_ends_a_container_is_killed_at_random_moments(podpy: Podpy, busybox: str) -> None:
    chance = random.Random(SEED)
    for number in range(30):
        names = [podpy.ok("run", *AT_ONCE, "--network=none", busybox, "sleep", "1000") for _ in range(2)]
        command = chance.choice(ENDINGS)
        process = podpy.popen(*command, *names, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.wait()
        if number % 10 == 9:
            assert_repaired(podpy, busybox)


def test_podpy_is_killed_at_random_moments(podpy: Podpy, busybox: str) -> None:
    chance = random.Random(SEED)
    for number in range(40):
        network = chance.choice(["pasta", "slirp4netns", "none"])
        process = podpy.popen("run", "--rm", "--network", network, busybox, "true", stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.25))
        process.kill()
        process.wait()
        if number % 10 == 9:
            assert_repaired(podpy, busybox)


def test_parallel_runs_beside_all_that_looks_at_them(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "talker", "--network", "none", busybox, "sh", "-c", "while :; do date; done")
    follower = podpy.popen("logs", "-f", "--tail", "1", "talker", stdout=subprocess.DEVNULL)
    runs = [
        podpy.popen("run", "--rm", "--network", "none", busybox, "echo", str(i), stdout=subprocess.PIPE)
        for i in range(PARALLEL_RUNS)
    ]
    while any(process.poll() is None for process in runs):
        podpy.ok("ps", "--all")
        podpy.ok("container", "prune", "--force")
        podpy.ok("rm", podpy.ok("create", "--network", "none", busybox, "true"))
    for i, process in enumerate(runs):
        output, _ = process.communicate(timeout=120)
        assert (process.returncode, output) == (0, f"{i}\n".encode())
    assert follower.poll() is None
    podpy.ok("rm", "--force", "--time", "0", "talker")
    assert follower.wait(60) == 0
    assert_repaired(podpy, busybox)


def test_a_reboot_is_noticed(podpy: Podpy, busybox: str) -> None:
    """What a reboot takes: all processes and the run directory."""
    podpy.ok("run", "-d", "--name", "c", busybox, "sleep", "1000")
    podpy.kill_rest()
    subprocess.run(["rm", "-rf", podpy.runroot], check=True)
    assert podpy.ok("ps", "--all", "--format", "{{.Names}} {{.State}}") == "c exited"
    podpy.ok("start", "c")
    assert podpy.ok("ps", "--format", "{{.Names}}") == "c"


def test_no_descriptor_leaks_into_the_container(podpy: Podpy, busybox: str) -> None:
    reading, writing = os.pipe()
    command = podpy.command("run", "--rm", busybox, "ls", "/proc/self/fd")
    done = subprocess.run(
        command, env=podpy.environment(), capture_output=True, pass_fds=[writing], **podpy.user.as_popen_arguments()
    )
    os.close(reading)
    os.close(writing)
    assert done.stdout.split() == [b"0", b"1", b"2", b"3"], done  # 3 is the directory that ls reads


@pytest.mark.parametrize("target", ["/etc", "/../../../../etc", "/proc/self/root/etc", "../../../../../../etc"])
def test_a_mount_follows_no_link_out_of_the_container(
    podpy: Podpy, busybox_image: Image, session_base: Path, target: str
) -> None:
    """A link in the image that points "up" stays inside its root: neither -v nor -w makes anything on the host."""
    trap = Layer().symlink("trap", target).tar()
    archive = Image([*busybox_image.layers, trap], busybox_image.settings).write_docker_archive(
        session_base / f"trap-{secrets.token_hex(4)}.tar"
    )
    podpy.ok("load", "-i", str(archive))
    (podpy.home / "source").mkdir(mode=0o755)
    mark = f"podpy-{secrets.token_hex(4)}"
    podpy("run", "--rm", "-v", f"{podpy.home}/source:/trap/{mark}", BUSYBOX, "true")
    podpy("run", "--rm", "-w", f"/trap/{mark}", BUSYBOX, "true")
    assert not Path(f"/etc/{mark}").exists()


def test_the_runtime_binary_cannot_be_written_from_inside(podpy: Podpy, busybox: str) -> None:
    """CVE-2019-5736: a container's root opens /proc/PID/exe of the runtime that execs into it."""
    crun = Path("/usr/bin/crun")
    before = crun.read_bytes() if crun.exists() else b""
    script = "printf '#!/proc/self/exe\\n' > /bin/evil; chmod 755 /bin/evil; sleep 1000"
    container = podpy.ok("run", "-d", busybox, "sh", "-c", script)
    wait.until(lambda: podpy("exec", container, "test", "-x", "/bin/evil").returncode == 0, what="the trap is set")
    podpy("exec", container, "/bin/evil")
    podpy("exec", container, "sh", "-c", "for p in /proc/[0-9]*; do echo x > $p/exe; done")
    assert (crun.read_bytes() if crun.exists() else b"") == before
