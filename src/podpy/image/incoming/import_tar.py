"""`podpy import`: the tar of a root file system becomes an image of one layer.

The tar is read twice: for its digests, which the configuration and the manifest name, and to unpack it. So if it comes
by a pipe or from an address, it is first written into the staging area, without a name. A gzip or zstd file is kept as
it came, so that a push sends those bytes; xz and bzip2 are no layer formats, so of those (and of plain tars) only the
files are kept.
"""

from __future__ import annotations

import os
import stat

from podpy import fastjson
from podpy.digests import sha256
from podpy.errors import DigestMismatchError, ImageError
from podpy.image.archive.tree import chunks_of, spool
from podpy.image.documents import changes, schema
from podpy.image.incoming.assemble import Blob, ImageParts, assemble
from podpy.image.incoming.compression import HEAD, decompressed, detect
from podpy.image.incoming.download import download
from podpy.image.names.reference import for_new_image
from podpy.image.options import ImportOptions, is_address
from podpy.image.progress import SILENT, Progress
from podpy.image.trust import Origin, PolicyContext
from podpy.record import Record
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

_WANTED = "podpy import takes a tar of a root file system, also compressed"
_HEADER = 512  # bytes: no tar is shorter
_CHUNK = 1 << 20
_LAYER_SUFFIXES = {"gzip": "+gzip", "zstd": "+zstd"}
_COMMENT = "imported from tarball"


def import_tar(
    store: Store,
    source: str | int,
    name: str = "",
    options: ImportOptions | None = None,
    *,
    progress: Progress = SILENT,
) -> ImageRecord:
    """Return the new image; `source` is a path, an address or a descriptor, `name` its name (short ones are local).

    Raises UsageError (a change that makes no sense), TrustError (policy.json: tarball), ImageError, RegistryError (an
    address), StorageError.
    """
    options = options or ImportOptions()
    settings = changes.parse(options.changes)
    names = [for_new_image(name)] if name else []
    place = Origin(transport="tarball", scopes=[], name=f"tarball:{source if isinstance(source, str) else '-'}")
    PolicyContext(store.paths, place, policy_file=options.signature_policy).check_policy(b"")
    descriptor = _open(store, source)
    before = _stamp(descriptor)
    try:
        tar = _measure(descriptor)
        config = _config(options, settings, tar)
        parts = ImageParts(manifest=_manifest(config, tar), config=config, layers=[_blob(descriptor, tar)])
        return assemble(store, parts, names=names, progress=progress)
    except (ImageError, DigestMismatchError):
        if _stamp(descriptor) == before:
            raise
        raise ImageError(f"{source}: changed while it was read", hint="Try again") from None
    finally:
        os.close(descriptor)
        progress.close()


def _stamp(descriptor: int) -> tuple[int, int]:
    """Return what a change of a file changes."""
    status = os.fstat(descriptor)
    return status.st_mtime_ns, status.st_size


def _open(store: Store, source: str | int) -> int:
    """Return a descriptor of a regular file that begins with the tar's first byte."""
    if isinstance(source, str) and is_address(source):
        return spool(store, download(source), "import")
    if isinstance(source, int):
        descriptor = os.dup(source)
    else:
        try:
            descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise ImageError(f'error opening "{source}": open {source}: {reason}') from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0:
        return descriptor
    try:
        if stat.S_ISDIR(mode):
            raise ImageError(f"{source}: it is a directory", hint="Pack it: tar -C DIRECTORY -c . | podpy import -")
        return spool(store, chunks_of(descriptor), "import")
    finally:
        os.close(descriptor)


class _Tar(Record):
    """What the first reading found: the file's compression, digest and size, the tar's own, and the file's time."""

    compression: str
    digest: str
    size: int
    diff_id: str
    plain_size: int
    created: str

    @property
    def kept(self) -> bool:
        """Whether the file's own bytes are a layer that a manifest can name."""
        return self.compression in _LAYER_SUFFIXES


def _measure(descriptor: int) -> _Tar:
    import hashlib

    blob, tar = hashlib.sha256(), hashlib.sha256()
    size = plain_size = 0

    def chunks() -> Iterator[bytes]:
        nonlocal size
        while chunk := os.pread(descriptor, _CHUNK, size):
            size += len(chunk)
            blob.update(chunk)
            yield chunk

    for piece in decompressed(chunks()):
        plain_size += len(piece)
        tar.update(piece)
    if not size:
        raise ImageError("the archive is empty", hint=_WANTED)
    if plain_size < _HEADER:
        raise ImageError(
            "the archive is no tar", hint="podpy import takes a tar of a root file system, also compressed"
        )
    return _Tar(
        compression=detect(os.pread(descriptor, HEAD, 0)),
        digest="sha256:" + blob.hexdigest(),
        size=size,
        diff_id="sha256:" + tar.hexdigest(),
        plain_size=plain_size,
        created=rfc3339(os.fstat(descriptor).st_mtime_ns, utc=True),
    )


def _config(options: ImportOptions, settings: dict[str, Any], tar: _Tar) -> bytes:
    host = schema.host_platform()
    step = {
        "created": tar.created,
        "created_by": f"/bin/sh -c #(nop) ADD file:{tar.diff_id.partition(':')[2]} in /",
        "comment": options.message or _COMMENT,
    }
    document = {
        "created": tar.created,
        "architecture": options.architecture or host.architecture,
        "os": options.os or host.os,
        **({"variant": options.variant} if options.variant else {}),
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [tar.diff_id]},
        "history": [step],
    }
    return _as_go_writes(document)


def _as_go_writes(document: dict[str, Any]) -> bytes:
    """Return JSON as Go's encoding/json writes it, byte for byte: it is the image's id."""
    import json

    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    # What isn't UTF-8 on the command line is a replacement character to Go.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _manifest(config: bytes, tar: _Tar) -> bytes:
    layer = {
        "mediaType": schema.OCI_LAYER + _LAYER_SUFFIXES.get(tar.compression, ""),
        "digest": tar.digest if tar.kept else tar.diff_id,
        "size": tar.size if tar.kept else tar.plain_size,
    }
    description = {"mediaType": schema.OCI_CONFIG, "digest": sha256(config), "size": len(config)}
    # No mediaType: Podman's tarball transport writes none (image-spec: SHOULD), and so the digest is Podman's, too.
    document = {"schemaVersion": 2, "config": description, "layers": [layer]}
    return fastjson.dumps(document).encode()


def _blob(descriptor: int, tar: _Tar) -> Blob:
    def read(offset: int) -> Iterator[bytes]:
        while chunk := os.pread(descriptor, min(_CHUNK, tar.size - offset), offset):
            offset += len(chunk)
            yield chunk

    return Blob(digest=tar.digest if tar.kept else "", size=tar.size, read=read)
