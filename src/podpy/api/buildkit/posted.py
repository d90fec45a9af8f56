"""`POST /build?version=2`: the client's session, and what the build tells in the answer's lines (Docker 20.10)."""

from __future__ import annotations

import asyncio
import base64

from podpy import fastjson
from podpy.api.building.leaving import end_with
from podpy.api.buildkit.grpc import failure
from podpy.api.buildkit.messages import STATUS_TOLD
from podpy.api.buildkit.session import Sessions
from podpy.api.buildkit.solving import Solving
from podpy.api.buildkit.status import Board, Steps
from podpy.api.buildkit.wire import encode
from podpy.api.compat.images.names import full
from podpy.api.errors import HttpError
from podpy.api.schema import Either, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call

_SESSION = "client-session"  # in place of a context's address: it comes by the session
_UPLOAD = "upload-request"


def build(call: Call) -> None:
    """Build an image with a client's session. Raises HttpError before the first line."""
    query = call.query
    if not query["session"] or query["remote"] == _UPLOAD:
        raise HttpError(501, "a build of version 2 needs a session, and its context from there")
    attrs, exporter = _attrs(query), _exporter(query)
    call.connection.begin(200, [("Content-Type", "application/json")])
    end_with(call.connection.socket)
    asyncio.run(_build(call, attrs, exporter))


def _attrs(query: dict[str, Any]) -> dict[str, str]:
    """Return a query as the frontend's attributes."""
    check(query["buildargs"], {"*": Either(str, object)}, "buildargs")
    check(query["labels"], {"*": str}, "labels")
    arguments = {name: value for name, value in (query["buildargs"] or {}).items() if isinstance(value, str)}
    attrs = {
        "filename": query["dockerfile"],
        "target": query["target"],
        "image-resolve-mode": "pull" if query["pull"] else "",
        "force-network-mode": query["networkmode"],
        "add-hosts": ",".join("=".join(text.split(":", 1)) for text in query["extrahosts"]),
        "platform": ",".join(query["platform"]),
        "shm-size": str(query["shmsize"] or ""),
        "cgroup-parent": query["cgroupparent"],
        "context": "" if query["remote"] == _SESSION else query["remote"],
        **{f"build-arg:{name}": value for name, value in arguments.items()},
        **{f"label:{name}": value for name, value in (query["labels"] or {}).items()},
    }
    return {**attrs, "no-cache": ""} if query["nocache"] else attrs


def _exporter(query: dict[str, Any]) -> tuple[str, dict[str, str]]:
    check(query["outputs"], [{"Type": str, "Attrs": {"*": str}}], "outputs")
    outputs = query["outputs"] or [{}]
    if len(outputs) > 1:
        raise HttpError(501, "several outputs aren't supported")
    named = {"name": ",".join(full(name) for name in query["t"])} if query["t"] else {}
    return outputs[0].get("Type") or "moby", {**named, **(outputs[0].get("Attrs") or {})}


async def _build(call: Call, attrs: dict[str, str], exporter: tuple[str, dict[str, str]]) -> None:
    board, sessions = Board(), Sessions(call.runtime.paths.runroot)
    telling = asyncio.ensure_future(_tell(call, board))
    steps = Steps(board, call.query["buildid"] or call.query["session"])
    last: dict[str, Any] = {}
    try:
        session = await sessions.get(call.query["session"])
        answer = await Solving(call.runtime, session, attrs, exporter, steps).run()
        if answer:
            last = {"id": "moby.image.id", "aux": {"ID": answer["containerimage.digest"]}}
    except Exception as error:  # whatever has failed: the answer has begun, so its last line tells it
        message = failure(error).message
        last = {"errorDetail": {"message": message}, "error": message}
    finally:
        board.end()
        try:
            await telling
        finally:
            await sessions.close()
    if last:
        _line(call, last)
    call.connection.end()


async def _tell(call: Call, board: Board) -> None:
    async for told in board.follow():
        data = base64.b64encode(encode(told, STATUS_TOLD)).decode()
        _line(call, {"id": "moby.buildkit.trace", "aux": data})


def _line(call: Call, value: dict[str, Any]) -> None:
    call.connection.write((fastjson.dumps(value) + "\r\n").encode("utf-8", "surrogateescape"))
