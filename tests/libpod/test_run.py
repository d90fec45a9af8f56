"""`podpy run`: exit codes, streams, files that scripts read."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support import wait
from tests.support.engine import Podpy

QUICK = ("run", "--rm", "--network=none")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["true"], 0),
        (["false"], 1),
        (["sh", "-c", "exit 42"], 42),
        (["sh", "-c", "sh -c 'kill -TERM $$'; exit $?"], 143),
        (["/etc"], 126),
        (["/etc/passwd"], 126),
        (["nothing-of-this-name"], 127),
        (["/nothing/of/this/name"], 127),
    ],
)
def test_the_exit_code_is_the_commands_own_or_says_why_it_did_not_run(
    podpy: Podpy, busybox: str, command: list[str], code: int
) -> None:
    assert podpy(*QUICK, busybox, *command).returncode == code
    assert podpy.ok("ps", "-aq") == ""


def test_a_mistake_on_the_command_line_exits_with_125(podpy: Podpy, busybox: str) -> None:
    podpy(*QUICK, "--no-such-flag", busybox).fails(125, "unknown flag: --no-such-flag", "podpy run --help")
    podpy(*QUICK, "--memory=lots", busybox).fails(125, "lots")
    podpy(*QUICK, "localhost/nothing-like-it").fails(125, "localhost/nothing-like-it")


def test_stdout_and_stderr_stay_apart(podpy: Podpy, busybox: str) -> None:
    result = podpy(*QUICK, busybox, "sh", "-c", "echo out; echo err >&2")
    assert (result.stdout, result.stderr) == ("out\n", "err\n")


def test_output_without_a_last_newline_is_complete(podpy: Podpy, busybox: str) -> None:
    assert podpy(*QUICK, busybox, "printf", "no newline").stdout == "no newline"


def test_a_big_file_goes_through_a_container_unchanged(podpy: Podpy, busybox: str) -> None:
    data = os.urandom(1 << 20) * 64
    command = [*podpy.command(*QUICK, "-i", busybox, "cat")]
    done = subprocess.run(
        command, input=data, capture_output=True, env=podpy.environment(), cwd=podpy.home, check=False, timeout=120,
        **podpy.user.as_popen_arguments(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_stdin_ends_for_the_container_where_it_ends_for_podpy(podpy: Podpy, busybox: str) -> None:
    assert podpy.ok(*QUICK, "-i", busybox, "wc", "-l", input="one\ntwo\n") == "2"


def test_without_i_stdin_is_empty(podpy: Podpy, busybox: str) -> None:
    assert podpy.ok(*QUICK, busybox, "wc", "-c", input="not for you") == "0"


def test_detach_prints_the_id_and_returns_while_the_container_runs(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("run", "-d", "--network=none", busybox, "sleep", "100")
    assert len(container) == 64
    assert podpy.ok("ps", "-q", "--no-trunc") == container


def test_output_can_be_captured_from_a_detached_run(podpy: Podpy, busybox: str) -> None:
    """A shell's `$(podpy run -d …)` reads to end of file: conmon must not hold the pipe."""
    script = f'id=$("{podpy.launcher}" run -d --network=none {busybox} sleep 100 2>&1); echo "got ${{#id}}"'
    if podpy.is_root:
        pytest.fail("this test is for the unprivileged user")
    assert podpy.run(["sh", "-c", script]).ok() == "got 64"


def test_name_cidfile_and_pidfiles(podpy: Podpy, busybox: str) -> None:
    files = {name: podpy.home / name for name in ("cid", "pid", "conmon")}
    podpy.ok(
        "run", "-d", "--network=none", "--name=web", f"--cidfile={files['cid']}", f"--pidfile={files['pid']}",
        f"--conmon-pidfile={files['conmon']}", busybox, "sleep", "100",
    )  # fmt: skip
    told = podpy.json("inspect", "web")[0]
    assert files["cid"].read_text() == told["Id"]
    assert int(files["pid"].read_text()) == told["State"]["Pid"]
    assert int(files["conmon"].read_text()) == told["State"]["ConmonPid"]
    podpy("run", "-d", "--network=none", "--name=web", busybox).fails(125, "already in use")
    podpy("run", "-d", "--network=none", f"--cidfile={files['cid']}", busybox).fails(125, "container id file exists")


def test_replace_takes_the_name_over(podpy: Podpy, busybox: str) -> None:
    first = podpy.ok("run", "-d", "--network=none", "--name=web", busybox, "sleep", "100")
    second = podpy.ok(
        "run", "-d", "--replace", "--stop-timeout=0", "--network=none", "--name=web", busybox, "sleep", "9"
    )
    assert first != second
    assert podpy.ok("ps", "-aq", "--no-trunc") == second


def test_a_signal_to_podpy_reaches_the_container(podpy: Podpy, busybox: str) -> None:
    process = podpy.popen(
        *QUICK, busybox, "sh", "-c", "trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.05; done",
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    wait.for_text(process.stdout, b"ready")
    process.send_signal(signal.SIGUSR1)
    assert b"caught" in wait.for_text(process.stdout, b"caught")
    assert process.wait(60) == 7


def test_rm_removes_the_container_and_its_anonymous_volume(podpy: Podpy, busybox: str) -> None:
    podpy.ok(*QUICK, "-v", "/data", busybox, "touch", "/data/x")
    assert podpy.ok("ps", "-aq") == ""
    volumes = podpy.graphroot / "volumes"
    assert not volumes.exists() or not list(volumes.iterdir())


def test_a_container_that_did_not_start_can_be_seen_and_removed(podpy: Podpy, busybox: str) -> None:
    assert podpy("run", "--name=bad", "--network=none", busybox, "nothing").returncode == 127
    assert podpy.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}") == "bad Created"
    podpy.ok("rm", "bad")


def test_explain_lists_the_steps_and_does_nothing(podpy: Podpy, busybox: str) -> None:
    told = podpy.ok("run", "--explain", "--network=none", busybox, "true")
    assert "mount overlay" in told
    assert "monitor" in told
    assert podpy.ok("ps", "-aq") == ""


def test_trace_tells_times_on_stderr(podpy: Podpy, busybox: str) -> None:
    result = podpy(*QUICK, "--trace", busybox, "echo", "hi")
    assert result.stdout == "hi\n"
    assert " ms " in result.stderr


def test_a_successful_command_writes_nothing_to_stderr(podpy: Podpy, busybox: str) -> None:
    for words in (["run", "--rm", busybox, "true"], ["ps", "-a"], ["images"], ["create", busybox]):
        assert podpy(*words).stderr == "", words


def test_only_the_three_standard_descriptors_reach_the_container(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    with open(tmp_path / "leak", "w") as leak:
        os.set_inheritable(leak.fileno(), True)
        process = podpy.popen(*QUICK, busybox, "ls", "/proc/self/fd", stdout=subprocess.PIPE, close_fds=False)
        out, _ = process.communicate(timeout=60)
    assert sorted(out.split()) == [b"0", b"1", b"2", b"3"]  # 3 is ls's own, for the directory


def test_preserve_fds_passes_them_on(podpy: Podpy, busybox: str) -> None:
    read, write = os.pipe()
    script = 'exec 3<&0 </dev/null; exec "$@"'
    command = ["sh", "-c", script, "sh", *podpy.command(*QUICK, "--preserve-fds=1", busybox, "sh", "-c", "cat <&3")]
    os.close(read)
    os.close(write)
    assert podpy.run(command, input="through three").ok() == "through three"


def test_preserve_fd_passes_just_those_on(podpy: Podpy, busybox: str) -> None:
    # A shell's redirections have one digit.
    script = 'exec 9<&0 5</dev/zero </dev/null; exec "$@"'
    look = "cat <&9; for i in 3 4 5 6 7 8; do readlink /proc/$$/fd/$i; done; ls /proc/$$/fd; true"
    podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "300")
    for command in (
        podpy.command(*QUICK, "--preserve-fd=9", busybox, "sh", "-c", look),
        podpy.command("exec", "--preserve-fd=9", "c", "sh", "-c", look),
    ):
        shown = podpy.run(["sh", "-c", script, "sh", *command], input="through nine\n").ok()
        said, *found = shown.splitlines()
        assert (said, set(found[:6])) == ("through nine", {"/dev/null"})
        assert sorted(found[6:]) == list("0123456789")  # nothing of the runtime's own
    podpy(*QUICK, "--preserve-fd=9,40", busybox, "true").fails(125, "file descriptor 9 is not available")
    podpy("exec", "--preserve-fd=2", "c", "true").fails(125, "the first that can be passed is 3")
    podpy("exec", "--preserve-fd=3", "c", "true").fails(125, "file descriptor 3 is not available")


def test_preserve_fd_takes_several(podpy: Podpy, busybox: str) -> None:
    files = [os.memfd_create("nine", 0), os.memfd_create("forty", 0)]
    for file, text in zip(files, (b"nine", b"forty"), strict=True):
        os.write(file, text)
        os.lseek(file, 0, os.SEEK_SET)
    os.dup2(files[0], 209)
    os.dup2(files[1], 240)
    command = podpy.command(*QUICK, "--preserve-fd=209,240", busybox, "sh", "-c", "cat <&209 <&240; cat <&209")
    shown = subprocess.run(
        command, pass_fds=(209, 240), capture_output=True, env=podpy.environment(), cwd=podpy.home, check=True,
        **podpy.user.as_popen_arguments(),
    )  # fmt: skip
    for file in (*files, 209, 240):
        os.close(file)
    assert shown.stdout == b"fortynine"


def activated(podpy: Podpy, opened: int, *words: str) -> tuple[str, list[str]]:
    """Run podpy as what a service manager has opened one socket for, and has told that there are `opened`.

    Return what the container knows of them, and its descriptors from 3 on: "NUMBER -> FILE", the socket's is INODE.
    """
    with socket.socket() as listener:
        number = listener.fileno()
        moved = f"exec 3<&{number} {number}<&-; " if number != 3 else ""
        script = f'{moved}LISTEN_FDS={opened} LISTEN_PID=$$ exec "$@"'
        done = subprocess.run(
            [
                "bash",
                "-c",
                script,
                "-",
                *podpy.command(*words, "sh", "-c", "echo $LISTEN_FDS,$LISTEN_PID; ls -l /proc/$$/fd; true"),
            ],
            env=podpy.environment(),
            pass_fds=[number],
            stdout=subprocess.PIPE,
            check=True,
            **podpy.user.as_popen_arguments(),  # type: ignore[call-overload]
        )
        told, *rest = done.stdout.decode().replace(str(os.fstat(number).st_ino), "INODE").splitlines()
    found = [line.partition(":")[2].partition(" ")[2] for line in rest if " -> " in line]
    return told, [line for line in found if line[0] > "2"]


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_service_managers_sockets_are_the_containers_and_nothing_of_the_runtimes(
    podpy: Podpy, busybox: str, runtime: str
) -> None:
    for option in ("--preserve-fds=0", "--preserve-fds=1"):
        found = activated(podpy, 1, "--runtime", runtime, *QUICK, option, busybox)
        assert found == ("1,1", ["3 -> socket:[INODE]"])


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_of_sockets_that_have_not_come_nothing_is_told_and_an_exec_gets_none(
    podpy: Podpy, busybox: str, runtime: str
) -> None:
    run = ("run", "-d", "--name=c", "--network=none", "--stop-timeout=0", busybox, "sleep", "300")
    podpy.ok("--runtime", runtime, *run)
    for words in ((*QUICK, busybox), ("exec", "c")):
        assert activated(podpy, 2, "--runtime", runtime, *words) == (",", [])


def test_every_descriptor_of_the_caller_s_can_be_passed_on(podpy: Podpy, busybox: str) -> None:
    read, write = os.pipe()
    high = os.dup2(read, 900)
    try:
        how = (*QUICK, f"--preserve-fd={high}", busybox, "readlink", f"/proc/self/fd/{high}")
        process = podpy.popen(*how, stdout=subprocess.PIPE, pass_fds=(high,))
        assert process.communicate(timeout=60)[0].decode() == f"pipe:[{os.fstat(read).st_ino}]\n"
    finally:
        for descriptor in (read, write, high):
            os.close(descriptor)
