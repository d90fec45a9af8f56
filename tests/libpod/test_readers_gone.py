"""A reader that goes away: `podpy run … | head -1`, `attach | grep -q`, a full disk behind `>`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.engine import Podpy, Result

FAST = "trap 'exit 0' TERM; while :; do echo x; done"
SLOW = "trap 'exit 0' TERM; while :; do echo x; sleep 0.05; done"
STUBBORN = "trap '' TERM; while :; do echo x; done"
BROKEN = "write /dev/stdout: broken pipe"


def first_line(podpy: Podpy, *args: str) -> Result:
    """Run podpy until its first line of output was read, and go away."""
    with podpy.popen(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        process.stdout.close()
        stderr = process.stderr.read().decode()
        return Result(list(args), process.wait(60), line.decode(), stderr)


@pytest.mark.parametrize("script", [FAST, SLOW, STUBBORN], ids=["fast", "slow", "stubborn"])
@pytest.mark.parametrize("options", [[], ["-t"], ["-i"]], ids=["plain", "terminal", "input"])
def test_a_container_with_rm_is_stopped_and_removed(
    podpy: Podpy, busybox: str, options: list[str], script: str
) -> None:
    how = ["--rm", "--network=none", "--stop-timeout=1", *options]
    result = first_line(podpy, "run", *how, busybox, "sh", "-c", script)
    assert result.stdout.strip() == "x"
    result.fails(126, "Error: attaching to container", BROKEN)
    assert result.stderr.count("\n") == 1
    assert podpy.ok("ps", "-aq") == ""


def test_its_stop_signal_is_sent(podpy: Podpy, busybox: str) -> None:
    script = "trap 'echo asked >/seen/how; exit' USR1; while :; do echo x; done"
    seen = podpy.home / "seen"
    seen.mkdir(mode=0o777)
    seen.chmod(0o777)
    how = ["--rm", "--network=none", "--stop-signal=USR1", "-v", f"{seen}:/seen"]
    first_line(podpy, "run", *how, busybox, "sh", "-c", script).fails(126, BROKEN)
    assert (seen / "how").read_text() == "asked\n"


@pytest.mark.parametrize("script", [FAST, SLOW], ids=["fast", "slow"])
def test_a_container_without_rm_runs_on_as_with_podman(podpy: Podpy, busybox: str, script: str) -> None:
    result = first_line(podpy, "run", "--name=c", "--network=none", busybox, "sh", "-c", script)
    result.fails(126, "Error: attaching to container", BROKEN, "still runs", "podpy stop c")
    assert podpy.ok("inspect", "--format", "{{.State.Status}}", "c") == "running"
    podpy.ok("stop", "c")
    assert podpy.ok("inspect", "--format", "{{.State.ExitCode}}", "c") == "0"


def test_a_container_that_was_attached_to_runs_on(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--rm", "--name=c", "--network=none", busybox, "sh", "-c", SLOW)
    first_line(podpy, "attach", "c").fails(125, "Error: attaching to container", BROKEN, "podpy stop c")
    first_line(podpy, "start", "-a", "c").fails(125, "Error: unable to start container", BROKEN)
    assert podpy.ok("inspect", "--format", "{{.State.Status}}", "c") == "running"
    podpy.ok("stop", "c")


def test_a_start_that_is_attached(podpy: Podpy, busybox: str) -> None:
    for name, options in (("keep", ["--name=keep"]), ("go", ["--name=go", "--rm"])):
        podpy.ok("create", *options, "--network=none", busybox, "sh", "-c", SLOW)
        first_line(podpy, "start", "-a", name).fails(125, "Error: unable to start container", BROKEN)
    assert podpy.ok("ps", "-a", "--format", "{{.Names}} {{.State}}") == "keep running"
    podpy.ok("stop", "keep")


def test_an_initialized_container_with_rm(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--rm", "--network=none", busybox, "sh", "-c", SLOW)
    podpy.ok("init", "c")
    first_line(podpy, "start", "-a", "c").fails(125, BROKEN)
    assert podpy.ok("ps", "-aq") == ""


def test_a_command_in_a_container_with_a_terminal(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "300")
    result = first_line(podpy, "exec", "-t", "c", "sh", "-c", SLOW)
    result.fails(125, "Error: ", BROKEN)
    podpy.ok("rm", "-f", "-t0", "c")


def test_a_full_disk_is_told_in_one_line(podpy: Podpy, busybox: str) -> None:
    with Path("/dev/full").open("wb") as full:
        how = ["run", "--rm", "--network=none", busybox, "sh", "-c", FAST]
        with podpy.popen(*how, stdout=full, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            told = process.stderr.read().decode()
    assert process.returncode == 126
    assert told.startswith("Error: attaching to container") and told.endswith(
        "write /dev/stdout: no space left on device\n"
    )
    assert podpy.ok("ps", "-aq") == ""


def test_a_reader_of_stderr_alone(podpy: Podpy, busybox: str) -> None:
    how = ["--rm", "--network=none", busybox, "sh", "-c", "trap 'exit 0' TERM; while :; do echo x >&2; done"]
    with podpy.popen("run", *how, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"x\n"
        process.stderr.close()
        assert process.wait(60) == 126
    assert podpy.ok("ps", "-aq") == ""


def test_a_log_has_a_limit_unless_it_is_asked_for_none(podpy: Podpy, busybox: str) -> None:
    writer = ["--rm", "--network=none", busybox, "seq", "1", "3000"]
    conf = podpy.home / "small.conf"
    conf.write_text("[containers]\nlog_size_max = 20000\n")
    conf.chmod(0o644)
    for options, env, rotated in (
        ([], {"CONTAINERS_CONF": f"{conf}"}, True),
        (["--log-opt=max-size=0"], {"CONTAINERS_CONF": f"{conf}"}, False),
        (["--log-opt=max-size=20k"], {}, True),
        ([], {}, False),
    ):
        log = podpy.home / f"log-{len(options)}-{len(env)}-{rotated}"
        podpy.ok("run", f"--log-opt=path={log}", *options, *writer, env=env)
        assert Path(f"{log}.1").exists() == rotated, (options, env)


def test_events_end_with_their_reader_though_nothing_happens(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "one")
    podpy.ok("volume", "create", "two")
    result = first_line(podpy, "events", "--since=1h")
    assert result.stdout.endswith("volume create one\n")
    assert result.returncode == 141


def test_who_waits_ends_with_the_reader_though_nothing_happens(podpy: Podpy, busybox: str) -> None:
    for name, driver in (("c", "k8s-file"), ("d", "json-file")):
        podpy.ok("run", "-d", f"--name={name}", f"--log-driver={driver}", "--network=none", busybox, "sleep", "1000")
    for words in (
        "wait c",
        "wait --exit-first-match c d",
        "wait --condition=paused c",
        "logs -f c",
        "logs -f c d",
        "stats --interval 1000 c",
        "stats --interval 1000 --format json c",
        "ps --watch 1000",
    ):
        with podpy.popen(*words.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert b"Error" not in process.stderr.read(), words
            assert process.wait(60) == 141, words


def test_output_that_finds_no_room_is_told_in_one_line_by_every_command(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "true")
    for words in (
        "--version",
        "run --help",
        "info",
        "ps -a",
        "inspect c",
        "images",
        "events --stream=false --since 1h",
        "stats --no-stream c",
        "wait c",
        "volume create v",
        "history localhost/busybox",
        "run --explain localhost/busybox",
    ):
        with (
            Path("/dev/full").open("wb") as full,
            podpy.popen(*words.split(), stdout=full, stderr=subprocess.PIPE) as end,
        ):
            assert end.stderr is not None
            assert end.stderr.read() == b"Error: standard output: No space left on device\n", words
        assert end.returncode == 125, words
