"""Attach clients, stdin and terminals."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable

from tests.conmon.harness import Conmon, Reading, read_all
from tests.support import wait

Make = Callable[..., Conmon]
BIG = 8_000_000
UNTIL_GO = "until [ -e /tmp/go ]; do sleep 0.02; done"
FLOOD = "yes " + 99 * "x"


def numbers(count: int) -> bytes:
    """What `seq 1 COUNT` prints."""
    return b"".join(b"%d\n" % n for n in range(1, count + 1))


def started_by_stdin(container: Make, command: str, *options: str) -> tuple[Conmon, socket.socket]:
    """A container that waits for a line before `command`, and the client that can write it."""
    conmon = container(f"read go; {command}").start("--runtime-run", "--stdin", *options, attach=True).started()
    assert conmon.attached is not None
    return conmon, conmon.attached


def test_several_clients_get_the_same_bytes(container: Make) -> None:
    conmon, own = started_by_stdin(container, "seq 1 300000; echo err >&2")
    readers = [Reading(conmon.attach()) for _ in range(3)] + [Reading(own)]
    own.send(b"go\n")
    for reader in readers:
        assert reader.result() == {2: numbers(300000), 3: b"err\n"}
    assert conmon.exit_code() == "0"
    assert conmon.log_text("stdout") == numbers(300000)


def test_packets_are_never_larger_than_a_podman_client_takes(container: Make) -> None:
    conmon, own = started_by_stdin(container, "seq 1 50000")
    own.send(b"go\n")
    own.settimeout(wait.PATIENCE)
    while packet := own.recv(100_000):
        assert len(packet) <= 8193
    assert conmon.exit_code() == "0"


def test_a_slow_reader_loses_nothing(container: Make) -> None:
    """It reads 50 packets a burst; the container must not run away from it."""
    conmon, own = started_by_stdin(container, f"{FLOOD} | head -c {BIG}")
    slow = conmon.attach()
    reader = Reading(own)
    own.send(b"go\n")
    total = 0
    for n, packet in enumerate(iter(lambda: slow.recv(8193), b"")):
        total += len(packet) - 1
        if n % 50 == 0:
            time.sleep(0.02)
    assert total == BIG
    assert len(reader.result()[2]) == BIG
    assert conmon.exit_code() == "0"


def test_a_client_that_reads_nothing_is_cut_off_and_the_container_goes_on(container: Make) -> None:
    conmon, own = started_by_stdin(container, f"{FLOOD} | head -c {BIG}", "--attach-stall-limit", "1")
    stuck = conmon.attach()
    reader = Reading(own)
    own.send(b"go\n")
    assert len(reader.result()[2]) == BIG
    assert conmon.exit_code() == "0"
    assert len(conmon.log_text("stdout")) == BIG
    assert 0 < len(read_all(stuck)[2]) < BIG


def test_a_client_that_pauses_briefly_gets_all_without_holding_the_container_up(container: Make) -> None:
    conmon, own = started_by_stdin(container, f"{FLOOD} | head -c 3000000; echo done >&2; cat")
    paused = conmon.attach()
    own.send(b"go\n")
    got = b""
    while b"\x03done\n" not in got[-6:]:
        got = own.recv(8193)
    own.shutdown(socket.SHUT_WR)
    assert len(read_all(paused)[2]) == 3000000
    assert conmon.exit_code() == "0"


def test_the_callers_own_client_is_waited_for(container: Make) -> None:
    """Like a pipe into a pager: nothing is read for longer than the limit, and nothing is lost."""
    conmon, own = started_by_stdin(container, f"{FLOOD} | head -c {BIG}", "--attach-stall-limit", "0")
    own.send(b"go\n")
    select.select([], [], [], 1.0)
    assert len(read_all(own)[2]) == BIG
    assert conmon.exit_code() == "0"


def test_the_exit_file_does_not_wait_for_a_client_that_is_behind(container: Make) -> None:
    conmon, own = started_by_stdin(container, f"{FLOOD} | dd bs=60000 count=2 iflag=fullblock 2>/dev/null; exit 3")
    own.send(b"go\n")
    assert conmon.wait_for_exit_file() == "3"
    assert len(read_all(own)[2]) == 120000


def test_a_client_that_dies_does_not_matter(container: Make) -> None:
    conmon, own = started_by_stdin(container, f"{FLOOD} | head -c {BIG}")
    conmon.attach().close()
    dying = conmon.attach()
    reader = Reading(own)
    own.send(b"go\n")
    dying.recv(8193)
    dying.close()
    assert len(reader.result()[2]) == BIG
    assert conmon.exit_code() == "0"


def test_when_the_callers_client_dies_the_container_goes_on(container: Make) -> None:
    conmon, own = started_by_stdin(container, f"{FLOOD} | head -c {BIG}; exit 8")
    own.send(b"go\n")
    own.recv(8193)
    own.close()
    assert conmon.exit_code() == "8"
    assert len(conmon.log_text("stdout")) == BIG


def test_a_hundred_megabytes_through_cat(container: Make) -> None:
    conmon = container(["cat"]).start("--runtime-run", "--stdin", log="none", attach=True).started()
    own = conmon.attached
    assert own is not None
    block = os.urandom(32768)
    count = 3200
    sent, received = hashlib.sha256(), hashlib.sha256()

    def send() -> None:
        for _ in range(count):
            own.send(block)
            sent.update(block)
        own.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    buffer = memoryview(bytearray(8193))
    own.settimeout(wait.PATIENCE)
    while n := own.recv_into(buffer):
        received.update(buffer[1:n])
    sender.join()
    assert received.digest() == sent.digest()
    assert conmon.exit_code() == "0"


def test_input_is_not_lost_when_the_client_closes_right_behind_it(container: Make) -> None:
    conmon = container("sleep 0.3; cat").start("--runtime-run", "--stdin", attach=True).started()
    own = conmon.attached
    assert own is not None
    for _ in range(6):
        own.send(b"x" * 32768)
    own.close()
    conmon.attached = None
    assert conmon.exit_code() == "0"
    assert len(conmon.log_text("stdout")) == 6 * 32768


def test_input_that_nobody_reads_does_not_keep_the_monitor(container: Make) -> None:
    conmon = container(f"{UNTIL_GO}; exit 6").start("--runtime-run", "--stdin", attach=True).started()
    assert conmon.attached is not None
    for _ in range(6):
        conmon.attached.send(b"x" * 32768)
    (conmon.bundle / "rootfs/tmp/go").touch()
    assert conmon.exit_code() == "6"


def test_a_container_that_closes_its_stdin_is_no_problem(container: Make) -> None:
    conmon = (
        container(f"exec <&-; echo closed; {UNTIL_GO}; exit 2").start("--runtime-run", "--stdin", attach=True).started()
    )
    own = conmon.attached
    assert own is not None
    assert own.recv(8193) == b"\x02closed\n"
    for _ in range(20):
        own.send(b"x" * 32768)
    (conmon.bundle / "rootfs/tmp/go").touch()
    assert conmon.exit_code() == "2"


def test_the_last_client_that_leaves_closes_stdin(container: Make) -> None:
    conmon = container("cat; exit 5").start("--stdin").started()
    conmon.run_runtime("start", conmon.id)
    first, second = conmon.attach(), conmon.attach()
    first.send(b"one\n")
    assert second.recv(100) == b"\x02one\n"
    first.close()
    second.send(b"two\n")
    assert second.recv(100) == b"\x02two\n"
    second.close()
    assert conmon.exit_code() == "5"


def test_leave_stdin_open_keeps_it_open(container: Make) -> None:
    conmon = container("cat; exit 5").start("--stdin", "--leave-stdin-open").started()
    conmon.run_runtime("start", conmon.id)
    first = conmon.attach()
    first.send(b"one\n")
    assert first.recv(100) == b"\x02one\n"
    first.close()
    second = conmon.attach()
    second.send(b"two\n")
    assert second.recv(100) == b"\x02two\n"
    os.kill(conmon.container, signal.SIGKILL)
    assert conmon.exit_code() == "137"


def test_terminal_input_output_and_size(container: Make, runtime: str) -> None:
    # Two fifos and a socket have no common order: the new size is waited for.
    command = 'tty; stty size; read word; echo got $word; while [ "$(stty size)" = "33 77" ]; do :; done; stty size'
    conmon = container(f"{command}; exit 4", runtime=runtime, terminal=True).start("--terminal").started()
    client = conmon.attach()
    with (conmon.bundle / "ctl").open("w") as ctl:
        ctl.write("1 33 77\n")
    conmon.run_runtime("start", conmon.id)
    assert until(client, b"33 77\r\n").startswith(b"/dev/pts/0\r\n")
    with (conmon.bundle / "winsz").open("w") as winsz:
        winsz.write("44 88\n")
    client.send(b"word\n")
    assert b"got word\r\n44 88\r\n" in until(client, b"44 88\r\n")
    assert conmon.exit_code() == "4"
    assert not list(conmon.bundle.glob("console.*"))


def test_a_size_that_no_terminal_has_is_ignored(container: Make, runtime: str) -> None:
    conmon = container("stty size", runtime=runtime, terminal=True)
    conmon.start("--terminal", "--console-size", "33x77").started()
    client = conmon.attach()
    with (conmon.bundle / "ctl").open("w") as ctl:
        ctl.write("1 1001 80\n1 24 1001\n1 -1 80\n")
    conmon.run_runtime("start", conmon.id)
    assert until(client, b"\r\n") == b"33 77\r\n"


def test_the_largest_size(container: Make, runtime: str) -> None:
    conmon = container("stty size", runtime=runtime, terminal=True)
    conmon.start("--terminal", "--console-size", "1000x1000").started()
    client = conmon.attach()
    conmon.run_runtime("start", conmon.id)
    assert until(client, b"\r\n") == b"1000 1000\r\n"


def test_terminal_from_the_first_byte(container: Make) -> None:
    conmon = container("seq 1 20000", terminal=True).start("--runtime-run", "--terminal", attach=True).started()
    assert conmon.attached is not None
    assert read_all(conmon.attached)[2] == numbers(20000).replace(b"\n", b"\r\n")
    assert conmon.exit_code() == "0"


def test_a_client_that_leaves_a_terminal_can_come_back(container: Make) -> None:
    conmon = container("stty -echo; while read word; do echo got $word; done", terminal=True)
    conmon.start("--runtime-run", "--terminal", "--stdin").started()
    for word in (b"one", b"two"):
        client = conmon.attach()
        client.send(word + b"\n")
        until(client, b"got " + word + b"\r\n")
        client.shutdown(socket.SHUT_WR)
        client.close()


def until(client: socket.socket, text: bytes) -> bytes:
    """What stdout said until `text` came."""
    got = b""
    client.settimeout(wait.PATIENCE)
    while text not in got:
        packet = client.recv(8193)
        assert packet, got
        got += packet[1:]
    return got
