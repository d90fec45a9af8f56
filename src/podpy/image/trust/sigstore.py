"""sigstore signatures (sigstoreSigned with public keys), checked by the `openssl` program: ECDSA, RSA, Ed25519.

Not the `cryptography` library: it would add 10 MB to every installation, and need Rust where there is no wheel. Every
system with ca-certificates has openssl, and the distribution patches it.
"""

from __future__ import annotations

import os
from binascii import Error, a2b_base64

from podpy import process
from podpy.errors import ImageError, NotFoundError, NotSupportedError

SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature"
_ED25519, _RSA, _EC = (
    bytes.fromhex("06032b6570"),
    bytes.fromhex("06092a864886f70d010101"),
    bytes.fromhex("06072a8648ce3d0201"),
)
_ALGORITHM_AT = 32  # a SubjectPublicKeyInfo (RFC 5280) begins with the algorithm, before the key


class PublicKeys:
    """The policy's public keys (PEM), written into an empty directory."""

    def __init__(self, directory: str, keys: list[bytes]) -> None:
        """Raises ImageError if a key isn't an ECDSA, RSA or Ed25519 public key, NotSupportedError without openssl."""
        self._directory = directory
        try:
            self._openssl = process.find("openssl")
        except NotFoundError:
            raise NotSupportedError(
                "sigstoreSigned in policy.json needs the program openssl", hint="Install it: apt-get install openssl"
            ) from None
        self._keys: list[tuple[str, list[str]]] = []
        for number, key in enumerate(keys):
            path = self._write(f"key{number}", key)
            self._keys.append((path, self._digest_options(path, number)))

    def verify(self, payload: bytes, annotations: dict[str, str]) -> None:
        """Return if one of the keys made the annotations' signature of the payload. Raises ImageError."""
        encoded = annotations.get(SIGNATURE_ANNOTATION)
        if encoded is None:
            raise ImageError(f"missing {SIGNATURE_ANNOTATION} annotation")
        try:
            signature = a2b_base64("".join(encoded.splitlines()), strict_mode=True)
        except (Error, ValueError):
            raise ImageError(f"the {SIGNATURE_ANNOTATION} annotation is not base64") from None
        data, proof = self._write("payload", payload), self._write("signature", signature)
        for path, digest in self._keys:
            arguments = ["pkeyutl", "-verify", "-pubin", "-inkey", path, "-rawin", *digest, "-in", data]
            if self._run([*arguments, "-sigfile", proof]).code == 0:
                return
        raise ImageError("cryptographic signature verification failed")

    def _digest_options(self, path: str, number: int) -> list[str]:
        """Return openssl's digest options: SHA-256 for every key size, as cosign does; none for Ed25519."""
        finished = self._run(["pkey", "-pubin", "-in", path, "-pubout", "-outform", "DER"])
        head = finished.stdout[:_ALGORITHM_AT] if finished.code == 0 else b""
        if _ED25519 in head:
            return []
        if _RSA in head or _EC in head:
            return ["-digest", "sha256"]
        raise ImageError(
            f"parsing public key {number + 1}: not a PEM public key of ECDSA, RSA or Ed25519",
            hint="Check the keys that policy.json names: openssl pkey -pubin -in FILE -text",
        )

    def _write(self, name: str, data: bytes) -> str:
        path = os.path.join(self._directory, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def _run(self, arguments: list[str]) -> process.Finished:
        environment = {"PATH": process.SEARCH_PATH, "LC_ALL": "C", "OPENSSL_CONF": os.devnull}
        return process.run([self._openssl, *arguments], environment=environment)
