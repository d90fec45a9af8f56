"""`podpy manifest push`, and `podpy push` of a manifest list: the images of the list, then the list itself.

Each entry comes from where the list says it is (`storage.lists`): the store, another registry, a layout, or, for an
artifact that was made for the list, the store's blobs. If an entry changes on its way (layers had to be compressed,
another format), its digest changes; the pushed list has the new digest.

This process must be in the user's namespaces.
"""

from __future__ import annotations

from functools import partial

from podpy import fastjson
from podpy.errors import ImageError, NoSuchImageError, NotSupportedError, StorageError, UsageError
from podpy.image.archive.list_directories import Directory, open_directory
from podpy.image.documents import index as lists
from podpy.image.documents import schema
from podpy.image.documents.index import Entry
from podpy.image.incoming import sources
from podpy.image.incoming.assemble import Blob
from podpy.image.lists.artifact_push import send_blobs
from podpy.image.names import transports
from podpy.image.names.reference import REGISTRY, STORE, parse
from podpy.image.names.registries import registries_of
from podpy.image.options import ListPushOptions, PushOptions
from podpy.image.outgoing.convert import foreign_layers, manifest_for
from podpy.image.outgoing.export import DOCKER, MANIFESTS
from podpy.image.outgoing.layer_source import LayerBlob
from podpy.image.outgoing.send import (
    Pushed,
    format_of,
    mount_sources,
    refuse_unsupported,
    registry_reference,
    send_image,
)
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.remote import write
from podpy.storage import lists as table
from podpy.storage.images import ImageRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.image.incoming.sources import ImageSource
    from podpy.image.names.reference import Reference
    from podpy.image.names.transports import TransportReference
    from podpy.image.registry.write import WritableRepository
    from podpy.storage.lists import EntrySource
    from podpy.storage.store import Store

    Target = WritableRepository | Directory

_COMPRESSION_NOTE = "io.github.containers.compression."  # and the kind: containers/image's, in an entry's annotations


def push_list(
    store: Store,
    paths: Paths,
    record: ImageRecord,
    destination: str,
    options: PushOptions,
    *,
    progress: Progress = SILENT,
) -> Pushed:
    """Send a list to `destination`: a name in a registry, `oci:DIR[:REF]`, `dir:DIR`.

    Raises UsageError (no destination), ImageError (an entry isn't where it was), RegistryError, AuthenticationError,
    TrustError, NotSupportedError.
    """
    refuse_unsupported(options, destination)
    wanted = options if isinstance(options, ListPushOptions) else ListPushOptions(**options.__dict__)
    for kind in wanted.add_compression:
        if kind not in ("gzip", "zstd"):
            raise NotSupportedError(f"--add-compression {kind} is not supported", hint="Use gzip or zstd")
    try:
        if transports.is_transport(destination):
            return _to_transport(store, paths, record, transports.parse_transport(destination), wanted, progress)
        reference = registry_reference(destination, record.id[:12])
        sending = _Sending(store, paths, reference, wanted, progress)
        return write(
            paths,
            reference,
            sending.registries,
            options,
            lambda repository: sending.run(repository, record),
            progress=progress,
        )
    finally:
        progress.close()


def _to_transport(
    store: Store,
    paths: Paths,
    record: ImageRecord,
    transport: TransportReference,
    options: ListPushOptions,
    progress: Progress,
) -> Pushed:
    if transport.kind == transports.OCI:
        if format_of(options) == DOCKER:
            raise UsageError(f"{transport.kind} holds only OCI images", hint="Leave the format out")
        options = options.replace(format="oci")
    return _Sending(store, paths, None, options, progress).run(open_directory(transport), record)


class _Sending:
    """One list on its way to one repository, or to a directory (then without a reference)."""

    def __init__(
        self, store: Store, paths: Paths, reference: Reference | None, options: ListPushOptions, progress: Progress
    ) -> None:
        self._store = store
        self._paths = paths
        self._reference = reference
        self._options = options
        self._progress = progress
        manifest_format = format_of(options)
        self._format = MANIFESTS[manifest_format] if options.format else ""
        self.registries = registries_of(paths)

    def run(self, repository: Target, record: ImageRecord) -> Pushed:
        """Return what the registry has afterwards."""
        document = lists.parse(record.manifest)
        if self._options.images:
            known = {source.digest: source for source in table.sources(self._store, record.id)}
            entries = [self._entry(repository, entry, known.get(entry.digest)) for entry in document.entries]
            more = [
                self._variant(repository, entry, known.get(entry.digest), kind)
                for kind in self._options.add_compression
                for entry in document.entries
            ]
            document = document.replace(entries=[*entries, *(entry for entry in more if entry is not None)])
        data, kind = record.manifest, lists.media_type(document)
        if self._format:
            kind = schema.DOCKER_LIST if self._format == schema.DOCKER_MANIFEST else schema.OCI_INDEX
        if document != lists.parse(data) or fastjson.loads(data).get("mediaType") != kind:
            data = lists.serialize(document, kind)
        self._progress.committing()
        tag = self._reference.digest or self._reference.tag if self._reference else "list"
        return Pushed(manifest=data, media_type=kind, digest=repository.put_manifest(data, kind, tag))

    def _entry(self, repository: Target, entry: Entry, source: EntrySource | None) -> Entry:
        """Send what an entry means; return the entry as it is then."""
        if source is None:
            raise ImageError(f"the list doesn't know where {entry.digest} is", hint="Add it once more")
        if source.manifest:
            return self._artifact(repository, entry, source)
        if source.source.startswith(STORE):
            image = self._image(entry, source)
            return _changed(entry, self._send(repository, image, self._options))
        return self._copy(repository, entry, source)

    def _send(self, repository: Target, image: ImageRecord, options: PushOptions) -> Pushed:
        mounts = mount_sources(self._store, image, self._reference) if self._reference else {}
        return send_image(self._store, repository, image, options, mounts=mounts, progress=self._progress)

    def _image(self, entry: Entry, source: EntrySource) -> ImageRecord:
        try:
            image = self._store.find_image(source.source.removeprefix(STORE))
        except NoSuchImageError:
            raise ImageError(
                f"the list's image {entry.digest} isn't in the store any more",
                hint="Pull or load it, and add it once more; or podpy manifest remove it",
            ) from None
        return self._store.images_table.with_manifest(image, entry.digest)

    def _artifact(self, repository: Target, entry: Entry, source: EntrySource) -> Entry:
        self._refuse_docker_format(entry)
        document = schema.parse(source.manifest, artifacts=True)
        if not isinstance(document, schema.Manifest):
            raise StorageError(f"{entry.digest}: damaged", hint="Add the artifact once more")
        send_blobs(self._store, repository, document, self._progress)
        repository.put_manifest(source.manifest, document.media_type)
        return entry

    def _copy(self, repository: Target, entry: Entry, source: EntrySource) -> Entry:
        if not self._format and repository.digest(entry.digest) == entry.digest:
            return entry  # a registry that has the manifest has its blobs too
        access = self._options
        origin = parse(source.source.removeprefix(REGISTRY)) if _is_remote(source) else None
        if origin is None or not self._is_same_registry(origin):
            access = access.replace(credentials=None)  # those are the destination's
        return sources.use(
            self._store,
            self._paths,
            source.source,
            access,
            lambda found: self._copy_from(found, repository, entry, origin),
            progress=self._progress,
        )

    def _copy_from(self, found: ImageSource, repository: Target, entry: Entry, origin: Reference | None) -> Entry:
        assert isinstance(found, sources.ForeignSource), "the store's images are sent, not copied"
        data, kind = found.manifest(entry.digest)
        found.check_policy(data)
        document = schema.parse(data, kind or entry.media_type, artifacts=True)
        if not isinstance(document, schema.Manifest):
            raise ImageError(f"{found.text}: the image index holds another index")
        self._refuse_compression(found, entry, document)
        mounts = [origin.path] if origin is not None and self._is_same_registry(origin) else []
        pretended = ImageRecord(id=document.config.hex, manifest=data, config=b"{}")
        foreign = foreign_layers(pretended)
        for part in {part.digest: part for part in (*document.layers, document.config)}.values():
            if part.digest in foreign:
                continue
            if part.size < 0:
                raise ImageError(f"{found.text}: blob {part.digest} has no size")
            blob = Blob(digest=part.digest, size=part.size, read=partial(found.blob, part.digest, part.size))
            shown = SILENT if part is document.config else self._progress
            repository.put_blob(blob, mount_from=mounts, progress=shown)
        if self._format and document.media_type != self._format:
            self._refuse_docker_format(entry)
            pretended = pretended.replace(config=found.small_blob(document.config, schema.CONFIG_LIMIT))
            made = manifest_for(pretended, [_described(layer) for layer in document.layers], self._format)
            data, kind = made.data, made.media_type
        digest = repository.put_manifest(data, kind or document.media_type)
        return entry.replace(digest=digest, size=len(data), media_type=kind or document.media_type)

    def _is_same_registry(self, origin: Reference) -> bool:
        return self._reference is not None and origin.domain == self._reference.domain

    def _refuse_compression(self, found: ImageSource, entry: Entry, document: schema.Manifest) -> None:
        wanted = self._options.compression if self._options.recompress else ""
        if wanted and not entry.artifact_type and any(_kind_of(layer) != wanted for layer in document.layers):
            raise NotSupportedError(
                f"--compression-format: {found.text} isn't in the store", hint="podpy pull it, and add it by its name"
            )

    def _refuse_docker_format(self, entry: Entry) -> None:
        if self._format == schema.DOCKER_MANIFEST and entry.artifact_type:
            raise NotSupportedError(
                f"{entry.digest} is an artifact, which Docker's format v2s2 has no place for", hint="Use --format oci"
            )

    def _variant(self, repository: Target, entry: Entry, source: EntrySource | None, kind: str) -> Entry | None:
        """Send an entry's image with layers compressed as `kind` says; None if they are already, or have none."""
        if entry.artifact_type or source is None or source.manifest:
            return None
        if not source.source.startswith(STORE):
            raise NotSupportedError(
                f"--add-compression: {source.source} isn't in the store", hint="podpy pull it, and add it by its name"
            )
        image = self._image(entry, source)
        document = schema.parse(image.manifest)
        if isinstance(document, schema.Manifest) and all(_kind_of(layer) == kind for layer in document.layers):
            return None
        options = self._options.replace(format="oci", compression=kind, recompress=True)
        sent = self._send(repository, image, options)
        noted = {**entry.annotations}
        if kind != "gzip":
            noted[f"{_COMPRESSION_NOTE}{kind}"] = "true"
        return _changed(entry, sent).replace(annotations=noted)


def _changed(entry: Entry, sent: Pushed) -> Entry:
    return entry.replace(digest=sent.digest, size=len(sent.manifest), media_type=sent.media_type)


def _is_remote(source: EntrySource) -> bool:
    return source.source.startswith(REGISTRY)


def _described(layer: schema.Descriptor) -> LayerBlob:
    """Return a layer that isn't here, in the form that manifests are made from."""
    return LayerBlob(path="", digest=layer.digest, size=layer.size, kind=_kind_of(layer))


def _kind_of(layer: schema.Descriptor) -> str:
    return next((kind for kind in ("gzip", "zstd") if layer.media_type.endswith(kind)), "")
