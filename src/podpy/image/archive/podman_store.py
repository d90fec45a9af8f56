"""`containers-storage:`, read-only: copies images from the store of Podman, Buildah and Skopeo, without any of them.

    containers-storage:NAME                     the store that storage.conf names for this user
    containers-storage:[DRIVER@GRAPHROOT]NAME   another one (what follows a "+" is ignored)

    GRAPHROOT/overlay-images/images.json        a list: id, digest, names, layer (the topmost one's id)
    GRAPHROOT/overlay-images/ID/KEY             the manifest and the configuration ("=" and base64 if it has a colon)
    GRAPHROOT/overlay-layers/layers.json        a list: id, parent, diff-digest, diff-size
    GRAPHROOT/overlay-layers/ID.tar-split.gz    everything of the layer's tar that isn't a file's content, in order
    GRAPHROOT/overlay/ID/diff                   the layer's files

That store has no compressed blobs, but tar-split reproduces the exact tar: each JSON line holds bytes of the tar
(type 2) or names a file whose content follows (type 1). So every diff id is checked. Files belong to the user's
subordinate ids: this process must be in the user's namespaces, made from the same ranges.
"""

from __future__ import annotations

import base64
import binascii
import os

from podpy import fastjson, linux
from podpy.digests import check_bytes
from podpy.errors import DigestMismatchError, ImageError, NoSuchImageError, shorten
from podpy.image.documents import schema
from podpy.image.documents.config import ImageConfig
from podpy.image.incoming.assemble import Blob, ImageParts, assemble
from podpy.image.incoming.compression import decompressed
from podpy.image.names.reference import is_hex, parse
from podpy.image.names.registries import registries_of
from podpy.image.names.short import in_store
from podpy.image.progress import SILENT, Progress
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podpy.config.paths import Paths
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

TRANSPORT = "containers-storage:"
_DRIVER = "overlay"
_CHUNK = 256 << 10
_LINE_LIMIT = 8 << 20  # bytes, several times the headers that one file can have
_LIST_LIMIT = 256 << 20
_SHORTEST_ID = 3
_BYTES, _FILE = 2, 1  # tar-split's types of entries
_MANIFEST = "manifest-"  # and a digest: the key of each of an image's manifests (the newest is also "manifest")
_INSTEAD = "podman save NAME | podpy load"


class StoredImage(Record):
    """One entry of images.json."""

    id: str
    names: list[str]
    layer: str
    digests: list[str]  # of the stored manifests, the oldest first
    digest: str = ""  # of the newest manifest, according to images.json


class PodmanStore:
    """One graph root of the containers/storage library, with the overlay driver; read only."""

    def __init__(self, graphroot: str) -> None:
        """Raises ImageError if there is no store, or its driver isn't overlay."""
        self.graphroot = graphroot
        if os.path.isdir(os.path.join(graphroot, f"{_DRIVER}-images")):
            return
        try:
            drivers = [name.removesuffix("-images") for name in os.listdir(graphroot) if name.endswith("-images")]
        except OSError:
            drivers = []
        if drivers:
            raise ImageError(
                f"the store in {graphroot} has the driver {drivers[0]}; only {_DRIVER} can be read",
                hint=f"Try {_INSTEAD}",
            )
        raise ImageError(f"{graphroot}: Podman has no images there", hint="See graphRoot in: podman info")

    def images(self) -> list[StoredImage]:
        """Return all images, those without names too. Raises ImageError."""
        return [
            StoredImage(
                id=_text(entry, "id"),
                names=_names(entry),
                layer=_text(entry, "layer"),
                digests=_digests(entry),
                digest=_newest_digest(entry),
            )
            for entry in self._list(f"{_DRIVER}-images/images.json")
        ]

    def find(self, candidates: list[str], text: str) -> StoredImage:
        """Return the image with the first of these full names that the store has, or whose id begins with `text`.

        Raises NoSuchImageError, which lists the store's images.
        """
        images = self.images()
        for name in candidates:
            for image in images:
                if name in image.names:
                    return image
        identity = text.removeprefix("sha256:")
        if len(identity) >= _SHORTEST_ID and is_hex(identity):
            found = [image for image in images if image.id.startswith(identity)]
            if len(found) == 1:
                return found[0]
        what = f"{TRANSPORT}{text}: image not known in" if text else f"{TRANSPORT} needs an image's name; here is"
        there = ", ".join(sorted(name for image in images for name in image.names)) or "none with a name"
        raise NoSuchImageError(
            f"{what} {self.graphroot}, which has: {shorten(there, 300)}",
            hint=f"podpy pull --all-tags {TRANSPORT} brings all of them",
        )

    def parts(self, image: StoredImage) -> ImageParts:
        """Return an image as it is read. Raises ImageError, DigestMismatchError."""
        data = self._big_data(image.id, "manifest", schema.MANIFEST_LIMIT)
        if image.digest:
            check_bytes(data, image.digest, f"the manifest of {image.id[:12]}")
        manifest = schema.parse(data)
        if not isinstance(manifest, schema.Manifest):
            raise ImageError(f"{image.id[:12]} is a manifest list, not an image", hint="Name one of its images")
        config = self._big_data(image.id, manifest.config.digest, schema.CONFIG_LIMIT)
        check_bytes(config, manifest.config.digest, f"the configuration of {image.id[:12]}")
        layers = self._chain(image.layer)
        if len(layers) != len(ImageConfig.parse(config).diff_ids):
            raise ImageError(
                f"{image.id[:12]} has {len(layers)} layers in {self.graphroot}, and other ones by its config"
            )
        parents = self._parents(image, manifest.config.digest)
        return ImageParts(manifest=data, config=config, layers=[self._blob(layer) for layer in layers], parents=parents)

    def _parents(self, image: StoredImage, config: str) -> list[bytes]:
        """Return the image's other manifests and indexes, so that podpy knows their digests too.

        One that doesn't lead to this configuration is left out: a digest must never mean another image.
        """
        manifests = {
            digest: check_bytes(
                self._big_data(image.id, _MANIFEST + digest, schema.MANIFEST_LIMIT), digest, "a manifest"
            )
            for digest in image.digests
        }
        parsed = {digest: _parsed(data) for digest, data in manifests.items()}
        own = {
            digest
            for digest, manifest in parsed.items()
            if isinstance(manifest, schema.Manifest) and manifest.config.digest == config
        }
        lists = {
            digest
            for digest, index in parsed.items()
            if isinstance(index, schema.Index) and any(entry.digest in own for entry in index.manifests)
        }
        return [data for digest, data in manifests.items() if digest in own | lists]

    def _chain(self, top: str) -> list[dict[str, Any]]:
        layers = {_text(layer, "id"): layer for layer in self._list(f"{_DRIVER}-layers/layers.json")}
        chain: list[dict[str, Any]] = []
        at = top
        while at:
            if at not in layers or len(chain) > schema.LAYER_COUNT_LIMIT:
                raise ImageError(f"layer {shorten(at)} isn't in {self.graphroot}", hint="Run: podman system check")
            chain.insert(0, layers[at])
            at = _text(layers[at], "parent")
        return chain

    def _blob(self, layer: dict[str, Any]) -> Blob:
        identity, size = _text(layer, "id"), layer.get("diff-size", -1)
        if not is_hex(identity):
            raise ImageError(f"{self.graphroot}: {shorten(identity)} is no layer's id")
        if not os.path.exists(self._recipe(identity)):
            raise ImageError(
                f"layer {identity[:12]} has no tar-split data in {self.graphroot}: its tar can't be made again",
                hint=f"Pull the image from its registry, or try {_INSTEAD}",
            )
        return Blob(
            digest="",
            size=size if isinstance(size, int) else -1,
            read=lambda offset: _from(self._tar(identity), offset),
        )

    def _recipe(self, layer: str) -> str:
        return os.path.join(self.graphroot, f"{_DRIVER}-layers", f"{layer}.tar-split.gz")

    def _tar(self, layer: str) -> Iterator[bytes]:
        """Yield the layer's tar. Raises ImageError if it can't be what tar-split says; the diff id proves the rest."""
        root = os.open(os.path.join(self.graphroot, _DRIVER, layer, "diff"), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            waiting = bytearray()
            for entry in _entries(self._recipe(layer)):
                for piece in _pieces(root, entry):
                    waiting += piece
                    if len(waiting) >= _CHUNK:
                        yield bytes(waiting)
                        waiting.clear()
            yield bytes(waiting)
        finally:
            os.close(root)

    def _list(self, name: str) -> list[dict[str, Any]]:
        document = schema.load_json(self._read(name, _LIST_LIMIT), name, _LIST_LIMIT)
        if not isinstance(document, list):
            raise ImageError(f"{self.graphroot}/{name} is not a list")
        return [entry for entry in document if isinstance(entry, dict)]

    def _big_data(self, image_id: str, key: str, limit: int) -> bytes:
        plain = key.isascii() and key.replace(".", "").isalnum() and key.islower()
        name = key if plain else "=" + base64.b64encode(key.encode()).decode()
        if not is_hex(image_id):
            raise ImageError(f"{self.graphroot}: {shorten(image_id)} is no image's id")
        return self._read(f"{_DRIVER}-images/{image_id}/{name}", limit)

    def _read(self, name: str, limit: int) -> bytes:
        path = os.path.join(self.graphroot, name)
        try:
            with open(path, "rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise ImageError(f"{path}: {error.strerror}", hint=f"Try {_INSTEAD}") from None
        if len(data) > limit:
            raise ImageError(f"{path} has more than the {limit} bytes allowed")
        return data


def pull(store: Store, text: str, *, policy_file: str = "", progress: Progress = SILENT) -> ImageRecord:
    """Copy an image from Podman's store and return it; `text` is the reference without its transport.

    It gets the name that was asked for, or, if asked for by id, all names that it has there. Raises NoSuchImageError,
    ImageError, DigestMismatchError, TrustError, StorageError.
    """
    from podpy.image.trust import Origin, PolicyContext
    from podpy.image.trust.scopes import storage_scopes

    source, name = open_store(store.paths, text)
    candidates = _candidates(store.paths, name)
    image = source.find(candidates, name)
    found = [candidate for candidate in candidates if candidate in image.names][:1]
    reference = parse(found[0]) if found else None
    scopes = storage_scopes(_DRIVER, source.graphroot, reference, image.id)
    where = Origin(transport=TRANSPORT.rstrip(":"), scopes=scopes, name=TRANSPORT + name, reference=reference)
    parts = source.parts(image)
    PolicyContext(store.paths, where, policy_file=policy_file).check_policy(parts.manifest)
    try:
        return assemble(store, parts, names=found or image.names, progress=progress)
    except DigestMismatchError as error:
        raise DigestMismatchError(
            f"{source.graphroot}: {error.message}", hint="Pull the image from its registry"
        ) from None
    finally:
        progress.close()


def all_names(paths: Paths, text: str) -> list[str]:
    """Return a text for `pull` for every name in the store, or, if `text` is a repository, for each of its tags."""
    source, name = open_store(paths, text)
    wanted = {parse(candidate).name for candidate in _candidates(paths, name)} if name else set()
    names = sorted(name for image in source.images() for name in image.names)
    prefix = TRANSPORT + (text.removesuffix(name) if name else text)
    return [prefix + name for name in names if not wanted or parse(name).name in wanted]


def open_store(paths: Paths, text: str) -> tuple[PodmanStore, str]:
    """Return the store and the name in `[DRIVER@GRAPHROOT+RUNROOT:OPTIONS]NAME`. Raises ImageError, ConfigError."""
    from podpy.config.storage_conf import graphroot_of_podman

    if not text.startswith("["):
        return PodmanStore(graphroot_of_podman(paths)), text
    inside, _, name = text[1:].partition("]")
    driver, at, place = inside.rpartition("@")
    if at and driver != _DRIVER:
        raise ImageError(f"{TRANSPORT}{text}: only the driver {_DRIVER} can be read", hint=f"Try {_INSTEAD}")
    graphroot = place.partition("+")[0].partition(":")[0]
    if not graphroot:
        return PodmanStore(graphroot_of_podman(paths)), name
    if not graphroot.startswith("/"):
        raise ImageError(f"{TRANSPORT}{text}: {shorten(graphroot)} is not an absolute path")
    # One spelling for each path: it is part of policy.json's scopes.
    return PodmanStore(os.path.normpath("/" + graphroot.lstrip("/"))), name


def _candidates(paths: Paths, name: str) -> list[str]:
    try:
        return in_store(parse(name), registries_of(paths))
    except ImageError:
        return []  # an id, or nothing that could be a name


def _entries(path: str) -> Iterator[dict[str, Any]]:
    rest = b""
    with open(path, "rb", buffering=0) as file:
        for piece in decompressed(iter(lambda: file.read(_CHUNK), b"")):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield _entry(line, path)
            if len(rest) > _LINE_LIMIT:
                raise ImageError(f"{path}: a line is longer than {_LINE_LIMIT} bytes")
    if rest:
        yield _entry(rest, path)


def _entry(line: bytes, path: str) -> dict[str, Any]:
    try:
        entry = fastjson.loads(line)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        raise ImageError(f"{path} is not tar-split data", hint=f"Try {_INSTEAD}")
    return entry


def _pieces(root: int, entry: dict[str, Any]) -> Iterator[bytes]:
    kind, payload, size = entry.get("type"), entry.get("payload"), entry.get("size")
    if kind == _BYTES and isinstance(payload, str):
        yield _decoded(payload)
    elif kind == _FILE and isinstance(size, int) and size > 0:
        raw = entry.get("name_raw")
        name = (
            _decoded(raw)
            if isinstance(raw, str) and raw
            else str(entry.get("name") or "").encode(errors="surrogatepass")
        )
        yield from _content(root, name, size)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ImageError("tar-split data that isn't base64", hint=f"Try {_INSTEAD}") from None


def _content(root: int, name: bytes, size: int) -> Iterator[bytes]:
    resolve = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS  # the layer's links are the image maker's
    try:
        descriptor = linux.openat2(root, name.lstrip(b"/"), os.O_RDONLY | os.O_NONBLOCK, resolve=resolve)
    except OSError as error:
        raise ImageError(
            f"{shorten(os.fsdecode(name))} of a layer in Podman's store: {error.strerror}",
            hint="Its user namespace may have other subordinate ids; try " + _INSTEAD,
        ) from None
    try:
        while size > 0 and (chunk := os.read(descriptor, min(_CHUNK, size))):
            size -= len(chunk)
            yield chunk
    finally:
        os.close(descriptor)
    if size:
        raise ImageError(f"{shorten(os.fsdecode(name))} of a layer in Podman's store is shorter than it was")


def _from(pieces: Iterator[bytes], offset: int) -> Iterator[bytes]:
    for piece in pieces:
        if offset < len(piece):
            yield piece[offset:]
        offset = max(0, offset - len(piece))


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _parsed(data: bytes) -> schema.Manifest | schema.Index | None:
    try:
        return schema.parse(data)
    except ImageError:
        return None


def _digests(entry: dict[str, Any]) -> list[str]:
    items = entry.get("big-data-names")
    items = items if isinstance(items, list) else []
    digests = [text.removeprefix(_MANIFEST) for text in items if isinstance(text, str) and text.startswith(_MANIFEST)]
    return sorted(digests, key=lambda digest: digest != entry.get("digest"))


def _newest_digest(entry: dict[str, Any]) -> str:
    digests = entry.get("big-data-digests")
    found = _text(digests, "manifest") if isinstance(digests, dict) else ""
    return found if found.startswith("sha256:") else ""


def _names(entry: dict[str, Any]) -> list[str]:
    value = entry.get("names")
    return [name for name in value if isinstance(name, str) and _is_name(name)] if isinstance(value, list) else []


def _is_name(text: str) -> bool:
    try:
        return not parse(text).is_short
    except ImageError:
        return False
