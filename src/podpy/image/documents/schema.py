"""Manifests and indexes: OCI image-spec v1 and Docker's image manifest version 2, schema 2.

What arrives is hostile until proved otherwise: sizes are bounded, every field that is used has its type checked, and
whatever is wrong becomes an ImageError of one line.
"""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import ImageError, NoPlatformError, shorten
from podpy.image.names.reference import check_digest
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MANIFEST_LIMIT = 4 << 20
CONFIG_LIMIT = 8 << 20
LAYER_COUNT_LIMIT = 500  # what overlay can stack (its option page, and OVL_MAX_STACK)
INDEX_COUNT_LIMIT = 10_000
_URLS_LIMIT = 10

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"

ACCEPT = (OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST)
_MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)
_INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)

_MACHINES = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", "v8"),
    "armv8l": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "armv5tel": ("arm", "v5"),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "ppc64le": ("ppc64le", ""),
    "s390x": ("s390x", ""),
    "riscv64": ("riscv64", ""),
    "mips64": ("mips64le", ""),
    "loongarch64": ("loong64", ""),
}
_ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armel": "arm",
    "i386": "386",
}


class Platform(Record):
    """What an image is made for, in Go's words: linux, amd64, and a variant such as v7."""

    os: str = "linux"
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}" + (f"/{self.variant}" if self.variant else "")


class Descriptor(Record):
    """A reference to a blob: its media type, digest and size in bytes (-1: not told).

    `urls`: where else a layer is that its registry may not have (foreign, non-distributable).
    """

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: dict[str, str] = {}
    urls: list[str] = []

    @property
    def hex(self) -> str:
        """The digest without its algorithm."""
        return self.digest.partition(":")[2]


class Manifest(Record):
    """One image: its configuration and its layers, lowest first."""

    media_type: str
    config: Descriptor
    layers: list[Descriptor]
    annotations: dict[str, str] = {}
    artifact_type: str = ""  # only an artifact's


class Index(Record):
    """Several manifests: one per platform, or (in an archive) one per name."""

    media_type: str
    manifests: list[Descriptor]
    annotations: dict[str, str] = {}


def load_json(data: bytes, what: str, limit: int) -> Any:
    """Return what JSON `data` (at most `limit` bytes) means; `what` names it in errors. Raises ImageError.

    Halves of surrogate pairs, which JSON can hold and no output can, become U+FFFD, as in Go.
    """
    if len(data) > limit:
        raise ImageError(f"{what} has {len(data)} bytes, more than the {limit} allowed")
    try:
        value = fastjson.loads(data)
        return _without_halves(value) if b"\\ud" in data or b"\\uD" in data else value
    except RecursionError:
        raise ImageError(f"{what} is nested too deeply") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise ImageError(f"{what} is not JSON: {shorten(str(error))}") from None


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_halves(item) for item in value]
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(item) for key, item in value.items()}
    return value


def load_object(data: bytes, what: str, limit: int) -> dict[str, Any]:
    """Return a JSON object as `load_json` does. Raises ImageError if it is something else."""
    value = load_json(data, what, limit)
    if not isinstance(value, dict):
        raise ImageError(f"{what} is not a JSON object")
    return value


def parse(data: bytes, content_type: str = "", *, artifacts: bool = False) -> Manifest | Index:
    """Return the manifest or index in `data`; `content_type` is what the registry called it, if anything.

    Raises ImageError for anything that is not an image's manifest: of schema 1, and of artifacts unless `artifacts`.
    """
    document = load_object(data, "the manifest", MANIFEST_LIMIT)
    declared = document.get("mediaType")
    kind = declared if isinstance(declared, str) and declared else content_type.partition(";")[0].strip()
    if document.get("schemaVersion") == 1 or kind.startswith(DOCKER_SCHEMA_1):
        raise ImageError(
            "the image's manifest is of schema 1, which Docker gave up in 2017",
            hint="Push it again with a current tool: skopeo copy docker://OLD docker://NEW",
        )
    if kind in _INDEX_TYPES or (kind not in _MANIFEST_TYPES and "manifests" in document and "layers" not in document):
        return _index(document, kind if kind in _INDEX_TYPES else OCI_INDEX)
    if kind not in _MANIFEST_TYPES and "layers" not in document:
        raise ImageError(f'the manifest is of an unknown type "{shorten(kind)}"')
    return _manifest(document, kind if kind in _MANIFEST_TYPES else OCI_MANIFEST, artifacts)


def _manifest(document: dict[str, Any], kind: str, artifacts: bool) -> Manifest:
    if "manifests" in document:
        # The same bytes must not be read as an image by one tool and as an index by another (CVE-2021-41190).
        raise ImageError("the manifest has both layers and manifests")
    config = parse_descriptor(document.get("config"), "the manifest's config")
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise ImageError("the manifest's layers are not a list")
    is_image = config.media_type in {OCI_CONFIG, DOCKER_CONFIG, ""}
    most = LAYER_COUNT_LIMIT if is_image else INDEX_COUNT_LIMIT
    if len(layers) > most:
        raise ImageError(f"the manifest has {len(layers)} layers, more than the {most} allowed")
    if not is_image and not artifacts:
        what = f'it is not a container image but an artifact of type "{shorten(config.media_type)}"'
        raise ImageError(what, hint="podpy artifact pull takes it")
    if config.size > CONFIG_LIMIT:
        raise ImageError(f"the image's configuration has {config.size} bytes, more than the {CONFIG_LIMIT} allowed")
    return Manifest(
        media_type=kind,
        config=config,
        layers=[parse_descriptor(layer, "a layer") for layer in layers],
        annotations=_annotations(document),
        artifact_type=_artifact_type(document, "" if is_image else config.media_type),
    )


def _artifact_type(document: dict[str, Any], default: str) -> str:
    found = document.get("artifactType")
    return found if isinstance(found, str) and found else default


def _index(document: dict[str, Any], kind: str) -> Index:
    manifests = document.get("manifests")
    if not isinstance(manifests, list) or "layers" in document:
        raise ImageError("the index has no list of manifests")
    if len(manifests) > INDEX_COUNT_LIMIT:
        raise ImageError(f"the index has {len(manifests)} manifests, more than the {INDEX_COUNT_LIMIT} allowed")
    entries = [parse_descriptor(entry, "a manifest of the index") for entry in manifests]
    return Index(media_type=kind, manifests=entries, annotations=_annotations(document))


def parse_descriptor(value: object, what: str) -> Descriptor:
    """Return the descriptor in a JSON object; `what` names it in errors. Raises ImageError."""
    if not isinstance(value, dict):
        raise ImageError(f"{what} is missing or not an object")
    digest, size, kind = value.get("digest"), value.get("size", -1), value.get("mediaType", "")
    if not isinstance(digest, str) or not isinstance(kind, str):
        raise ImageError(f"{what} has no digest or no media type")
    if isinstance(size, bool) or not isinstance(size, int) or size < -1 or size > 1 << 62:
        raise ImageError(f"{what} has an impossible size: {shorten(str(size))}")
    platform, urls = value.get("platform"), value.get("urls")
    return Descriptor(
        media_type=kind,
        digest=check_digest(digest),
        size=size,
        platform=_platform(platform) if isinstance(platform, dict) else None,
        annotations=_annotations(value),
        urls=[url for url in urls[:_URLS_LIMIT] if isinstance(url, str)] if isinstance(urls, list) else [],
    )


def _platform(value: dict[str, Any]) -> Platform:
    texts = [value.get(key, "") for key in ("os", "architecture", "variant")]
    system, architecture, variant = (text if isinstance(text, str) else "" for text in texts)
    return Platform(os=system, architecture=architecture, variant=variant)


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    found = document.get("annotations")
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def host_platform() -> Platform:
    """Return the platform of this machine."""
    machine = os.uname().machine
    architecture, variant = _MACHINES.get(machine, (machine, ""))
    return Platform(architecture=architecture, variant=variant)


def parse_platform(text: str, *, os_name: str = "", architecture: str = "", variant: str = "") -> Platform:
    """Return the platform that `--platform os/arch[/variant]`, `--os`, `--arch`, `--variant` ask for.

    What isn't given is the host's. Raises ImageError if `text` has another form.
    """
    host = host_platform()
    parts = text.split("/") if text else []
    if len(parts) > 3 or not all(parts):
        raise ImageError(f'invalid platform "{shorten(text)}": expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT')
    asked = dict(zip(("os", "architecture", "variant"), parts, strict=False))
    system = asked.get("os") or os_name or host.os
    wanted = asked.get("architecture") or architecture or host.architecture
    wanted = _ARCHITECTURES.get(wanted, wanted)
    same = wanted == host.architecture
    return Platform(
        os=system, architecture=wanted, variant=asked.get("variant") or variant or (host.variant if same else "")
    )


def select(index: Index, wanted: Platform) -> Descriptor:
    """Return the manifest for a platform, of the best variant that it runs. Raises NoPlatformError: what there is."""
    candidates = [entry for entry in index.manifests if entry.platform and same_machine(entry.platform, wanted)]
    for variant in _variants(wanted):
        for entry in candidates:
            if entry.platform and entry.platform.variant == variant:
                return entry
    if candidates and not wanted.variant:
        return candidates[0]
    if len(index.manifests) == 1 and index.manifests[0].platform is None:
        return index.manifests[0]
    there = sorted(
        {str(entry.platform) for entry in index.manifests if entry.platform and entry.platform.os != "unknown"}
    )
    listed = shorten(", ".join(there) or "none", 300)
    raise NoPlatformError(f"no image found in the image index for {wanted}: it has {listed}")


def same_machine(one: Platform, other: Platform) -> bool:
    """Return whether two platforms have the same operating system and architecture, whatever it is called in `one`."""
    return one.os == other.os and _ARCHITECTURES.get(one.architecture, one.architecture) == other.architecture


def _variants(wanted: Platform) -> Sequence[str]:
    """Return the acceptable variants, best first (what a v7 machine runs, v6 and v5 ones run too, but not v8)."""
    if wanted.architecture == "arm":
        order = ["v8", "v7", "v6", "v5"]
        start = order.index(wanted.variant) if wanted.variant in order else 1
        return [*order[start:], ""]
    if wanted.architecture == "arm64":
        return [wanted.variant, "v8", ""] if wanted.variant else ["v8", ""]
    return [wanted.variant, ""] if wanted.variant else [""]
