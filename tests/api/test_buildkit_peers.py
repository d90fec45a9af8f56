"""BuildKit's protocol with clients that send what no good client does: each call ends with a status."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from podpy.api.buildkit import messages
from podpy.api.buildkit.grpc import Calls, GrpcError, Messages, serve
from podpy.api.buildkit.http2 import Http2
from podpy.api.buildkit.wire import encode
from tests.support import wait
from tests.support.service import Service

CONTROL = "/moby.buildkit.v1.Control/"
FILES = "/moby.filesync.v1.FileSync/DiffCopy"
DOCKERFILE = b"FROM scratch\nCOPY . /\n"
STAT, REQUEST, DATA = range(3)
FILE, LINK = 0o644, 1 << 27

Packets = list[dict[str, Any] | bytes]


def upgraded(service: Service, path: str, **headers: str) -> socket.socket:
    """Return a connection of which HTTP/2 was made."""
    client = service.connect()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    client.sendall(f"POST {path} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n{more}\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    client.setblocking(False)
    return client


def entry(path: str, mode: int = FILE, link: str = "") -> dict[str, Any]:
    """Return the packet that tells of a file."""
    return {"type": STAT, "stat": {"path": path, "mode": mode, "link": link}}


def client_of(context: Packets) -> Callable[[Messages], Awaitable[None]]:
    """Return the file service of a client: a good Dockerfile, and these packets as the context."""

    async def files(call: Messages) -> None:
        name = call.stream.headers["dir-name"]
        packets: Packets = [entry("Dockerfile")] if name == "dockerfile" else context
        if "followpaths" in call.stream.headers and name != "dockerfile":
            packets = []
        for packet in [*packets, {"type": STAT}]:
            if isinstance(packet, bytes):
                await call.stream.send(b"\0" + len(packet).to_bytes(4, "big") + packet)
            else:
                await call.send(packet, messages.PACKET)
        async for packet in call.rest(messages.PACKET):
            if packet["type"] == REQUEST:
                await call.send({"type": DATA, "id": packet["id"], "data": DOCKERFILE}, messages.PACKET)
                await call.send({"type": DATA, "id": packet["id"]}, messages.PACKET)

    return files


async def solve(service: Service, context: Packets, attrs: dict[str, str]) -> dict[str, Any]:
    """Build as a client does. Raises GrpcError."""
    session = Http2(
        upgraded(service, "/session", X_Docker_Expose_Session_Uuid="mine"),
        lambda stream: serve(stream, {FILES: client_of(context)}),
    )
    control = Http2(upgraded(service, "/grpc"))
    running = [asyncio.ensure_future(each.run()) for each in (session, control)]
    request = {"ref": "one", "session": "mine", "frontend": "dockerfile.v0", "attrs": attrs}
    try:
        call = Calls(control).one(f"{CONTROL}Solve", request, messages.SOLVE, messages.SOLVED)
        return await asyncio.wait_for(call, wait.PATIENCE)
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def test_a_good_context_is_built(service: Service) -> None:
    context: Packets = [entry("a"), entry("b", link="a"), entry("c", LINK, "a")]
    assert asyncio.run(solve(service, context, {}))["response"]["containerimage.digest"].startswith("sha256:")


@pytest.mark.parametrize(
    "packets, message",
    [
        ([entry("a\0b")], "the client sent a path with a NUL in it"),
        ([entry("a", LINK, "b\0c")], "the client sent a path with a NUL in it"),
        ([entry("../a")], "the client sent a path that isn't one of a directory's: ../a"),
        ([entry("a", LINK, "/etc"), entry("a/b")], "the client sent a path that isn't one of a directory's: a/b"),
        ([entry("a" * 300)], "File name too long"),
        ([entry("a"), entry("a")], "File exists"),
        ([entry("b", link="a")], "No such file or directory"),
        ([{"type": DATA, "id": 7}], "the client sent a file that wasn't asked for"),
        ([entry("a"), b"\x08"], "bad message: a number has no end"),
        ([entry("a"), encode({"type": 4, "data": b"no \xff"}, messages.PACKET)], "no \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_wrong_context_ends_the_build_with_a_reason(service: Service, packets: Packets, message: str) -> None:
    with pytest.raises(GrpcError) as raised:
        asyncio.run(solve(service, packets, {}))
    assert message in raised.value.message


@pytest.mark.parametrize(
    "attrs, message",
    [
        ({"filename": "a\0b"}, "an attribute has a NUL in it"),
        ({"attest:sbom": ""}, "attestations aren't supported: sbom"),
        ({"platform": "linux/amd64,linux/arm64"}, "several platforms aren't supported"),
        ({"shm-size": "-1"}, "invalid shm-size: -1"),
        ({"build-arg:SOURCE_DATE_EPOCH": "x"}, "invalid SOURCE_DATE_EPOCH: x"),
        ({"add-hosts": "x"}, "x"),
        ({"ulimit": "nofile"}, "nofile"),
    ],
)
def test_a_wrong_attribute_ends_the_build_with_a_reason(service: Service, attrs: dict[str, str], message: str) -> None:
    with pytest.raises(GrpcError) as raised:
        asyncio.run(solve(service, [], attrs))
    assert message in raised.value.message


def test_what_buildx_attests_of_itself_is_left_out(service: Service) -> None:
    attrs = {"attest:provenance": "mode=min,inline-only=true", "attest:sbom": "disabled=true"}
    asyncio.run(solve(service, [entry("a")], attrs))


def test_what_nobody_reads_does_not_stop_a_connection(service: Service) -> None:
    async def flooded() -> None:
        control = Http2(upgraded(service, "/grpc"))
        running = asyncio.ensure_future(control.run())
        calls = Calls(control)
        for _ in range(12):
            async with calls.call(f"{CONTROL}Nothing") as call:
                with pytest.raises(GrpcError, match="unknown method"):
                    await call.send({"data": bytes(1 << 20)}, messages.DATA, end=True)
                    await call.receive()
                    raise GrpcError(0, call.trailers["grpc-message"])
        told = await calls.one(f"{CONTROL}Info", {}, messages.EMPTY, messages.INFO)
        assert told["version"]["package"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(flooded(), wait.PATIENCE))
