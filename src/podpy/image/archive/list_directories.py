"""Directories that take a manifest list and its images as a registry does: OCI layouts (`oci:`) and `dir:`.

Blobs and the images' manifests come first, each complete, and what refers to them last. The forms: OCI image-spec,
image-layout.md (the index lists the list only); containers/image's directory transport, version 1.1, which keeps the
manifests of a list's images as HEX.manifest.json.
"""

from __future__ import annotations

import os

from podpy.digests import sha256
from podpy.errors import DigestMismatchError, NotSupportedError
from podpy.image.archive.outfile import NewFile, write_file
from podpy.image.archive.read import REF_NAME
from podpy.image.archive.write import DIR_VERSION, add_to_layout, check_directory, entries_of, make_directory
from podpy.image.incoming.assemble import Blob
from podpy.image.names import transports
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.write import EXISTS, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.image.names.transports import TransportReference


class Directory:
    """A directory with those methods of `image.registry.write.WritableRepository` that sending a list needs."""

    def __init__(self, transport: TransportReference) -> None:
        self.name = str(transport)
        self._transport = transport

    def blob_exists(self, digest: str) -> bool:
        """Return whether a blob is there."""
        return os.path.isfile(self._blob(digest))

    def put_blob(self, blob: Blob, *, mount_from: Sequence[str] = (), progress: Progress = SILENT) -> str:
        """Write a blob; return EXISTS or SENT. Raises ImageError, DigestMismatchError, and what `blob.read` raises."""
        if self.blob_exists(blob.digest):
            progress.layer_exists(blob.digest)
            return EXISTS
        import hashlib

        algorithm, _, _ = blob.digest.partition(":")
        state = hashlib.new(algorithm)
        progress.layer_started(blob.digest, blob.size, 0)
        with NewFile(self._blob(blob.digest)) as file:
            for piece in blob.read(0):
                state.update(piece)
                file.write(piece)
                progress.layer_advanced(blob.digest, len(piece))
            if state.hexdigest() != blob.digest.partition(":")[2]:
                raise DigestMismatchError(f"{self.name}: blob {blob.digest} isn't what its digest says")
        progress.layer_done(blob.digest)
        return SENT

    def put_bytes(self, data: bytes) -> str:
        """Write bytes that are in memory (a configuration); return their digest."""
        digest = sha256(data)
        if not self.blob_exists(digest):
            write_file(self._blob(digest), data)
        return digest

    def digest(self, reference: str) -> str:
        """Return the digest of a manifest that the directory has, else an empty text."""
        return reference if os.path.isfile(self._manifest(reference)) else ""

    def put_manifest(self, data: bytes, media_type: str, reference: str = "") -> str:
        """Write an image's manifest or, with any `reference`, the list; return its digest."""
        digest = sha256(data)
        if reference:
            self._put_list(data, media_type, digest)
        else:
            write_file(self._manifest(digest), data)
        return digest

    def _blob(self, digest: str) -> str:
        raise NotImplementedError

    def _manifest(self, digest: str) -> str:
        raise NotImplementedError

    def _put_list(self, data: bytes, media_type: str, digest: str) -> None:
        raise NotImplementedError


class Layout(Directory):
    """An OCI layout, which may hold other images too."""

    def __init__(self, transport: TransportReference) -> None:
        super().__init__(transport)
        make_directory(os.path.join(transport.path, "blobs", "sha256"))
        entries_of(transport.path)  # refuses a directory that isn't a layout before anything is written

    def _blob(self, digest: str) -> str:
        return os.path.join(self._transport.path, transports.blob_name(digest))

    def _manifest(self, digest: str) -> str:
        return self._blob(digest)

    def _put_list(self, data: bytes, media_type: str, digest: str) -> None:
        write_file(self._blob(digest), data)
        entry: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": len(data)}
        if self._transport.reference:
            entry["annotations"] = {REF_NAME: self._transport.reference}
        add_to_layout(self._transport.path, entry)


class Dir(Directory):
    """A `dir:` directory, which holds one list; its old content is removed."""

    def __init__(self, transport: TransportReference) -> None:
        super().__init__(transport)
        check_directory(transport.path)
        self._wanted = {"version", "manifest.json"}

    def _blob(self, digest: str) -> str:
        return self._path(digest.partition(":")[2])

    def _manifest(self, digest: str) -> str:
        return self._path(f"{digest.partition(':')[2]}.manifest.json")

    def _path(self, name: str) -> str:
        self._wanted.add(name)
        return os.path.join(self._transport.path, name)

    def _put_list(self, data: bytes, media_type: str, digest: str) -> None:
        write_file(os.path.join(self._transport.path, "version"), DIR_VERSION)
        write_file(os.path.join(self._transport.path, "manifest.json"), data)
        for name in os.listdir(self._transport.path):
            path = os.path.join(self._transport.path, name)
            if name not in self._wanted and not os.path.isdir(path):
                os.unlink(path)


def open_directory(transport: TransportReference) -> Directory:
    """Open the directory of a transport reference, or create it. Raises ImageError, NotSupportedError."""
    if transport.kind == transports.OCI:
        return Layout(transport)
    if transport.kind == transports.DIR:
        return Dir(transport)
    raise NotSupportedError(
        f"{transport.kind} has no room for a list",
        hint="Push it to oci:DIR, or to a registry; or push one of its images",
    )
