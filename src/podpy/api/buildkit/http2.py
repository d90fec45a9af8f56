"""HTTP/2 on a connection that is there already, for either side: h2 knows the protocol, asyncio's loop moves bytes."""

from __future__ import annotations

import asyncio

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from socket import socket

    Headers = Sequence[tuple[str, str]]

_PIECE = 256 << 10
_WINDOW = 4 << 20  # bytes that the other side may send before we have read them
_MOST_STREAMS = 1000  # at a time: a bake has a few for each target, and each waits for the others


class Gone(ConnectionError):
    """The other side has closed the connection, or the stream."""


class Stream:
    """One stream. What arrives waits in `queue`: headers as lists, data as bytes, None for the end."""

    def __init__(self, connection: Http2, number: int) -> None:
        self.number = number
        self.headers: dict[str, str] = {}
        self.queue: asyncio.Queue[list[tuple[str, str]] | bytes | None] = asyncio.Queue()
        self.is_reset = False
        self._connection = connection

    async def read(self) -> list[tuple[str, str]] | bytes | None:
        """Return what comes next; None is the end. Raises Gone."""
        item = await self.queue.get()
        if isinstance(item, bytes):
            self._connection.took(self, len(item))
        if item is None and self.is_reset:
            raise Gone("the stream was cancelled")
        return item

    async def send(self, data: bytes, *, end: bool = False) -> None:
        """Send data as the other side takes it. Raises Gone."""
        await self._connection.send(self, data, end=end)

    async def send_headers(self, headers: Headers, *, end: bool = False) -> None:
        """Send headers, or trailers. Raises Gone."""
        await self._connection.send_headers(self, headers, end=end)

    def reset(self) -> None:
        """Give the stream up."""
        self._connection.reset(self)


class Http2:
    """A connection. `serve`: what is done with each stream that the other side opens; None: it is the server."""

    def __init__(self, connected: socket, serve: Callable[[Stream], Awaitable[None]] | None = None) -> None:
        self._socket = connected
        self._serve = serve
        config = h2.config.H2Configuration(client_side=serve is None, header_encoding="utf-8")
        self._h2 = h2.connection.H2Connection(config)
        codes = h2.settings.SettingCodes
        self._h2.local_settings = h2.settings.Settings(
            client=serve is None,
            initial_values={
                codes.INITIAL_WINDOW_SIZE: _WINDOW,
                codes.MAX_CONCURRENT_STREAMS: _MOST_STREAMS,
                codes.MAX_HEADER_LIST_SIZE: self._h2.DEFAULT_MAX_HEADER_LIST_SIZE,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)
        connected.setblocking(False)
        self._streams: dict[int, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._may_send = asyncio.Event()
        self._out = bytearray()
        self._writing: asyncio.Task[None] | None = None
        self.is_gone = False

    async def run(self, early: bytes = b"") -> None:
        """Serve until the other side closes; what it has opened is cancelled then."""
        loop = asyncio.get_running_loop()
        try:
            await self._flush()
            data = early or await loop.sock_recv(self._socket, _PIECE)
            while data:
                for event in self._h2.receive_data(data):
                    self._see(event)
                await self._flush()
                data = await loop.sock_recv(self._socket, _PIECE)
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            self._end()

    def _end(self) -> None:
        self.is_gone = True
        self._may_send.set()
        for stream in self._streams.values():
            stream.is_reset = True
            stream.queue.put_nowait(None)
        for task in self._tasks:
            task.cancel()

    async def finish(self) -> None:
        """Wait for what is left of streams' work; nothing uses the socket afterwards."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        """Hold a task until it is done: the loop itself doesn't (asyncio.create_task)."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _work(self, stream: Stream, serve: Callable[[Stream], Awaitable[None]]) -> None:
        try:
            await serve(stream)
        finally:
            self.forget(stream)

    def _see(self, event: object) -> None:
        if isinstance(event, h2.events.RequestReceived):
            stream = self._streams[event.stream_id] = Stream(self, event.stream_id)
            stream.headers = {str(name): str(value) for name, value in event.headers}
            if self._serve is not None:
                self._keep(asyncio.ensure_future(self._work(stream, self._serve)))
        elif isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
            self._put(event.stream_id, [(str(name), str(value)) for name, value in event.headers])
        elif isinstance(event, h2.events.DataReceived):
            stream_id, data, size = event.stream_id, event.data, event.flow_controlled_length
            is_wanted = bool(data) and stream_id in self._streams
            if is_wanted:
                self._put(stream_id, bytes(data))
            unread = size - len(data) if is_wanted else size  # of a stream that is done with, and padding
            if unread:
                self._h2.acknowledge_received_data(unread, stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self._put(event.stream_id, None)
        elif isinstance(event, h2.events.StreamReset):
            known = self._streams.get(event.stream_id)
            if known is not None:
                known.is_reset = True
                known.queue.put_nowait(None)
            self._may_send.set()
        elif isinstance(event, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
            self._may_send.set()

    def _put(self, number: int, item: list[tuple[str, str]] | bytes | None) -> None:
        if number in self._streams:
            self._streams[number].queue.put_nowait(item)

    # What streams do

    def open(self) -> Stream:
        """Return a new stream of our own. Raises Gone."""
        if self.is_gone:
            raise Gone("the connection is closed")
        number = self._h2.get_next_available_stream_id()
        stream = self._streams[number] = Stream(self, number)
        return stream

    def took(self, stream: Stream, size: int) -> None:
        """Let the other side send as much again: on the connection also when the stream itself is over."""
        if self.is_gone:
            return
        try:
            self._h2.acknowledge_received_data(size, stream.number)
        except h2.exceptions.ProtocolError:
            return  # the stream has ended
        self._flush_soon()

    async def send_headers(self, stream: Stream, headers: Headers, *, end: bool) -> None:
        """See Stream.send_headers."""
        if self.is_gone or stream.is_reset:
            raise Gone("the other side has gone")
        try:
            self._h2.send_headers(stream.number, list(headers), end_stream=end)
        except h2.exceptions.ProtocolError as error:
            raise Gone(str(error)) from None
        await self._flush()

    async def send(self, stream: Stream, data: bytes, *, end: bool) -> None:
        """See Stream.send."""
        while True:
            if self.is_gone or stream.is_reset:
                raise Gone("the other side has gone")
            try:
                room = min(self._h2.local_flow_control_window(stream.number), self._h2.max_outbound_frame_size)
                if room > 0 or not data:
                    part, data = data[:room], data[room:]
                    self._h2.send_data(stream.number, part, end_stream=end and not data)
                    await self._flush()
                    if not data:
                        return
                    continue
            except h2.exceptions.ProtocolError as error:
                raise Gone(str(error)) from None
            self._may_send.clear()
            await self._may_send.wait()

    def reset(self, stream: Stream) -> None:
        """See Stream.reset."""
        if not self.is_gone and not stream.is_reset:
            stream.is_reset = True
            try:
                self._h2.reset_stream(stream.number, error_code=8)  # CANCEL
            except h2.exceptions.ProtocolError:
                return
            self._flush_soon()

    def forget(self, stream: Stream) -> None:
        """A stream is done with: what nobody has read of it, and what still comes, counts as read."""
        self._streams.pop(stream.number, None)
        unread = 0
        while not stream.queue.empty():
            item = stream.queue.get_nowait()
            unread += len(item) if isinstance(item, bytes) else 0
        if unread:
            self.took(stream, unread)

    def _flush_soon(self) -> None:
        self._keep(asyncio.ensure_future(self._flush()))

    async def _flush(self) -> None:
        """Send what is to be sent. A task of its own writes: whoever is cancelled here leaves no half frame behind."""
        self._out += self._h2.data_to_send()
        if self._out and self._writing is None:
            self._writing = self._keep(asyncio.ensure_future(self._write()))
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._out and not self.is_gone:
                data = bytes(self._out)
                self._out.clear()
                await loop.sock_sendall(self._socket, data)
        except (OSError, asyncio.CancelledError):
            self.is_gone = True
            self._may_send.set()
        finally:
            self._writing = None
