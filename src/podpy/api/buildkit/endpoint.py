"""POST /grpc and POST /session: the connection becomes HTTP/2. In a session the client is the server."""

from __future__ import annotations

from podpy.api.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.libpod.runtime import Runtime

_PROTOCOL = "h2c"
_UUID = "x-docker-expose-session-uuid"


def _check(call: Call) -> None:
    if not call.request.wants_upgrade:
        raise HttpError(400, "no upgrade proto in request")
    wanted = call.request.headers["upgrade"]
    if wanted != _PROTOCOL:
        raise HttpError(400, f"protocol {wanted} not supported")


def grpc(call: Call) -> None:
    """Serve BuildKit's services on this connection."""
    _check(call)
    early = call.connection.upgrade(_PROTOCOL)
    import asyncio

    asyncio.run(_serve(call.runtime, call, early))


async def _serve(runtime: Runtime, call: Call, early: bytes) -> None:
    from podpy.api.buildkit.control import Services
    from podpy.api.buildkit.grpc import serve
    from podpy.api.buildkit.http2 import Http2

    services = Services(runtime)
    connection = Http2(call.connection.socket, lambda stream: serve(stream, services.methods))
    try:
        await connection.run(early)
        await connection.finish()
    finally:
        await services.sessions.close()


def session(call: Call) -> None:
    """Hold a client's session until the build that it is for takes it over."""
    _check(call)
    name = call.request.headers.get(_UUID, "")
    if not name:
        raise HttpError(400, f"{_UUID} is missing")
    from podpy.api.buildkit.meeting import hand_on

    early = call.connection.upgrade(_PROTOCOL)
    hand_on(call.connection.socket, early, call.runtime.paths.runroot, name)
