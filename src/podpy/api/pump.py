"""Moves bytes between a hijacked connection and a container's or a command's streams, both ways at once.

Neither side waits for the other: a client that doesn't read stops the output, not the input, and the other way round.
"""

from __future__ import annotations

import os
import select

from podpy.libpod.io.attach import DetachScanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Decode = Callable[[bytes], bytes]

ENDED, GONE, DETACHED = "ended", "gone", "detached"
"""Why a pump has stopped: the streams ended, the client has closed, the client sent the detach keys."""

_PIECE = 32 << 10
_PIECE_IN = 8192  # bytes: the largest packet that conmon takes
_MOST_WAITING = 256 << 10  # bytes for a client that doesn't read; then the output must wait


class Input:
    """Where a client's bytes go; `close` ends it. -1: the client's bytes are left unread."""

    def __init__(self, descriptor: int, close: Callable[[], object]) -> None:
        self.descriptor = descriptor
        self.close = close


class Pump:
    """Moves bytes until the streams end, the client goes, or it sends the detach keys.

    `outputs`: descriptors to read, each with what makes of a piece the bytes for the client. `early`: what the client
    has sent already. `end`: a descriptor that is readable when the streams have ended although others hold them open.
    """

    def __init__(
        self,
        client: int,
        outputs: Mapping[int, Decode],
        stdin: Input | None,
        *,
        early: bytes = b"",
        keys: bytes = b"",
        end: int = -1,
    ) -> None:
        self._client = client
        self._outputs = dict(outputs)
        self._stdin = stdin
        self._scanner = DetachScanner(keys)
        self._out = bytearray()
        self._in = b""
        self._end = end
        for descriptor in (client, *self._outputs, *([stdin.descriptor] if stdin else [])):
            os.set_blocking(descriptor, False)
        self._is_detached = bool(early and stdin) and self._take(early)

    def run(self) -> str:
        """Pump, and return why it has stopped."""
        if self._is_detached:
            return DETACHED
        while True:
            for descriptor, events in self._poller().poll():
                stopped = self._see(descriptor, events)
                if stopped:
                    return stopped
            if not self._outputs:
                return self._flush()

    def drain(self) -> None:
        """Read what comes until the streams end, and pass it on to nobody: the client has gone."""
        self._close_stdin()
        self._out.clear()
        while self._outputs:
            poll = select.poll()
            for descriptor in (*self._outputs, *([self._end] if self._end >= 0 else [])):
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll():
                if descriptor == self._end:
                    return
                if descriptor in self._outputs:
                    self._receive(descriptor)
            self._out.clear()

    def _poller(self) -> select.poll:
        poll = select.poll()
        wants_input = self._stdin is not None and not self._in
        flags = (select.POLLIN if wants_input else 0) | (select.POLLOUT if self._out else 0)
        poll.register(self._client, flags)
        waits = len(self._out) >= _MOST_WAITING
        flags_of = dict.fromkeys(self._outputs, 0 if waits else select.POLLIN)
        if self._stdin is not None and self._in:
            flags_of[self._stdin.descriptor] = flags_of.get(self._stdin.descriptor, 0) | select.POLLOUT
        if self._end >= 0 and not waits:
            flags_of[self._end] = select.POLLIN
        for descriptor, wanted in flags_of.items():
            if wanted:
                poll.register(descriptor, wanted)
        return poll

    def _see(self, descriptor: int, events: int) -> str:
        """Do what a descriptor is ready for; return why the pump has stopped, or ""."""
        if descriptor == self._client:
            return self._see_client(events)
        if self._stdin is not None and descriptor == self._stdin.descriptor and self._in:
            self._write_in()
        if descriptor in self._outputs and events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            self._receive(descriptor)
        if descriptor == self._end:
            for each in [*self._outputs]:
                while each in self._outputs and self._receive(each):
                    pass
            self._outputs.clear()
        return ""

    def _see_client(self, events: int) -> str:
        if events & select.POLLOUT and not self._write_out():
            return GONE
        if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            if self._stdin is None:
                return GONE if events & (select.POLLHUP | select.POLLERR) else ""
            try:
                data = os.read(self._client, _PIECE)
            except BlockingIOError:
                return ""
            except OSError:
                return GONE
            if not data:
                self._close_stdin()
                return GONE if events & select.POLLHUP else ""
            return DETACHED if self._take(data) else ""
        return ""

    def _take(self, data: bytes) -> bool:
        """Pass a piece of input on; return whether it ended with the detach keys."""
        self._in, detached = self._scanner.feed(data)
        if self._in:
            self._write_in()
        return detached

    def _write_in(self) -> None:
        if self._stdin is None:
            return
        try:
            self._in = self._in[os.write(self._stdin.descriptor, self._in[:_PIECE_IN]) :]
        except BlockingIOError:
            pass
        except OSError:
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self._stdin is not None:
            self._in = b""
            self._stdin.close()
            self._stdin = None

    def _receive(self, descriptor: int) -> bool:
        """Take a piece of output; return whether there may be more."""
        try:
            data = os.read(descriptor, _PIECE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            del self._outputs[descriptor]
            return False
        self._out += self._outputs[descriptor](data)
        if len(self._out) < _PIECE:
            return True
        return self._write_out() or True

    def _write_out(self) -> bool:
        """Send what waits for the client; return whether it is still there."""
        try:
            sent = os.write(self._client, self._out)
        except BlockingIOError:
            return True
        except OSError:
            return False
        del self._out[:sent]
        return True

    def _flush(self) -> str:
        """Send the rest, for as long as the client takes it."""
        os.set_blocking(self._client, True)
        while self._out:
            if not self._write_out():
                return GONE
        return ENDED
