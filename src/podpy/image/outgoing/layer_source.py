"""What goes out of the store: an image's layers, each as the blob it came as and as the tar that its diff id names.

`podpy save` and `podpy push` read layers through this and nothing else. If a layer's uncompressed tar
comes from its recipe, the tar's digest is compared; if it comes from a kept blob, the blob's. A difference is an error,
never a damaged archive.
Files of layers belong to subordinate ids: this process must be in the user's namespaces.
"""

from __future__ import annotations

import os

from podpy.errors import DigestMismatchError, ImageError, StorageError
from podpy.image.documents import schema
from podpy.image.incoming.compression import compressor, decompressed, detect
from podpy.image.incoming.pipeline import read_ahead
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from podpy.storage.images import ImageRecord
    from podpy.storage.shelves import StoredLayer
    from podpy.storage.store import Store

_READ = 1 << 20
_READ_COMPRESSED = 256 << 10  # less than a piece comes out of it at once, as a rule
_TYPES = {
    "": (schema.OCI_LAYER, schema.DOCKER_LAYER),
    "gzip": (schema.OCI_LAYER + "+gzip", schema.DOCKER_LAYER + ".gzip"),
    "zstd": (schema.OCI_LAYER + "+zstd", schema.DOCKER_LAYER + ".zstd"),
}


class LayerBlob(Record):
    """A file with a layer's bytes, compressed or not; `kind` is "gzip", "zstd", or empty for a plain tar.

    `path` is empty for bytes that aren't here because the destination has them (`export.outgoing`).
    """

    path: str
    digest: str
    size: int
    kind: str

    def chunks(self, offset: int = 0, size: int = _READ) -> Iterator[bytes]:
        """Yield the bytes from `offset` on, `size` at once. Raises OSError; read from the beginning,
        DigestMismatchError at the end.
        """
        import hashlib

        digest = hashlib.sha256()
        with open(self.path, "rb", buffering=0) as file:
            file.seek(offset)
            while chunk := file.read(size):
                if not offset:
                    digest.update(chunk)
                yield chunk
        if not offset and "sha256:" + digest.hexdigest() != self.digest:
            raise self._damaged()

    def tar(self) -> Iterator[bytes]:
        """Yield the uncompressed tar. Raises OSError; DigestMismatchError, at the end or where it can't go on."""
        try:
            yield from decompressed(self.chunks(size=_READ_COMPRESSED))
        except ImageError:  # it could be decompressed when it came
            raise self._damaged() from None

    def _damaged(self) -> DigestMismatchError:
        return DigestMismatchError(
            f"blob {self.digest} isn't what it was any more: {self.path}",
            hint="The disk is damaged; remove the image and pull or load it again",
        )


class OutgoingLayer:
    """One layer of an image: `diff_id`, `chain_id`, and `blob`, the kept bytes, or None.

    `original` tells that `blob` is the one that the image's manifest names; else it came with another image that has
    the same layer.
    """

    def __init__(self, store: Store, stored: StoredLayer, descriptor: schema.Descriptor | None) -> None:
        self._store = store
        self._stored = stored
        self.diff_id = stored.diff_id
        self.chain_id = stored.chain_id
        self.blob = self._kept_blob(descriptor)
        self.original = self.blob is not None and descriptor is not None and self.blob.digest == descriptor.digest

    def tar(self) -> Iterator[bytes]:
        """Return the uncompressed tar, in pieces, which a thread makes in advance.

        Raises DigestMismatchError at its end if it isn't what the diff id says, or if the blob that it was made of is
        damaged; ImageError if there is nothing that it could be made of, StorageError.
        """
        pieces = self._tar()
        return read_ahead(self._checked(pieces) if self._stored.recipe else pieces)

    def _checked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        import hashlib

        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            yield piece
        actual = "sha256:" + digest.hexdigest()
        if actual != self.diff_id:
            raise DigestMismatchError(
                f"layer {self.diff_id} can't be written: what the store has of it makes a tar with the digest {actual}",
                hint="The store is damaged: podpy system check; then remove the image and load or pull it again",
            )

    def tar_size(self) -> int:
        """Return the size of the uncompressed tar in bytes; if the store doesn't know it, the tar is made for it."""
        if self._stored.tar_size >= 0:
            return self._stored.tar_size
        return sum(map(len, self.tar()))

    def _tar(self) -> Iterator[bytes]:
        from podpy.storage.layers import recipe

        stored = self._stored
        if stored.recipe:
            directory = os.path.join(self._store.graphroot, "layers", str(stored.number))
            return recipe.tar(self._store.recipe_path(stored.number), directory)
        if self.blob is not None:
            # That these bytes make this tar was verified when they came, so theirs is the digest to compare: it is a
            # third of the work.
            return self.blob.tar()
        raise ImageError(
            f"layer {self.diff_id} can't be written: neither the bytes it came as nor a recipe for them are kept",
            hint="Remove the image and load or pull it again",
        )

    def _kept_blob(self, descriptor: schema.Descriptor | None) -> LayerBlob | None:
        digests = [digest for digest, _ in self._stored.blobs]
        sizes = dict(self._stored.blobs)
        if not digests:
            return None
        named = descriptor is not None and descriptor.digest in sizes
        digest = descriptor.digest if descriptor is not None and named else digests[0]
        path = self._store.blob_path(digest)
        return LayerBlob(path=path, digest=digest, size=sizes[digest], kind=_kind_of(path))


class PlainLayer:
    """A layer that goes out uncompressed; written like a LayerBlob, but without a file."""

    kind = ""

    def __init__(self, layer: OutgoingLayer) -> None:
        self._layer = layer
        self.digest = layer.diff_id
        self.size = layer.tar_size()

    def chunks(self) -> Iterator[bytes]:
        """See `OutgoingLayer.tar`."""
        return self._layer.tar()


if TYPE_CHECKING:
    LayerBytes = LayerBlob | PlainLayer


def outgoing_layers(store: Store, record: ImageRecord) -> list[OutgoingLayer]:
    """Return an image's layers, lowest first; they stay for as long as this process lives, even if the image goes.

    Raises StorageError if one isn't in the store.
    """
    manifest = schema.parse(record.manifest) if record.manifest else None
    named = manifest.layers if isinstance(manifest, schema.Manifest) else []
    descriptors = [*named] if len(named) == len(record.layers) else [None] * len(record.layers)
    for chain_id in record.layers:
        store.has_layer(chain_id)
    stored = [store.stored_layer(chain_id) for chain_id in record.layers]
    return [OutgoingLayer(store, *pair) for pair in zip(stored, descriptors, strict=True)]


def layer_type(kind: str, *, docker: bool = False) -> str:
    """Return the media type of a layer that is compressed with `kind` ("gzip", "zstd", "")."""
    return _TYPES[kind][docker]


def compress(store: Store, layer: OutgoingLayer, kind: str = "gzip", level: int | None = None) -> LayerBlob:
    """Write a layer, compressed, into the staging area and return that file: `remove` it, or the end of the call does.

    `kind` is "gzip" (isal where it's installed: the same layer gives the same bytes with the same podpy), or "zstd".
    For one thread at a time. Raises what `OutgoingLayer.tar` raises, OSError.
    """
    import hashlib

    digest = hashlib.sha256()
    stream = compressor(kind, level)
    path = store.staging.new_path("compressed")
    size = 0
    try:
        with open(path, "xb") as file:
            for data in _through(stream, layer.tar()):
                digest.update(data)
                size += len(data)
                file.write(data)
    except OSError as error:
        raise StorageError(f"{store.graphroot}: {error.strerror}", hint="Make room for a compressed layer") from None
    return LayerBlob(path=path, digest="sha256:" + digest.hexdigest(), size=size, kind=kind)


def _through(stream: Any, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield stream.compress(piece)
    yield stream.flush()


def _kind_of(path: str) -> str:
    with open(path, "rb") as file:
        kind = detect(file.read(6))
    return kind if kind in _TYPES else ""


def remove(blob: LayerBlob) -> None:
    """Remove a file that `compress` has made."""
    os.unlink(blob.path)
