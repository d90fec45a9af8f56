"""gRPC on a stream of HTTP/2: messages with a head of five bytes, a status in the trailers (PROTOCOL-HTTP2)."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from urllib.parse import quote, unquote

from podpy.api.buildkit.http2 import Gone, Http2
from podpy.api.buildkit.messages import ERROR
from podpy.api.buildkit.wire import WireError, decode, encode
from podpy.api.errors import log_bug, message_of
from podpy.numbers import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from podpy.api.buildkit.http2 import Stream
    from podpy.api.buildkit.wire import Schema

    Handler = Callable[["Messages"], Awaitable[None]]

OK, UNKNOWN, INVALID, NOT_FOUND, UNIMPLEMENTED, INTERNAL, CANCELLED = 0, 2, 3, 5, 12, 13, 1
_HEAD = 5
_LARGEST = 16 << 20  # bytes of a message
_LARGEST_CODE = 16
_PLAIN = " !#$&'()*+,/:;=?@[]~\"<>{}|\\^`"  # what isn't escaped in a status' text
_TYPE = ("content-type", "application/grpc")


class GrpcError(Exception):
    """A call's failure. `details`: pairs of a type's URL and bytes, for clients that know them."""

    def __init__(self, code: int, message: str, details: Sequence[tuple[str, bytes]] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


def failure(error: BaseException) -> GrpcError:
    """Return what a client is told of any error; one that nobody has foreseen goes to the service's log, too."""
    if isinstance(error, GrpcError):
        return error
    if isinstance(error, Gone):
        return GrpcError(UNKNOWN, "the client's session has ended")
    log_bug(error)
    return GrpcError(UNKNOWN, message_of(error))


class Messages:
    """The messages of one call."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._received = bytearray()
        self._is_begun = False
        self.trailers: dict[str, str] = {}

    async def receive(self) -> bytes | None:
        """Return the next message, None at the end. Raises Gone, GrpcError (of the other side)."""
        while True:
            if len(self._received) >= _HEAD:
                size = int.from_bytes(self._received[1:_HEAD], "big")
                if self._received[0] or size > _LARGEST:
                    raise GrpcError(UNIMPLEMENTED, "compressed or too large messages aren't taken")
                if len(self._received) >= _HEAD + size:
                    message = bytes(self._received[_HEAD : _HEAD + size])
                    del self._received[: _HEAD + size]
                    return message
            try:
                item = await self.stream.read()
            except Gone:
                if "grpc-status" in self.trailers:
                    return None  # it has answered, and wants no more of us
                raise
            if item is None:
                return None
            if isinstance(item, bytes):
                self._received += item
            else:
                self.trailers.update(item)

    async def request(self, schema: Schema) -> dict[str, Any]:
        """Return the one message of a request. Raises GrpcError, Gone."""
        return _decoded(await self.receive() or b"", schema)

    async def rest(self, schema: Schema) -> AsyncIterator[dict[str, Any]]:
        """Yield the messages until the end; raise what the other side says then. Raises GrpcError, Gone."""
        while (data := await self.receive()) is not None:
            yield _decoded(data, schema)
        check(self)

    async def send(self, message: dict[str, Any], schema: Schema, *, end: bool = False) -> None:
        """Send a message. Raises Gone, GrpcError if the other side has ended the call."""
        data = encode(message, schema)
        if not self._is_begun:
            self._is_begun = True
            if self.stream.headers:  # the other side has asked
                await self.stream.send_headers([(":status", "200"), _TYPE])
        try:
            await self.stream.send(b"\0" + len(data).to_bytes(4, "big") + data, end=end)
        except Gone:
            while await self.receive() is not None:
                pass
            check(self)
            raise

    async def end(self, error: GrpcError | None = None) -> None:
        """Send the status. Raises Gone."""
        head = [] if self._is_begun else [(":status", "200"), _TYPE]
        if error is None:
            await self.stream.send_headers([*head, ("grpc-status", "0")], end=True)
            return
        told = [
            ("grpc-status", str(error.code)),
            ("grpc-message", quote(error.message, safe=_PLAIN, errors="surrogateescape")),
        ]
        if error.details:
            details = [{"url": url, "value": value} for url, value in error.details]
            whole = encode({"code": error.code, "message": error.message, "details": details}, ERROR)
            told.append(("grpc-status-details-bin", base64.b64encode(whole).decode().rstrip("=")))
        await self.stream.send_headers([*head, *told], end=True)


async def serve(stream: Stream, methods: Mapping[str, Handler]) -> None:
    """Answer one call with the method that its path names."""
    messages = Messages(stream)
    error: GrpcError | None = None
    try:
        handler = methods.get(stream.headers.get(":path", ""))
        if handler is None:
            raise GrpcError(UNIMPLEMENTED, f"unknown method {stream.headers.get(':path', '')}")
        await handler(messages)
    except Exception as raised:  # whatever has failed: the client waits for a status
        error = failure(raised)
    try:
        await messages.end(error)
    except Gone:
        pass


class Calls:
    """Calls of the other side's services. `connection` runs already."""

    def __init__(self, connection: Http2) -> None:
        self._connection = connection

    @asynccontextmanager
    async def call(self, path: str, metadata: Sequence[tuple[str, str]] = ()) -> AsyncIterator[Messages]:
        """Begin a call, which ends with the block: an error in it gives the call up. Raises Gone."""
        stream = self._connection.open()
        head = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
        try:
            await stream.send_headers([*head, _TYPE, ("te", "trailers"), *metadata])
            yield Messages(stream)
        except BaseException:
            stream.reset()
            raise
        finally:
            self._connection.forget(stream)

    async def one(self, path: str, request: dict[str, Any], sent: Schema, answered: Schema) -> dict[str, Any]:
        """Send one message, and return the one that answers it. Raises GrpcError, Gone."""
        async with self.call(path) as messages:
            await messages.send(request, sent, end=True)
            data = await messages.receive()
            if data is not None:
                await messages.receive()
            check(messages)
            return _decoded(data or b"", answered)


def _decoded(data: bytes, schema: Schema) -> dict[str, Any]:
    try:
        return decode(data, schema)
    except WireError as error:
        raise GrpcError(INVALID, f"bad message: {error}") from None


def check(messages: Messages) -> None:
    """Raise GrpcError if the other side has said that its call failed."""
    code = messages.trailers.get("grpc-status", "0")
    if code != "0":
        message = unquote(messages.trailers.get("grpc-message", ""), errors="surrogateescape")
        raise GrpcError(whole(code, _LARGEST_CODE) or UNKNOWN, message)
