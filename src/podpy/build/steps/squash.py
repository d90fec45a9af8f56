"""--squash: what several layers change together becomes one layer."""

from __future__ import annotations

import os
import posixpath

from podpy import beneath
from podpy.build.steps import tar
from podpy.build.steps.transfer import How, LayerTar
from podpy.build.steps.tree import Found
from podpy.libpod.images.making import ImageView, written_layer
from podpy.storage.layers.differences import DELETED, between

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter
    from podpy.storage.store import Store

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def squashed(store: Store, record: ImageRecord, below: int, clock: Callable[[int], int]) -> LayerWriter:
    """Return a layer with all that an image's layers from number `below` on change in those under them (0: in nothing).

    `clock`: see How. Raises StorageError, OSError.
    """
    paths = [os.path.join(store.graphroot, "layers", str(number)) for number in store.layer_numbers(record.layers)]
    with ImageView(store, record) as view:
        pieces = _pieces(view.path, paths[:below], paths, clock)
        parent = record.layers[below - 1] if below else ""
        return written_layer(store, parent, pieces, name="the squashed layer")


def _pieces(root: str, old: list[str], new: list[str], clock: Callable[[int], int]) -> Iterator[bytes]:
    archive = LayerTar(root, How(destination="/", clock=clock), keeps_owners=True)
    if not old:
        yield from archive.entry(Found(path="", status=os.stat(root), directory=-1, name=root), ".")
    for change in between(old, new):
        parent, name = posixpath.split(change.path)
        if change.kind == DELETED:
            whiteout = posixpath.join(parent, f".wh.{name}")
            yield tar.header(tar.Entry(name=os.fsencode(whiteout.strip("/")), mode=0))
            continue
        directory = beneath.open_in_root(root, parent, _DIRECTORY)
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            yield from archive.entry(
                Found(path=change.path, status=status, directory=directory, name=name), change.path
            )
        finally:
            os.close(directory)
    yield tar.end()
