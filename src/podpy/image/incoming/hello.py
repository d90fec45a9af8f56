"""The embedded image `hello`: a static program of ours, packed into an image without any network."""

from __future__ import annotations

from podpy import fastjson
from podpy.digests import sha256
from podpy.errors import NotSupportedError
from podpy.image.archive.tarwriter import END, header, padding
from podpy.image.documents import schema
from podpy.image.incoming.assemble import Blob, ImageParts, assemble
from podpy.image.names.reference import parse
from podpy.process import own_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

NAME = "localhost/hello:latest"
_PROGRAM = own_program("hello")
_CREATED = "2026-01-01T00:00:00Z"
# The second one lets the container know its own name, id and monitor (libpod.containers.starting.self_description).
_LABELS = {"org.opencontainers.image.title": "hello", "io.podpy.describe-container": ""}


def means_hello(text: str) -> bool:
    """Tell whether a name that isn't in the store is the embedded image's."""
    reference = parse(text)
    return reference.path == "hello" and reference.domain in ("", "localhost") and reference.tag in ("", "latest")


def load_hello(store: Store) -> ImageRecord:
    """Put the embedded image into the store and return it. Raises NotSupportedError if it isn't in this package."""
    layer, config = _contents()
    return assemble(store, _parts(layer, config), names=[NAME])


def image_id() -> str:
    """Return the id of the embedded image, or "" if this package has none. An image with another id isn't podpy's."""
    try:
        return sha256(_contents()[1]).removeprefix("sha256:")
    except NotSupportedError:
        return ""


def _contents() -> tuple[bytes, bytes]:
    """Return the layer and the configuration."""
    try:
        with open(_PROGRAM, "rb") as file:
            program = file.read()
    except OSError as error:
        raise NotSupportedError(
            f"the embedded image isn't in this installation: {_PROGRAM}: {error.strerror}",
            hint="Build podpy wholly: pip install .",
        ) from None
    layer = _layer(program)
    return layer, _config(sha256(layer))


def _layer(program: bytes) -> bytes:
    """Return a tar of `/hello`, and the directories that containers mount on. The same bytes every time."""
    directories = b"".join(header(f"{name}/", 0, 0o755, b"5") for name in ("dev", "etc", "proc", "run", "sys"))
    return directories + header("hello", len(program), 0o755) + program + padding(len(program)) + END


def _config(diff_id: str) -> bytes:
    document = {
        "architecture": schema.host_platform().architecture,
        "os": "linux",
        "created": _CREATED,
        "config": {"Cmd": ["/hello"], "Env": ["PATH=/"], "Labels": _LABELS},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": _CREATED, "created_by": "podpy"}],
    }
    return fastjson.dumps(document).encode()


def _parts(layer: bytes, config: bytes) -> ImageParts:
    def read(offset: int) -> Iterator[bytes]:
        yield layer[offset:]

    description = {"mediaType": schema.OCI_CONFIG, "digest": sha256(config), "size": len(config)}
    layers = [{"mediaType": schema.OCI_LAYER, "digest": sha256(layer), "size": len(layer)}]
    manifest = {"schemaVersion": 2, "mediaType": schema.OCI_MANIFEST, "config": description, "layers": layers}
    blob = Blob(digest=sha256(layer), size=len(layer), read=read)
    return ImageParts(manifest=fastjson.dumps(manifest).encode(), config=config, layers=[blob])
