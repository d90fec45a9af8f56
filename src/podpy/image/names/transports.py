"""Transport references, except registries': `oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:REF]`,
`dir:DIR` (containers-transports(5)).
"""

from __future__ import annotations

from podpy.errors import ImageError, NotSupportedError
from podpy.record import Record

DOCKER_ARCHIVE = "docker-archive"
OCI_ARCHIVE = "oci-archive"
OCI = "oci"
DIR = "dir"
KINDS = (DOCKER_ARCHIVE, OCI_ARCHIVE, OCI, DIR)


# containers/image has these, too. podpy knows them so that its answer isn't about a short name.
UNKNOWN_KINDS = ("docker-daemon", "ostree", "sif", "tarball")


class TransportReference(Record):
    """`kind` is one of KINDS; `reference` is the name behind the path, `index` the number in `@NUMBER` (-1: none)."""

    kind: str
    path: str
    reference: str = ""
    index: int = -1

    def __str__(self) -> str:
        chosen = f"@{self.index}" if self.index >= 0 else self.reference
        return f"{self.kind}:{self.path}" + (f":{chosen}" if chosen else "")


def is_transport(text: str) -> bool:
    """Return whether a text names one of these. `dir:5000/x` does: a registry of that name needs docker://."""
    return text.partition(":")[0] in KINDS and ":" in text


def refuse_unknown(text: str) -> None:
    """Raise NotSupportedError if a text names a transport that podpy doesn't have."""
    kind, colon, _ = text.partition(":")
    if colon and kind in UNKNOWN_KINDS:
        raise NotSupportedError(
            f"{text}: podpy doesn't know the transport {kind}",
            hint=f"Let skopeo copy it to oci-archive:FILE, or write docker://{text} if it is a registry's",
        )


def parse_transport(text: str) -> TransportReference:
    """Return what a text means. Raises ImageError if it makes no sense."""
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise ImageError(f'"{text}": unknown transport "{kind}"', hint=f"podpy knows {', '.join(KINDS)} and docker")
    if kind == DIR:
        return TransportReference(kind=kind, path=_path(rest, text))
    path, _, chosen = rest.partition(":")
    transport = TransportReference(kind=kind, path=_path(path, text))
    if not chosen.startswith("@"):
        return transport.replace(reference=chosen)
    digits = chosen[1:]
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise ImageError(f'"{text}": {chosen} isn\'t @ and a number', hint="The first image is @0")
    return transport.replace(index=int(digits))


def _path(path: str, text: str) -> str:
    if not path or "\0" in path:
        raise ImageError(f'"{text}": there is no path in it')
    return path


def blob_name(digest: str) -> str:
    """Return the name of a blob's file in an OCI layout (OCI image-spec, image-layout.md)."""
    return f"blobs/{digest.replace(':', '/')}"
