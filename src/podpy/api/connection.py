"""One request of a connection, and its answer. h11 reads what comes and frames what goes: there is no second parser.

A client that sends its head or a JSON body too slowly, or too much of it, gets an error and loses its connection. A
client that goes away shows as BrokenPipeError or ConnectionResetError where it is written to.
"""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from urllib.parse import unquote

import h11

from podpy import process
from podpy.api.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from socket import socket

    Headers = Sequence[tuple[str, str]]

_HEAD_LIMIT = 64 << 10  # bytes of a request line with all headers
_HEAD_TIMEOUT = 30.0  # seconds for a head, and for a body that is read as a whole
_PIECE = 64 << 10
_BODY_LEFT = 256 << 10  # bytes of an unread body that are read so that the connection can go on
_MOST_DISCARDED = 64 << 20  # bytes of a body that is too large: a client hears of it only when it has sent it
_LIBPOD = re.compile(r"(/v[\d.]+)?/libpod/")
_HIJACKED = "application/vnd.docker.raw-stream"


class Request:
    """A request's head. `path` is decoded, `query` isn't; the names in `headers` are in lower case."""

    def __init__(self, method: str, target: str, headers: dict[str, str]) -> None:
        self.method = method
        path, _, self.query = target.partition("?")
        self.path = unquote(path)
        self.target = target
        self.headers = headers

    @property
    def is_libpod(self) -> bool:
        """Whether the path is one of Podman's own."""
        return _LIBPOD.match(self.path) is not None

    @property
    def wants_upgrade(self) -> bool:
        """Whether the client asks for another protocol: for Docker's hijacked streams it is `tcp`."""
        return "upgrade" in self.headers and "upgrade" in self.headers.get("connection", "").lower()


class Connection:
    """A client's connection, for one request. `common`: headers that every answer has."""

    def __init__(self, socket: socket) -> None:
        self.socket = socket
        self.common: list[tuple[str, str]] = []
        self.is_begun = False  # a status was sent
        self._is_taken = False  # hijacked, or another process reads the body
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)
        self._is_head = False

    @property
    def may_go_on(self) -> bool:
        """Whether another request may follow on this connection."""
        if self._is_taken:
            return False
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.SEND_BODY:
            self._skip_body()
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        return done and not self._h11.trailing_data[0]

    def read_request(self) -> Request | None:
        """Return the next request, or None if the client has none. Raises HttpError for what is no HTTP."""
        self.socket.settimeout(_HEAD_TIMEOUT)
        try:
            event = self._next()
        except (TimeoutError, ConnectionResetError):
            return None
        except h11.RemoteProtocolError as error:
            raise HttpError(error.error_status_hint, f"{HTTPStatus(error.error_status_hint).phrase}: {error}") from None
        if not isinstance(event, h11.Request):
            return None
        method, target = event.method.decode("ascii"), event.target.decode("ascii", "replace")
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
        self._is_head = method == "HEAD"
        self.socket.settimeout(None)
        return Request(method, target, headers)

    def _next(self) -> object:
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                if self._h11.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                self._h11.receive_data(self.socket.recv(_PIECE))
                continue
            return event

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives. Raises HttpError if it isn't what its head says."""
        while self._h11.their_state is h11.SEND_BODY:
            try:
                event = self._next()
            except h11.RemoteProtocolError as error:
                raise HttpError(400, f"bad request body: {error}") from None
            except TimeoutError:
                raise HttpError(408, "the request's body didn't arrive in time") from None
            if isinstance(event, h11.Data):
                yield bytes(event.data)

    def read_body(self, limit: int) -> bytes:
        """Return the whole body. Raises HttpError for one larger than `limit` bytes: a part of it would be no use."""
        self.socket.settimeout(_HEAD_TIMEOUT)
        found, size = bytearray(), 0
        for piece in self.pieces():
            size += len(piece)
            if size <= limit:
                found += piece
            elif size > _MOST_DISCARDED:
                self._is_taken = True
                break
        self.socket.settimeout(None)
        if size > limit:
            raise HttpError(413, f"the request's body is larger than {limit} bytes")
        return bytes(found)

    def body_pipe(self) -> int:
        """Return a pipe from which the body can be read as it arrives, written by a process of its own.

        The connection ends with this request: only that process knows how far the body was read.
        """
        reading, writing = process.pipe()
        self._is_taken = True

        def copy() -> None:
            is_read = True
            for piece in self.pieces():
                try:
                    while is_read and piece:
                        piece = piece[os.write(writing, piece) :]
                except BrokenPipeError:
                    is_read = False  # nobody needs more; a client hears of the answer when it has sent all

        process.in_background(copy, keep=(writing, self.socket.fileno()))
        os.close(writing)
        return reading

    def _skip_body(self) -> None:
        left = _BODY_LEFT
        self.socket.settimeout(_HEAD_TIMEOUT)
        try:
            for piece in self.pieces():
                left -= len(piece)
                if left < 0:
                    return
        except (HttpError, OSError):
            self._is_taken = True
        else:
            self.socket.settimeout(None)

    # Answers

    def answer(self, status: int, body: bytes = b"", headers: Headers = ()) -> None:
        """Send a whole answer."""
        has_body = status not in (204, 304)
        sized = [*headers, *([("Content-Length", str(len(body)))] if has_body else [])]
        data = self._response(status, sized)
        if body and has_body and not self._is_head:
            data += self._h11.send(h11.Data(data=body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        self.socket.sendall(data)

    def begin(self, status: int = 200, headers: Headers = ()) -> None:
        """Send the head of an answer whose body follows by `write`, and ends by `end`."""
        self.socket.sendall(self._response(status, headers))

    def write(self, data: bytes) -> None:
        """Send a piece of the body. Raises BrokenPipeError, ConnectionResetError if the client has gone."""
        if data and not self._is_head:
            self._send(h11.Data(data=data))

    def end(self) -> None:
        """End the body."""
        self._send(h11.EndOfMessage())

    def hijack(self, content_type: str, *, upgrade: bool, common: bool = False) -> tuple[int, bytes]:
        """Send the head of Docker's hijacked stream; return the connection's descriptor, and what the client has
        already sent. From now on both sides send what they like until they close.
        """
        self._is_taken = self.is_begun = True
        early = self._early()
        more = "".join(f"{name}: {value}\r\n" for name, value in (self.common if common else ()) if name != "Date")
        if upgrade:
            start, end = "HTTP/1.1 101 UPGRADED", "Connection: Upgrade\r\nUpgrade: tcp\r\n"
        else:
            start, end = "HTTP/1.1 200 OK", ""
        self.socket.sendall(f"{start}\r\nContent-Type: {content_type}\r\n{end}{more}\r\n".encode("latin-1"))
        return self.socket.fileno(), early

    def upgrade(self, protocol: str) -> bytes:
        """Send the head of a connection that speaks another protocol from now on; return what has already arrived."""
        self._is_taken = self.is_begun = True
        early = self._early()
        head = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"
        self.socket.sendall(head.encode("ascii"))
        return early

    def refuse_hijacked(self, status: int, message: str) -> None:
        """Answer with an error as dockerd does it once it has taken a connection over: plain text, and the end."""
        self._is_taken = self.is_begun = True
        phrase = HTTPStatus(status).phrase
        head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {_HIJACKED}\r\n\r\n"
        self.socket.sendall(head.encode() + message.encode("utf-8", "surrogateescape") + b"\r\n")

    def _early(self) -> bytes:
        for _ in self.pieces():  # a hijacking request has no body worth reading
            pass
        return bytes(self._h11.trailing_data[0])

    def _response(self, status: int, headers: Headers) -> bytes:
        self.is_begun = True
        closing = [("Connection", "close")] if self._is_taken else []
        pairs = [
            (name.encode(), value.encode("utf-8", "replace")) for name, value in (*headers, *closing, *self.common)
        ]
        phrase = HTTPStatus(status).phrase.encode()
        return self._h11.send(h11.Response(status_code=status, headers=pairs, reason=phrase)) or b""

    def _send(self, event: h11.Event) -> None:
        data = self._h11.send(event)
        if data:
            self.socket.sendall(data)
