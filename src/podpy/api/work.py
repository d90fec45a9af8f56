"""The worker: reads one request, finds its route, calls the handler, and answers."""

from __future__ import annotations

import re
from email.utils import formatdate
from importlib import import_module

from podpy import fastjson
from podpy.api import values
from podpy.api.call import JSON_TYPE, Call
from podpy.api.connection import Connection
from podpy.api.errors import HttpError, log_bug, message_of, status_of
from podpy.api.table import ROUTES
from podpy.api.versions import NEWEST, OLDEST, words
from podpy.libpod.caller import Caller, Streams
from podpy.libpod.preload import preload
from podpy.libpod.system.info import API_VERSION as PODMAN_VERSION
from podpy.notice import note
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.api.connection import Request
    from podpy.libpod.runtime import Runtime

_VERSION = re.compile(r"/v(\d+)\.(\d+)(?:\.\d+)?(/.*)")
_PARAMETER = re.compile(r"\{(\w+)(\.\.\.)?\}")


def _compiled(path: str) -> re.Pattern[str]:
    """Return the pattern of a route's path."""
    parts, last = [], 0
    for found in _PARAMETER.finditer(path):
        parts += [re.escape(path[last : found.start()]), f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"]
        last = found.end()
    return re.compile("".join([*parts, re.escape(path[last:])]) + r"\Z")


_ROUTES = [(route.method, _compiled(route.path), route) for route in ROUTES]


def load_handlers() -> None:
    """Import what handlers need before workers are forked: a worker then begins with all of it."""
    for _, _, route in _ROUTES:
        import_module(route.handler.partition(":")[0])
    preload()


def serve(connection: Connection, runtime: Runtime, environ: Mapping[str, str]) -> bool:
    """Answer one request of a connection; return whether the connection may have another one."""
    connection.common = _common_headers()
    request: Request | None = None
    call: Call | None = None
    try:
        request = connection.read_request()
        if request is None:
            return False
        call = _find(request, connection, runtime)
        warnings = call.warnings
        runtime.caller = Caller(environ, "/", Streams(), warnings.append)
        _handle(call)
    except (BrokenPipeError, ConnectionResetError):
        return False  # the client has gone: nobody is there to be told
    except Exception as error:
        log_bug(error)
        _fail(connection, request, call, error)
    finally:
        runtime.close(at_end=True)
    return connection.may_go_on


def _handle(call: Call) -> None:
    module, _, function = call.route.handler.partition(":")
    handler = getattr(import_module(module), function)
    answer = handler(call)
    if answer is None:
        return
    typed = [("Content-Type", answer.type)] if answer.type else []
    call.connection.answer(answer.status, answer.body, [*typed, *answer.headers])


def _find(request: Request, connection: Connection, runtime: Runtime) -> Call:
    """Return the call of the route that a request names. Raises HttpError."""
    if "origin" in request.headers:
        raise HttpError(403, "requests of web pages are refused: no Origin header is allowed")
    if "//" in request.path:
        place = re.sub("/+", "/", request.target)
        raise HttpError(301, "", headers=(("Location", place),))
    version, path = _versioned(request.path)
    for method, pattern, route in _ROUTES:
        if method != request.method:
            continue
        found = pattern.match(path)
        if found:
            query = values.parse(request.query, route)
            return Call(request, connection, runtime, route, path=found.groupdict(), query=query, version=version)
    if request.method == "OPTIONS":
        raise HttpError(200, "")
    raise HttpError(404, "page not found")


def _versioned(path: str) -> tuple[tuple[int, int], str]:
    """Return the version that a path asks for, and the path behind it. Raises HttpError in dockerd's words."""
    found = _VERSION.match(path)
    if found is None:
        return NEWEST, path
    version, rest = (int(found[1]), int(found[2])), found[3]
    if rest.startswith("/libpod/"):
        return version, rest
    asked = f"{version[0]}.{version[1]}"
    if version < OLDEST:
        raise HttpError(
            400,
            f"client version {asked} is too old. Minimum supported API version is {words(OLDEST)}, please upgrade "
            "your client to a newer version",
        )
    if version > NEWEST:
        raise HttpError(400, f"client version {asked} is too new. Maximum supported API version is {words(NEWEST)}")
    return version, rest


def _common_headers() -> list[tuple[str, str]]:
    return [
        ("Api-Version", words(NEWEST)),
        ("Docker-Experimental", "false"),
        ("Libpod-Api-Version", PODMAN_VERSION),
        ("Ostype", "linux"),
        ("Server", f"Podpy/{VERSION} (linux)"),
        ("Date", formatdate(usegmt=True)),
    ]


def _fail(connection: Connection, request: Request | None, call: Call | None, error: BaseException) -> None:
    """Answer with an error; one that comes in the middle of an answer can only end the connection."""
    if connection.is_begun:
        note(f"API: {error}")
        return
    status = status_of(error)
    kind, name = (call.route.kind, call.name) if call is not None else ("", "")
    message = message_of(error, kind, name)
    told: dict[str, object] = {"message": message}
    if request is not None and request.is_libpod:
        told = {"cause": message.rpartition(": ")[2], "message": message, "response": status}
    body = fastjson.dumps_readable(told) + "\n" if message else ""
    headers = [("Content-Type", JSON_TYPE)] if body else []
    if isinstance(error, HttpError):
        headers += error.headers
    try:
        connection.answer(status, body.encode("utf-8", "surrogateescape"), headers)
    except (OSError, RuntimeError):
        pass  # it has gone, or sent what leaves no way to answer
