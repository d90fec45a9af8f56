"""Files without a row: what a removal leaves on purpose and a kill by accident.

Layers and blobs get their place and their row in one transaction, so if a holder of the write lock finds
one without a row, nothing can ever use it. Removing has two steps, then: rows go in one transaction; files
without a row go in a second one, which asks again. In between another call may have received the same blob.
"""

from __future__ import annotations

import os

from podpy.storage.layers.size import tree_size
from podpy.storage.shelves import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.shelves import Shelves


def find(store: Shelves) -> list[str]:
    """Return the layers, their recipes and mapped copies, and the blobs without a row, as paths in the graphroot.

    To be called in a transaction: without the write lock another call's commit is seen half-done.
    """
    numbers = {str(number) for (number,) in store.database.query("SELECT number FROM layers")}
    digests = {digest.partition(":")[2] for (digest,) in store.database.query("SELECT digest FROM blobs")}
    return [
        *(f"layers/{name}" for name in names(store, "layers") if name not in numbers and name != "empty"),
        *(f"recipes/{name}" for name in names(store, "recipes") if name not in numbers),
        *(f"mapped/{name}" for name in names(store, "mapped") if name.partition("-")[0] not in numbers),
        *(f"blobs/sha256/{name}" for name in names(store, "blobs/sha256") if name not in digests),
    ]


def remove(store: Shelves, *, measure: bool = False) -> Removed:
    """Remove what `find` finds: aside while nobody can commit, from the disk afterwards. Return its paths."""
    from podpy.storage.layers import filesystem

    aside = store.staging.new_path("orphans")
    with store.database.transaction():
        found = find(store)
        if found:
            os.mkdir(aside, 0o700)
        for number, name in enumerate(found):
            os.rename(os.path.join(store.graphroot, name), os.path.join(aside, str(number)))
    if not found:
        return Removed()
    size = sum(tree_size(os.path.join(aside, str(number))) for number in range(len(found))) if measure else 0
    filesystem.remove_tree(aside)
    return Removed(lines=found, bytes=size)


def names(store: Shelves, directory: str) -> list[str]:
    """Return what a directory of the graphroot has, sorted; an empty list if there is none."""
    try:
        return sorted(os.listdir(os.path.join(store.graphroot, directory)))
    except FileNotFoundError:
        return []
