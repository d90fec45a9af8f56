"""What a handler gets, and what it may answer with.

    def inspect(call: Call) -> Answer:
        return Answer(call.runtime.container(call.path["id"]).inspect(size=call.query["size"]))

A handler returns an Answer, or None if it has answered by call.connection itself (a stream, a hijacked connection).
"""

from __future__ import annotations

from podpy import fastjson
from podpy.api.errors import HttpError
from podpy.api.schema import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.connection import Connection, Request
    from podpy.api.routes import Route
    from podpy.libpod.runtime import Runtime

JSON_TYPE = "application/json"
_JSON_LIMIT = 4 << 20  # bytes: the largest document that a client has reason to send


class Answer:
    """A whole answer: a status and a JSON value (`value`), or bytes with a type (`body`), or nothing."""

    def __init__(
        self,
        value: Any = None,
        status: int = 200,
        *,
        body: bytes = b"",
        type: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.status = status
        self.type = type or (JSON_TYPE if value is not None else "")
        self.body = (
            (fastjson.dumps_readable(value) + "\n").encode("utf-8", "surrogateescape") if value is not None else body
        )
        self.headers = headers


NOTHING = 204


class Call:
    """One request. `version`: the API's version as numbers, (1, 44); without one in the path it is the newest."""

    def __init__(
        self,
        request: Request,
        connection: Connection,
        runtime: Runtime,
        route: Route,
        *,
        path: dict[str, str],
        query: dict[str, Any],
        version: tuple[int, int],
    ) -> None:
        self.request = request
        self.connection = connection
        self.runtime = runtime
        self.route = route
        self.path = path
        self.query = query
        self.version = version
        self.warnings: list[str] = []  # what libpod has warned of

    @property
    def name(self) -> str:
        """The object that the path names; empty if it names none."""
        return next(iter(self.path.values()), "")

    def json(self) -> dict[str, Any]:
        """Return the body: a JSON object. Raises HttpError in dockerd's words."""
        kind = self.request.headers.get("content-type", "")
        raw = self.connection.read_body(_JSON_LIMIT)
        if not raw.strip() and self.route.optional_body:
            return {}
        if not self.request.is_libpod:  # Podman's own clients name no type
            _check_type(kind)
        if not raw.strip():
            raise HttpError(400, "invalid JSON: got EOF while reading request body")
        try:
            value = fastjson.loads_strict(raw)
        except (ValueError, UnicodeDecodeError) as error:
            if "text after the value" in str(error):
                raise HttpError(400, "unexpected content after JSON") from None
            raise HttpError(400, f"invalid JSON: {error}") from None
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise HttpError(400, "invalid JSON: the body must be an object")
        if self.route.schema is not None:
            check(value, self.route.schema)
        return value


def _check_type(text: str) -> None:
    kind = text.partition(";")[0].strip().lower()
    if not kind:
        raise HttpError(400, f"malformed Content-Type header ({text}): mime: no media type")
    if kind != JSON_TYPE:
        raise HttpError(400, f"unsupported Content-Type header ({text}): must be 'application/json'")
