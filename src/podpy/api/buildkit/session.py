"""A client's session: its services, which a build calls."""

from __future__ import annotations

import asyncio
import os
from urllib.parse import quote_plus

from podpy.api.buildkit import messages
from podpy.api.buildkit.filesync import Receiving, send_directory
from podpy.api.buildkit.grpc import INTERNAL, Calls, GrpcError, check
from podpy.api.buildkit.http2 import Http2
from podpy.api.buildkit.meeting import take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from socket import socket

    from podpy.api.buildkit.grpc import Messages

_FILES = "/moby.filesync.v1.FileSync/DiffCopy"
_SEND = "/moby.filesync.v1.FileSend/DiffCopy"
_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
_CREDENTIALS = "/moby.filesync.v1.Auth/Credentials"
_UPLOAD = "/moby.upload.v1.Upload/Pull"
_CHECK_AGENT = "/moby.sshforward.v1.SSH/CheckAgent"
_AGENT = "/moby.sshforward.v1.SSH/ForwardAgent"
_OUTPUT = "buildkit-attachable-exporter-id"  # metadata: which of the client's outputs
_PIECE = 32 << 10


class Session:
    """A client's services. Its connection is ours from now on."""

    def __init__(self, connected: socket, early: bytes) -> None:
        self._socket = connected
        self._connection = Http2(connected)
        self._calls = Calls(self._connection)
        self._running = asyncio.ensure_future(self._connection.run(early))

    async def close(self) -> None:
        """Close the connection."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._connection.finish()
        self._socket.close()

    async def files(
        self, name: str, target: str, *, excluded: Sequence[str] = (), followed: Sequence[str] = ()
    ) -> None:
        """Write the client's directory of this name into the empty directory `target`. Raises GrpcError, Gone.

        `excluded`: patterns of an ignore file. `followed`: the paths that are wanted; none: all.
        """
        metadata = [("dir-name", name)]
        for key, values in (("exclude-patterns", excluded), ("followpaths", followed)):
            if all(value.isascii() for value in values):
                metadata += [(key, value) for value in values]
            else:
                metadata += [(f"{key}-encoded", "1"), *((key, quote_plus(value)) for value in values)]
        async with self._calls.call(_FILES, metadata) as call:
            await Receiving(call, target).run()

    async def secret(self, name: str) -> bytes | None:
        """Return a secret; None if the client has none of this name. Raises Gone."""
        try:
            told = await self._calls.one(_SECRET, {"id": name}, messages.SECRET, messages.DATA)
        except GrpcError:
            return None
        content: bytes = told["data"]
        return content

    async def credentials(self, host: str) -> tuple[str, str] | None:
        """Return user and password for a registry; an empty user: the password is an identity token. None: none.

        Raises Gone.
        """
        try:
            told = await self._calls.one(_CREDENTIALS, {"host": host}, messages.CREDENTIALS, messages.CREDENTIALS_TOLD)
        except GrpcError:
            return None
        return (told["user"], told["secret"]) if told["secret"] else None

    async def upload(self, path: str, target: str) -> None:
        """Write what the client offers at a path of http://buildkit-session/ to a file. Raises GrpcError, Gone."""
        async with self._calls.call(_UPLOAD, [("urlpath", path)]) as call:
            with open(target, "xb") as file:
                async for told in call.rest(messages.DATA):
                    file.write(told["data"])

    async def has_agent(self, name: str) -> bool:
        """Return whether the client forwards an agent of this name. Raises Gone."""
        try:
            await self._calls.one(_CHECK_AGENT, {"id": name}, messages.AGENT, messages.EMPTY)
        except GrpcError:
            return False
        return True

    async def agent(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Move bytes between a connection to an agent's socket and the client's agent."""
        try:
            async with self._calls.call(_AGENT, [("buildkit.ssh.id", name)]) as call:
                forwarding = asyncio.ensure_future(_forward(reader, call))
                try:
                    async for told in call.rest(messages.DATA):
                        writer.write(told["data"])
                        await writer.drain()
                finally:
                    forwarding.cancel()
                    await asyncio.gather(forwarding, return_exceptions=True)
        except (GrpcError, OSError):
            pass  # whoever has connected sees the end
        finally:
            writer.close()

    # Results

    async def send_tree(self, directory: str, number: int) -> None:
        """Give the files of a directory to the client's output `number`. Raises GrpcError, Gone."""
        async with self._calls.call(_SEND, [(_OUTPUT, str(number))]) as call:
            await send_directory(call, directory)

    async def send_file(self, path: str, number: int) -> None:
        """Give a file's content to the client's output `number`. Raises GrpcError, Gone."""
        async with self._calls.call(_SEND, [(_OUTPUT, str(number))]) as call:
            with open(path, "rb") as file:
                while data := file.read(_PIECE):
                    await call.send({"data": data}, messages.DATA)
            await call.stream.send(b"", end=True)
            while await call.receive() is not None:
                pass
            check(call)


async def _forward(reader: asyncio.StreamReader, call: Messages) -> None:
    while data := await reader.read(_PIECE):
        await call.send({"data": data}, messages.DATA)
    await call.stream.send(b"", end=True)


class Sessions:
    """The sessions that this connection's builds have taken, by id."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._taken: dict[str, asyncio.Future[Session | None]] = {}

    async def get(self, name: str) -> Session:
        """Return a session. Raises GrpcError if its client doesn't open it."""
        if name not in self._taken:
            self._taken[name] = asyncio.ensure_future(self._take(name))
        found = await asyncio.shield(self._taken[name])
        if found is None:
            raise GrpcError(INTERNAL, f"no active session for {name}")
        return found

    async def _take(self, name: str) -> Session | None:
        taken = await take(self._directory, name)
        return Session(*taken) if taken is not None else None

    async def close(self) -> None:
        """Close all."""
        for each in self._taken.values():
            if each.done() and not each.cancelled() and (session := each.result()) is not None:
                await session.close()
            each.cancel()


def private_directory(place: str, name: str) -> str:
    """Return a new directory in `place`."""
    path = os.path.join(place, name)
    os.mkdir(path, 0o700)
    return path
