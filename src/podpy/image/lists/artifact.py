"""`podpy artifact`: files with a manifest, in a store of their own (`storage.artifacts`)."""

from __future__ import annotations

import errno
import os
import time

from podpy import fastjson
from podpy.digests import sha256
from podpy.errors import ImageError, InUseError, NoSuchArtifactError, UsageError, shorten
from podpy.image.archive import sniff
from podpy.image.documents import artifact as manifests
from podpy.image.documents import schema
from podpy.image.documents.descend import descend
from podpy.image.incoming.staged import fetch, stage_bytes, stage_file
from podpy.image.names.reference import DOCKER_DOMAIN, LOCALHOST, Reference, is_hex, parse
from podpy.image.names.registries import registries_of
from podpy.image.options import ArtifactOptions
from podpy.image.progress import SILENT, Progress
from podpy.image.registry import remote
from podpy.storage.artifacts import ArtifactRecord, Artifacts
from podpy.storage.space import check_space
from podpy.times import nanoseconds, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.config.paths import Paths
    from podpy.image.incoming.staged import StagedFile
    from podpy.image.registry.access import Access
    from podpy.image.registry.read import Repository
    from podpy.storage.store import Store


_LARGEST_COPY = 1 << 30


def full_name(text: str, domain: str) -> Reference:
    """Return the name of an artifact with its registry, `domain` for a short one, and with a tag or a digest. Raises
    ImageError.
    """
    reference = parse(text)
    if reference.tag and reference.digest:
        raise ImageError(f'"{text}": reference cannot be tagged and digested', hint="Leave the tag out")
    return (reference.in_domain(domain) if reference.is_short else reference).with_default_tag()


def find(store: Store, text: str) -> ArtifactRecord:
    """Return the artifact that a digest, the beginning of one, a name or a name@digest means.

    Raises NoSuchArtifactError, ImageError (several begin so).
    """
    beginning = text.removeprefix("sha256:")
    found = Artifacts(store).by_digest("sha256:" + beginning) if is_hex(beginning) else []
    if len(found) > 1:
        names = ", ".join(record.name for record in found)
        raise ImageError(f'multiple artifacts found with matching digest: "{names}"', hint="Give the name")
    return found[0] if found else find_named(store, text)


def find_named(store: Store, text: str) -> ArtifactRecord:
    """Return the artifact that a name or name@digest means; a short one was made here, or came from docker.io.

    Raises NoSuchArtifactError.
    """
    table = Artifacts(store)
    try:
        wanted = [full_name(text, domain) for domain in (LOCALHOST, DOCKER_DOMAIN)]
    except ImageError:
        if not is_hex(text):
            raise
        wanted = []  # a whole digest is no name
    for reference in wanted:
        for record in table.by_digest(reference.digest) if reference.digest else table.all():
            if reference.name == parse(record.name).name and (reference.digest or str(reference) == record.name):
                return record
    raise NoSuchArtifactError(f"{text}: artifact does not exist", hint="See podpy artifact ls")


def layers(record: ArtifactRecord) -> list[schema.Descriptor]:
    """Return an artifact's files: their descriptors."""
    return _parse(record.manifest).layers


def created(record: ArtifactRecord) -> int:
    """Return when an artifact was made, in nanoseconds since 1970; 0 if it doesn't say."""
    return max(0, nanoseconds(_parse(record.manifest).annotations.get(manifests.CREATED, "")))


def size(record: ArtifactRecord) -> int:
    """Return the bytes of an artifact's files."""
    return sum(max(layer.size, 0) for layer in layers(record))


def _parse(data: bytes, kind: str = "") -> schema.Manifest:
    document = schema.parse(data, kind, artifacts=True)
    if not isinstance(document, schema.Manifest):
        raise ImageError("it is not an artifact but an index of several manifests")
    return document


# add


def add(store: Store, name: str, files: list[str], options: ArtifactOptions) -> str:
    """Make an artifact of files, or add them to one, and return its digest.

    Raises UsageError, NoSuchArtifactError (append), InUseError (it exists, or a file's title does), ImageError,
    StorageError.
    """
    if options.append and options.artifact_type:
        raise UsageError("append option is not compatible with type option")
    if options.append and options.replacing:
        raise UsageError("--append and --replace options cannot be used together")
    full = str(full_name(name, LOCALHOST))
    before = _before(store, full, options)
    document = fastjson.loads(before.manifest) if before and options.append else _new(options)
    titles = {_title(layer) for layer in document["layers"]} - {""}
    for path in files:
        title = os.path.basename(path)
        if title in titles:
            raise InUseError(f"{title}: file already exists in artifact", hint="Give it another name first")
        titles.add(title)
    check_space(store, sum(os.path.getsize(path) for path in files if os.path.isfile(path)))
    staged = [stage_file(store, path) for path in files]
    for file in staged:
        document["layers"].append(_layer(file, document["layers"], options))
    data = fastjson.dumps(document).encode()
    if len(data) > schema.MANIFEST_LIMIT:
        raise ImageError(f"the artifact's manifest would have {len(data)} bytes, more than allowed")
    blobs = [file.blob for file in staged]
    if document["config"]["digest"] == sha256(manifests.EMPTY):
        blobs.append(stage_bytes(store, manifests.EMPTY))
    digests = [document["config"]["digest"], *(layer["digest"] for layer in document["layers"])]
    record = ArtifactRecord(name=full, digest=sha256(data), manifest=data)
    replaced = None if options.replacing else (before.digest if before else "")
    Artifacts(store).commit(record, digests, blobs, replace=replaced)
    return record.digest


def _before(store: Store, full: str, options: ArtifactOptions) -> ArtifactRecord | None:
    try:
        before = Artifacts(store).by_name(full)
    except NoSuchArtifactError:
        if options.append:
            raise
        return None
    if not options.append and not options.replacing:
        raise InUseError(f"{full}: artifact already exists", hint="Add --replace or --append")
    return before


def _new(options: ArtifactOptions) -> dict[str, Any]:
    annotations = {**options.annotations, manifests.CREATED: rfc3339(time.time_ns(), utc=True)}
    config = manifests.inline(manifests.EMPTY_TYPE, manifests.EMPTY)
    document = fastjson.loads(manifests.build(config, [], artifact_type=options.artifact_type, annotations=annotations))
    return dict(document)


def _title(layer: dict[str, Any]) -> str:
    annotations = layer.get("annotations")
    return str(annotations.get(manifests.TITLE, "")) if isinstance(annotations, dict) else ""


def _layer(file: StagedFile, others: list[dict[str, Any]], options: ArtifactOptions) -> dict[str, Any]:
    annotations = {manifests.TITLE: os.path.basename(file.path), **options.annotations}
    if any(_title(other) == annotations[manifests.TITLE] for other in others):
        raise InUseError(f"duplicate layers {manifests.TITLE} labels within an artifact not allowed")
    kind = options.file_type or sniff.media_type(file.head)
    part = manifests.Part(media_type=kind, digest=file.digest, size=file.size, annotations=annotations)
    return part.as_json()


# extract


def extract(store: Store, record: ArtifactRecord, target: str, *, digest: str = "", title: str = "") -> None:
    """Write an artifact's files into a directory, or the only one (or the one that is chosen) to a file.

    Files that are there already are overwritten. Inside the user's namespaces. Raises UsageError, ImageError.
    """
    found = chosen(record, digest=digest, title=title)
    for layer in found:
        store.has_blob(layer.digest)  # the lease: an rm at the same time takes away none of them
    if os.path.isdir(target):
        names = [title or file_name(layer, by_digest=bool(digest)) for layer in found]
        for name in names:  # all, before the first file is written
            check_name(name)
        for name, layer in zip(names, found, strict=True):
            _copy(store, layer, os.path.join(target, name))
        return
    if len(found) > 1:
        raise UsageError(
            f'the artifact consists of several blobs and the target "{target}" is not a directory',
            hint="Give a directory, or choose one file with --title or --digest",
        )
    _copy(store, found[0], target)


def chosen(record: ArtifactRecord, *, digest: str = "", title: str = "") -> list[schema.Descriptor]:
    """Return an artifact's files, or the one with this digest or title. Raises UsageError, ImageError."""
    if digest and title:
        raise UsageError("cannot specify both digest and title")
    there = layers(record)
    if not there:
        raise ImageError("the artifact has no blobs, nothing to extract")
    return [_choose(there, digest, title)] if digest or title else there


def _choose(there: list[schema.Descriptor], digest: str, title: str) -> schema.Descriptor:
    kind, wanted = ("digest", digest) if digest else ("title", title)
    found = [layer for layer in there if wanted == (layer.digest if digest else layer.annotations.get(manifests.TITLE))]
    if not found:
        raise ImageError(f'no blob with the {kind} "{shorten(wanted)}"', hint="See podpy artifact inspect")
    if len(found) > 1:
        raise ImageError(f'more than one match for the {kind} "{shorten(wanted)}"')
    return found[0]


def file_name(layer: schema.Descriptor, *, by_digest: bool = False) -> str:
    """Return what a file of an artifact is called in a directory: its title, or its digest."""
    title = "" if by_digest else layer.annotations.get(manifests.TITLE, "")
    return title or layer.digest.replace(":", "-")


def check_name(name: str) -> None:
    """Raise ImageError if a file in a directory can't be called so."""
    # A title comes from outside: it must not lead out of the directory.
    if "/" in name or "\0" in name or name in (".", ".."):
        raise ImageError(f'invalid name: "{shorten(name)}" can\'t be a file in a directory', hint="Use --digest")


def _copy(store: Store, layer: schema.Descriptor, path: str) -> None:
    import shutil

    blob = store.blob_path(layer.digest)
    if not os.path.exists(blob):
        raise ImageError(f"blob {layer.digest} is missing", hint="Pull or add the artifact again")
    try:
        # /dev/stdout may be another user's pipe, which can't be opened again.
        place: str | int = os.dup(1) if path == "/dev/stdout" else path
        with open(blob, "rb", buffering=0) as source, open(place, "wb", buffering=0) as target:
            try:
                while os.copy_file_range(source.fileno(), target.fileno(), _LARGEST_COPY):
                    pass
            except OSError as error:  # another file system, a pipe: by hand
                if error.errno not in (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF):
                    raise
                shutil.copyfileobj(source, target, 1 << 20)
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None


# pull


def pull(store: Store, paths: Paths, name: str, access: Access, *, progress: Progress = SILENT) -> str:
    """Bring an artifact from its registry into the store, and return its digest.

    Of an index it is the one for this machine. Raises ImageError, RegistryError, DigestMismatchError, StorageError;
    what came of it stays for the next try.
    """
    reference = full_name(name, DOCKER_DOMAIN)
    progress.message(f"Trying to pull {reference}...")
    try:
        pull_sources = remote.PullSources(paths, reference, registries_of(paths), access, progress=progress)
        for source in pull_sources:
            with source as repository:
                return _receive(store, repository, reference, progress)
        raise pull_sources.error()
    finally:
        progress.close()


def _receive(store: Store, repository: Repository, reference: Reference, progress: Progress) -> str:
    data, kind = repository.manifest(reference.digest or reference.tag)
    found = descend(data, kind, lambda entry: repository.manifest(entry.digest), artifacts=True)
    data, document = found.data, found.manifest
    repository.check_policy(data)
    parts = {part.digest: part for part in (document.config, *document.layers)}
    for part in parts.values():
        if part.size < 0:
            raise ImageError(f"{reference}: blob {part.digest} has no size")
    missing = [part for part in parts.values() if not store.has_blob(part.digest)]
    check_space(store, sum(part.size for part in missing))
    blobs = [fetch(store, repository, part, progress=progress) for part in document.layers]
    blobs.append(fetch(store, repository, document.config))
    progress.config(document.config.digest)
    progress.committing()
    record = ArtifactRecord(name=str(reference), digest=sha256(data), manifest=data)
    Artifacts(store).commit(record, list(parts), blobs, replace=None)
    return record.digest
