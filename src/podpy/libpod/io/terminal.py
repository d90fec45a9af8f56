"""The caller's terminal and signals while a container is attached."""

from __future__ import annotations

import os

from podpy.libpod.io.attach import AttachPump

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any, Self

    from podpy.libpod.caller import Streams
    from podpy.libpod.io.attach import Output
else:
    import _signal as signal  # the C half: `signal` itself imports `enum`

# `--sig-proxy` passes on every signal that can be caught, except those that concern only this process, as in Podman:
# SIGURG, SIGPIPE, SIGCHLD, SIGWINCH and job control.
_NOT_FORWARDED = (
    signal.SIGKILL,
    signal.SIGSTOP,
    signal.SIGCHLD,
    signal.SIGPIPE,
    signal.SIGWINCH,
    signal.SIGURG,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


_SIZE_MAX = 1000  # conmon accepts at most so many rows and columns


class RawTerminal:
    """A context in which a terminal (-1: none) is in raw mode (termios(3), cfmakeraw).

    A signal that ends this process restores the terminal first: otherwise the shell would have no echo afterwards.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._saved: list[Any] | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        import termios

        if self._descriptor >= 0:
            self._saved = termios.tcgetattr(self._descriptor)
            termios.tcsetattr(self._descriptor, termios.TCSANOW, _raw(self._saved))
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) == signal.SIG_DFL:  # else it is passed on to the container
                    self._handlers[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._restore()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _restore(self) -> None:
        if self._saved is not None:
            import termios

            try:
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._saved)
            except termios.error:
                pass  # the terminal is gone

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _raw(attributes: list[Any]) -> list[Any]:
    import termios as t

    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = attributes
    iflag &= ~(t.IGNBRK | t.BRKINT | t.PARMRK | t.ISTRIP | t.INLCR | t.IGNCR | t.ICRNL | t.IXON)
    oflag &= ~t.OPOST
    cflag = cflag & ~(t.CSIZE | t.PARENB) | t.CS8
    lflag &= ~(t.ECHO | t.ECHONL | t.ICANON | t.ISIG | t.IEXTEN)
    characters = list(characters)
    characters[t.VMIN], characters[t.VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, characters]


class SignalForwarder:
    """A context in which this process's signals are passed on to `send`."""

    def __init__(self, send: Callable[[int], object]) -> None:
        self._send = send
        self._saved: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in signal.valid_signals():
            if number in _NOT_FORWARDED or signal.getsignal(number) is None:
                continue
            try:
                self._saved[number] = signal.signal(number, self._handle)
            except OSError:
                continue  # the two real-time signals that libc reserves
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._send(number)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._saved.items():
            signal.signal(number, handler)


def size_of(terminal: int) -> tuple[int, int] | None:
    """Return rows and columns of a terminal; None if it isn't one, or has no size."""
    try:
        size = os.get_terminal_size(terminal)
    except OSError:
        return None
    return (min(size.lines, _SIZE_MAX), min(size.columns, _SIZE_MAX)) if size.lines and size.columns else None


def set_size(pid: int, size: tuple[int, int]) -> None:
    """Set the size (rows, columns) of the terminal on a process's stdin. conmon's fifo wouldn't tell when it is set."""
    import fcntl
    import struct
    import termios

    try:
        terminal = os.open(f"/proc/{pid}/fd/0", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return  # the process has just ended; conmon's fifo sets the size then
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    except OSError:
        pass
    finally:
        os.close(terminal)


class WindowSize:
    """A context that sends our terminal's size to conmon's control fifo, at once and at each SIGWINCH."""

    def __init__(self, terminal: int, control_path: str) -> None:
        self._terminal = terminal
        self._control_path = control_path
        self._saved: Any = None

    def __enter__(self) -> Self:
        self._saved = signal.signal(signal.SIGWINCH, self._handle)
        self.send()
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.send()

    def send(self) -> None:
        """Write "1 ROWS COLUMNS" to the control fifo (conmon's protocol)."""
        size = size_of(self._terminal)
        if size is None:
            return
        try:
            # Never blocks: without a reader (conmon has ended) open fails with ENXIO; a full fifo drops the message.
            control = os.open(self._control_path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        try:
            os.write(control, "1 {} {}\n".format(*size).encode())
        except OSError:
            pass
        finally:
            os.close(control)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.signal(signal.SIGWINCH, self._saved)


def pump_streams(
    socket: int, streams: Streams, *, detach_keys: bytes, tty: bool, control: str, output: Output | None = None
) -> bool:
    """Pump between `streams` and an attach socket; return True if the user detached, False at the container's end.

    With `tty`, the caller's terminal is raw meanwhile (if it is stdin), and its size goes to conmon's fifo `control`.
    `output`: see AttachPump.
    """
    pump = AttachPump(socket, streams, detach_keys=detach_keys, output=output)
    terminal = streams.terminal if tty else -1
    if terminal < 0:
        return pump.run()
    with RawTerminal(terminal if terminal == streams.stdin else -1), WindowSize(terminal, control):
        return pump.run()
