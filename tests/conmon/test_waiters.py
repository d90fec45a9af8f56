"""Callers that connect while the container runs: told of the end, and the exit command only without their answer."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable

import pytest

from tests.conmon.harness import Conmon, descriptors
from tests.support import wait

Make = Callable[..., Conmon]
MOST = 8


@pytest.fixture
def conmon(container: Make) -> Conmon:
    """A monitor that takes waiters; its exit command leaves the file `ran`. Its container waits for a signal."""
    made = container("trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done")
    script = ["-c", f"touch {made.bundle}/ran"]
    made.start(
        "--runtime-run", "--waiters", f"--persist-dir={made.bundle}", "--restart=always", "--restart-delay=1",
        "--exit-command=/bin/sh", *(f"--exit-command-arg={word}" for word in script), attach=True,
    ).started()  # fmt: skip
    assert made.attached is not None
    assert made.attached.recv(100) == b"\x02ready\n"
    return made


def end(conmon: Conmon) -> None:
    """End the container, so that it isn't started again."""
    assert conmon.attached is not None
    conmon.attached.close()
    with (conmon.bundle / "ctl").open("w") as control:
        control.write("4 0 0\n")
    os.kill(conmon.container, signal.SIGTERM)


def code(waiter: socket.socket) -> object:
    """The exit code on a waiter's line."""
    return json.loads(waiter.recv(4096))["exit_code"]


def has_run(conmon: Conmon) -> bool:
    """Whether the exit command has run, after the monitor's end."""
    conmon.wait()
    return (conmon.bundle / "ran").exists()


def test_one_that_answers_has_cleaned_up(conmon: Conmon) -> None:
    with conmon.waits() as waiter:
        end(conmon)
        assert code(waiter) == 4
        assert (conmon.exits / conmon.id).read_text() == "4"
        assert not (conmon.bundle / "ran").exists()
        waiter.send(b"\n")
        assert not has_run(conmon)


@pytest.mark.parametrize("told", [False, True])
def test_one_that_dies_leaves_it_to_the_exit_command(conmon: Conmon, told: bool) -> None:
    with conmon.waits() as waiter:
        if told:
            end(conmon)
            assert code(waiter) == 4
    if not told:
        end(conmon)
    assert has_run(conmon)


def test_one_of_several_answers_and_the_others_arent_waited_for(conmon: Conmon) -> None:
    with conmon.waits() as first, conmon.waits() as second:
        end(conmon)
        assert code(first) == code(second) == 4
        second.send(b"\n")
        assert not has_run(conmon)
        assert first.recv(1) == b""


def test_all_that_may_answer_are_waited_for(conmon: Conmon) -> None:
    with conmon.waits() as waiter:
        with conmon.waits() as other:
            end(conmon)
            assert code(other) == 4
        assert code(waiter) == 4
        waiter.send(b"\n")
        assert not has_run(conmon)


def test_an_answer_before_the_line_is_none(conmon: Conmon) -> None:
    with conmon.waits() as waiter:
        waiter.send(b"\n")
        wait.until(lambda: unread(waiter) == 0, what="the byte was read")
        end(conmon)
        assert code(waiter) == 4
    assert has_run(conmon)


def unread(waiter: socket.socket) -> int:
    """How many bytes that it has sent its peer hasn't read: unix(7), SIOCOUTQ."""
    import fcntl
    import struct
    import termios

    (left,) = struct.unpack("i", fcntl.ioctl(waiter, termios.TIOCOUTQ, b"\0" * 4))
    return int(left)


def test_one_that_is_too_many_finds_the_exit_file(conmon: Conmon) -> None:
    waiters = [conmon.waits() for _ in range(MOST + 1)]
    assert waiters.pop().recv(1) == b""
    end(conmon)
    for waiter in waiters:
        assert code(waiter) == 4
        waiter.close()
    assert has_run(conmon)


def test_a_place_is_free_again(conmon: Conmon) -> None:
    for _ in range(3 * MOST):
        conmon.waits().close()
    with conmon.waits() as waiter:
        end(conmon)
        assert code(waiter) == 4


def test_those_who_left_take_no_place_while_the_monitor_is_busy(conmon: Conmon) -> None:
    os.kill(conmon.pid, signal.SIGSTOP)
    for _ in range(MOST):
        conmon.waits().close()
    with conmon.waits() as waiter:  # the last that the queue of the socket takes
        os.kill(conmon.pid, signal.SIGCONT)
        end(conmon)
        assert code(waiter) == 4


def test_a_signal_ends_the_wait_for_an_answer(conmon: Conmon) -> None:
    with conmon.waits() as waiter:
        end(conmon)
        assert code(waiter) == 4
        os.kill(conmon.pid, signal.SIGTERM)
        assert has_run(conmon)


def test_nobody_connects_after_the_end(conmon: Conmon) -> None:
    with conmon.waits() as waiter:
        end(conmon)
        assert code(waiter) == 4
        with pytest.raises(ConnectionRefusedError):
            conmon.waits()


def test_the_container_gets_no_waiter(conmon: Conmon) -> None:
    with conmon.waits():
        assert not descriptors(conmon.container)
        end(conmon)
    conmon.wait()


def test_without_the_option_there_is_no_socket(container: Make) -> None:
    conmon = container("true").start("--runtime-run").started().wait()
    assert not (conmon.bundle / "waiters").exists()
