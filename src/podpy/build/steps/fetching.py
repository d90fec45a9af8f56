"""ADD of an address: the file is downloaded, and its digest compared, before anything depends on it."""

from __future__ import annotations

import os
from hashlib import sha256

from podpy.errors import DigestMismatchError
from podpy.record import Record

_PLACE = "/var/tmp"  # a disk, as a rule
_SCHEMES = ("http://", "https://")


class Fetched(Record):
    """A downloaded file: a descriptor of one without a name, its size, and its digest."""

    descriptor: int
    size: int
    digest: str


def is_address(text: str) -> bool:
    """Return whether a source is to be downloaded."""
    return text.startswith(_SCHEMES)


def name_of(address: str) -> str:
    """Return the name that a file gets in a directory; "" if the address has none."""
    from urllib.parse import unquote, urlsplit

    name = os.path.basename(unquote(urlsplit(address).path))
    return "" if name in (".", "..") else name


def fetch(address: str, checksum: str) -> Fetched:
    """Download a file. `checksum`: "sha256:HEX", or "".

    Raises DigestMismatchError, ImageError, RegistryError, OSError.
    """
    from podpy.image.incoming.download import download

    descriptor = os.open(_PLACE, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    digest, size = sha256(), 0
    try:
        for piece in download(address):
            digest.update(piece)
            size += len(piece)
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
    except BaseException:
        os.close(descriptor)
        raise
    found = "sha256:" + digest.hexdigest()
    if checksum and found != checksum:
        os.close(descriptor)
        raise DigestMismatchError(f'unexpected response digest for "{address}": {found}, want {checksum}')
    return Fetched(descriptor=descriptor, size=size, digest=found)
