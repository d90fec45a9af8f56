"""`podpy logs`."""

from __future__ import annotations

import subprocess

import pytest

from tests.support import wait
from tests.support.engine import Podpy, shared_directory


def run(podpy: Podpy, image: str, script: str, *options: str, name: str = "c") -> None:
    """Run a script in a container that is kept."""
    podpy.ok("run", "-d", f"--name={name}", "--network=none", *options, image, "sh", "-c", script)


def ended(podpy: Podpy, name: str = "c") -> None:
    """Wait until the container has ended."""
    podpy.ok("wait", name)


@pytest.mark.parametrize("driver", ["k8s-file", "json-file"])
def test_stdout_and_stderr_come_back_where_they_were_written(podpy: Podpy, busybox: str, driver: str) -> None:
    run(podpy, busybox, "echo one; echo two >&2; printf three", f"--log-driver={driver}")
    ended(podpy)
    result = podpy("logs", "c")
    assert result.stdout.removesuffix("\n") == "one\nthree"
    assert result.stderr == "two\n"


def test_tail(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "seq 1 5000")
    ended(podpy)
    assert podpy.ok("logs", "--tail", "3", "c") == "4998\n4999\n5000"
    assert podpy.ok("logs", "--tail", "0", "c") == ""
    assert len(podpy.ok("logs", "c").split()) == 5000


def test_follow_ends_with_the_container_and_misses_nothing(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "for i in $(seq 1 200); do echo line $i; [ $((i % 50)) = 0 ] && sleep 0.1; done; echo last")
    following = podpy.popen("logs", "-f", "c", stdout=subprocess.PIPE)
    out, _ = following.communicate(timeout=60)
    assert out.decode().splitlines() == [*(f"line {i}" for i in range(1, 201)), "last"]
    assert following.returncode == 0


def test_follow_shows_lines_as_they_come(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "echo first; cat >/dev/null; sleep 300", "-i")
    following = podpy.popen("logs", "-f", "c", stdout=subprocess.PIPE)
    assert following.stdout is not None
    wait.for_text(following.stdout, b"first")
    assert following.poll() is None
    podpy.ok("rm", "-f", "-t0", "c")
    assert following.wait(60) == 0


def test_rotated_files_are_read_in_order(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "seq 1 2000", "--log-opt=max-size=20k", "--log-opt=max-file=10")
    ended(podpy)
    assert podpy.ok("logs", "c").split() == [str(n) for n in range(1, 2001)]
    assert podpy.ok("logs", "--tail=1500", "c").split() == [str(n) for n in range(501, 2001)]


def test_timestamps_since_and_until(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "echo early; sleep 1.2; echo late")
    ended(podpy)
    first, last = podpy.ok("logs", "-t", "c").splitlines()
    assert first.endswith(" early")
    time = last.split(" ")[0]
    assert podpy.ok("logs", "--since", time, "c") == "late"
    assert podpy.ok("logs", "--until", first.split(" ")[0], "c") == "early"
    assert podpy.ok("logs", "--since", "1h", "c").splitlines() == ["early", "late"]
    podpy("logs", "--since", "yesterday-ish", "c").fails(125, "yesterday-ish")


def test_several_containers_with_names(podpy: Podpy, busybox: str) -> None:
    for name in ("a", "b"):
        run(podpy, busybox, f"echo from {name}", name=name)
        ended(podpy, name)
    assert podpy.ok("logs", "-n", "a", "b").splitlines() == ["a from a", "b from b"]


def test_several_logs_are_one_in_the_order_of_time(podpy: Podpy, busybox: str) -> None:
    gate = shared_directory(podpy)
    script = "echo $0 first; until [ -e /gate/$0 ]; do sleep 0.02; done; printf '%s mid' $0; sleep 0.1; echo dle"
    for name in ("a", "b"):
        options = ["-d", f"--name={name}", "--network=none", f"--volume={gate}:/gate", busybox]
        podpy.ok("run", *options, "sh", "-c", script, name)
        wait.until(lambda name=name: "first" in podpy.ok("logs", name), what=f"{name} is read")
    for name in ("b", "a"):
        (gate / name).touch()
        ended(podpy, name)
    expected = ["a a first", "b b first", "b b middle", "a a middle"]
    assert podpy.ok("logs", "-n", "b", "a").splitlines() == expected
    assert podpy.ok("logs", "-n", "--tail=1", "a", "b").splitlines() == expected[2:]


def test_without_a_log_there_is_an_error_that_says_so(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "echo x", "--log-driver=none")
    podpy("logs", "c").fails(125, "none", "cannot read logs")


def test_a_very_long_line_is_one_line(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end")
    ended(podpy)
    long, end = podpy.ok("logs", "c").splitlines()
    assert (len(long), end) == (100000, "end")
    assert podpy.ok("logs", "--tail=2", "c").splitlines() == [long, "end"]


def test_a_carriage_return_is_text(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, r"printf '10%%\r20%%\r30%%\n'")
    ended(podpy)
    for words in (["logs", "c"], ["logs", "--tail", "1", "c"]):
        assert podpy.run(podpy.command(*words)).stdout == "10%\r20%\r30%\n"


def test_follow_of_what_does_not_run_ends(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", busybox, "sh", "-c", "echo here")
    assert podpy.ok("logs", "-f", "c") == ""
    podpy.ok("start", "-a", "c")
    assert podpy.ok("logs", "-f", "c") == "here"


def test_follow_ends_at_until(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "echo here; sleep 300")
    wait.until(lambda: podpy.ok("logs", "c") == "here", what="the line")
    assert podpy.ok("logs", "-f", "--until=1s", "c") == "here"


def test_follow_misses_and_repeats_nothing_when_files_are_rotated_faster_than_they_are_read(
    podpy: Podpy, busybox: str
) -> None:
    script = "sleep 1; seq 1 20000"
    run(podpy, busybox, script, "--log-opt=max-size=20k", "--log-opt=max-file=200")
    following = podpy.popen("logs", "-f", "c", stdout=subprocess.PIPE)
    out, _ = following.communicate(timeout=60)
    numbers = [int(line) for line in out.split()]
    is_whole = numbers == list(range(1, 20001))  # a bool: nobody wants to read 20,000 numbers that differ
    assert is_whole, f"{len(numbers)} lines"
    is_the_same = podpy.ok("logs", "c").split() == out.decode().split()
    assert is_the_same


def test_follow_ends_if_the_monitor_was_killed(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "echo here; sleep 300")
    wait.until(lambda: podpy.ok("logs", "c") == "here", what="the line")
    following = podpy.popen("logs", "-f", "c", stdout=subprocess.PIPE)
    assert following.stdout is not None
    wait.for_text(following.stdout, b"here")
    podpy.run(["kill", "-9", str(podpy.json("inspect", "c")[0]["State"]["ConmonPid"])]).ok()
    assert following.wait(60) == 0
    podpy.ok("rm", "-f", "-t0", "c")


@pytest.mark.parametrize("text", ["2024-01-02T10:00+xx", "2024-01-02T10:00:00.x", "1.2.3s", ".s", "soon"])
def test_a_time_that_is_none(podpy: Podpy, busybox: str, text: str) -> None:
    podpy.ok("create", "--name=c", busybox)
    result = podpy("logs", "--since", text, "c").fails(125, "unable to interpret time value", text)
    assert "bug" not in result.stderr


JOURNALCTL = """#!/bin/sh
say() {{ echo '{{"MESSAGE":"hello","PRIORITY":"6","__REALTIME_TIMESTAMP":"1700000000000000","__CURSOR":"last"}}'; }}
case " $* " in
*" --after-cursor=last "*) ;;
*" --follow "*) {follow}; exec sleep 1000 ;;
*) [ ! -e {gate}/go ] || say ;;
esac
"""


@pytest.mark.parametrize("follow", ["say", ":"], ids=["", "that journalctl has no time to tell"])
def test_follow_of_a_journal_ends_with_the_container(podpy: Podpy, busybox: str, follow: str) -> None:
    """With a journalctl of ours: a machine for tests has no journal."""
    directory = podpy.home / "bin"
    directory.mkdir(mode=0o755)
    gate = shared_directory(podpy)
    (directory / "journalctl").write_text(JOURNALCTL.format(follow=follow, gate=gate))
    (directory / "journalctl").chmod(0o755)
    path = {"PATH": f"{directory}:/usr/sbin:/usr/bin:/sbin:/bin"}
    script = "until [ -e /gate/go ]; do sleep 0.02; done"
    run(podpy, busybox, script, "--log-driver=journald", f"--volume={gate}:/gate")
    following = podpy.popen("logs", "-f", "c", env=path, stdout=subprocess.PIPE)
    wait.for_poll(following.pid)
    (gate / "go").touch()
    assert following.communicate(timeout=60)[0] == b"hello\n"
    assert podpy.ok("logs", "-f", "c", env=path) == "hello"
