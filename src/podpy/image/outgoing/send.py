"""Sending an image's layers, configuration and manifest to one repository: what pushes of images and of lists share.

Layers that came compressed go out as they came, so the manifest, and its digest, stay what they were. Others are
compressed aside, one after the other, while those before them are already on their way.

This process must be in the user's namespaces: layers belong to subordinate ids.
"""

from __future__ import annotations

from _queue import SimpleQueue
from functools import partial
from threading import Event, Thread

from podpy.errors import ImageError, ManifestRefusedError, NoSpaceError, NotSupportedError, StorageError, UsageError
from podpy.image.incoming.assemble import Blob
from podpy.image.names.reference import DOCKER_DOMAIN, REGISTRY, Reference, parse
from podpy.image.options import PushOptions
from podpy.image.outgoing.convert import Converted, foreign_layers, manifest_for
from podpy.image.outgoing.export import DOCKER, MANIFESTS, OCI, Compression, outgoing, own_format
from podpy.image.outgoing.layer_source import LayerBlob, remove
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.write import WritableRepository
from podpy.notice import in_thread
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.image.archive.list_directories import Directory
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

WORKERS = 3
_READ = 256 << 10
_GRACE = 2.0  # seconds that other layers get to stop after one has failed
_CHUNKED = "zstd:chunked"
_FOREIGN_TRANSPORTS = ("docker-daemon:", "containers-storage:", "ostree:", "sif:", "tarball:")
_FORMATS = {"oci": OCI, "v2s2": DOCKER, "docker": DOCKER}


class Pushed(Record):
    """What the registry now has: the manifest, its digest and media type."""

    manifest: bytes
    media_type: str
    digest: str


def refuse_unsupported(options: PushOptions, destination: str) -> None:
    """Raise NotSupportedError for a transport or a compression that Podman writes and podpy doesn't."""
    kind = next((kind for kind in _FOREIGN_TRANSPORTS if destination.startswith(kind)), "")
    if kind:
        raise NotSupportedError(
            f"{kind} is no destination that podpy can write to", hint="Take docker:// or oci-archive:"
        )
    if options.compression == _CHUNKED:
        raise NotSupportedError(f"--compression-format {_CHUNKED} is not supported", hint="Use zstd")


def registry_reference(text: str, image: str = "") -> Reference:
    """Return the name that a destination means. Raises ImageError, UsageError (nothing given, and `image` has no name).

    Short names are Docker's here: a push never searches (docker-reference in containers-transports(5)).
    """
    if not text:
        raise UsageError(f"{image} has no name to push it to", hint=f"Say where: podpy push {image} HOST/NAME:TAG")
    reference = parse(text.removeprefix(REGISTRY))
    if reference.is_short:
        reference = reference.in_domain(DOCKER_DOMAIN)
    if reference.tag and reference.digest:
        raise ImageError(f"{text}: a destination has a tag or a digest, not both")
    return reference.with_default_tag()


def send_image(
    store: Store,
    repository: WritableRepository | Directory,
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
    manifest_format = format_of(options) or own_format(record)
    compression = Compression(kind=options.compression or "gzip", level=options.level, force=options.recompress)
    senders = _Senders(repository, progress, mounts or {}, foreign_layers(record), store.staging.path())
    blobs: list[LayerBlob] = []
    try:
        for blob in outgoing(store, record, manifest_format, compression, is_there=repository.blob_exists):
            assert isinstance(blob, LayerBlob)  # a compression is always given
            blobs.append(blob)
            senders.send(blob)
        senders.finish()
    except OSError as error:
        raise NoSpaceError(f"{store.graphroot}: {error.strerror}") from None
    finally:
        senders.stop()
    progress.config(f"sha256:{record.id}")
    repository.put_bytes(record.config)
    progress.committing()
    try:
        return _put_manifest(repository, manifest_for(record, blobs, MANIFESTS[manifest_format]), tag)
    except ManifestRefusedError as error:
        # As Podman: if nobody asked for a format, another one may be taken (old registries know only Docker's).
        if options.format or any(blob.kind == "zstd" for blob in blobs) or ":" in tag:
            raise
        progress.message(f"{error.message}; trying the other format")
        other = OCI if manifest_format == DOCKER else DOCKER
        return _put_manifest(repository, manifest_for(record, blobs, MANIFESTS[other]), tag)


def _put_manifest(repository: WritableRepository | Directory, made: Converted, tag: str) -> Pushed:
    digest = repository.put_manifest(made.data, made.media_type, tag)
    return Pushed(manifest=made.data, media_type=made.media_type, digest=digest)


def format_of(options: PushOptions) -> str:
    """Return the wanted manifest format; empty: the image's own. Raises UsageError."""
    if options.format == "v2s1":
        raise UsageError("the format v2s1 is not written: registries no longer take it", hint="Use oci or v2s2")
    if options.format and options.format not in _FORMATS:
        raise UsageError(f'unknown format "{options.format}"', hint="It is oci or v2s2")
    manifest_format = _FORMATS.get(options.format, "")
    if options.compression == "zstd":
        if manifest_format == DOCKER:
            raise UsageError("Docker's format v2s2 has no zstd layers", hint="Use --format oci")
        return OCI
    return manifest_format


class _StoppedError(Exception):
    """Another layer has failed."""


class _Senders:
    """Threads that send layers, some at once; the first failure stops all of them."""

    def __init__(
        self,
        repository: WritableRepository | Directory,
        progress: Progress,
        mounts: dict[str, list[str]],
        foreign: set[str],
        staging: str,
    ) -> None:
        self._repository = repository
        self._progress = progress
        self._mounts = mounts
        self._known = set(foreign)  # digests that needn't be sent (again)
        self._staging = staging  # what lies there was made for this push: it goes when it is sent
        self._waiting: SimpleQueue[LayerBlob | None] = SimpleQueue()
        self._stopped = Event()
        self._error: BaseException | None = None
        self._threads: list[Thread] = []

    def send(self, blob: LayerBlob) -> None:
        """Send a layer. Raises what has failed meanwhile."""
        self._raise()
        if blob.digest in self._known:
            return
        self._known.add(blob.digest)
        if not blob.path:
            self._progress.layer_exists(blob.digest)
            return
        self._waiting.put(blob)
        if len(self._threads) < WORKERS:
            self._threads.append(Thread(target=in_thread(self._work), daemon=True))
            self._threads[-1].start()

    def finish(self) -> None:
        """Wait until all layers are sent. Raises the first failure."""
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
        while not self._stopped.is_set() and (blob := self._waiting.get()) is not None:
            source = Blob(digest=blob.digest, size=blob.size, read=partial(self._read, blob))
            try:
                self._repository.put_blob(source, mount_from=self._mounts.get(blob.digest, ()), progress=self._progress)
                if blob.path.startswith(self._staging):
                    remove(blob)
            except BaseException as error:
                self._error = self._error or error
                self._stopped.set()

    def _read(self, blob: LayerBlob, offset: int) -> Iterator[bytes]:
        # Not `blob.chunks`, which compares the digest: the registry does so, and it is a sixth of an upload's work.
        try:
            with open(blob.path, "rb", buffering=0) as file:
                file.seek(offset)
                while chunk := file.read(_READ):
                    if self._stopped.is_set():
                        raise _StoppedError
                    yield chunk
        except OSError as error:
            raise StorageError(f"{blob.path}: {error.strerror}", hint="Run: podpy system check") from None


def mount_sources(store: Store, record: ImageRecord, reference: Reference) -> dict[str, list[str]]:
    """Return, by digest, the repositories of the same registry that may have a layer: those that an image with it has
    a name of.
    """
    if not record.manifest:
        return {}
    found: dict[str, list[str]] = {}
    for digest, name in store.images_table.names_with_blobs_of(record.id):
        other = parse(name)
        known = found.setdefault(digest, [])
        if other.domain == reference.domain and other.path not in (reference.path, *known):
            known.append(other.path)
    return found
