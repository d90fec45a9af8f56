"""The client's side of conmon's attach socket: terminal or pipes here, the container's streams there.

conmon's socket is SOCK_SEQPACKET. Each packet from it has one byte that names the stream (2: stdout, 3: stderr) and up
to 8,192 bytes of output. Each packet to it is a piece of stdin; shutting our side down ends stdin. Its end of file
means that the container has ended and all its output was sent.
"""

from __future__ import annotations

import errno
import os
import select

from podpy.errors import AttachError
from podpy.process import above_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.containers_conf import ContainersConf
    from podpy.libpod.caller import Streams

    Output = Callable[[int, bytes], object]  # 1: standard output, 2: standard error

_STDOUT, _STDERR = 2, 3
_PACKET = 8192


class DetachScanner:
    """Finds the detach keys in the input, also if they arrive in several reads."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._seen = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return the bytes to pass on to the container, and whether the keys are complete."""
        if not self._keys:
            return data, False
        out = bytearray()
        for byte in data:
            if byte == self._keys[self._seen]:
                self._seen += 1
                if self._seen == len(self._keys):
                    return bytes(out), True
                continue
            out += self._keys[: self._seen]
            self._seen = 1 if byte == self._keys[0] else 0
            if not self._seen:
                out.append(byte)
        return bytes(out), False


class AttachPump:
    """Moves bytes between `streams` and a connected attach socket until the container ends or the user detaches."""

    def __init__(
        self, socket: int, streams: Streams, *, detach_keys: bytes = b"", output: Output | None = None
    ) -> None:
        """`output` gets what the container writes, in place of the streams."""
        self._socket = socket
        self._streams = streams
        self._output = output
        self._scanner = DetachScanner(detach_keys if streams.stdin >= 0 and os.isatty(streams.stdin) else b"")
        self._pending = b""
        self._input_open = streams.stdin >= 0
        os.set_blocking(socket, False)

    def run(self) -> bool:
        """Pump. Return True if the user detached, False if the container closed its side.

        Raises AttachError if the caller's output can't be written any more.
        """
        poll = select.poll()
        while True:
            self._register(poll)
            for descriptor, events in poll.poll():
                if descriptor == self._socket:
                    if events & select.POLLOUT and self._pending:
                        self._flush()
                    if events & (select.POLLIN | select.POLLHUP | select.POLLERR) and not self._receive():
                        return False
                elif self._read_input():
                    return True

    def _register(self, poll: select.poll) -> None:
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._pending else 0))
        if self._input_open and not self._pending:
            poll.register(self._streams.stdin, select.POLLIN)
        elif self._streams.stdin >= 0:
            # Don't read stdin until the container has taken the last piece: that slows the sender down.
            _unregister(poll, self._streams.stdin)

    def _receive(self) -> bool:
        """Write out what has arrived; return False at the container's end."""
        for _ in range(64):  # many packets for one poll, but stdin must have its turn
            try:
                packet = os.read(self._socket, _PACKET + 1)
            except BlockingIOError:
                return True
            except ConnectionResetError:
                return False
            if not packet:
                return False
            name, target = ("stdout", self._streams.stdout)
            if packet[0] == _STDERR:
                name, target = ("stderr", self._streams.stderr)
            if self._output is not None:
                self._output(packet[0] - 1, packet[1:])
            elif target >= 0:
                self._pass_on(name, target, memoryview(packet)[1:])
        return True

    @staticmethod
    def _pass_on(name: str, target: int, data: memoryview) -> None:
        try:
            _write_all(target, data)
        except OSError as error:  # the pipe's reader is gone, the disk is full, the terminal was closed
            raise AttachError(f"write /dev/{name}: {(error.strerror or str(error)).lower()}") from error

    def _read_input(self) -> bool:
        """Read one piece of stdin; return True if the user typed the detach keys."""
        try:
            data = os.read(self._streams.stdin, _PACKET)
        except BlockingIOError:
            return False  # it is non-blocking, and another process with the same file has read the data
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""  # EIO: the terminal is gone
        if not data:
            self._input_open = False
            shut_down(self._socket, read=False)
            return False
        self._pending, detached = self._scanner.feed(data)
        if self._pending:
            self._flush()
        return detached

    def _flush(self) -> None:
        try:
            os.write(self._socket, self._pending)
            self._pending = b""
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self._pending, self._input_open = b"", False


def connect(path: str) -> int:
    """Return a descriptor connected to an attach socket (unix(7): a path over 107 bytes goes through /proc/self/fd)."""
    import _socket

    client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        client.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)
    return client.detach()


def seqpacket_pair() -> tuple[int, int]:
    """Return the two ends of a new SOCK_SEQPACKET connection, which a child can inherit."""
    import _socket

    return _pair(_socket.SOCK_SEQPACKET)


def stream_pair() -> tuple[int, int]:
    """Return the two ends of a new SOCK_STREAM connection, which a child can inherit."""
    import _socket

    return _pair(_socket.SOCK_STREAM)


def _pair(kind: int) -> tuple[int, int]:
    import _socket

    ours, theirs = _socket.socketpair(_socket.AF_UNIX, kind | _socket.SOCK_CLOEXEC)
    return above_streams((ours.detach(), theirs.detach()))


def parse_detach_keys(text: str) -> bytes:
    """Return the bytes of `--detach-keys`: characters or ctrl-X, comma-separated. Raises UsageError."""
    from podpy.errors import UsageError

    keys = bytearray()
    for key in text.split(",") if text else ():
        letter = key.removeprefix("ctrl-")
        if len(letter) != 1 or not letter.isascii():
            raise UsageError(
                f"--detach-keys {text}: {key!r} is no key", hint="Use ctrl-a … ctrl-z or single characters"
            )
        keys.append(ord(letter) if letter == key else ord(letter.upper()) & 0x1F)
    return bytes(keys)


def wanted_detach_keys(given: bytes | None, conf: ContainersConf) -> bytes:
    """Return the keys that the caller gave, else containers.conf's. Raises ConfigError."""
    if given is not None:
        return given
    from podpy.errors import ConfigError, UsageError

    try:
        return parse_detach_keys(conf.detach_keys)
    except UsageError as error:
        raise ConfigError(f"detach_keys in containers.conf: {error.message}", hint=error.hint) from error


def _unregister(poll: select.poll, descriptor: int) -> None:
    try:
        poll.unregister(descriptor)
    except KeyError:
        pass


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # the caller's stdout is a non-blocking pipe or terminal
            waiter = select.poll()
            waiter.register(descriptor, select.POLLOUT)
            waiter.poll()


def shut_down(descriptor: int, *, read: bool = True) -> None:
    """Shut a socket down, both ways or only for writing (shutdown(2)): the other side sees the end of file."""
    import _socket

    socket = _socket.socket(fileno=os.dup(descriptor))
    try:
        socket.shutdown(_socket.SHUT_RDWR if read else _socket.SHUT_WR)
    except OSError:
        pass  # the container has ended meanwhile
    finally:
        socket.close()
