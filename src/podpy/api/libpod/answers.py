"""Forms that several of Podman's answers share."""

from __future__ import annotations

from podpy.api.call import JSON_TYPE, Answer
from podpy.go.json import compact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podpy.errors import PodpyError
    from podpy.libpod.system.prune import Pruned


def go(value: Any, status: int = 200) -> Answer:
    """Return a value as Go's encoding/json writes it: views of podpy.go.view, times, plain data."""
    body = (compact(value) + "\n").encode("utf-8", "surrogateescape")
    return Answer(status=status, body=body, type=JSON_TYPE)


def null() -> Answer:
    """Return JSON's null: Go's empty list."""
    return Answer(body=b"null\n", type=JSON_TYPE)


def exists(found: bool, what: str) -> Answer:
    """Return 204 without a body, or 404. Raises HttpError."""
    from podpy.api.errors import HttpError

    if not found:
        raise HttpError(404, f"no such {what}")
    return Answer(status=204)


def reasons(errors: Iterable[PodpyError]) -> list[str]:
    """Return the texts of errors."""
    return [error.message for error in errors]


def pruned(done: Pruned) -> Answer:
    """Return Podman's list of what was removed, and of what couldn't be."""
    gone = [{"Id": name, "Size": 0} for name in done.removed]
    if gone:
        gone[0]["Size"] = done.freed
    failed = [{"Id": "", "Err": text, "Size": 0} for text in reasons(done.errors)]
    return Answer([*gone, *failed])
