"""`-it`: terminals, window sizes, detaching and attaching again."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator

import pytest

from podpy.libpod.caller import Streams
from podpy.libpod.io.attach import AttachPump, seqpacket_pair
from tests.support import wait
from tests.support.engine import Podpy

DETACH = b"\x10\x11"  # ctrl-p ctrl-q


class Terminal:
    """A podpy command with a terminal of its own, which the test types into."""

    def __init__(self, podpy: Podpy, *args: str, rows: int = 30, columns: int = 90) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.process = podpy.popen(*args, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.stream = os.fdopen(os.dup(self.master), "rb", buffering=0)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size. This isn't podpy's controlling terminal, so the kernel's signal comes from us."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if self.process is not None:
            self.process.send_signal(signal.SIGWINCH)

    def type(self, data: bytes) -> None:
        """Type."""
        os.write(self.master, data)

    def expect(self, text: bytes) -> bytes:
        """Wait until `text` is shown; return all that was shown until then."""
        return wait.for_text(self.stream, text)

    def end(self) -> int:
        """Return the exit code once the command has ended."""
        assert self.process is not None
        return self.process.wait(60)

    def close(self) -> None:
        """Give the terminal back and end what still runs."""
        self.stream.close()
        os.close(self.master)
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """What a test puts here is closed at its end."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_a_shell_in_a_terminal(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    terminal = Terminal(podpy, "run", "-it", "--rm", "--network=none", busybox, "sh")
    terminals.append(terminal)
    terminal.expect(b"#")
    terminal.type(b"tty; stty size; exit 5\n")
    shown = terminal.expect(b"30 90")
    assert b"/dev/pts/0" in shown or b"/dev/console" in shown
    assert terminal.end() == 5


def test_the_window_size_follows(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"
    terminal = Terminal(podpy, "run", "-it", "--rm", "--name=c", "--network=none", busybox, "sh", "-c", script)
    terminals.append(terminal)
    terminal.expect(b"ready")
    terminal.resize(41, 123)
    terminal.expect(b"41 123")
    podpy.ok("kill", "c")
    assert terminal.end() == 137


SIZE_FROM_THE_FIRST = {
    "run": ["run", "-it", "--rm", "--network=none", "IMAGE", "stty", "size"],
    "start": ["start", "-ai", "ended"],
    "start of what is initialized": ["start", "-ai", "ready"],
}


@pytest.mark.parametrize("way", SIZE_FROM_THE_FIRST)
def test_the_first_process_sees_the_terminals_size(
    podpy: Podpy, busybox: str, terminals: list[Terminal], way: str
) -> None:
    if way.startswith("start"):
        name = SIZE_FROM_THE_FIRST[way][-1]
        podpy.ok("create", "-it", f"--name={name}", "--network=none", busybox, "stty", "size")
    for turn in range(10):
        rows, columns = 33 + turn, 101 - turn
        if way == "start of what is initialized":
            podpy.ok("init", "ready")
        args = [busybox if word == "IMAGE" else word for word in SIZE_FROM_THE_FIRST[way]]
        terminal = Terminal(podpy, *args, rows=rows, columns=columns)
        terminals.append(terminal)
        assert terminal.expect(b"\n") == b"%d %d\r\n" % (rows, columns)
        assert terminal.end() == 0


def test_the_runtime_is_told_the_size_of_a_commands_terminal(
    podpy: Podpy, busybox: str, terminals: list[Terminal]
) -> None:
    # What the first look of the command says isn't asked: crun sets the size while it already starts the command.
    podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "300")
    terminals.append(terminal := Terminal(podpy, "exec", "-it", "c", "sh", rows=33, columns=101))
    terminal.expect(b"#")
    (description,) = podpy.runroot.glob("containers/*/exec/*.d/process.json")
    assert json.loads(description.read_text())["consoleSize"] == {"height": 33, "width": 101}
    terminal.type(b"stty size; exit\n")
    terminal.expect(b"33 101")
    assert terminal.end() == 0
    podpy.ok("rm", "-f", "-t0", "c")


def test_a_terminal_without_input_has_the_callers_size(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(podpy, "run", "-t", "--rm", "--network=none", busybox, "stty", "size"))
    assert b"30 90" in terminal.expect(b"\n")
    assert terminal.end() == 0


def test_a_terminal_that_knows_no_size_is_no_error(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    for rows, columns, seen in ((0, 0, b"0 0"), (2000, 3000, b"1000 1000")):
        args = ("run", "-it", "--rm", "--network=none", busybox, "stty", "size")
        terminals.append(terminal := Terminal(podpy, *args, rows=rows, columns=columns))
        shown = terminal.expect(b"\n")
        assert seen in shown or not rows  # busybox's stty has no size 0 to tell
        terminal.end()


def test_ctrl_c_goes_to_the_container(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    terminal = Terminal(
        podpy,
        "run",
        "-it",
        "--rm",
        "--network=none",
        busybox,
        "sh",
        "-c",
        "trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done",
    )
    terminals.append(terminal)
    terminal.expect(b"ready")
    terminal.type(b"\x03")
    assert terminal.end() == 9


def test_detach_leaves_it_running_and_attach_comes_back(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    terminal = Terminal(podpy, "run", "-it", "--name=c", "--network=none", busybox, "sh")
    terminals.append(terminal)
    terminal.expect(b"#")
    terminal.type(b"before=yes\n")
    terminal.type(DETACH)
    assert terminal.end() == 0
    assert podpy.ok("inspect", "--format", "{{.State.Status}}", "c") == "running"
    again = Terminal(podpy, "attach", "c")
    terminals.append(again)
    again.type(b"\necho $before; exit 6\n")
    again.expect(b"yes")
    assert again.end() == 6
    wait.until(
        lambda: podpy.ok("inspect", "--format", "{{.State.Status}}", "c") == "exited", what="the container's end"
    )


def test_other_detach_keys(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    terminal = Terminal(podpy, "run", "-it", "--name=c", "--detach-keys=ctrl-x,x", "--network=none", busybox, "sh")
    terminals.append(terminal)
    terminal.expect(b"#")
    terminal.type(DETACH)
    terminal.type(b"\x18x")
    assert terminal.end() == 0
    podpy.ok("rm", "-f", "-t0", "c")
    podpy("run", "--detach-keys=nonsense", "--network=none", busybox, "true").fails(125, "detach-keys")


def test_detach_keys_of_containers_conf(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    own = podpy.home / ".config/containers/containers.conf"
    own.parent.mkdir(parents=True)
    own.write_text('[engine]\ndetach_keys = "ctrl-x"\n')
    terminal = Terminal(podpy, "run", "-it", "--name=c", "--network=none", busybox, "sh")
    terminals.append(terminal)
    terminal.expect(b"#")
    terminal.type(DETACH)
    terminal.type(b"\x18")
    assert terminal.end() == 0
    terminals.append(Terminal(podpy, "exec", "-it", "c", "sh"))
    terminals[-1].expect(b"#")
    terminals[-1].type(b"\x18")
    assert terminals[-1].end() == 0
    podpy.ok("rm", "-f", "-t0", "c")


def test_a_detached_rm_container_goes_when_it_ends(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    terminal = Terminal(podpy, "run", "-it", "--rm", "--name=c", "--network=none", busybox, "sh")
    terminals.append(terminal)
    terminal.expect(b"#")
    terminal.type(DETACH)
    assert terminal.end() == 0
    podpy.ok("kill", "c")
    wait.until(lambda: podpy.ok("ps", "-aq") == "", what="the removal of the container")


def test_exec_in_a_terminal(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "300")
    terminal = Terminal(podpy, "exec", "-it", "c", "sh")
    terminals.append(terminal)
    terminal.expect(b"#")
    terminal.type(b"stty size; exit 4\n")
    terminal.expect(b"30 90")
    assert terminal.end() == 4
    podpy.ok("rm", "-f", "-t0", "c")


def test_the_terminal_is_as_before_afterwards(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = podpy.popen(
        "run", "-it", "--rm", "--network=none", busybox, "true", stdin=slave, stdout=slave, stderr=subprocess.STDOUT
    )
    assert process.wait(60) == 0
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_signals_go_to_the_container_with_a_terminal_too(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    script = "trap 'exit 8' TERM; echo ready; while :; do sleep 0.05; done"
    terminal = Terminal(podpy, "run", "-it", "--rm", "--network=none", busybox, "sh", "-c", script)
    terminals.append(terminal)
    terminal.expect(b"ready")
    assert terminal.process is not None
    terminal.process.terminate()
    assert terminal.end() == 8


def test_the_terminal_is_as_before_when_podpy_is_ended(podpy: Podpy, busybox: str, terminals: list[Terminal]) -> None:
    options = ["-it", "--sig-proxy=false", "--name=c", "--network=none"]
    terminal = Terminal(podpy, "run", *options, busybox, "sh", "-c", "echo ready; sleep 300")
    terminals.append(terminal)
    terminal.expect(b"ready")
    assert not termios.tcgetattr(terminal.master)[3] & termios.ECHO
    assert terminal.process is not None
    terminal.process.terminate()
    assert terminal.end() == -signal.SIGTERM
    assert termios.tcgetattr(terminal.master)[3] & termios.ECHO
    podpy.ok("rm", "-f", "-t0", "c")


def test_input_that_is_not_blocking_ends_at_its_end_alone() -> None:
    """Another process that has the same pipe may read what both have been woken up for."""
    read, write = os.pipe2(os.O_NONBLOCK)
    ours, theirs = seqpacket_pair()
    pump = AttachPump(ours, Streams(read, -1, -1))
    assert not pump._read_input()  # there is nothing any more
    os.write(write, b"late")
    assert not pump._read_input()
    assert os.read(theirs, 100) == b"late"
    for descriptor in (read, write, ours, theirs):
        os.close(descriptor)
