"""A store to test with, and images for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from podpy.config.paths import Paths
from podpy.storage.database.database import Database
from podpy.storage.images import ImageRecord
from podpy.storage.store import Store
from tests.storage.tars import Tar, digest
from tests.storage.userns import own_directory


def open_store(base: Path, *, rootless: bool = True) -> Store:
    """Return the store under `base`, as a new call of podpy would open it."""
    paths = paths_under(base, rootless=rootless)
    return Store(paths, Database.open(paths))


def paths_under(base: Path, *, rootless: bool = True) -> Paths:
    """Return the paths of a user whose graph root is `base`/graph."""
    return Paths(
        graphroot=str(base / "graph"),
        runroot=str(base / "run"),
        rootless=rootless,
        uid=0,
        gid=0,
        home="/",
        config_dirs=(),
        boot_id="0" * 36,
    )


@contextmanager
def own_store() -> Iterator[Store]:
    """An empty store; gone at the end."""
    with own_directory() as base:
        yield open_store(base)


def add_image(store: Store, identity: str, tars: list[Tar], name: str = "", *, commit: bool = True) -> ImageRecord:
    """Commit an image with these layers as a pull does: what is here already isn't unpacked again."""
    layers, blobs, chain = [], [], []
    descriptors = []
    for tar in tars:
        data = tar.bytes()
        diff_id = digest(data)
        parent = chain[-1] if chain else ""
        chain.append(diff_id if not parent else digest(f"{parent} {diff_id}".encode()))
        descriptors.append({"digest": diff_id})
        if store.has_layer(chain[-1]):
            continue
        layer = store.begin_layer(chain_id=chain[-1], parent=parent, diff_id=diff_id)
        layer.write(data)
        layer.finish()
        layers.append(layer)
        blob = store.stage_blob(diff_id)
        if not blob.complete:
            blob.write(data[blob.offset :])
            blob.finish()
        blobs.append(blob)
    record = ImageRecord(
        id=identity * 64,
        digest=digest(identity.encode()),
        manifest=json.dumps({"layers": descriptors}).encode(),
        config=b"{}",
        layers=chain,
    )
    if not commit:
        return record
    return store.commit_image(record, layers=layers, blobs=blobs, names=[name] if name else [])
