"""libpod's errors → HTTP statuses and, on Docker's paths, Docker's words. The library knows no HTTP."""

from __future__ import annotations

import sys

from podpy.errors import PodpyError

STATUSES = {
    "failed": 500,
    "usage": 400,
    "bad-configuration": 500,
    "not-found": 404,
    "ambiguous-name": 400,
    "in-use": 409,
    "wrong-state": 409,
    "already": 304,
    "pod-parts": 409,
    "no-space": 507,
    "bad-image": 400,
    "unknown-format": 500,
    "not-trusted": 403,
    "registry": 500,
    "not-in-registry": 404,
    "unauthorized": 401,
    "not-executable": 400,
    "command-not-found": 400,
    "not-supported": 501,
}
"""By the `code` of an error's class, or of the nearest class above it that stands here."""

NO_SUCH = {
    "no-such-container": "No such container: {}",
    "no-such-image": "No such image: {}",
    "no-such-network": "network {} not found",
    "no-such-volume": "get {}: no such volume",
}
"""dockerd's words for what isn't there, by code; {} is the name that the path says."""

KINDS = {
    "container": "no-such-container",
    "image": "no-such-image",
    "network": "no-such-network",
    "volume": "no-such-volume",
}


class HttpError(Exception):
    """An answer that is an error, which only the API itself can find."""

    def __init__(self, status: int, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, HttpError):
        return error.status
    for kind in type(error).__mro__:
        status = STATUSES.get(getattr(kind, "code", ""))
        if status is not None:
            return status
    return 500


def message_of(error: BaseException, kind: str = "", name: str = "") -> str:
    """Return an error's text for a client of Docker's paths.

    `kind` and `name`: the object that the request's path names; its absence is told in dockerd's words. A hint follows
    the reason: who reads a client's error has no other way to it.
    """
    if isinstance(error, HttpError):
        return error.message
    if isinstance(error, PodpyError):
        wanted = KINDS.get(kind)
        if wanted and any(getattr(each, "code", "") == wanted for each in type(error).__mro__):
            return NO_SUCH[wanted].format(name)
        return error.message
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if isinstance(error.filename, str) else ""
        return f"{error.strerror}{where}"
    return f"internal error: {type(error).__name__}: {error}"


def log_bug(error: BaseException) -> None:
    """Write the traceback of an error that nobody has foreseen to the service's log."""
    import traceback

    if not isinstance(error, HttpError | PodpyError | OSError):
        traceback.print_exception(error, file=sys.stderr)
