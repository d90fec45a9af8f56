"""`podpy push`: from an image in the store to a registry.

Layers that came compressed go out as they came, so the manifest, and its digest, stay what they were. Others are
compressed aside, one after the other, while those before them are already on their way.

This process must be in the user's namespaces: layers belong to subordinate ids.
"""

from __future__ import annotations

from _queue import SimpleQueue
from functools import partial
from threading import Event, Thread

from podpy.errors import ConfigError, ImageError, NotSupportedError, StorageError, UsageError
from podpy.image import schema
from podpy.image.assemble import Blob
from podpy.image.convert import Converted, foreign_layers, manifest_for, manifest_type
from podpy.image.layer_source import LayerBlob, OutgoingLayer, compress, outgoing_layers, remove
from podpy.image.lookup import find_named, registries_of
from podpy.image.progress import SILENT, Progress
from podpy.image.reference import DOCKER_DOMAIN, Reference, parse
from podpy.image.remote import Access, write
from podpy.image.upload import ManifestRefusedError, WritableRepository
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podpy.config.paths import Paths
    from podpy.config.registries import Registries
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

WORKERS = 3
COMPRESSIONS = ("gzip", "zstd")
_GRACE = 2.0  # seconds that other layers get to stop after one has failed
_REGISTRY = "docker://"
_ROOM = "Make room: podpy container prune, podpy image prune --all"


class PushOptions(Access):
    """How to push. Empty texts mean: as the image is."""

    format: str = ""  # oci, v2s2
    compression: str = ""  # gzip, zstd: for layers that are not compressed, and with `recompress` for all others
    level: int | None = None
    recompress: bool = False


class Pushed(Record):
    """What the registry now has: the manifest, its digest and media type."""

    manifest: bytes
    media_type: str
    digest: str


def push(
    store: Store,
    paths: Paths,
    name: str,
    destination: str = "",
    options: PushOptions | None = None,
    *,
    progress: Progress = SILENT,
) -> Pushed:
    """Send the image `name` to `destination`: a full name in a registry; empty: the name under which it was found.

    Raises NoSuchImageError, UsageError, RegistryError, AuthenticationError, ConfigError, StorageError.
    """
    options = options or PushOptions()
    record, found = find_named(store, paths, name)
    reference = registry_reference(destination or found, name)
    registries = registries_of(paths)
    mounts = _mount_sources(store, record, reference, registries)

    def send(repository: WritableRepository) -> Pushed:
        return send_image(
            store, repository, record, options, tag=reference.digest or reference.tag, mounts=mounts, progress=progress
        )

    try:
        return write(paths, reference, registries, options, send, progress=progress)
    finally:
        progress.close()


def registry_reference(text: str, image: str = "") -> Reference:
    """Return the name that a destination means. Raises ImageError, UsageError (nothing given, and `image` has no name).

    Short names are Docker's here: a push never searches (docker-reference in containers-transports(5)).
    """
    if not text:
        raise UsageError(f"{image} has no name to push it to", hint=f"Say where: podpy push {image} HOST/NAME:TAG")
    reference = parse(text.removeprefix(_REGISTRY))
    if reference.is_short:
        reference = reference.in_domain(DOCKER_DOMAIN)
    if reference.tag and reference.digest:
        raise ImageError(f"{text}: a destination has a tag or a digest, not both")
    return reference.with_default_tag()


def send_image(
    store: Store,
    repository: WritableRepository,
    record: ImageRecord,
    options: PushOptions,
    *,
    tag: str = "",
    mounts: dict[str, list[str]] | None = None,
    progress: Progress = SILENT,
) -> Pushed:
    """Send an image's layers, configuration and manifest. `tag` empty: the manifest is named by its digest only.

    `mounts`: repositories (paths) of the same registry that may have a blob, by its digest.
    """
    # Docker's manifests have no zstd layers; who asks for those and for no format gets OCI's, as from Podman.
    wanted = manifest_type(options.format) or (schema.OCI_MANIFEST if options.compression == "zstd" else "")
    layers = outgoing_layers(store, record)
    kinds = _compressions(record, layers, wanted, options)
    senders = _Senders(repository, progress, mounts or {}, foreign_layers(record))
    blobs: list[LayerBlob] = []
    try:
        for layer, kind in zip(layers, kinds, strict=True):
            blob = _compressed(store, layer, kind, options.level) if kind else layer.blob
            assert blob is not None
            blobs.append(blob)
            senders.send(blob, temporary=bool(kind))
        senders.finish()
    finally:
        senders.stop()
    progress.config(f"sha256:{record.id}")
    repository.put_bytes(record.config)
    progress.committing()
    return _put_manifest(repository, record, blobs, wanted, tag, progress)


def _put_manifest(
    repository: WritableRepository,
    record: ImageRecord,
    blobs: Sequence[LayerBlob],
    wanted: str,
    tag: str,
    progress: Progress,
) -> Pushed:
    made = manifest_for(record, blobs, wanted)
    try:
        return _pushed(made, repository.put_manifest(made.data, made.media_type, tag))
    except ManifestRefusedError as error:
        # As Podman: if nobody asked for a format, another one may be taken (old registries know only Docker's).
        other = schema.DOCKER_MANIFEST if made.media_type == schema.OCI_MANIFEST else schema.OCI_MANIFEST
        if wanted or any(blob.kind == "zstd" for blob in blobs) or tag.startswith("sha256:"):
            raise
        progress.message(f"{error.message}; trying the other format")
        made = manifest_for(record, blobs, other)
        return _pushed(made, repository.put_manifest(made.data, made.media_type, tag))


def _pushed(made: Converted, digest: str) -> Pushed:
    return Pushed(manifest=made.data, media_type=made.media_type, digest=digest)


def _compressions(record: ImageRecord, layers: Sequence[OutgoingLayer], wanted: str, options: PushOptions) -> list[str]:
    """Return how to compress each layer, empty: it goes as it is. Raises UsageError, NotSupportedError."""
    if options.compression and options.compression not in COMPRESSIONS:
        raise NotSupportedError(f"compression {options.compression} is not supported", hint="Use gzip or zstd")
    docker = wanted or (schema.parse(record.manifest).media_type if record.manifest else "")
    if wanted == schema.DOCKER_MANIFEST and options.compression == "zstd":
        raise UsageError("Docker's format v2s2 has no zstd layers", hint="Use --format oci")
    kind = options.compression or "gzip"
    kinds = []
    for layer in layers:
        blob = layer.blob
        keep = blob is not None and (blob.kind or layer.original)
        if keep and blob is not None:
            changed = options.recompress and blob.kind != kind
            changed = changed or (docker == schema.DOCKER_MANIFEST and blob.kind == "zstd")
            keep = not changed
        kinds.append("" if keep else kind)
    return kinds


def _compressed(store: Store, layer: OutgoingLayer, kind: str, level: int | None) -> LayerBlob:
    try:
        return compress(store, layer, kind, level)
    except OSError as error:
        raise StorageError(f"{store.graphroot}: {error.strerror}", hint=_ROOM) from None


class _StoppedError(Exception):
    """Another layer has failed."""


class _Senders:
    """Threads that send layers, some at once; the first failure stops all of them."""

    def __init__(
        self, repository: WritableRepository, progress: Progress, mounts: dict[str, list[str]], foreign: set[str]
    ) -> None:
        self._repository = repository
        self._progress = progress
        self._mounts = mounts
        self._known = set(foreign)  # digests that needn't be sent (again)
        self._waiting: SimpleQueue[tuple[LayerBlob, bool] | None] = SimpleQueue()
        self._stopped = Event()
        self._error: BaseException | None = None
        self._threads: list[Thread] = []

    def send(self, blob: LayerBlob, *, temporary: bool) -> None:
        """Send a layer; its file is removed afterwards if it is `temporary`. Raises what has failed meanwhile."""
        self._raise()
        if blob.digest in self._known:
            return
        self._known.add(blob.digest)
        self._waiting.put((blob, temporary))
        if len(self._threads) < WORKERS:
            self._threads.append(Thread(target=self._work, daemon=True))
            self._threads[-1].start()

    def finish(self) -> None:
        """Wait until all are sent. Raises what failed first."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            while thread.is_alive() and not self._stopped.is_set():
                thread.join(0.25)  # not for ever: Ctrl-C is seen between two waits
        self._raise()

    def stop(self) -> None:
        """End the threads, whether they are done or not."""
        self._stopped.set()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(_GRACE)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while not self._stopped.is_set() and (item := self._waiting.get()) is not None:
            blob, temporary = item
            source = Blob(digest=blob.digest, size=blob.size, read=partial(self._read, blob))
            try:
                self._repository.put_blob(source, mount_from=self._mounts.get(blob.digest, ()), progress=self._progress)
                if temporary:
                    remove(blob)
            except BaseException as error:
                self._error = self._error or error
                self._stopped.set()

    def _read(self, blob: LayerBlob, offset: int) -> Iterator[bytes]:
        try:
            for chunk in blob.chunks(offset):
                if self._stopped.is_set():
                    raise _StoppedError
                yield chunk
        except OSError as error:
            raise StorageError(f"{blob.path}: {error.strerror}", hint="Run: podpy system check") from None


def _mount_sources(
    store: Store, record: ImageRecord, reference: Reference, registries: Registries
) -> dict[str, list[str]]:
    """Return, by digest, the repositories of the same registry that may have a layer: those that an image with it has
    a name of.
    """
    if not record.manifest:
        return {}
    own_host, _, own_path = _place(reference, registries).partition("/")
    query = (
        "SELECT image_blobs.digest, image_names.name FROM image_blobs JOIN image_names USING (image_id) "
        "WHERE image_blobs.digest IN (SELECT digest FROM image_blobs WHERE image_id = ?) ORDER BY image_names.name"
    )
    found: dict[str, list[str]] = {}
    for digest, name in store.database.query(query, (record.id,)):
        host, _, path = _place(parse(name), registries).partition("/")
        known = found.setdefault(digest, [])
        if host == own_host and path not in (own_path, *known):
            known.append(path)
    return found


def _place(reference: Reference, registries: Registries) -> str:
    """Return where a name lies, rewritten as registries.conf says; empty where that is forbidden."""
    try:
        return registries.endpoints(reference.name, by_digest=False)[-1][0]
    except ConfigError:
        return ""
