"""From an index to the manifest for one platform: an index may hold another one, as BuildKit's archives do.

The way down is bounded, in depth and in documents that are read: an index comes from outside.
"""

from __future__ import annotations

from podpy.errors import ImageError, NoPlatformError
from podpy.image.documents import schema
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[schema.Descriptor], tuple[bytes, str]]

DEPTH_LIMIT = 4  # indexes below each other; none that is known has more than two
DOCUMENT_LIMIT = 64  # manifests and indexes that are read on the way


class Descent(Record):
    """A manifest, its bytes and media type, and the indexes that led to it, the outermost first."""

    manifest: schema.Manifest
    data: bytes
    media_type: str
    parents: list[bytes] = []


def descend(
    data: bytes, kind: str, read: Read, wanted: schema.Platform | None = None, *, artifacts: bool = False
) -> Descent:
    """Return the manifest for a platform (None: this machine's) that a document is, or leads to.

    `read` returns the bytes, checked, and the media type (or nothing) of what a descriptor names. Raises ImageError.
    """
    return _Way(read, wanted or schema.host_platform(), artifacts).down(data, kind, [])


def is_index(media_type: str) -> bool:
    """Tell whether a media type is an index's."""
    return media_type in (schema.OCI_INDEX, schema.DOCKER_LIST)


class _Way:
    def __init__(self, read: Read, wanted: schema.Platform, artifacts: bool) -> None:
        self._read = read
        self._wanted = wanted
        self._artifacts = artifacts
        self._documents = 0

    def down(self, data: bytes, kind: str, parents: list[bytes]) -> Descent:
        document = schema.parse(data, kind, artifacts=self._artifacts)
        if isinstance(document, schema.Manifest):
            return Descent(manifest=document, data=data, media_type=document.media_type, parents=parents)
        if len(parents) == DEPTH_LIMIT:
            raise ImageError(f"the image index holds another one, and so on, more than {DEPTH_LIMIT} deep")
        missing: NoPlatformError | None = None
        try:
            chosen = [schema.select(document, self._wanted)]
        except NoPlatformError as error:
            # What says no platform may lead to one: the indexes in it, one after the other.
            missing = error
            chosen = [entry for entry in document.manifests if is_index(entry.media_type) and entry.platform is None]
        for entry in chosen:
            try:
                return self._into(entry, [*parents, data])
            except NoPlatformError as error:
                missing = missing or error
        assert missing is not None
        raise missing

    def _into(self, entry: schema.Descriptor, parents: list[bytes]) -> Descent:
        self._documents += 1
        if self._documents > DOCUMENT_LIMIT:
            raise ImageError(f"the image index holds others with more than {DOCUMENT_LIMIT} documents")
        data, kind = self._read(entry)
        return self.down(data, kind or entry.media_type, parents)
