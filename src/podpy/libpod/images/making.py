"""A new image: layers of one that is here, new layers on them, a configuration. For commit and build."""

from __future__ import annotations

import os

from podpy.digests import sha256
from podpy.errors import StorageError
from podpy.image.documents import schema
from podpy.image.incoming.assemble import chain_ids
from podpy.image.outgoing.convert import LayerName, manifest_for
from podpy.image.outgoing.layer_source import PlainLayer, outgoing_layers
from podpy.image.progress import SILENT, Progress
from podpy.storage.images import ImageRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from podpy.image.outgoing.layer_source import LayerBytes
    from podpy.storage.layers.writer import LayerWriter
    from podpy.storage.store import Store

FORMATS = ("oci", "docker")


def written_layer(
    store: Store, parent: str, pieces: Iterable[bytes], *, name: str, progress: Progress = SILENT
) -> LayerWriter:
    """Return a layer made of a tar's pieces, unpacked in the staging area, without its chain id.

    `parent`: the chain id of the layer below it, or "". `name`: what reports and errors call it. Raises what a piece's
    making raises, StorageError.
    """
    from podpy.storage.layers import filesystem
    from podpy.storage.layers.writeback import Writeback

    layer = store.begin_layer(chain_id="", parent=parent, diff_id="")
    progress.layer_started(name, -1, 0)
    writeback = Writeback(lambda: filesystem.sync_filesystem(store.graphroot))
    try:
        for piece in pieces:
            layer.write(piece)
            writeback.wrote(len(piece))
            progress.layer_advanced(name, len(piece))
        layer.finish()
        if layer.lost_tar:
            raise StorageError(f"{name} names a file twice", hint="Try again")
        writeback.stop()
    except BaseException:
        layer.abort()
        raise
    progress.layer_done(name)
    return layer


def stacked(config: bytes, diff_ids: Sequence[str], layers: Sequence[LayerWriter] = (), *, created: int) -> ImageRecord:
    """Return the record of an image whose topmost layers are `layers`, which get their chain ids.

    `diff_ids`: of all layers, as the configuration has them. `created`: nanoseconds since 1970.
    """
    chains = chain_ids(diff_ids)
    for number, layer in enumerate(layers, len(chains) - len(layers)):
        layer.chain_id = chains[number]
        layer.parent = chains[number - 1] if number else ""
    return ImageRecord(id=sha256(config).partition(":")[2], config=config, layers=chains, created=created)


def with_manifest(
    store: Store,
    record: ImageRecord,
    below: ImageRecord | None,
    layers: Sequence[LayerWriter],
    *,
    docker: bool,
    annotations: Mapping[str, str] | None = None,
) -> ImageRecord:
    """Return the record with a manifest: the layers of `below` as they came, new ones uncompressed (a push compresses
    them).
    """
    blobs: list[LayerBytes | LayerName] = []
    if below is not None:
        blobs += [layer.blob or PlainLayer(layer) for layer in outgoing_layers(store, below)]
    blobs += [LayerName(digest=layer.diff_id, size=layer.tar_size) for layer in layers]
    media_type = schema.DOCKER_MANIFEST if docker else schema.OCI_MANIFEST
    manifest = manifest_for(record, blobs, media_type).data
    if annotations and not docker:
        from podpy import fastjson

        manifest = fastjson.dumps({**fastjson.loads(manifest), "annotations": dict(annotations)}).encode()
    return record.replace(manifest=manifest, digest=sha256(manifest))


class ImageView:
    """A context with an image's files, which nobody can change, as one descriptor: `root`.

    The mount is in a namespace of its own and detached at once: only the descriptor keeps it.
    """

    def __init__(self, store: Store, record: ImageRecord | None) -> None:
        """`record`: the image; None, or one without layers: an empty directory."""
        self._store = store
        self._record = record
        self.root = -1

    @property
    def path(self) -> str:
        """A path to the root, for functions that open files beneath it (podpy.beneath)."""
        from podpy import beneath

        return beneath.magic_path(self.root)

    def __enter__(self) -> Self:
        """Raises StorageError, OSError."""
        target = self._store.staging.new_path("root")
        os.mkdir(target, 0o755)
        record = self._record
        if record is None or not record.layers:
            self.root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        elif self._store.driver == "vfs":
            self.root = _copied(self._store, record, target)
        else:
            self.root = _mounted(self._store, record, target)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self.root)
        self.root = -1


def mount_files(store: Store, record: ImageRecord | None, target: str) -> None:
    """Mount an image's files at `target`, in this process's own mount namespace. Raises StorageError, OSError."""
    from podpy.plan import Plan
    from podpy.storage.mounts import extra_image

    os.makedirs(target, mode=0o755, exist_ok=True)
    if record is not None and record.layers:
        Plan(*extra_image.operations(store, record, target)).run()


def _mounted(store: Store, record: ImageRecord, target: str) -> int:
    from podpy import beneath, linux
    from podpy.plan import Plan
    from podpy.rootless.mounts import Privately
    from podpy.storage.mounts import extra_image

    with Privately():
        try:
            Plan(*extra_image.operations(store, record, target)).run()
            place = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                tree = beneath.clone(place)
            finally:
                os.close(place)
        finally:
            try:
                linux.umount2(target, linux.MNT_DETACH)
            except OSError:
                pass  # nothing was mounted
    return tree


def _copied(store: Store, record: ImageRecord, target: str) -> int:
    from podpy.storage.layers import copying

    for number in store.layer_numbers(record.layers):
        copying.copy_tree(os.path.join(store.graphroot, "layers", str(number)), target, (), (), merge=True)
    return os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
