"""Layers, blobs, mounts, volumes, and their database.

    Store(paths, database) (store.py)        a Shelves (shelves.py: rows, paths, leases), as commits and checks take
        has_layer(chain_id), has_blob(digest) -> bool       and take a lease: it stays while this process lives
        begin_layer(chain_id=, parent=, diff_id=) -> LayerWriter
        stage_blob(digest) -> BlobWriter     resumed at `.offset`; waits while another process receives the same blob
        commit_image(record, layers=, blobs=, names=, parents=) -> ImageRecord    one syncfs, renames, one transaction
        find_image(name or id), images(), tag, untag; remove_image(…) -> Removed (Podman's lines, bytes)
        mount_operations(container_id, image, target) -> operations               podpy.storage.mounts
        sweep, collect, check(repair=)       what killed calls left; what nothing uses; rows against files
        close()                              at a call's end
    ImageRecord, ImageTable (images.py)      id (the configuration's digest), manifest, layers, names, size (bytes)
    BlobWriter (blobs.py)                    write, restart, finish (checks the digest), abort (keeps the received part)
    Volumes(paths, database) (volumes.py)    create, ensure, find, all, remove, use, prepare (the first filling)
    Artifacts (artifacts.py); lists.py: the rows of manifest lists
    database/  layers/  mounts/  secrets/

Rules:
- Everything visible is complete and on the disk: staged in graphroot/tmp, synced, renamed, committed, in this order.
- There are no reference counts: an object may be removed if no query finds a user or a living lease.
- Unpacking, copying and removing trees need the user's namespaces. A child unpacks. One thread: layers/writeback.py.
- Raises StorageError, NoSuchImageError, InUseError, DigestMismatchError, NoSpaceError.
On disk, locks, what a crash leaves: docs/storage.md.
"""

from __future__ import annotations

import os


def crash_point(name: str) -> None:
    """Die here if PODPY_CRASH_AT says so: the crash test's hook between two steps that aren't operations of a plan."""
    if os.environ.get("PODPY_CRASH_AT") == name:
        os.kill(os.getpid(), 9)
