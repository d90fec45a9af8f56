"""`podpy save`: images of the store, by name, into one archive or directory."""

from __future__ import annotations

from podpy.errors import ImageError, UsageError
from podpy.image.archive.write import Outgoing, docker_archive_is_free, write
from podpy.image.names import transports
from podpy.image.names.lookup import find_named_image
from podpy.image.names.reference import LOCALHOST, parse
from podpy.image.options import SAVE_FORMATS, SaveOptions
from podpy.image.outgoing.export import DOCKER, OCI, Compression
from podpy.image.progress import SILENT, Progress
from podpy.notice import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.config.paths import Paths
    from podpy.storage.store import Store

DOCKER_ARCHIVE = "docker-archive"
# Podman's names for formats: the transport, and the manifest's format.
_FORMATS = {
    "oci-dir": (transports.OCI, OCI),
    "oci-archive": (transports.OCI_ARCHIVE, OCI),
    "docker-dir": (transports.DIR, DOCKER),
    DOCKER_ARCHIVE: (transports.DOCKER_ARCHIVE, ""),
}


def save(
    store: Store,
    paths: Paths,
    names: Sequence[str],
    output: str,
    options: SaveOptions | None = None,
    *,
    progress: Progress = SILENT,
) -> None:
    """Write images to the file or directory `output`. This process must be in the user's namespaces.

    Raises UsageError, NoSuchImageError, ImageError, StorageError; then no file is written, but a directory may be
    incomplete.
    """
    options = options or SaveOptions()
    if options.format not in _FORMATS:
        raise UsageError(f"format value must be one of {' '.join(SAVE_FORMATS)}")
    if options.multiple and len(names) > 1 and options.format != DOCKER_ARCHIVE:
        raise UsageError(
            f'unsupported format "{options.format}" for saving multiple images (only {DOCKER_ARCHIVE})',
            hint="Save them one by one",
        )
    kind, manifest_format = _FORMATS[options.format]
    if options.format == DOCKER_ARCHIVE:
        docker_archive_is_free(output)
    images = _several(store, paths, names) if options.multiple else [_one(store, paths, names, options.format)]
    if len(names) > 1 and options.format != DOCKER_ARCHIVE:
        # Podman ignores them silently and returns 0, on which scripts rely; so this is only a warning.
        left_out = ", ".join(names[1:])
        warn(f"{options.format} holds one image under one name: {left_out} left out ({DOCKER_ARCHIVE} takes several)")
    compressed = options.compress if kind == transports.DIR else not options.uncompressed
    write(
        store,
        images,
        transports.TransportReference(kind=kind, path=output),
        manifest_format=manifest_format,
        # podman-save(1): with --uncompressed kept gzip layers, too, go out as plain tars.
        compression=Compression(
            kind="gzip" if compressed else "", force=options.uncompressed and kind != transports.DIR
        ),
        progress=progress,
    )


def _one(store: Store, paths: Paths, names: Sequence[str], format: str) -> Outgoing:
    record, name = find_named_image(store, paths, names[0])
    own = [name] if name else []  # an image that was asked for by its id gets no name, as with Podman
    more = [_tag(text) for text in names[1:]]
    if format == DOCKER_ARCHIVE:
        return Outgoing(record=record, names=_unique([*more, *own]))
    return Outgoing(record=record, names=own)


def _several(store: Store, paths: Paths, names: Sequence[str]) -> list[Outgoing]:
    images: dict[str, Outgoing] = {}
    for text in names:
        record, name = find_named_image(store, paths, text)
        known = images.get(record.id, Outgoing(record=record, names=[]))
        images[record.id] = known.replace(names=_unique([*known.names, *([name] if name else [])]))
    return list(images.values())


def _tag(text: str) -> str:
    reference = parse(text)
    if reference.digest:
        raise ImageError(f'invalid additional tag "{text}": it has a digest', hint="Give a name and a tag")
    return str((reference.in_domain(LOCALHOST) if reference.is_short else reference).with_default_tag())


def _unique(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))
