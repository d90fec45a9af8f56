"""`podpy system check` for the store: what the rows say and what the disk has. Repairing is what a killed call's next
one does.

Called inside the user's namespaces. Directories and files in the making (tmp/) belong to their makers while these live.
"""

from __future__ import annotations

import os

from podpy.record import Record
from podpy.storage import orphans
from podpy.storage.mounts import image_mounts
from podpy.storage.volumes.table import VolumeTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.shelves import Removed, Shelves

_ORPHAN = "nothing in the database belongs to it"


class Finding(Record):
    """One thing that is wrong; `repaired` if it no longer is. `layer`: the chain id of a layer to bring again."""

    what: str
    repaired: bool = False
    layer: str = ""


def check(store: Shelves, *, repair: bool = False) -> list[Finding]:
    """Return what is wrong with database, layers, blobs, containers' layers and volumes. See Store.check."""
    findings = _database(store)
    with store.database.transaction():  # nobody commits or collects between a listing and its query
        findings += _layers(store)
        findings += _recipes(store, repair)
        findings += _blobs(store, repair)
        findings += _artifacts(store)
        findings += _manifests(store)
        findings += [Finding(what=f"{name}: {_ORPHAN}", repaired=repair) for name in orphans.find(store)]
        findings += _containers(store, repair)
        findings += _volumes(store)
        findings += _mounts(store, repair)
    if repair:
        orphans.remove(store)  # it may take long: not while this holds the write lock
    return findings


def swept(removed: Removed) -> list[Finding]:
    """Return what a sweep has repaired."""
    return [Finding(what=f"{name}: left by a killed call", repaired=True) for name in removed.lines]


def _database(store: Shelves) -> list[Finding]:
    rows = store.database.query("PRAGMA quick_check")
    broken = [Finding(what=f"database: {text}") for (text,) in rows if text != "ok"]
    for table, row, parent, _ in store.database.query("PRAGMA foreign_key_check"):
        broken.append(Finding(what=f"database: row {row} of {table} refers to a row of {parent} that isn't there"))
    return broken


def _layers(store: Shelves) -> list[Finding]:
    # A lost layer can't be made here: it is named, so that it can be brought again (podpy.image.incoming.mend).
    findings = []
    for number, chain_id in store.database.query("SELECT number, chain_id FROM layers"):
        if not os.path.isdir(os.path.join(store.graphroot, "layers", str(number))):
            images = store.database.query("SELECT image_id FROM image_layers WHERE chain_id = ?", (chain_id,))
            users = ", ".join(sorted({image_id[:12] for (image_id,) in images})) or "no image"
            text = f"layers/{number} ({chain_id}) is missing; it belongs to {users}"
            findings.append(Finding(what=text, layer=chain_id))
    return findings


def _recipes(store: Shelves, repair: bool) -> list[Finding]:
    findings = []
    for number, chain_id, size in store.database.query("SELECT number, chain_id, recipe FROM layers WHERE recipe > 0"):
        path = store.recipe_path(number)
        actual = _size(path)
        if actual == size:
            continue
        text = "is missing" if actual < 0 else f"has {actual} bytes, not {size}"
        if repair:  # the image still works without it, but can't be saved any more
            store.database.execute("UPDATE layers SET recipe = 0 WHERE number = ?", (number,))
            store.staging.discard(path)
        findings.append(Finding(what=f"recipes/{number} ({chain_id}) {text}", repaired=repair))
    return findings


def _blobs(store: Shelves, repair: bool) -> list[Finding]:
    findings = []
    for digest, size in store.database.query("SELECT digest, size FROM blobs"):
        path = store.blob_path(digest)
        actual = _size(path)
        if actual == size:
            continue
        text = "is missing" if actual < 0 else f"has {actual} bytes, not {size}"
        if repair:  # the image still works without it; only save and push must compress again
            store.forget_blob(digest)
        findings.append(Finding(what=f"blob {digest} {text}", repaired=repair))
    return findings


def _artifacts(store: Shelves) -> list[Finding]:
    # An image has its layers. An artifact, also one in a manifest list, has only its blobs.
    query = "SELECT name, digest FROM artifact_blobs WHERE digest NOT IN (SELECT digest FROM blobs)"
    lost = [f"artifact {name}: blob {digest} is missing" for name, digest in store.database.query(query)]
    query = (
        "SELECT image_id, digest FROM image_blobs WHERE digest NOT IN (SELECT digest FROM blobs) "
        "AND image_id IN (SELECT id FROM images WHERE length(config) = 0)"
    )
    lost += [
        f"manifest list {list_id[:12]}: blob {digest} is missing" for list_id, digest in store.database.query(query)
    ]
    return [Finding(what=f"{text}: pull or add it again") for text in lost]


def _manifests(store: Shelves) -> list[Finding]:
    query = (
        "SELECT id, digest FROM images WHERE digest != '' AND NOT EXISTS "
        "(SELECT 1 FROM image_manifests WHERE image_id = images.id AND digest = images.digest)"
    )
    rows = store.database.query(query)
    return [
        Finding(what=f"image {image_id[:12]}: its manifest {digest} is missing: pull it again")
        for image_id, digest in rows
    ]


def _volumes(store: Shelves) -> list[Finding]:
    # Never removed here: a volume may be a user's only copy.
    known = {volume.name for volume in VolumeTable(store.paths, store.database).all()}
    present = {name for name in orphans.names(store, "volumes") if not name.startswith(".")}
    lost = [Finding(what=f"volume {name}: its directory is missing") for name in sorted(known - present)]
    return lost + [Finding(what=f"volumes/{name} belongs to no volume") for name in sorted(present - known)]


def _mounts(store: Shelves, repair: bool) -> list[Finding]:
    known = {image_id for (image_id,) in store.database.query("SELECT id FROM images")}
    lost = [image_id for image_id in image_mounts.mounted(store) if image_id not in known]
    for image_id in lost if repair else ():
        image_mounts.unmount(store, image_id, force=True)
    return [Finding(what=f"image {image_id[:12]} is mounted and isn't there", repaired=repair) for image_id in lost]


def _containers(store: Shelves, repair: bool) -> list[Finding]:
    known = {container_id for (container_id,) in store.database.query("SELECT id FROM containers")}
    findings = []
    for name in orphans.names(store, "containers"):
        if name in known:
            continue
        if repair:
            store.remove_container_layer(name)
        findings.append(Finding(what=f"containers/{name}: {_ORPHAN}", repaired=repair))
    return findings


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return -1
