"""An image's configuration as a build makes it, step by step: the whole JSON document."""

from __future__ import annotations

from podpy import fastjson
from podpy.build import settings
from podpy.image.documents import schema
from podpy.record import Record
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.image.documents.schema import Platform


class HistoryLine(Record):
    """How a step is told in an image's history. `created`: nanoseconds since 1970."""

    created: int
    created_by: str
    author: str = ""
    comment: str = ""


def of_base(config: bytes) -> dict[str, Any]:
    """Return an image's document. Raises ImageError."""
    return schema.load_object(config, "the image's configuration", schema.CONFIG_LIMIT)


def of_scratch(platform: Platform) -> dict[str, Any]:
    """Return the document of an image that has nothing."""
    document: dict[str, Any] = {"architecture": platform.architecture, "os": platform.os}
    if platform.variant:
        document["variant"] = platform.variant
    return document


def with_step(
    document: dict[str, Any], config: dict[str, Any], line: HistoryLine | None, diff_ids: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the document after a step: its settings, a line of history, and the layers that it added (none or one).

    Keys are in Go's order. `line` None: the history stays as it is.
    """
    created = rfc3339(line.created, utc=True) if line else document.get("created", "")
    history = [*(document.get("history") or ())]
    if line:
        history.append(_step(line, created, has_layer=bool(diff_ids)))
    below = (document.get("rootfs") or {}).get("diff_ids") or []
    author = (line.author if line else "") or document.get("author")
    return {
        "created": created,
        **({"author": author} if author else {}),
        "architecture": document.get("architecture", ""),
        "os": document.get("os", ""),
        **{key: document[key] for key in ("variant", "os.version", "os.features") if document.get(key)},
        "config": settings.ordered(config),
        "rootfs": {"type": "layers", "diff_ids": [*below, *diff_ids]},
        "history": history,
    }


def _step(line: HistoryLine, created: str, *, has_layer: bool) -> dict[str, Any]:
    step: dict[str, Any] = {"created": created, "created_by": line.created_by}
    if line.author:
        step["author"] = line.author
    if line.comment:
        step["comment"] = line.comment
    if not has_layer:
        step["empty_layer"] = True
    return step


def squashed(document: dict[str, Any], diff_ids: Sequence[str], *, kept: int) -> dict[str, Any]:
    """Return the document of an image with these layers, of which the last one is all of the build's.

    `kept`: how many lines of history are the base's.
    """
    history = [dict(line) for line in document["history"]]
    for line in history[kept:-1]:
        line["empty_layer"] = True
    if history:
        history[-1].pop("empty_layer", None)
    return {**document, "rootfs": {"type": "layers", "diff_ids": [*diff_ids]}, "history": history}


def dumped(document: dict[str, Any]) -> bytes:
    """Return the configuration's bytes, whose digest is the image's id."""
    return fastjson.dumps(document).encode()
