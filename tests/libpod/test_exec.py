"""`podpy exec`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import wait
from tests.support.engine import Podpy


@pytest.fixture
def running(podpy: Podpy, busybox: str) -> Iterator[str]:
    """A container that runs."""
    podpy.ok("run", "-d", "--name=c", "--network=none", "-e", "FROM_RUN=1", busybox, "sleep", "300")
    yield "c"
    podpy.ok("rm", "-f", "-t0", "c")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 9"], 9),
        (["nothing"], 127),
        (["/etc/passwd"], 126),
        (["sh", "-c", "kill -9 $$"], 137),
    ],
)
def test_the_exit_code_is_the_commands(podpy: Podpy, running: str, command: list[str], code: int) -> None:
    assert podpy("exec", running, *command).returncode == code


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["c", "nothing"], 127, "executable file `nothing` not found in $PATH: No such file or directory"),
        (["c", "/no/thing"], 127, "executable file `/no/thing` not found: No such file or directory"),
        (["-w", "/etc", "c", "./x"], 127, "executable file `./x` not found: No such file or directory"),
        (["c", "/etc/passwd/x"], 127, "executable file `/etc/passwd/x` not found: No such file or directory"),
        (["c", "/etc/passwd"], 126, "the path `/etc/passwd` is not executable: Permission denied"),
        (["c", "/etc"], 126, "the path `/etc` is not a regular file, so not executable: Operation not permitted"),
        (["c", ""], 126, "the path `` is not a regular file, so not executable: Operation not permitted"),
        (["-w", "/typo", "c", "true"], 127, "chdir to `/typo`: No such file or directory"),
        (["-w", "/etc/passwd", "c", "true"], 125, "chdir to `/etc/passwd`: Not a directory"),
    ],
)
def test_a_command_that_cannot_be_started_is_one_line_of_ours(
    podpy: Podpy, running: str, words: list[str], code: int, said: str
) -> None:
    done = podpy("exec", *words).fails(code)
    reason = {
        125: "OCI runtime error",
        126: "OCI permission denied",
        127: "OCI runtime attempted to invoke a command that was not found",
    }[code]
    assert done.stderr == f"Error: crun: {said}: {reason}\n"


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_what_the_kernel_cannot_execute_has_a_shells_exit_code(podpy: Podpy, busybox: str, runtime: str) -> None:
    """Also where the runtime ends with 1 then: runc, crun from 1.28 on, and all of them with a terminal."""
    podpy.ok(f"--runtime={runtime}", "run", "-d", "--name=k", "--network=none", busybox, "sleep", "1000")
    script = "echo words >/words; echo '#!/nothing' >/script; chmod +x /words /script"
    podpy.ok("exec", "k", "sh", "-c", script)
    for options in ([], ["-t"]):
        assert podpy("exec", *options, "k", "/words").returncode == 126
        assert podpy("exec", *options, "k", "/script").returncode == 127
        assert podpy("exec", *options, "k", "false").returncode == 1
    podpy.ok("rm", "-f", "-t0", "k")


def test_what_only_looks_as_if_it_could_not_be_started_is(podpy: Podpy, running: str) -> None:
    """Links into /proc are other files for each process; a search path may be relative, or be missing."""
    script = "ln -s /proc/self/exe /tmp/me; mkdir /tmp/bin; ln -s /bin/busybox /tmp/bin/echo; ln -s bin /tmp/alias"
    podpy.ok("exec", running, "sh", "-c", script)
    assert "BusyBox" in podpy("exec", running, "/bin/busybox").stdout
    assert podpy.ok("exec", "-w", "/tmp", running, "bin/echo", "here") == "here"
    assert podpy.ok("exec", "-w", "/tmp", "-e", "PATH=/nowhere:alias", running, "echo", "here") == "here"
    assert "not found" not in podpy("exec", running, "/proc/self/exe").stderr
    assert "not found" not in podpy("exec", running, "/tmp/me").stderr


@pytest.mark.parametrize(
    "words",
    [
        ["c", "/tmp/self/root/bin/true"],
        ["c", "//proc/self/root/bin/true"],
        ["-w", "/tmp", "c", "../proc/self/root/bin/true"],
        ["-w", "/tmp/self/root/etc", "c", "true"],
        ["-w", "/tmp/self/root/etc", "c", "../bin/true"],
        ["-e", "PATH=/tmp/self/root/bin", "c", "true"],
    ],
)
def test_a_path_may_lead_through_proc_which_podpy_cannot_see_as_the_command_does(
    podpy: Podpy, running: str, words: list[str]
) -> None:
    podpy.ok("exec", running, "ln", "-s", "/proc/self", "/tmp/self")
    podpy.ok("exec", *words)


def test_environment_user_and_directory(podpy: Podpy, running: str) -> None:
    told = podpy.ok(
        "exec", "-e", "A=b", "-w", "/tmp", "-u", "1000:1000", running, "sh", "-c", "echo $A $FROM_RUN $PWD; id -u"
    )
    assert told == "b 1 /tmp\n1000"


def test_streams(podpy: Podpy, running: str) -> None:
    result = podpy("exec", "-i", running, "sh", "-c", "cat; echo err >&2", input="in\n")
    assert (result.stdout, result.stderr) == ("in\n", "err\n")


def test_without_i_stdin_is_empty(podpy: Podpy, running: str) -> None:
    assert podpy.ok("exec", running, "wc", "-c", input="not for you") == "0"


def test_detached_exec_goes_on_by_itself(podpy: Podpy, running: str) -> None:
    assert len(podpy.ok("exec", "-d", running, "sh", "-c", "sleep 0.2; echo done > /tmp/done")) == 64
    wait.until(
        lambda: podpy("exec", running, "cat", "/tmp/done").stdout == "done\n", what="the file of the detached exec"
    )


@pytest.mark.parametrize("option", ["-d", "-t"])
def test_commands_that_end_at_once_have_succeeded(podpy: Podpy, running: str, option: str) -> None:
    """conmon tells the end of such a command while podpy still waits to hear of its start."""
    for _ in range(5):
        processes = [
            podpy.popen("exec", option, running, "echo", "out", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(8)
        ]
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, b"")
            assert out == b"out\r\n" if option == "-t" else len(out) == 65


@pytest.mark.parametrize("option", ["-d", "-t", "-i"])
def test_a_command_is_run_by_the_runtime_that_made_the_container(podpy: Podpy, busybox: str, option: str) -> None:
    podpy.ok("--runtime=runc", "run", "-d", "--name=other", "--network=none", busybox, "sleep", "300")
    podpy.ok("exec", option, "other", "true")
    podpy.ok("rm", "-f", "-t0", "other")


def test_exec_in_what_does_not_run_says_so(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=idle", busybox)
    podpy("exec", "idle", "true").fails(255, "can only", "podpy start idle")
    podpy("exec", "-d", "idle", "true").fails(125, "can only")
    podpy("exec", "nobody", "true").fails(125, "no such container")


def test_a_user_whom_the_container_lacks_is_podmans_255(podpy: Podpy, running: str) -> None:
    user = "unable to find user nobody-here: no matching entries in passwd file"
    podpy("exec", "-u", "nobody-here", running, "true").fails(255, user)
    podpy("exec", "-u", "0:nothing", running, "true").fails(255, "unable to find group nothing")


def test_without_the_runtimes_state_the_error_is_podmans(podpy: Podpy, running: str) -> None:
    state = next((podpy.runroot / "oci").iterdir())
    aside = state.rename(podpy.runroot / "aside")
    text = f"Error: crun: error opening file `{state}/status`: No such file or directory: OCI runtime attempted to"
    for option in ("--interactive", "--tty"):
        done = podpy("exec", option, running, "true").fails(127)
        assert done.stderr.startswith(text) and done.stderr.count("\n") == 2
    aside.rename(state)


def test_a_hundred_execs_at_once(podpy: Podpy, running: str) -> None:
    processes = [podpy.popen("exec", running, "echo", str(n), stdout=subprocess.PIPE) for n in range(100)]
    assert [int(process.communicate(timeout=120)[0]) for process in processes] == list(range(100))
    assert {process.returncode for process in processes} == {0}


def test_an_exec_session_is_seen_while_it_runs(podpy: Podpy, running: str) -> None:
    process = podpy.popen(
        "exec", "-i", running, "sh", "-c", "echo ready; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    wait.for_text(process.stdout, b"ready")
    assert len(podpy.json("inspect", running)[0]["ExecIDs"]) == 1
    process.communicate(timeout=60)
    assert podpy.json("inspect", running)[0]["ExecIDs"] in ([], None)


def test_a_session_in_the_background_is_seen_while_it_runs(podpy: Podpy, running: str) -> None:
    session = podpy.ok("exec", "-d", running, "sh", "-c", "until [ -e /go ]; do sleep 0.02; done")
    assert podpy.json("inspect", running)[0]["ExecIDs"] == [session]
    podpy.ok("exec", running, "touch", "/go")
    wait.until(lambda: not podpy.json("inspect", running)[0]["ExecIDs"], what="the session's end")


def test_a_command_with_a_terminal_whose_podpy_was_killed_is_still_seen(podpy: Podpy, running: str) -> None:
    process = podpy.popen("exec", "-t", running, "sh", "-c", "until [ -e /go ]; do sleep 0.02; done")
    wait.until(lambda: "until" in podpy.ok("top", running, "args"), what="it runs")
    (session,) = podpy.json("inspect", running)[0]["ExecIDs"]
    process.kill()
    process.wait(60)
    assert podpy.json("inspect", running)[0]["ExecIDs"] == [session]
    podpy.ok("exec", running, "touch", "/go")
    wait.until(lambda: not podpy.json("inspect", running)[0]["ExecIDs"], what="the session's end")


def test_a_command_whose_podpy_was_killed_runs_on_and_is_seen_until_its_end(podpy: Podpy, running: str) -> None:
    out = podpy.home / "out"
    with out.open("wb") as file:
        script = "echo first; until [ -e /go ]; do sleep 0.02; done; echo last"
        process = podpy.popen("exec", running, "sh", "-c", script, stdout=file)
    wait.until(lambda: "first" in out.read_text(), what="it runs")
    (session,) = podpy.json("inspect", running)[0]["ExecIDs"]
    (file,) = podpy.runroot.glob(f"containers/*/exec/{session}")
    wait.until(lambda: json.loads(file.read_text())["pid"] != process.pid, what="it is noted whose process it is")
    process.kill()
    process.wait(60)
    assert podpy.json("inspect", running)[0]["ExecIDs"] == [session]
    podpy.ok("exec", running, "touch", "/go")
    wait.until(lambda: not podpy.json("inspect", running)[0]["ExecIDs"], what="the session's end")
    assert out.read_text() == "first\nlast\n"
    (directory,) = podpy.runroot.glob("containers/*/exec")
    assert os.listdir(directory) == []


def test_a_session_whose_call_is_about_to_tell_its_end_is_left_to_it(tmp_path: Path) -> None:
    """Else who looks meanwhile takes away what the runtime has logged, and with it the exit code 126 or 127."""
    from podpy import pids
    from podpy.libpod.io.exec import ExecSession, sessions

    ended = subprocess.Popen(["true"])
    ended.wait()
    session = ExecSession(id="a" * 64, container_id="c", command=["true"], pid=ended.pid, pid_start=1)
    session = session.replace(call=os.getpid(), call_start=pids.start_time(os.getpid()))
    (tmp_path / "exec").mkdir()
    (tmp_path / "exec" / session.id).write_text(json.dumps(session.as_dict()))
    container = SimpleNamespace(id="c", engine=SimpleNamespace(run_directory=lambda _: str(tmp_path)))
    assert sessions(container) == [session]  # type: ignore[arg-type]
