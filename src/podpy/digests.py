"""Digests of bytes in memory (OCI image-spec, descriptor.md, Digests). Streams are hashed where they are written."""

from __future__ import annotations

from podpy.errors import DigestMismatchError

# Python 3.12's own module, 3.11's, and the usual one, which loads OpenSSL: 3 ms that layers are worth, not manifests.
try:
    from _sha2 import sha256 as _sha256  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    try:
        from _sha256 import sha256 as _sha256  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        from hashlib import sha256 as _sha256


def sha256(data: bytes) -> str:
    """Return the digest of some bytes, not of many: `sha256:HEX`."""
    return "sha256:" + str(_sha256(data).hexdigest())


def raw_sha256(data: bytes) -> bytes:
    """Return the digest of some bytes as 32 bytes."""
    return bytes(_sha256(data).digest())


def has_digest(data: bytes, digest: str) -> bool:
    """Return whether bytes have this digest, `ALGORITHM:HEX`. Raises ValueError for an algorithm that hashlib lacks."""
    algorithm, _, expected = digest.partition(":")
    if algorithm == "sha256":
        return sha256(data) == digest
    import hashlib

    return hashlib.new(algorithm, data).hexdigest() == expected


def check_bytes(data: bytes, digest: str, what: str) -> bytes:
    """Return `data` if it has this digest (any algorithm that hashlib has). Raises DigestMismatchError."""
    if not has_digest(data, digest):
        raise DigestMismatchError(f"{what} isn't what its digest {digest} says", hint="Try again, or fetch it again")
    return data
