"""`podpy load`: images from docker-archive, oci-archive and OCI directories.

An archive in a plain file is read in place, its layers side by side. What comes by a pipe, or compressed as a whole, is
written into the staging area first: the table of contents stands at the end of most archives, behind the layers.
"""

from __future__ import annotations

import os
import stat

from podpy import fastjson
from podpy.errors import ImageError, StorageError
from podpy.image import schema, tarindex
from podpy.image.assemble import Blob, Parts, assemble, check_bytes, sha256
from podpy.image.compression import HEAD, decompressor, detect
from podpy.image.config import ImageConfig
from podpy.image.progress import SILENT, Progress
from podpy.image.reference import LOCALHOST, parse, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podpy.storage.store import Store

_CHUNK = 256 << 10
_IMAGES_LIMIT = 1000
REF_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"
_HINT = "podpy load takes docker-archive, oci-archive and OCI directories, also compressed"


class Tree:
    """Read access to an archive's files by name."""

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return self.size(name) is not None

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, or None if it isn't there."""
        raise NotImplementedError

    def chunks(self, name: str, offset: int) -> Iterator[bytes]:
        """Yield a file's bytes from `offset` on. Several threads may do so at once."""
        raise NotImplementedError

    def close(self) -> None:
        """Close what is open."""

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole file of at most `limit` bytes. Raises ImageError."""
        size = self.size(name)
        if size is None:
            raise ImageError(f"the archive has no {shorten(name)}", hint=_HINT)
        if size > limit:
            raise ImageError(f"{shorten(name)} in the archive has {size} bytes, more than the {limit} allowed")
        return b"".join(self.chunks(name, 0))


class _Tar(Tree):
    """The files inside a plain tar."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._entries = tarindex.read_index(descriptor, os.fstat(descriptor).st_size)

    def size(self, name: str) -> int | None:
        entry = tarindex.find(self._entries, name)
        return None if entry is None else entry.size

    def chunks(self, name: str, offset: int) -> Iterator[bytes]:
        entry = tarindex.find(self._entries, name)
        if entry is None:
            raise ImageError(f"the archive has no {shorten(name)}", hint=_HINT)
        at, end = entry.offset + offset, entry.offset + entry.size
        while at < end:
            chunk = os.pread(self._descriptor, min(_CHUNK, end - at), at)
            if not chunk:
                raise ImageError("the archive became shorter while it was read")
            at += len(chunk)
            yield chunk

    def close(self) -> None:
        os.close(self._descriptor)


class _Directory(Tree):
    """The files below a directory; a name can't lead out of it, nor can a link in it."""

    def __init__(self, path: str) -> None:
        self._root = os.path.realpath(path)

    def _path(self, name: str) -> str:
        path = os.path.realpath(os.path.join(self._root, name.lstrip("/")))
        if not path.startswith(self._root + os.sep):
            raise ImageError(f"{shorten(name)} lies outside the directory")
        return path

    def size(self, name: str) -> int | None:
        try:
            status = os.stat(self._path(name))
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def chunks(self, name: str, offset: int) -> Iterator[bytes]:
        with open(self._path(name), "rb", buffering=0) as file:
            file.seek(offset)
            while chunk := file.read(_CHUNK):
                yield chunk


def load(store: Store, file: str | int, *, policy_file: str = "", progress: Progress = SILENT) -> list[str]:
    """Load every image of an archive (a path, or an open descriptor such as 0); return what to call each.

    That is a full name (for each name that the archive gives), or `sha256:ID` for an image without one. Raises
    ImageError, DigestMismatchError, StorageError; an image before the one that failed stays loaded.
    """
    tree = open_tree(store, file)
    try:
        if tree.has("index.json"):
            kind, images = "oci" if isinstance(tree, _Directory) else "oci-archive", _oci_images(tree)
        elif tree.has("manifest.json"):
            kind, images = "docker-archive", _docker_images(tree)
        elif tree.has("repositories"):
            raise ImageError("the archive was made by a Docker before 1.10", hint="Save it again with a current tool")
        else:
            raise ImageError("the archive has neither manifest.json nor index.json: it holds no image", hint=_HINT)
        _admit(store, kind, file, policy_file)
        loaded: list[str] = []
        for parts, names in images:
            record = assemble(store, parts, names=names, progress=progress)
            loaded += names or [f"sha256:{record.id}"]
        return loaded
    finally:
        tree.close()
        progress.close()


def _admit(store: Store, transport: str, file: str | int, policy_file: str) -> None:
    """Raise TrustError unless policy.json lets archives like this one in. They carry no signatures."""
    from podpy.image.trust import Gate, Source
    from podpy.image.trust.scopes import path_scopes

    path = file if isinstance(file, str) else ""
    scopes = [] if transport == "docker-archive" else path_scopes(path)
    Gate(
        store.paths, Source(transport=transport, scopes=scopes, name=f"{transport}:{path}"), policy_file=policy_file
    ).admit(b"")


def open_tree(store: Store, file: str | int) -> Tree:
    """Return the archive's files: in place if that is possible, else from a copy in the staging area."""
    if isinstance(file, str):
        if os.path.isdir(file):
            return _Directory(file)
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ImageError(f"{file}: {error.strerror}") from None
    else:
        descriptor = os.dup(file)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0:
            head = os.pread(descriptor, HEAD, 0)
            if not head:
                raise ImageError("the archive is empty", hint=_HINT)
            if not detect(head):
                return _Tar(descriptor)
        spool = _spool(store, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return _Tar(spool)


def _spool(store: Store, source: int) -> int:
    """Return a descriptor of a nameless file in the staging area with all of `source`, decompressed."""
    target = store.staging.nameless_file()
    try:
        head = b""
        while len(head) < HEAD and (chunk := os.read(source, _CHUNK)):
            head += chunk
        if not head:
            raise ImageError("the archive is empty", hint=_HINT)
        stream = decompressor(detect(head))
        chunk = head
        while chunk:
            for piece in stream.feed(chunk):
                _write_all(target, piece)
            chunk = os.read(source, _CHUNK)
        stream.finish()
    except OSError as error:
        os.close(target)
        raise StorageError(f"{store.graphroot}: {error.strerror}", hint="Make room, or load from a file") from None
    except BaseException:
        os.close(target)
        raise
    return target


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


# docker-archive


def _docker_images(tree: Tree) -> Iterator[tuple[Parts, list[str]]]:
    document = schema.load_json(
        tree.read("manifest.json", schema.MANIFEST_LIMIT), "manifest.json", schema.MANIFEST_LIMIT
    )
    if not isinstance(document, list) or len(document) > _IMAGES_LIMIT:
        raise ImageError(f"manifest.json is not a list of at most {_IMAGES_LIMIT} images")
    for item in document:
        if not isinstance(item, dict) or not isinstance(item.get("Config"), str):
            raise ImageError("manifest.json has an entry without a Config")
        layers = _strings(item, "Layers")
        names = [_docker_name(name) for name in _strings(item, "RepoTags")]
        config = tree.read(item["Config"], schema.CONFIG_LIMIT)
        diff_ids = ImageConfig.parse(config).diff_ids
        if len(diff_ids) != len(layers):
            raise ImageError(f"manifest.json names {len(layers)} layers and the configuration {len(diff_ids)}")
        blobs = [_layer_file(tree, name) for name in layers]
        yield Parts(manifest=_made_manifest(config, diff_ids, blobs), config=config, layers=blobs), names


def _layer_file(tree: Tree, name: str) -> Blob:
    size = tree.size(name)
    if size is None:
        raise ImageError(f"the archive has no layer {shorten(name)}")
    return Blob(digest="", size=size, read=lambda offset: tree.chunks(name, offset))


def _made_manifest(config: bytes, diff_ids: list[str], blobs: list[Blob]) -> bytes:
    """Return a manifest for an image that came without one: its layers are the uncompressed tars."""
    layers = [
        {"mediaType": schema.OCI_LAYER, "digest": diff_id, "size": blob.size}
        for diff_id, blob in zip(diff_ids, blobs, strict=True)
    ]
    description = {"mediaType": schema.OCI_CONFIG, "digest": sha256(config), "size": len(config)}
    document = {"schemaVersion": 2, "mediaType": schema.OCI_MANIFEST, "config": description, "layers": layers}
    return fastjson.dumps(document).encode()


def _docker_name(text: str) -> str:
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


def _oci_images(tree: Tree) -> Iterator[tuple[Parts, list[str]]]:
    index = schema.parse(tree.read("index.json", schema.MANIFEST_LIMIT), schema.OCI_INDEX)
    if not isinstance(index, schema.Index) or not index.manifests:
        raise ImageError("index.json lists no image")
    if len(index.manifests) > _IMAGES_LIMIT:
        raise ImageError(f"index.json lists more than {_IMAGES_LIMIT} images")
    by_name: dict[str, list[schema.Descriptor]] = {}
    for number, entry in enumerate(index.manifests):
        by_name.setdefault(_oci_name(entry) or f"#{number}", []).append(entry)
    for name, entries in by_name.items():
        one = entries[0]
        if len(entries) > 1:
            choice = schema.Index(media_type=index.media_type, manifests=entries)
            one = schema.select(choice, schema.host_platform())
        yield _oci_parts(tree, one), [] if name.startswith("#") else [name]


def _oci_parts(tree: Tree, entry: schema.Descriptor) -> Parts:
    data = _oci_blob(tree, entry, schema.MANIFEST_LIMIT)
    manifest = schema.parse(data, entry.media_type)
    if isinstance(manifest, schema.Index):
        inner = schema.select(manifest, schema.host_platform())
        data = _oci_blob(tree, inner, schema.MANIFEST_LIMIT)
        manifest = schema.parse(data, inner.media_type)
    if not isinstance(manifest, schema.Manifest):
        raise ImageError("the archive has an index inside an index inside an index")
    config = _oci_blob(tree, manifest.config, schema.CONFIG_LIMIT)
    return Parts(manifest=data, config=config, layers=[_oci_layer(tree, layer) for layer in manifest.layers])


def _oci_layer(tree: Tree, layer: schema.Descriptor) -> Blob:
    path = _blob_path(layer)
    size = tree.size(path)
    if size is None:
        raise ImageError(f"the archive has no layer {layer.digest}")
    if layer.size not in (-1, size):
        raise ImageError(f"layer {layer.digest} has {size} bytes in the archive; its manifest says {layer.size}")
    return Blob(digest=layer.digest, size=size, read=lambda offset: tree.chunks(path, offset))


def _oci_blob(tree: Tree, descriptor: schema.Descriptor, limit: int) -> bytes:
    return check_bytes(tree.read(_blob_path(descriptor), limit), descriptor.digest, "a file of the archive")


def _blob_path(descriptor: schema.Descriptor) -> str:
    return f"blobs/{descriptor.digest.replace(':', '/')}"


def _oci_name(entry: schema.Descriptor) -> str:
    text = entry.annotations.get(_CONTAINERD_NAME) or entry.annotations.get(REF_NAME) or ""
    if not text:
        return ""
    reference = parse(text)
    return str((reference.in_domain(LOCALHOST) if reference.is_short else reference).with_default_tag())
