"""Writes images into archives and directories: docker-archive, oci-archive, oci (a layout), dir.

An archive is complete or doesn't exist (image/archive/outfile.py). A directory gets its blobs first, each complete,
then the documents that refer to them. The formats: OCI image-spec, image-layout.md; Docker's image specification 1.2
for docker-archive; containers/image's directory transport, version 1.1.
"""

from __future__ import annotations

import errno
import os

from podpy import fastjson
from podpy.digests import sha256
from podpy.errors import ImageError, UsageError
from podpy.image.archive.outfile import NewFile, write_file
from podpy.image.archive.read import REF_NAME, docker_name
from podpy.image.archive.tarwriter import TarWriter
from podpy.image.documents import schema
from podpy.image.names import transports
from podpy.image.outgoing.export import OCI, Compression, Export, own_format, render
from podpy.image.outgoing.layer_source import PlainLayer, outgoing_layers
from podpy.image.progress import SILENT, Progress
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from podpy.image.names.transports import TransportReference
    from podpy.image.outgoing.layer_source import LayerBytes
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

_OCI_LAYOUT = b'{"imageLayoutVersion": "1.0.0"}'
DIR_VERSION = b"Directory Transport Version: 1.1\n"


class Outgoing(Record):
    """One image and the names that it gets in the archive or directory."""

    record: ImageRecord
    names: list[str]


def write(
    store: Store,
    images: Sequence[Outgoing],
    transport: TransportReference,
    *,
    manifest_format: str = "",
    compression: Compression | None = None,
    progress: Progress = SILENT,
) -> str:
    """Write images; return the digest of the (last) manifest, empty for a docker-archive, which has none.

    Only a docker-archive takes several images, only it and an oci-archive several names of one. `manifest_format` is
    for `dir:` ("oci", "docker", empty: the image's own format); other transports have a fixed one. `compression` is
    ignored for a docker-archive, whose layers are plain tars. This process must be in the user's namespaces. Raises
    ImageError, StorageError, OSError; then no archive was written, and an old one is still there.
    """
    try:
        if transport.kind == transports.DOCKER_ARCHIVE:
            _write_docker_archive(store, images, transport.path, progress)
            return ""
        (image,) = images
        if transport.kind == transports.DIR:
            check_directory(transport.path)
            manifest_format = manifest_format or own_format(image.record)
        elif manifest_format not in ("", OCI):
            raise UsageError(f"{transport.kind} holds only OCI images", hint="Leave the format out")
        export = render(store, image.record, manifest_format or OCI, compression or Compression())
        _WRITERS[transport.kind](export, image.names, transport.path, progress)
        return export.digest
    finally:
        progress.close()


def push_to_transport(
    store: Store,
    record: ImageRecord,
    name: str,
    transport: TransportReference,
    *,
    manifest_format: str = "",
    compression: Compression | None = None,
    progress: Progress = SILENT,
) -> str:
    """Write one image under the name in the transport reference, as `podman push IMAGE oci:DIR:NAME` does.

    `name` is the full name by which the image was asked for (empty: by its id); a docker-archive gets it too. See
    `write`.
    """
    if transport.index >= 0:
        raise UsageError(
            f"{transport}: @{transport.index} chooses among images that are there", hint="Give a name instead"
        )
    if transport.kind == transports.DOCKER_ARCHIVE:
        own = [docker_name(transport.reference)] if transport.reference else []
        names = list(dict.fromkeys([*own, *([name] if name else [])]))
    else:
        names = [transport.reference] if transport.reference else []
    images = [Outgoing(record=record, names=names)]
    return write(store, images, transport, manifest_format=manifest_format, compression=compression, progress=progress)


def docker_archive_is_free(path: str) -> None:
    """Raise ImageError if the docker-archive exists already: containers/image doesn't replace one."""
    if os.path.isfile(path) and os.path.getsize(path):
        hint = "Write to a new file" if path.startswith("/dev/") else f"Remove {path} first"
        raise ImageError("docker-archive doesn't support modifying existing images", hint=hint)


def _reported(layer: LayerBytes, progress: Progress) -> Iterator[bytes]:
    progress.layer_started(layer.digest, layer.size, 0)
    for piece in layer.chunks():
        yield piece
        progress.layer_advanced(layer.digest, len(piece))
    progress.layer_done(layer.digest)


# docker-archive


def _write_docker_archive(store: Store, images: Sequence[Outgoing], path: str, progress: Progress) -> None:
    docker_archive_is_free(path)
    with NewFile(path) as file:
        tar = TarWriter(file.write)
        entries = [_add_docker_image(store, tar, image, progress) for image in images]
        progress.committing()
        tar.add("manifest.json", fastjson.dumps(entries).encode())
        tar.end()


def _add_docker_image(store: Store, tar: TarWriter, image: Outgoing, progress: Progress) -> dict[str, Any]:
    names = []
    for layer in outgoing_layers(store, image.record):
        plain = PlainLayer(layer)
        names.append(f"{plain.digest.partition(':')[2]}.tar")
        if tar.has(names[-1]):  # several images share the layer, or this one has it twice
            continue
        tar.add_pieces(names[-1], plain.size, _reported(plain, progress))
    config = image.record.config
    digest = sha256(config)
    progress.config(digest)
    config_name = f"{digest.partition(':')[2]}.json"
    tar.add(config_name, config)
    tags = [name for name in image.names if "@" not in name]  # as Podman: the archive has no manifest
    return {"Config": config_name, "RepoTags": tags, "Layers": names}


# oci-archive and OCI directories


def _index_entry(export: Export, names: Sequence[str]) -> dict[str, Any]:
    entry = {"mediaType": export.media_type, "digest": export.digest, "size": len(export.manifest)}
    # A reader would refuse a name with another digest than that of the written manifest.
    fitting = [name for name in names if "@" not in name or name.endswith(f"@{export.digest}")]
    return {**entry, "annotations": {REF_NAME: fitting[0]}} if fitting else entry


def _index(entries: list[dict[str, Any]]) -> bytes:
    return fastjson.dumps({"schemaVersion": 2, "mediaType": schema.OCI_INDEX, "manifests": entries}).encode()


def _write_oci_archive(export: Export, names: Sequence[str], path: str, progress: Progress) -> None:
    with NewFile(path) as file:
        tar = TarWriter(file.write)
        tar.add("oci-layout", _OCI_LAYOUT)
        tar.add_directory("blobs")
        tar.add_directory("blobs/sha256")
        for layer in export.layers:
            if not tar.has(transports.blob_name(layer.digest)):
                tar.add_pieces(transports.blob_name(layer.digest), layer.size, _reported(layer, progress))
        progress.config(export.config_digest)
        tar.add(transports.blob_name(export.config_digest), export.config)
        progress.committing()
        tar.add(transports.blob_name(export.digest), export.manifest)
        # An entry for each name: a reader looks for one, and an index may name a manifest twice.
        tar.add("index.json", _index([_index_entry(export, [name]) for name in names] or [_index_entry(export, [])]))
        tar.end()


def _write_layout(export: Export, names: Sequence[str], path: str, progress: Progress) -> None:
    make_directory(os.path.join(path, "blobs", "sha256"))
    entries_of(path)  # refuses a directory that isn't a layout before anything is written
    _write_blobs(export, path, transports.blob_name, progress)
    write_file(os.path.join(path, transports.blob_name(export.digest)), export.manifest)
    add_to_layout(path, _index_entry(export, names))


def add_to_layout(path: str, entry: dict[str, Any]) -> None:
    """Add an entry to a layout's index; it replaces one with the same name. All blobs that it names must be there."""
    others = [one for one in entries_of(path) if not _is_replaced(one, entry)]
    write_file(os.path.join(path, "oci-layout"), _OCI_LAYOUT)
    write_file(os.path.join(path, "index.json"), _index([*others, entry]))


def entries_of(path: str) -> list[dict[str, Any]]:
    """Return the entries of the layout's index, to which an image is added. Raises ImageError if it is no index."""
    try:
        with open(os.path.join(path, "index.json"), "rb") as file:
            data = file.read(schema.MANIFEST_LIMIT + 1)
    except FileNotFoundError:
        return []
    document = schema.load_object(data, f"{path}/index.json", schema.MANIFEST_LIMIT)
    entries = document.get("manifests") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ImageError(f"{path}/index.json has no list of manifests")
    return entries


def _is_replaced(old: dict[str, Any], new: dict[str, Any]) -> bool:
    # A name means one image, and an image without a name needn't be listed twice.
    annotations = old.get("annotations")
    name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    if name is None:
        return bool(old.get("digest") == new["digest"])
    return bool(name == new.get("annotations", {}).get(REF_NAME))


def _write_blobs(export: Export, path: str, name_of: Any, progress: Progress) -> None:
    for layer in export.layers:
        target = os.path.join(path, name_of(layer.digest))
        if os.path.isfile(target) and os.path.getsize(target) == layer.size:
            progress.layer_exists(layer.digest)
            continue
        with NewFile(target) as file:
            for piece in _reported(layer, progress):
                file.write(piece)
    progress.config(export.config_digest)
    write_file(os.path.join(path, name_of(export.config_digest)), export.config)
    progress.committing()


# dir


def check_directory(path: str) -> None:
    """Raise ImageError if the directory holds something else; create it if it doesn't exist."""
    make_directory(path)
    if not os.listdir(path):
        return
    try:
        with open(os.path.join(path, "version"), "rb") as file:
            ours = file.read(len(DIR_VERSION)).startswith(DIR_VERSION[:28])
    except OSError:
        ours = False
    if not ours:
        raise ImageError(
            f"initializing destination dir:{path}: not a containers image directory, don't want to overwrite "
            "important data",
            hint="Give another directory",
        )


def _hex(digest: str) -> str:
    return digest.partition(":")[2]


def _write_dir(export: Export, _names: Sequence[str], path: str, progress: Progress) -> None:
    digests = [export.config_digest, *(layer.digest for layer in export.layers)]
    wanted = {"version", "manifest.json", *map(_hex, digests)}
    _write_blobs(export, path, _hex, progress)
    write_file(os.path.join(path, "version"), DIR_VERSION)
    write_file(os.path.join(path, "manifest.json"), export.manifest)
    for name in os.listdir(path):  # remove the old image: a directory holds only one
        if name not in wanted and not os.path.isdir(os.path.join(path, name)):
            os.unlink(os.path.join(path, name))


def make_directory(path: str) -> None:
    """Create a directory and its missing parents. Raises ImageError."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        reason = os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else error.strerror
        raise ImageError(f"{path}: {reason}") from None


_WRITERS = {transports.DIR: _write_dir, transports.OCI: _write_layout, transports.OCI_ARCHIVE: _write_oci_archive}
