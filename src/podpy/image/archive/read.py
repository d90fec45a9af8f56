"""Reads images from archives and directories: `podpy load`, and `podpy pull` from `oci:`, `oci-archive:`,
`docker-archive:` and `dir:` (containers-transports(5)).
"""

from __future__ import annotations

from podpy import fastjson
from podpy.digests import check_bytes, sha256
from podpy.errors import ImageError, NoSuchImageError, UnknownFormatError, shorten
from podpy.image.archive.tree import HINT, Tree, is_directory, open_tree
from podpy.image.documents import schema
from podpy.image.documents.config import ImageConfig
from podpy.image.documents.descend import descend
from podpy.image.failures import ErrorPrefix
from podpy.image.incoming.assemble import Blob, ImageParts, assemble
from podpy.image.names import transports
from podpy.image.names.reference import LOCALHOST, parse
from podpy.image.names.transports import TransportReference
from podpy.image.progress import SILENT, Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from podpy.image.trust import PolicyContext
    from podpy.image.trust.signatures import Signature
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

_IMAGES_LIMIT = 1000
REF_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"


def load(store: Store, file: str | int, *, policy_file: str = "", progress: Progress = SILENT) -> list[str]:
    """Load every image of an archive (a path, or an open descriptor such as 0); return their names.

    These are the full names that the archive gives, or `sha256:ID` for an image without one. Raises ImageError,
    DigestMismatchError, StorageError; images before the one that failed stay loaded.
    """
    try:
        return _load(store, file, policy_file, progress)
    except UnknownFormatError as error:
        # Podman's words; Podman then lists for each format why the archive isn't one.
        message = f"payload does not match any of the supported image formats: {error.message}"
        raise UnknownFormatError(message, hint=error.hint) from None


def _load(store: Store, file: str | int, policy_file: str, progress: Progress) -> list[str]:
    path = file if isinstance(file, str) else ""
    with ErrorPrefix(path):
        tree = open_tree(store, file)
        try:
            transport = TransportReference(kind=_kinds_of(tree)[0], path=path)
            loaded: list[str] = []
            for record, names in _bring_in(store, tree, transport, policy_file, progress, every=True):
                loaded += names or [f"sha256:{record.id}"]
            return loaded
        finally:
            tree.close()
            progress.close()


def fetch(
    store: Store, transport: TransportReference, *, policy_file: str = "", progress: Progress = SILENT
) -> list[ImageRecord]:
    """Load the image that a transport reference names, or every image of a docker-archive. Return the store's records.

    Raises what `load` raises.
    """
    with ErrorPrefix(transport.path):
        tree = open_tree(store, transport.path)
        try:
            kinds = _kinds_of(tree)
            if transport.kind not in kinds:
                raise ImageError(f"{transport}: it is of another kind: {kinds[0]}:{transport.path}")
            return [record for record, _ in _bring_in(store, tree, transport, policy_file, progress, every=False)]
        finally:
            tree.close()
            progress.close()


def _bring_in(
    store: Store, tree: Tree, transport: TransportReference, policy_file: str, progress: Progress, *, every: bool
) -> Iterator[tuple[ImageRecord, list[str]]]:
    policy = policy_of(store, transport, policy_file)
    policy.refuse_rejected()
    images: Iterator[tuple[ImageParts, list[str]]]
    if transport.kind == transports.DIR:
        images = iter([(_dir_parts(tree, transport, policy), [])])
    else:
        policy.check_policy(b"")  # archives have no signatures
        docker = transport.kind == transports.DOCKER_ARCHIVE
        images = _docker_images(store, tree, transport) if docker else _oci_images(tree, transport, every=every)
    for parts, names in images:
        yield assemble(store, parts, names=names, progress=progress), names


def policy_of(store: Store, transport: TransportReference, policy_file: str) -> PolicyContext:
    """Return the policy for images from this transport. Raises ConfigError."""
    from podpy.image.trust import Origin, PolicyContext
    from podpy.image.trust.scopes import path_scopes

    scopes = [] if transport.kind == transports.DOCKER_ARCHIVE else path_scopes(transport.path)
    source = Origin(transport=transport.kind, scopes=scopes, name=f"{transport.kind}:{transport.path}")
    return PolicyContext(store.paths, source, policy_file=policy_file)


def _kinds_of(tree: Tree) -> list[str]:
    """Return the formats of the archive, the better one first: since Docker 25, `docker save` writes both at once."""
    kinds = []
    if tree.has("index.json"):
        kinds.append(transports.OCI if is_directory(tree) else transports.OCI_ARCHIVE)
    if tree.has("manifest.json"):
        single = is_directory(tree) and tree.read("manifest.json", schema.MANIFEST_LIMIT).lstrip().startswith(b"{")
        kinds.append(transports.DIR if single else transports.DOCKER_ARCHIVE)
    if kinds:
        return kinds
    if tree.has("repositories"):
        raise ImageError("the archive was made by a Docker before 1.10", hint="Save it again with a current tool")
    raise UnknownFormatError("the archive has neither manifest.json nor index.json: it holds no image", hint=HINT)


# docker-archive


def _docker_images(store: Store, tree: Tree, transport: TransportReference) -> Iterator[tuple[ImageParts, list[str]]]:
    document = schema.load_json(
        tree.read("manifest.json", schema.MANIFEST_LIMIT), "manifest.json", schema.MANIFEST_LIMIT
    )
    if not isinstance(document, list) or len(document) > _IMAGES_LIMIT:
        raise ImageError(f"manifest.json is not a list of at most {_IMAGES_LIMIT} images")
    for item in document:
        if not isinstance(item, dict) or not isinstance(item.get("Config"), str):
            raise ImageError("manifest.json has an entry without a Config")
    for item, names in _choose_docker(document, transport):
        layers = _strings(item, "Layers")
        config = tree.read(item["Config"], schema.CONFIG_LIMIT)
        diff_ids = ImageConfig.parse(config).diff_ids
        if len(diff_ids) != len(layers):
            raise ImageError(f"manifest.json names {len(layers)} layers and the configuration {len(diff_ids)}")
        blobs = [_layer_file(tree, name) for name in layers]
        manifest = _manifest_here(store, config) or _made_manifest(config, diff_ids, blobs)
        yield ImageParts(manifest=manifest, config=config, layers=blobs), names


def _choose_docker(
    document: list[dict[str, Any]], transport: TransportReference
) -> Iterable[tuple[dict[str, Any], list[str]]]:
    """Return the entries that the reference chooses (all, @NUMBER's, or a name's), each with the names it gets."""
    if transport.index >= len(document):
        raise ImageError(f"invalid source index @{transport.index}, only {len(document)} manifest items available")
    chosen = document if transport.index < 0 else [document[transport.index]]
    tagged = [(item, _strings(item, "RepoTags")) for item in chosen]
    if not transport.reference:
        return [(item, [_full_name(tag) for tag in tags]) for item, tags in tagged]
    wanted = docker_name(transport.reference)
    found = [(item, [_full_name(tag)]) for item, tags in tagged for tag in tags if docker_name(tag) == wanted]
    if not found:
        there = ", ".join(tag for _, tags in tagged for tag in tags) or "no names"
        raise ImageError(
            f'tag "{transport.reference}" not found in {transport.path}', hint=f"It has {shorten(there, 200)}"
        )
    return found[:1]


def _manifest_here(store: Store, config: bytes) -> bytes:
    """Return the stored manifest if the store has this image: it names stored blobs, which a made-up manifest can't."""
    try:
        return store.find_image(sha256(config)).manifest
    except NoSuchImageError:
        return b""


def _layer_file(tree: Tree, name: str) -> Blob:
    size = tree.size(name)
    if size is None:
        raise ImageError(f"the archive has no layer {shorten(name)}")
    return Blob(digest="", size=size, read=lambda offset: tree.chunks(name, offset))


def _made_manifest(config: bytes, diff_ids: list[str], blobs: list[Blob]) -> bytes:
    """Return a manifest for an image without one: its layers are the uncompressed tars. As with Podman, its format is
    Docker's, so the archive's origin isn't lost (image/outgoing/export.py asks for it).
    """
    layers = [
        {"mediaType": schema.DOCKER_LAYER, "digest": diff_id, "size": blob.size}
        for diff_id, blob in zip(diff_ids, blobs, strict=True)
    ]
    description = {"mediaType": schema.DOCKER_CONFIG, "digest": sha256(config), "size": len(config)}
    document = {"schemaVersion": 2, "mediaType": schema.DOCKER_MANIFEST, "config": description, "layers": layers}
    return fastjson.dumps(document).encode()


def docker_name(text: str) -> str:
    """Return the full name for the NAME in `TRANSPORT:PATH:NAME`: a short one is docker.io's. Raises ImageError."""
    reference = parse(text)
    return str((reference.in_domain("docker.io") if reference.is_short else reference).with_default_tag())


def _strings(item: dict[str, Any], key: str) -> list[str]:
    value = item.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _IMAGES_LIMIT or not all(isinstance(text, str) for text in value):
        raise ImageError(f"manifest.json: {key} is not a list of at most {_IMAGES_LIMIT} texts")
    return value


# oci-archive and OCI directories (OCI image-spec, image-layout.md)


def _oci_images(tree: Tree, transport: TransportReference, *, every: bool) -> Iterator[tuple[ImageParts, list[str]]]:
    index = read_index(tree)
    by_name: dict[str, list[schema.Descriptor]] = {}
    for number, entry in choose_oci(index.manifests, transport):
        name = _full_name(transport.reference) if transport.reference else _oci_name(entry)
        by_name.setdefault(name or f"#{number}", []).append(entry)
    if not every and len(by_name) > 1:
        raise ImageError(
            "more than one image in oci, choose an image",
            hint=f"Append :NAME or :@NUMBER; there are {shorten(', '.join(by_name), 200)}",
        )
    for entries in by_name.values():
        one = entries[0]
        if len(entries) > 1:
            choice = schema.Index(media_type=index.media_type, manifests=entries)
            one = schema.select(choice, schema.host_platform())
        yield _oci_parts(tree, one), _names_for(entries[0], transport, every=every)


def _names_for(entry: schema.Descriptor, transport: TransportReference, *, every: bool) -> list[str]:
    """Return the name that an OCI layout's image gets here, by Podman's rule (containers/common, copyFromDefault).

    The index gives the name. With `pull oci:DIR[:NAME]` it is NAME, and docker.io's if it is short. `load` of a
    directory takes the index's names (Podman's gives none then): it loads several images at once.
    """
    if transport.kind == transports.OCI and not every:
        return [docker_name(transport.reference)] if transport.reference else []
    name = _oci_name(entry)
    return [name] if name else []


def read_index(tree: Tree) -> schema.Index:
    """Return the index of an OCI layout, which lists at least one image. Raises ImageError."""
    index = schema.parse(tree.read("index.json", schema.MANIFEST_LIMIT), schema.OCI_INDEX)
    if not isinstance(index, schema.Index) or not index.manifests:
        raise ImageError("index.json lists no image")
    if len(index.manifests) > _IMAGES_LIMIT:
        raise ImageError(f"index.json lists more than {_IMAGES_LIMIT} images")
    return index


def choose_oci(entries: list[schema.Descriptor], transport: TransportReference) -> list[tuple[int, schema.Descriptor]]:
    """Return the entries of an OCI layout's index that the reference chooses, numbered. Raises ImageError."""
    numbered = [*enumerate(entries)]
    if transport.index >= len(entries):
        raise ImageError(f"index {transport.index} is too large, only {len(entries)} entries available")
    if transport.index >= 0:
        return [numbered[transport.index]]
    if not transport.reference:
        return numbered
    # containers/image compares the text as it is; podpy also takes a full name for a short one in the index.
    found = [one for one in numbered if one[1].annotations.get(REF_NAME) == transport.reference]
    found = found or [one for one in numbered if _oci_name(one[1]) == _full_name(transport.reference)]
    if not found:
        raise ImageError(f'no descriptor found for reference "{transport.reference}"', hint=f"See {transport.path}")
    return found


def _oci_parts(tree: Tree, entry: schema.Descriptor) -> ImageParts:
    data = _oci_blob(tree, entry, schema.MANIFEST_LIMIT)
    found = descend(data, entry.media_type, lambda one: (_oci_blob(tree, one, schema.MANIFEST_LIMIT), ""))
    config = _oci_blob(tree, found.manifest.config, schema.CONFIG_LIMIT)
    layers = [_blob(tree, layer, transports.blob_name(layer.digest)) for layer in found.manifest.layers]
    return ImageParts(manifest=found.data, config=config, layers=layers, parents=found.parents)


def _blob(tree: Tree, layer: schema.Descriptor, path: str) -> Blob:
    size = tree.size(path)
    if size is None:
        raise ImageError(f"the archive has no layer {layer.digest}")
    if layer.size not in (-1, size):
        raise ImageError(f"layer {layer.digest} has {size} bytes in the archive; its manifest says {layer.size}")
    return Blob(digest=layer.digest, size=size, read=lambda offset: tree.chunks(path, offset))


def _oci_blob(tree: Tree, descriptor: schema.Descriptor, limit: int) -> bytes:
    return check_bytes(
        tree.read(transports.blob_name(descriptor.digest), limit), descriptor.digest, "a file of the archive"
    )


def _oci_name(entry: schema.Descriptor) -> str:
    text = entry.annotations.get(_CONTAINERD_NAME) or entry.annotations.get(REF_NAME) or ""
    return _full_name(text) if text else ""


def _full_name(text: str) -> str:
    reference = parse(text)
    return str((reference.in_domain(LOCALHOST) if reference.is_short else reference).with_default_tag())


# dir: one image; every blob is a file named by its digest (containers/image, directory transport)


def _dir_parts(tree: Tree, transport: TransportReference, policy: PolicyContext) -> ImageParts:
    data = tree.read("manifest.json", schema.MANIFEST_LIMIT)

    def read(entry: schema.Descriptor) -> tuple[bytes, str]:
        inner = tree.read(f"{entry.hex}.manifest.json", schema.MANIFEST_LIMIT)
        return check_bytes(inner, entry.digest, "a manifest"), ""

    found = descend(data, "", read)
    manifest = found.manifest
    policy.check_policy(found.data, lambda: dir_signatures(tree, transport, found.data))
    config = check_bytes(tree.read(manifest.config.hex, schema.CONFIG_LIMIT), manifest.config.digest, "a file")
    layers = [_blob(tree, layer, layer.hex) for layer in manifest.layers]
    return ImageParts(manifest=found.data, config=config, layers=layers, parents=found.parents)


def dir_signatures(tree: Tree, transport: TransportReference, manifest: bytes) -> list[Signature]:
    """Return a directory's signatures of this manifest, its own or one of an index's entry. Raises ImageError."""
    from podpy.image.trust.signatures import from_directory

    digest = sha256(manifest).partition(":")[2]
    return from_directory(transport.path, f"{digest}." if tree.has(f"{digest}.manifest.json") else "")
