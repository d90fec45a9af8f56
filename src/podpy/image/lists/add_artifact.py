"""`podpy manifest add --artifact`: an artifact is made of files and becomes an entry of a manifest list."""

from __future__ import annotations

import os

from podpy.digests import sha256
from podpy.errors import ImageError
from podpy.image.archive import sniff
from podpy.image.documents import artifact as manifests
from podpy.image.documents import schema
from podpy.image.documents.index import Entry
from podpy.image.incoming.staged import StagedFile, stage_bytes, stage_file
from podpy.image.lists import manifest_list
from podpy.image.options import EntryChanges, ListArtifactOptions
from podpy.storage.lists import EntrySource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.image.documents.artifact import Part
    from podpy.storage.store import Store


def add_files(
    store: Store, paths: Paths, name: str, files: list[str], options: ListArtifactOptions, changes: EntryChanges
) -> str:
    """Make an artifact of files and add it to a list; return the list's id. The files needn't stay where they are.

    Raises NoSuchImageError, NotAListError, ImageError (a file can't be read), StorageError.
    """
    record = manifest_list.find_list(store, paths, name)
    subject = manifest_list.describe_subject(store, paths, options.subject) if options.subject else None
    config = _config(options)
    staged = [stage_file(store, path) for path in files]
    layers = [_layer(file, options).as_json() for file in staged]
    data = manifests.build(config, layers, artifact_type=options.artifact_type, subject=subject)
    entry = Entry(
        media_type=schema.OCI_MANIFEST, digest=sha256(data), size=len(data), artifact_type=options.artifact_type
    )
    source = EntrySource(digest=entry.digest, manifest=data, files=[os.path.abspath(path) for path in files])
    blobs = [stage_bytes(store, config.data), *(file.blob for file in staged)]
    return manifest_list.add_entry(store, record, manifest_list.changed(entry, changes), source, blobs)


def _config(options: ListArtifactOptions) -> Part:
    if not options.config_file:
        return manifests.inline(options.config_type or manifests.EMPTY_TYPE, manifests.EMPTY)
    try:
        with open(options.config_file, "rb") as file:
            data = file.read(schema.CONFIG_LIMIT + 1)
    except OSError as error:
        raise ImageError(f"{options.config_file}: {error.strerror}") from None
    if not data or len(data) > schema.MANIFEST_LIMIT // 2:
        raise ImageError(f"{options.config_file}: a configuration has 1 to {schema.MANIFEST_LIMIT // 2} bytes")
    return manifests.inline(options.config_type or schema.OCI_CONFIG, data)


def _layer(file: StagedFile, options: ListArtifactOptions) -> Part:
    title = os.path.basename(file.path)
    return manifests.Part(
        media_type=options.layer_type or sniff.by_name_or_content(title, file.head),
        digest=file.digest,
        size=file.size,
        annotations={} if options.exclude_titles else {manifests.TITLE: title},
    )
