"""`podpy push`: from an image in the store to a registry, an archive or a directory."""

from __future__ import annotations

from podpy.errors import NoSuchInstanceError
from podpy.image.archive.write import push_to_transport
from podpy.image.names import transports
from podpy.image.names.lookup import find_named
from podpy.image.names.reference import STORE, Reference
from podpy.image.names.registries import registries_of
from podpy.image.options import PushOptions
from podpy.image.outgoing.export import Compression
from podpy.image.outgoing.send import format_of, mount_sources, refuse_unsupported, registry_reference, send_image
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.remote import write
from podpy.image.registry.write import WritableRepository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.image.names.transports import TransportReference
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store


def push(
    store: Store,
    paths: Paths,
    name: str,
    destination: str = "",
    options: PushOptions | None = None,
    *,
    progress: Progress = SILENT,
) -> str:
    """Send the image `name` to `destination`; return its manifest's digest there (empty: a docker-archive has none).

    `destination` is a name in a registry, or a transport reference (`image.names.transports`); empty: `name`, unless
    it is an id. A list is sent with its images (`image.lists.push`). Raises NoSuchImageError, UsageError,
    RegistryError, AuthenticationError, ConfigError, StorageError.
    """
    options = options or PushOptions()
    refuse_unsupported(options, destination)
    record, found = find_named(store, paths, name)
    own = own_destination(name, found)
    if options.platform:
        record = _for_platform(store, record, name, options.platform)
    if record.is_list:
        from podpy.image.lists.push import push_list

        return push_list(store, paths, record, destination or own, options, progress=progress).digest
    try:
        if transports.is_transport(destination):
            return _to_transport(store, record, found, transports.parse_transport(destination), options, progress)
        return _to_registry(store, paths, record, registry_reference(destination or own, name), options, progress)
    finally:
        progress.close()


def _for_platform(store: Store, record: ImageRecord, name: str, text: str) -> ImageRecord:
    """Return a list's image for a platform, or an image that is for it. Raises ImageError, NoSuchInstanceError."""
    from podpy.image.documents.describe import parse_config
    from podpy.image.documents.schema import Platform, parse_platform, same_machine
    from podpy.image.names.instance import instance

    wanted = parse_platform(text)
    if record.is_list:
        return instance(store, record, wanted)
    config = parse_config(record)
    own = Platform(os=config.os, architecture=config.architecture)
    if not same_machine(own, wanted):
        raise NoSuchInstanceError(f"{name}: the image is for {own}, not for {wanted}")
    return record


def _to_transport(
    store: Store,
    record: ImageRecord,
    name: str,
    transport: TransportReference,
    options: PushOptions,
    progress: Progress,
) -> str:
    # As in Podman: a dir: gets layers as they are, so uncompressed ones as plain tars.
    kind = options.compression or ("" if transport.kind == transports.DIR else "gzip")
    compression = Compression(kind=kind, level=options.level, force=options.recompress)
    manifest_format = format_of(options)
    return push_to_transport(
        store, record, name, transport, manifest_format=manifest_format, compression=compression, progress=progress
    )


def _to_registry(
    store: Store, paths: Paths, record: ImageRecord, reference: Reference, options: PushOptions, progress: Progress
) -> str:
    mounts = mount_sources(store, record, reference)
    tag = reference.digest or reference.tag

    def send(repository: WritableRepository) -> str:
        return send_image(store, repository, record, options, tag=tag, mounts=mounts, progress=progress).digest

    return write(paths, reference, registries_of(paths), options, send, progress=progress)


def own_destination(typed: str, found: str) -> str:
    """Return where an image goes that is pushed without a destination: its name as it was typed, so that me/x means
    docker.io/me/x, as in Podman. If it was found by its id (`found` is its name), nowhere.
    """
    return typed.removeprefix(STORE) if found else ""
