"""From the start of a container to its exit file."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.conmon.harness import Conmon, descriptors, read_all
from tests.support import wait

Make = Callable[..., Conmon]


def waiter_line(conmon: Conmon) -> dict[str, object]:
    """The line on the waiter socket."""
    assert conmon.waiter is not None
    conmon.waiter.settimeout(wait.PATIENCE)
    return dict(json.loads(conmon.waiter.recv(4096)))


def test_create_then_start_leaves_log_and_exit_code(container: Make, runtime: str) -> None:
    conmon = container("echo out; echo err >&2; exit 3", runtime=runtime).start().started()
    assert not conmon.log_path.read_bytes()
    started = conmon.run_runtime("start", conmon.id)
    assert started.returncode == 0, started.stderr
    assert conmon.exit_code() == "3"
    assert conmon.log_text("stdout") == b"out\n"
    assert conmon.log_text("stderr") == b"err\n"
    line = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[+-]\d\d:\d\d std(out|err) F (out|err)\n"
    assert re.fullmatch(rb"(%s){2}" % line, conmon.log_path.read_bytes())
    assert not list(conmon.exits.glob("*.new"))


def test_runtime_run_with_attach_and_waiter(container: Make, runtime: str) -> None:
    conmon = container("echo out; echo err >&2; exit 7", runtime=runtime)
    conmon.start("--runtime-run", attach=True, waiter=True).started()
    assert conmon.attached is not None
    assert read_all(conmon.attached) == {2: b"out\n", 3: b"err\n"}
    line = waiter_line(conmon)
    assert (line["exit_code"], line["oom_killed"], line["started"]) == (7, False, True)
    assert (conmon.exits / conmon.id).read_text() == "7"
    assert Path(f"/proc/{conmon.pid}").exists()
    assert conmon.waiter is not None
    conmon.waiter.send(b"x")
    conmon.wait()


def test_a_command_that_is_not_there_is_told_on_the_sync_pipe(container: Make, runtime: str) -> None:
    conmon = container(["nonesuch"], runtime=runtime)
    log = conmon.bundle / "oci.log"
    log.write_text('{"msg":"an old failure","level":"error"}\n')
    conmon.start("--runtime-run", f"--runtime-arg=--log={log}", "--runtime-arg=--log-format=json", waiter=True)
    report = conmon.report()
    assert report["data"] == -1
    assert "nonesuch" in report["message"]
    assert "not found" in report["message"]
    assert waiter_line(conmon)["started"] is False
    assert conmon.waiter is not None
    conmon.waiter.close()
    assert conmon.exit_code() == "none"


def test_without_a_log_the_runtimes_stderr_is_told(container: Make, runtime: str) -> None:
    conmon = container(["nonesuch"], runtime=runtime).start("--runtime-run")
    report = conmon.report()
    assert report["data"] == -1
    assert "nonesuch" in report["message"]


def test_death_by_signal_is_128_plus_n(container: Make) -> None:
    conmon = container("exec sleep 1000").start("--runtime-run").started()
    os.kill(conmon.container, signal.SIGKILL)
    assert conmon.exit_code() == "137"


def test_signals_to_the_monitor_go_to_the_container(container: Make) -> None:
    conmon = container("trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done")
    conmon.start("--runtime-run", attach=True).started()
    assert conmon.attached is not None
    assert conmon.attached.recv(100) == b"\x02ready\n"
    os.kill(conmon.pid, signal.SIGTERM)
    assert conmon.exit_code() == "42"


def test_a_container_that_ignores_a_units_end_is_killed(container: Make) -> None:
    conmon = container("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    conmon.start("--runtime-run", "--stop-timeout", "0", attach=True).started()
    assert conmon.attached is not None
    assert conmon.attached.recv(100) == b"\x02ready\n"
    os.kill(conmon.pid, signal.SIGTERM)
    assert conmon.exit_code() == "137"


def test_timeout_kills_and_says_that_the_code_is_unknown(container: Make) -> None:
    conmon = container("exec sleep 1000").start("--runtime-run", "--timeout", "1", waiter=True).started()
    line = waiter_line(conmon)
    assert (line["exit_code"], line["timed_out"]) == (-1, True)
    assert not Path(f"/proc/{conmon.container}").exists()
    assert conmon.waiter is not None
    conmon.waiter.close()
    assert conmon.exit_code() == "-1"


def exit_command(conmon: Conmon) -> list[str]:
    """Options for an exit command that leaves the file `ran` in the bundle."""
    script = f'cat {conmon.exits}/{conmon.id} > {conmon.bundle}/ran; echo "$@" >> {conmon.bundle}/ran'
    words = ["-c", script, "sh", "one", "two words"]
    return ["--exit-command", "/bin/sh", *(f"--exit-command-arg={word}" for word in words)]


def test_the_exit_command_runs_after_the_exit_file_is_there(container: Make) -> None:
    conmon = container("exit 4")
    conmon.start("--runtime-run", *exit_command(conmon)).started().wait()
    assert (conmon.bundle / "ran").read_text() == "4one two words\n"


def test_the_exit_command_does_not_run_when_the_waiter_acknowledges(container: Make) -> None:
    conmon = container("exit 4")
    conmon.start("--runtime-run", *exit_command(conmon), waiter=True).started()
    waiter_line(conmon)
    assert conmon.waiter is not None
    conmon.waiter.send(b"x")
    conmon.wait()
    assert not (conmon.bundle / "ran").exists()


def test_the_exit_command_runs_when_the_waiter_died_before_the_end(container: Make) -> None:
    conmon = container("cat; exit 4")
    conmon.start("--runtime-run", "--stdin", *exit_command(conmon), attach=True, waiter=True).started()
    assert conmon.waiter is not None and conmon.attached is not None
    conmon.waiter.close()
    conmon.attached.close()
    conmon.wait()
    assert (conmon.bundle / "ran").exists()


def test_the_exit_command_runs_when_the_waiter_dies_instead_of_acknowledging(container: Make) -> None:
    conmon = container("exit 4")
    conmon.start("--runtime-run", *exit_command(conmon), waiter=True).started()
    waiter_line(conmon)
    assert conmon.waiter is not None
    conmon.waiter.close()
    conmon.wait()
    assert (conmon.bundle / "ran").exists()


def test_exit_delay_comes_before_the_exit_command(container: Make) -> None:
    conmon = container("exit 0")
    conmon.start("--runtime-run", "--exit-delay", "1", *exit_command(conmon)).started()
    conmon.wait()
    ran, ended = (path.stat().st_mtime for path in (conmon.bundle / "ran", conmon.exits / conmon.id))
    assert ran - ended > 0.9


def test_a_caller_that_dies_before_the_start_byte_starts_nothing(container: Make) -> None:
    conmon = container("true").start("--runtime-run", start_byte=None)
    assert conmon.returncode == 1
    assert conmon.stderr == ""
    assert conmon.report()["data"] == -1
    assert not (conmon.bundle / "pidfile").exists()


def test_persist_dir_gets_the_exit_code_too(container: Make) -> None:
    conmon = container("exit 9")
    persist = conmon.bundle / "persist"
    persist.mkdir()
    conmon.start("--runtime-run", "--persist-dir", str(persist)).started().wait()
    assert (persist / "exit").read_text() == "9"


def test_files_are_unlinked_when_the_container_has_ended(container: Make) -> None:
    conmon = container("cat")
    file = conmon.bundle / "netns"
    file.touch()
    conmon.start("--runtime-run", "--stdin", "--unlink-on-exit", str(file), attach=True).started()
    assert file.exists()
    assert conmon.attached is not None
    conmon.attached.shutdown(1)
    assert conmon.exit_code() == "0"
    assert not file.exists()


def test_close_fds_leaves_nothing_of_the_callers_open(container: Make) -> None:
    reader, writer = os.pipe()
    conmon = container("exec sleep 1000")
    conmon.start("--runtime-run", "--close-fds", pass_fds=(writer,)).started()
    os.close(writer)
    readable, _, _ = select.select([reader], [], [], wait.PATIENCE)
    assert readable and os.read(reader, 1) == b""
    # The shell may hold something for a moment, before it becomes sleep.
    wait.until(lambda: descriptors(conmon.container) == [], what="the container has nothing but its stdio")
    assert {os.readlink(f"/proc/{conmon.pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}
    wait.until(lambda: os.readlink(f"/proc/{conmon.pid}/cwd") == "/", what="conmon has left the caller's directory")
    os.close(reader)


def test_without_it_inherited_descriptors_live_as_long_as_the_container(container: Make) -> None:
    """Podman ends slirp4netns that way."""
    reader, writer = os.pipe()
    conmon = container("exec sleep 1000").start(pass_fds=(writer,)).started()
    os.close(writer)
    conmon.run_runtime("start", conmon.id)
    assert not select.select([reader], [], [], 0.2)[0]
    os.kill(conmon.container, signal.SIGKILL)
    assert select.select([reader], [], [], wait.PATIENCE)[0]
    os.close(reader)


def test_preserved_descriptors_reach_the_container_only(container: Make, tmp_path: Path) -> None:
    """Descriptor 3 is the container's; conmon's own are wherever the caller put them."""
    reader, writer = os.pipe()
    held = [os.dup(reader) for _ in range(8)]  # so that nothing else becomes 3
    conmon = container("echo through >&3; sleep 1000")
    saved = os.dup(3)
    os.dup2(writer, 3)
    try:
        conmon.start("--runtime-run", "--close-fds", "--runtime-opt=--preserve-fds", "--runtime-opt=1", pass_fds=(3,))
    finally:
        os.dup2(saved, 3)
        for fd in (saved, writer, *held):
            os.close(fd)
    conmon.started()
    assert os.read(reader, 100) == b"through\n"
    own = os.readlink(f"/proc/self/fd/{reader}")
    assert own in descriptors(conmon.container)
    assert own not in descriptors(conmon.pid)
    os.close(reader)


def test_the_monitor_is_a_daemon(container: Make) -> None:
    conmon = container("exec sleep 1000").start("--runtime-run").started()
    assert os.getsid(conmon.pid) == conmon.pid != os.getsid(0)
    assert conmon.returncode == 0


def test_passthrough_pumps_nothing(container: Make) -> None:
    conmon = container("echo through; exit 6")
    conmon.start("--runtime-run", log="passthrough").started()
    assert conmon.exit_code() == "6"
    assert not (conmon.bundle / "attach").exists()


def test_seccomp_notify_is_refused(container: Make) -> None:
    conmon = container("true").start("--runtime-run", "--seccomp-notify-socket", "/x")
    assert conmon.returncode == 1
    assert "--seccomp-notify-socket" in conmon.stderr and "not supported" in conmon.stderr


def test_wrong_options_are_one_clear_line(container: Make) -> None:
    conmon = container("true")
    for options, text in (
        (["--nonesuch"], "Unknown option --nonesuch"), (["--timeout", "x"], "Cannot parse integer value 'x'"),
        (["--log-level", "loud"], "No such log level loud"), (["--log-path", "tape:/x"], "No such log driver tape"),
        (["--log-label", "a=b"], "uppercase"), (["--log-tag", "t"], "k8s-file doesn't support --log-tag"),
        (["--attach-fd", "77"], "--attach-fd 77"),
        (["--exec-attach"], "--attach specified but _OCI_ATTACHPIPE was not"),
        (["--log-path", "journald", "--log-label", "A=B=C"], "more than one '='"),
        (["--log-label", "=B"], "no LABEL present"),
        (["--log-max-files", "-1"], "must be non-negative"), (["--log-max-files", "2147483648"], "out of range"),
        (["--log-rotate", "--log-max-files", "0"], "must be at least 1 when log-rotate is enabled"),
        (["--console-size", "10"], "ROWSxCOLUMNS"), (["--console-size", "1001x5"], "ROWSxCOLUMNS"),
        (["--exec"], "Use --exec-process-spec"), (["-e", "--runtime-run", "--exec-process-spec", "x"], "--runtime-run"),
    ):  # fmt: skip
        conmon.start(*options)
        assert conmon.returncode == 1
        assert text in conmon.stderr and conmon.stderr.count("\n") == 1, (options, conmon.stderr)


def test_version_and_help(conmon_exe: Path) -> None:
    first, second = os.popen(f"{conmon_exe} --version").read().splitlines()
    assert first.startswith("conmon version 2.1.") and second.startswith("commit: podpy ")
    assert "--runtime-run" in os.popen(f"{conmon_exe} -h").read()


def test_the_attach_socket_goes_with_the_container(container: Make) -> None:
    conmon = container("true").start("--runtime-run").started()
    assert conmon.exit_code() == "0"
    assert not (conmon.bundle / "attach").exists()


def test_exec_tells_pid_and_exit_code(container: Make, runtime: str) -> None:
    conmon = container("exec sleep 1000", runtime=runtime).start("--runtime-run").started()
    session = start_exec(conmon, ["sh", "-c", "echo in; exit 5"])
    assert session.report()["data"] > 0
    assert session.report() == {"data": 5}
    assert session.report() == {}
    session.wait()
    assert session.log_text() == b"in\n"
    session.__exit__()


def test_exec_with_attach_waits_for_the_client(container: Make, runtime: str) -> None:
    conmon = container("exec sleep 1000", runtime=runtime).start("--runtime-run").started()
    session = start_exec(conmon, ["sh", "-c", "echo first; cat"], "--exec-attach", "--stdin", attach_pipe=True)
    assert json.loads(os.read(session.attach_pipe, 100)) == {"data": 0}
    client = session.attach()
    os.write(session.start_pipe, b"\0")
    client.send(b"typed")
    client.shutdown(1)
    assert read_all(client)[2] == b"first\ntyped"
    assert session.report()["data"] > 0
    assert session.report() == {"data": 0}
    session.__exit__()


def test_exec_of_what_is_not_there_is_told(container: Make, runtime: str) -> None:
    conmon = container("exec sleep 1000", runtime=runtime).start("--runtime-run").started()
    session = start_exec(conmon, ["nonesuch"])
    report = session.report()
    assert report["data"] == -1 and "nonesuch" in report["message"]
    session.wait()
    session.__exit__()


def start_exec(conmon: Conmon, args: list[str], *options: str, attach_pipe: bool = False) -> Conmon:
    """An exec session in a running container, in a directory of its own."""
    place = conmon.bundle / "session"
    place.mkdir()
    spec = {"args": args, "env": ["PATH=/bin"], "cwd": "/", "user": {"uid": 0, "gid": 0}}
    (place / "process.json").write_text(json.dumps(spec))
    session = Conmon(conmon.executable, conmon.runtime, place, conmon.id)
    session.joins = conmon.pid
    (place / "state").symlink_to(conmon.bundle / "state")
    session.start("-e", "--exec-process-spec", f"{place}/process.json", *options, attach_pipe=attach_pipe)
    session.runtime = shutil.which("true") or ""  # its end must not delete the container
    return session


def test_a_held_descriptor_stays_open_and_the_container_never_gets_it(container: Make, tmp_path: Path) -> None:
    held = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(held, True)
    conmon = container("ls -l /proc/self/fd; exec sleep 1000")
    conmon.start("--runtime-run", "--hold-fd", str(held), pass_fds=(held,)).started()
    os.close(held)
    wait.until(lambda: b"total" in conmon.log_text() and conmon.log_text().count(b"->") > 2, what="the list")
    assert str(tmp_path).encode() not in conmon.log_text()
    assert os.readlink(f"/proc/{conmon.pid}/fd/{held}") == str(tmp_path)


def test_a_descriptor_to_hold_that_isnt_open(container: Make) -> None:
    conmon = container("true").start("--hold-fd", "77")
    assert conmon.returncode == 1 and "--hold-fd 77" in conmon.stderr
