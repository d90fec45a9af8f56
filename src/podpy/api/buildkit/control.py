"""The services that a client calls on POST /grpc: Control, LLBBridge, health; others are told to be unknown."""

from __future__ import annotations

import asyncio
import os

from podpy.api.buildkit import messages
from podpy.api.buildkit.asked import FRONTEND, check_frontend
from podpy.api.buildkit.grpc import CANCELLED, INVALID, NOT_FOUND, UNIMPLEMENTED, UNKNOWN, GrpcError
from podpy.api.buildkit.session import Sessions
from podpy.api.buildkit.solving import Solving
from podpy.api.buildkit.status import Boards, Steps
from podpy.libpod.system.info import architecture
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.buildkit.grpc import Handler, Messages
    from podpy.api.buildkit.status import Board
    from podpy.libpod.runtime import Runtime

_CONTROL = "/moby.buildkit.v1.Control/"
_BRIDGE = "/moby.buildkit.v1.frontend.LLBBridge/"
_HEALTH = "/grpc.health.v1.Health/Check"
_TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_BUILD = "buildkit-controlapi-buildid"  # metadata of the bridge's calls: which build they are about
_SERVING = 1
_CAPS = (
    "solve.base", "solve.inlinereturn", "return", "returnmap", "proto.refarray", "frontend.inputs", "importcaches",
    "gateway.solve.metadata", "frontend.caps", "gateway.warnings",
)  # fmt: skip
_VERSION = {"package": "github.com/moby/buildkit", "version": "v0.13.0", "revision": f"podpy-{VERSION}"}
"""The version whose protocol this is: clients look for it."""


class Bridged:
    """A build whose frontend the client itself calls."""

    def __init__(self) -> None:
        self.solves: dict[str, dict[str, str]] = {}  # attributes, by the id of the result that was promised
        self.returned: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()


class Services:
    """The services for one connection."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.sessions = Sessions(runtime.paths.runroot)
        self._boards = Boards()
        self._bridged: dict[str, Bridged] = {}
        self.methods: dict[str, Handler] = {
            f"{_CONTROL}ListWorkers": self._workers,
            f"{_CONTROL}Info": self._info,
            f"{_CONTROL}Solve": self._solve,
            f"{_CONTROL}Status": self._status,
            f"{_CONTROL}DiskUsage": self._disk_usage,
            f"{_CONTROL}Prune": self._prune,
            f"{_CONTROL}ListenBuildHistory": self._nothing,
            f"{_BRIDGE}Ping": self._ping,
            f"{_BRIDGE}Solve": self._bridge_solve,
            f"{_BRIDGE}Return": self._return,
            _HEALTH: self._health,
            _TRACES: self._accepted,
        }

    def _worker(self) -> dict[str, Any]:
        platform = {"architecture": architecture(), "os": "linux"}
        return {"id": "podpy", "labels": {"podpy": "true"}, "platforms": [platform], "version": _VERSION}

    async def _workers(self, call: Messages) -> None:
        await call.request(messages.EMPTY)
        await call.send({"record": [self._worker()]}, messages.WORKERS)

    async def _info(self, call: Messages) -> None:
        await call.request(messages.EMPTY)
        await call.send({"version": _VERSION}, messages.INFO)

    async def _health(self, call: Messages) -> None:
        await call.request(messages.EMPTY)
        await call.send({"status": _SERVING}, messages.HEALTH)

    async def _accepted(self, call: Messages) -> None:
        await call.request(messages.EMPTY)
        await call.send({}, messages.EMPTY)

    async def _nothing(self, call: Messages) -> None:
        """There is no history of builds: the stream ends at once."""
        await call.request(messages.EMPTY)

    async def _disk_usage(self, call: Messages) -> None:
        await call.request(messages.EMPTY)
        found = self._runtime.images.prune_build_cache(dry_run=True)
        records = [_usage(name, found.freed if number == 0 else 0) for number, name in enumerate(found.removed)]
        await call.send({"record": records}, messages.DISK_USAGE)

    async def _prune(self, call: Messages) -> None:
        await call.request(messages.EMPTY)
        found = self._runtime.images.prune_build_cache()
        for number, name in enumerate(found.removed):
            await call.send(_usage(name, found.freed if number == 0 else 0), messages.USAGE)

    # Builds

    async def _status(self, call: Messages) -> None:
        request = await call.request(messages.STATUS)
        async for told in self._boards.follow(request["ref"]):
            await call.send(told, messages.STATUS_TOLD)

    async def _solve(self, call: Messages) -> None:
        request = await call.request(messages.SOLVE)
        ref = request["ref"]
        if not ref:
            raise GrpcError(INVALID, "a build needs a ref")
        board = self._boards.get(ref)
        working = asyncio.ensure_future(self._solved(request, board))
        leaving = asyncio.ensure_future(_left(call))
        try:
            await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise GrpcError(CANCELLED, "the client has given the build up")
            await call.send({"response": working.result()}, messages.SOLVED)
        finally:
            leaving.cancel()
            working.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)
            self._boards.end(ref)
            self._bridged.pop(ref, None)

    async def _solved(self, request: dict[str, Any], board: Board) -> dict[str, str]:
        check_frontend(request["frontend"], request["definition"])
        attrs = request["attrs"]
        if not request["frontend"]:
            attrs = await self._from_bridge(request["ref"])
            if attrs is None:
                return {}
        exporters = request["exporters"] or [{"type": request["exporter"], "attrs": request["exporter_attrs"]}]
        if len(exporters) > 1:
            raise GrpcError(UNIMPLEMENTED, "several outputs aren't supported")
        exporter = (exporters[0]["type"], exporters[0]["attrs"])
        session = await self.sessions.get(request["session"])
        return await Solving(self._runtime, session, attrs, exporter, Steps(board, request["ref"])).run()

    async def _from_bridge(self, ref: str) -> dict[str, str] | None:
        """Return the attributes of the build that the client's own frontend has returned; None: it returned none."""
        bridged = self._bridge(ref)
        returned = await bridged.returned
        if returned["error"] is not None:
            raise GrpcError(UNKNOWN, returned["error"]["message"])
        result = returned["result"] or {"ref": None, "old": ""}
        name = result["ref"]["id"] if result["ref"] else result["old"]
        return bridged.solves.get(name)

    def _bridge(self, ref: str) -> Bridged:
        if ref not in self._bridged:
            self._bridged[ref] = Bridged()
        return self._bridged[ref]

    def _bridge_of(self, call: Messages) -> Bridged:
        ref = call.stream.headers.get(_BUILD, "")
        if not ref:
            raise GrpcError(NOT_FOUND, f"no build: {_BUILD} is missing")
        return self._bridge(ref)

    async def _ping(self, call: Messages) -> None:
        await call.request(messages.EMPTY)
        caps = [{"id": name, "enabled": 1} for name in _CAPS]
        await call.send({"frontend": caps, "llb": caps, "workers": [self._worker()]}, messages.PONG)

    async def _bridge_solve(self, call: Messages) -> None:
        request = await call.request(messages.BRIDGE_SOLVE)
        bridged = self._bridge_of(call)
        check_frontend(request["frontend"] or FRONTEND, request["definition"])
        if request["attrs"].get("requestid"):
            raise GrpcError(UNIMPLEMENTED, f"request {request['attrs']['requestid']} isn't supported: only builds are")
        name = os.urandom(12).hex()
        bridged.solves[name] = request["attrs"]
        await call.send({"result": {"ref": {"id": name}}}, messages.BRIDGE_SOLVED)

    async def _return(self, call: Messages) -> None:
        request = await call.request(messages.RETURN)
        bridged = self._bridge_of(call)
        if not bridged.returned.done():
            bridged.returned.set_result(request)
        await call.send({}, messages.EMPTY)


async def _left(call: Messages) -> None:
    """Return when the client has given a call up."""
    while not call.stream.is_reset:
        if await call.stream.queue.get() is None and call.stream.is_reset:
            return


def _usage(name: str, size: int) -> dict[str, Any]:
    return {"id": name, "size": size, "description": "steps of builds", "type": "regular"}
