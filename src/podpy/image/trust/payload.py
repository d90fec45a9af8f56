"""The signed payload: a JSON document with the manifest's digest and the image's name (containers-signature(5)).

It is read only after its signature was verified, and strictly: an unknown or duplicate key in `critical`, or one of a
wrong type, rejects the signature, since a later version of the format may give it a meaning.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import ImageError, shorten
from podpy.image.names.reference import check_digest
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIMPLE_SIGNING_TYPE = "atomic container signature"
SIGSTORE_TYPE = "cosign container image signature"


class Claim(Record):
    """A signature's statement: the manifest with this digest is the image with this name."""

    manifest_digest: str
    docker_reference: str


def parse_claim(data: bytes, kind: str) -> Claim:
    """Parse a verified payload of this type. Raises ImageError."""
    try:
        document = fastjson.loads_strict(data)
    except (ValueError, RecursionError) as error:
        raise ImageError(f"invalid signature: its payload is not valid JSON: {shorten(str(error))}") from None
    _exactly(document, ("critical", "optional"), "its payload")
    # cosign writes null for no annotations at all.
    _check_optional(document["optional"], null_is_fine=kind == SIGSTORE_TYPE)
    critical = _exactly(document["critical"], ("type", "image", "identity"), "critical")
    if critical["type"] != kind:
        raise ImageError(f"invalid signature: unrecognized signature type {shorten(str(critical['type']))}")
    digest = _exactly(critical["image"], ("docker-manifest-digest",), "critical.image")["docker-manifest-digest"]
    name = _exactly(critical["identity"], ("docker-reference",), "critical.identity")["docker-reference"]
    if not isinstance(digest, str) or not isinstance(name, str):
        raise ImageError("invalid signature: docker-manifest-digest or docker-reference is not a text")
    return Claim(manifest_digest=check_digest(digest), docker_reference=name)


def _exactly(value: Any, keys: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise ImageError(f"invalid signature: {what} must be an object with {', '.join(keys)} and nothing else")
    return value


def _check_optional(value: Any, *, null_is_fine: bool) -> None:
    if value is None and null_is_fine:
        return
    if not isinstance(value, dict):
        raise ImageError("invalid signature: optional is not an object")
    if not isinstance(value.get("creator", ""), str):
        raise ImageError("invalid signature: optional.creator is not a text")
    timestamp = value.get("timestamp", 0)
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float) or timestamp % 1 != 0:
        raise ImageError("invalid signature: optional.timestamp is not a whole number")
