"""Single blobs into the staging area, from a file, from bytes, from a registry: what artifacts are made of."""

from __future__ import annotations

import errno
import os
import stat

from podpy.errors import DigestMismatchError, ImageError, NoSpaceError, StorageError
from podpy.image.progress import SILENT, Progress
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.documents.schema import Descriptor
    from podpy.image.registry.read import Repository
    from podpy.storage.blobs import BlobWriter
    from podpy.storage.store import Store

_CHUNK = 1 << 20
HEAD = 512  # bytes that a type is guessed from


class StagedFile(Record):
    """A file that is staged, not committed: its blob, and its first bytes."""

    path: str
    digest: str
    size: int
    head: bytes
    blob: BlobWriter


def stage_file(store: Store, path: str) -> StagedFile:
    """Copy a regular file into the staging area. Raises ImageError (can't be read, changes meanwhile), StorageError.

    It is read twice, because a blob is received under its digest.
    """
    import hashlib

    descriptor = _open(path)
    try:
        digest = hashlib.sha256()
        head = b""
        size = 0
        while chunk := os.read(descriptor, _CHUNK):
            head = head or chunk[:HEAD]
            size += len(chunk)
            digest.update(chunk)
        blob = _stage(store, "sha256:" + digest.hexdigest(), descriptor, path)
    except OSError as error:
        raise _explain(error, store, path) from None
    finally:
        os.close(descriptor)
    return StagedFile(path=path, digest=blob.digest, size=size, head=head, blob=blob)


def stage_bytes(store: Store, data: bytes) -> BlobWriter:
    """Write bytes into the staging area. Raises StorageError."""
    from podpy.digests import sha256

    digest = sha256(data)
    store.has_blob(digest)  # the lease
    blob = store.stage_blob(digest)
    if not blob.complete:
        blob.restart()
        try:
            blob.write(data)
            blob.finish()
        except OSError as error:
            blob.abort()
            raise _explain(error, store, digest) from None
    return blob


def fetch(store: Store, repository: Repository, descriptor: Descriptor, *, progress: Progress = SILENT) -> BlobWriter:
    """Receive a blob from a registry; it goes on where an earlier call was cut off.

    Raises RegistryError, DigestMismatchError, StorageError; what has arrived stays for the next try.
    """
    store.has_blob(descriptor.digest)  # the lease
    blob = store.stage_blob(descriptor.digest)
    if blob.complete:
        progress.layer_exists(descriptor.digest)
        return blob
    resumed = blob.offset > 0
    try:
        return _receive(store, repository, descriptor, blob, progress)
    except DigestMismatchError:
        # Perhaps an earlier call left wrong bytes. They are gone now, so start again.
        if not resumed:
            raise
    return _receive(store, repository, descriptor, store.stage_blob(descriptor.digest), progress)


def _receive(
    store: Store, repository: Repository, descriptor: Descriptor, blob: BlobWriter, progress: Progress
) -> BlobWriter:
    digest = descriptor.digest
    progress.layer_started(digest, descriptor.size, blob.offset)
    try:
        for chunk in repository.blob(digest, descriptor.size, blob.offset):
            blob.write(chunk)
            progress.layer_advanced(digest, len(chunk))
        blob.finish()
    except OSError as error:
        blob.abort()
        raise _explain(error, store, digest) from None
    except BaseException:
        blob.abort()
        raise
    progress.layer_done(digest)
    return blob


def _open(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ImageError(f"{path}: not a regular file")
    return descriptor


def _stage(store: Store, digest: str, descriptor: int, path: str) -> BlobWriter:
    store.has_blob(digest)  # the lease: what another image or artifact has stays until this one is committed
    blob = store.stage_blob(digest)
    if blob.complete:
        return blob
    try:
        os.lseek(descriptor, blob.offset, os.SEEK_SET)
        while chunk := os.read(descriptor, _CHUNK):
            blob.write(chunk)
        blob.finish()
    except DigestMismatchError:
        raise ImageError(f"{path} changed while it was read", hint="Try again") from None
    except BaseException:
        blob.abort()
        raise
    return blob


def _explain(error: OSError, store: Store, path: str) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpaceError(f"{store.graphroot}: {error.strerror}")
    return StorageError(f"{path} can't be stored: {error.strerror}")
