"""`podpy manifest`: manifest lists of the store. Documents: `image.documents.index`; tables: `storage.lists`."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.digests import sha256
from podpy.errors import ImageError, NoSuchImageError, NotAListError, StorageError, UsageError
from podpy.image.documents import index as lists
from podpy.image.documents import schema
from podpy.image.documents.descend import DEPTH_LIMIT, is_index
from podpy.image.documents.index import Document, Entry
from podpy.image.incoming import sources
from podpy.image.names import transports
from podpy.image.names.lookup import find_named
from podpy.image.names.reference import REGISTRY, STORE, check_digest, for_new_image
from podpy.image.options import EntryChanges, ListAddOptions
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.access import Access
from podpy.notice import warn
from podpy.storage import lists as table
from podpy.storage.images import ImageRecord
from podpy.storage.lists import Contents, EntrySource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.paths import Paths
    from podpy.image.documents.schema import Platform
    from podpy.image.incoming.sources import ImageSource
    from podpy.storage.blobs import BlobWriter
    from podpy.storage.store import Store

    Found = list[tuple[Entry, EntrySource]]


def changed(entry: Entry, changes: EntryChanges) -> Entry:
    """Return the entry as changed. Another architecture without a variant has none, as in Podman."""
    said = {name: value for name, value in changes.__dict__.items() if value and name != "annotations"}
    if changes.architecture:
        said["variant"] = changes.variant
    return entry.replace(**said, annotations={**entry.annotations, **changes.annotations})


def find_list(store: Store, paths: Paths, text: str) -> ImageRecord:
    """Return the manifest list of this name or id. Raises NoSuchImageError, NotAListError."""
    return find_named_list(store, paths, text)[0]


def find_named_list(store: Store, paths: Paths, text: str) -> tuple[ImageRecord, str]:
    """As `find_list`, with the full name under which it was found (empty: by its id)."""
    record, name = find_named(store, paths, text)
    if not record.is_list:
        raise NotAListError(f"{text}: image is not a manifest list", hint="See podpy manifest create")
    return record, name


def create(
    store: Store,
    paths: Paths,
    name: str,
    images: list[str],
    options: ListAddOptions,
    *,
    amend: bool = False,
    annotations: dict[str, str] | None = None,
    progress: Progress = SILENT,
) -> str:
    """Make a list (or, with `amend`, change the one that has the name), and return its id.

    Raises StorageError (the name is taken), NotAListError, and what `add` raises; then there is no new list.
    """
    import time

    full = for_new_image(name)
    found = [_gather(store, paths, image, options, progress) for image in images]

    def fill(document: Document) -> Document:
        for entry, _ in _flat(found):
            document = document.with_entry(entry)
        return document.replace(annotations={**document.annotations, **(annotations or {})})

    owner = store.images_table.name_owner(full)
    if amend and owner:
        return _change(store, find_list(store, paths, owner), fill, _flat(found))
    record = ImageRecord(id=os.urandom(32).hex(), created=time.time_ns())
    return table.create(store, record, _contents(fill(Document()), _sources(_flat(found), [])), full).id


def replace(store: Store, paths: Paths, names: list[str], images: list[str], *, progress: Progress = SILENT) -> str:
    """Make a list of images that has these full names, whatever had them before, and return its id.

    A list that has the first name and the same images stays. Raises as `add`.
    """
    import time

    found = _flat([_gather(store, paths, image, ListAddOptions(), progress) for image in images])
    document = Document()
    for entry, _ in found:
        document = document.with_entry(entry)
    contents = _contents(document, _sources(found, []))
    owner = store.images_table.name_owner(names[0])
    before = store.find_image(owner) if owner else None
    if before is None or not before.is_list or before.digest != contents.digest:
        before = ImageRecord(id=os.urandom(32).hex(), created=time.time_ns())
    return table.create(store, before, contents, *names, replace=True).id


def add(
    store: Store, paths: Paths, name: str, images: list[str], options: ListAddOptions, *, progress: Progress = SILENT
) -> str:
    """Add images (see image/incoming/sources.py for their names) to a list, and return its id.

    Raises NoSuchImageError, NotAListError, ImageError, RegistryError …; then the list is as it was.
    """
    record = find_list(store, paths, name)
    found = _flat([_gather(store, paths, image, options, progress) for image in images])

    def work(document: Document) -> Document:
        for entry, _ in found:
            document = document.with_entry(changed(entry, options.changes))
        return document

    return _change(store, record, work, found)


def annotate(store: Store, record: ImageRecord, digest: str, changes: EntryChanges) -> str:
    """Change what a list says about the entry with this digest, and return its id. Raises ImageError."""

    def work(document: Document) -> Document:
        return document.with_changed(changed(_entry(document, digest), changes))

    return _change(store, record, work)


def annotate_index(
    store: Store, paths: Paths, record: ImageRecord, annotations: dict[str, str], *, subject: str = ""
) -> str:
    """Set annotations of the list itself, and what it is attached to (an image's name). Return its id."""
    descriptor = describe_subject(store, paths, subject) if subject else None

    def work(document: Document) -> Document:
        merged = {**document.annotations, **annotations}
        return document.replace(annotations=merged, subject=descriptor or document.subject)

    return _change(store, record, work)


def remove(store: Store, record: ImageRecord, digest: str) -> str:
    """Take the entry with this digest out of a list, and return its id. Raises ImageError."""
    check_digest(digest)

    def work(document: Document) -> Document:
        return document.without(_entry(document, digest).digest)

    return _change(store, record, work)


def member(store: Store, paths: Paths, record: ImageRecord, text: str) -> str:
    """Return the digest of the entry that a digest, an artifact's file or an image's name means. Raises ImageError."""
    try:
        return check_digest(text)
    except ImageError:
        pass
    for source in table.sources(store, record.id):
        if text in source.files or os.path.abspath(text) in source.files:
            return source.digest
    return sources.use(store, paths, text, Access(), lambda source: sha256(source.manifest()[0]))


def inspect(store: Store, paths: Paths, text: str, access: Access) -> dict[str, object]:
    """Return what `manifest inspect` shows of a list of the store or, if there is none, of a registry.

    As in Podman, an image of the store doesn't count. If the registry has a single image, Docker's format gives a
    warning and an empty list; OCI's is a NotAListError.
    """
    try:
        record = find_list(store, paths, text)
    except (NoSuchImageError, NotAListError) as error:
        if text.startswith(STORE):
            raise
        try:
            return _inspect_remote(store, paths, text, access)
        except ImageError as failure:
            if isinstance(error, NotAListError) and not isinstance(failure, NotAListError):
                raise error from None
            raise
    files = {source.digest: source.files for source in table.sources(store, record.id)}
    return lists.describe(lists.parse(record.manifest), files)


def _inspect_remote(store: Store, paths: Paths, text: str, access: Access) -> dict[str, object]:
    name = text if transports.is_transport(text) or text.startswith(REGISTRY) else REGISTRY + text
    data, kind = sources.use(store, paths, name, access, lambda source: source.manifest())
    document = schema.parse(data, kind, artifacts=True)
    if document.media_type == schema.DOCKER_MANIFEST:
        warn(f"The manifest type {document.media_type} is not a manifest list but a single image.")
        return {"schemaVersion": 2, "mediaType": document.media_type, "manifests": None}
    if not isinstance(document, schema.Index):
        raise NotAListError(f"{text} is not a manifest list but a single image", hint="See podpy image inspect")
    return {**lists.describe(lists.parse(data, kind)), "mediaType": document.media_type}


def describe_subject(store: Store, paths: Paths, name: str) -> Entry:
    """Return the descriptor of an image, list or artifact that something is attached to. Raises ImageError."""

    def work(source: ImageSource) -> Entry:
        data, kind = source.manifest()
        document = schema.parse(data, kind, artifacts=True)
        artifact_type = fastjson.loads(data).get("artifactType", "")
        return Entry(
            media_type=document.media_type,
            digest=sha256(data),
            size=len(data),
            artifact_type=artifact_type if isinstance(document, schema.Manifest) else "",
        )

    return sources.use(store, paths, name, Access(), work)


def add_entry(store: Store, record: ImageRecord, entry: Entry, source: EntrySource, blobs: list[BlobWriter]) -> str:
    """Add an entry that was made here (an artifact) with its staged blobs, and return the list's id."""
    return _change(store, record, lambda document: document.with_entry(entry), [(entry, source)], blobs)


# What is added


def _gather(store: Store, paths: Paths, text: str, options: ListAddOptions, progress: Progress) -> Found:
    if not text:
        raise UsageError("an image's name is empty")
    return sources.use(store, paths, text, options, lambda source: _entries(store, source, options), progress=progress)


def _entries(store: Store, source: ImageSource, options: ListAddOptions) -> Found:
    data, kind = source.manifest()
    document = schema.parse(data, kind, artifacts=True)
    if isinstance(document, schema.Manifest):
        entry = Entry(
            media_type=document.media_type,
            digest=sha256(data),
            size=len(data),
            artifact_type=document.artifact_type,
        )
        return [(_with_platform(entry, source, document), EntrySource(digest=entry.digest, source=source.text))]
    every = _flattened(source, data, kind, [])
    chosen = [entry for entry, _ in every]
    if not options.all:
        whole = document.replace(manifests=[descriptor for _, descriptor in every])
        digest = schema.select(whole, _platform(options.changes)).digest
        chosen = [entry for entry in chosen if entry.digest == digest][:1]
    known = _known_sources(store, source)
    return [
        (_complete(entry, source), known.get(entry.digest, EntrySource(digest=entry.digest, source=source.text)))
        for entry in chosen
    ]


def _flattened(source: ImageSource, data: bytes, kind: str, above: list[str]) -> list[tuple[Entry, schema.Descriptor]]:
    """Return the entries of an index, and of an index in it, in place. `above`: the digests that led to it."""
    document = schema.parse(data, kind)
    if len(above) == DEPTH_LIMIT:
        raise ImageError(f"{source.text}: the image index holds another one, and so on, more than {DEPTH_LIMIT} deep")
    assert isinstance(document, schema.Index)
    found: list[tuple[Entry, schema.Descriptor]] = []
    for entry, descriptor in zip(lists.parse(data, kind).entries, document.manifests, strict=True):
        if is_index(entry.media_type):
            inner, inner_kind = source.manifest(entry.digest)
            found += _flattened(source, inner, inner_kind or entry.media_type, [*above, entry.digest])
        else:
            found.append((entry, descriptor))
        if len(found) > schema.INDEX_COUNT_LIMIT:
            raise ImageError(f"{source.text}: more than {schema.INDEX_COUNT_LIMIT} manifests in indexes in each other")
    return found


def _platform(changes: EntryChanges) -> Platform:
    return schema.parse_platform("", os_name=changes.os, architecture=changes.architecture, variant=changes.variant)


def _known_sources(store: Store, source: ImageSource) -> dict[str, EntrySource]:
    if not isinstance(source, sources.StoreSource):
        return {}
    return {known.digest: known for known in table.sources(store, source.record.id)}


def _complete(entry: Entry, source: ImageSource) -> Entry:
    if (entry.os and entry.architecture) or entry.artifact_type:
        return entry
    data, kind = source.manifest(entry.digest)
    document = schema.parse(data, kind or entry.media_type, artifacts=True)
    if not isinstance(document, schema.Manifest):
        raise ImageError(f"{source.text}: {entry.digest} is an index, not what the index says of it")
    return _with_platform(entry, source, document)


def _with_platform(entry: Entry, source: ImageSource, manifest: schema.Manifest) -> Entry:
    if entry.artifact_type or manifest.artifact_type:
        return entry.replace(artifact_type=entry.artifact_type or manifest.artifact_type)
    data = source.small_blob(manifest.config, schema.CONFIG_LIMIT)
    config = schema.load_object(data, "the image's configuration", schema.CONFIG_LIMIT)
    system, architecture, variant, version = (
        config.get(key) if isinstance(config.get(key), str) else ""
        for key in ("os", "architecture", "variant", "os.version")
    )
    return entry.replace(
        os=entry.os or system,
        architecture=entry.architecture or architecture,
        variant=entry.variant or variant,
        os_version=entry.os_version or version,
        os_features=entry.os_features or lists.texts(config.get("os.features")),
    )


# Writing


def _change(
    store: Store,
    record: ImageRecord,
    work: Callable[[Document], Document],
    found: Found | None = None,
    blobs: list[BlobWriter] | None = None,
) -> str:
    def contents(now: ImageRecord, before: list[EntrySource]) -> Contents:
        document = work(lists.parse(now.manifest))
        kept = {entry.digest for entry in document.entries}
        return _contents(document, [source for source in _sources(found or [], before) if source.digest in kept])

    return table.change(store, record.id, contents, blobs or ()).id


def _contents(document: Document, entry_sources: list[EntrySource]) -> Contents:
    data = lists.serialize(document)
    if len(data) > schema.MANIFEST_LIMIT:
        raise StorageError(
            f"the manifest list would have {len(data)} bytes, more than the {schema.MANIFEST_LIMIT} allowed"
        )
    return Contents(manifest=data, digest=sha256(data), sources=entry_sources)


def _sources(found: Found, before: list[EntrySource]) -> list[EntrySource]:
    merged = {source.digest: source for source in before}
    merged.update({source.digest: source for _, source in found})
    return list(merged.values())


def _flat(found: list[Found]) -> Found:
    return [item for part in found for item in part]


def _entry(document: Document, digest: str) -> Entry:
    entry = document.entry(digest)
    if entry is None:
        raise ImageError(
            f"no instance matching digest {digest} found in manifest list", hint="See podpy manifest inspect"
        )
    return entry
