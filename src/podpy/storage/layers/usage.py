"""How much disk space the store's images take: blocks, as `du` counts them, each thing once.

A layer, or a copy of one, never changes after its commit: its tree is walked once and the sum kept (table disk_usage).
Single files are asked each time.
"""

from __future__ import annotations

import os

from podpy.record import Record
from podpy.storage import orphans, staging
from podpy.storage.blobs import KEPT_SECONDS, Unfinished, unfinished
from podpy.storage.layers.size import tree_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from podpy.storage.shelves import Shelves


class Item(Record):
    """A layer with its recipe and copies, or a blob: its bytes, and the ids of the images that use it.

    `held`: a call at work relies on it, or an artifact has it: it stays even if no image uses it.
    """

    size: int
    users: frozenset[str]
    held: bool


class ImageSpace:
    """What all images take together now."""

    def __init__(self, items: list[Item], rest: int, unfinished: list[Unfinished]) -> None:
        self.items = items
        self._rest = rest
        self._unfinished = unfinished

    @property
    def total(self) -> int:
        """The bytes of everything that images have, had (not removed yet), or are receiving."""
        return self._rest + sum(item.size for item in self.items) + sum(blob.size for blob in self._unfinished)

    def by_image(self) -> dict[str, tuple[int, int]]:
        """Return for each image id the bytes that it shares with another image, and those that only it uses."""
        shared: dict[str, int] = {}
        own: dict[str, int] = {}
        for item in self.items:
            side = own if len(item.users) == 1 else shared
            for image_id in item.users:
                side[image_id] = side.get(image_id, 0) + item.size
        return {image_id: (shared.get(image_id, 0), own.get(image_id, 0)) for image_id in {*shared, *own}}

    def freed_by(self, image_ids: Collection[str], *, unfinished: bool = True) -> int:
        """Return the bytes that removing these images gives back, with those that no image uses now.

        `unfinished`: see Store.collect.
        """
        gone = frozenset(image_ids)
        age = 0.0 if unfinished else KEPT_SECONDS
        return (
            self._rest
            + sum(item.size for item in self.items if not item.held and item.users <= gone)
            + sum(blob.size for blob in self._unfinished if blob.idle and blob.age >= age)
        )


def measure(store: Shelves) -> ImageSpace:
    """Return what the images take. To be called in the user's namespaces."""
    with store.database.transaction():
        left = orphans.find(store)
    killed = staging.of_killed_calls(store.graphroot)
    for lock in killed.values():
        os.close(lock)
    left += [f"tmp/{name}" for name in killed]
    rest = sum(tree_size(os.path.join(store.graphroot, name)) for name in left)
    leases = store.database.query("SELECT object, staging FROM leases")
    held = {name for name, maker in leases if maker not in killed}
    return ImageSpace(_layers(store, held) + _blobs(store, held), rest, unfinished(store.graphroot, held.__contains__))


def _layers(store: Shelves, held: Collection[str]) -> list[Item]:
    users: dict[str, set[str]] = {}
    for image_id, chain_id in store.database.query("SELECT image_id, chain_id FROM image_layers"):
        users.setdefault(chain_id, set()).add(image_id)
    trees = _Trees(store)
    items = []
    for number, chain_id, recipe in store.database.query("SELECT number, chain_id, recipe FROM layers"):
        size = trees.size(f"layers/{number}") + sum(trees.size(path) for path in trees.copies.get(str(number), ()))
        if recipe:
            size += tree_size(store.recipe_path(number))
        items.append(Item(size=size, users=frozenset(users.get(chain_id, ())), held=chain_id in held))
    trees.keep()
    return items


def _blobs(store: Shelves, held: Collection[str]) -> list[Item]:
    users: dict[str, set[str]] = {}
    for image_id, digest in store.database.query("SELECT image_id, digest FROM image_blobs"):
        users.setdefault(digest, set()).add(image_id)
    held = {*held, *(name for (name,) in store.database.query("SELECT digest FROM artifact_blobs"))}
    return [
        Item(size=tree_size(store.blob_path(digest)), users=frozenset(users.get(digest, ())), held=digest in held)
        for (digest,) in store.database.query("SELECT digest FROM blobs")
    ]


class _Trees:
    """The sizes of layers and their copies: known ones from the table, the others measured now."""

    def __init__(self, store: Shelves) -> None:
        self._store = store
        self._known: dict[str, int] = dict(store.database.query("SELECT path, bytes FROM disk_usage"))
        self._new: dict[str, int] = {}
        self.copies: dict[str, list[str]] = {}
        for name in orphans.names(store, "mapped"):
            self.copies.setdefault(name.partition("-")[0], []).append(f"mapped/{name}")

    def size(self, path: str) -> int:
        """Return a tree's bytes; `path` is relative to the graphroot."""
        if path not in self._known:
            self._known[path] = self._new[path] = tree_size(os.path.join(self._store.graphroot, path))
        return self._known[path]

    def keep(self) -> None:
        """Write down what was measured, and forget the layers that have gone (layers/7, mapped/7-KEY)."""
        if not self._new:
            return
        with self._store.database.transaction() as database:
            for item in self._new.items():
                database.execute("INSERT OR REPLACE INTO disk_usage VALUES (?, ?)", item)
            database.execute(
                "DELETE FROM disk_usage WHERE CAST(substr(path, 8) AS INTEGER) NOT IN (SELECT number FROM layers)"
            )
