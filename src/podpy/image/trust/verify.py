"""signedBy and sigstoreSigned: whether one of an image's signatures satisfies a requirement."""

from __future__ import annotations

import os

from podpy.config import policy
from podpy.digests import sha256
from podpy.errors import ConfigError, ImageError, PodpyError
from podpy.image.trust.identity import matches
from podpy.image.trust.payload import SIGSTORE_TYPE, SIMPLE_SIGNING_TYPE, Claim, parse_claim
from podpy.image.trust.signatures import COSIGN_MEDIA_TYPE, SIMPLE_SIGNING
from podpy.storage.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.paths import Paths
    from podpy.config.policy import Requirement
    from podpy.image.names.reference import Reference
    from podpy.image.trust.signatures import Signature

_KEY_LIMIT = 4 << 20


def check_signed(
    paths: Paths, requirement: Requirement, reference: Reference | None, manifest: bytes, signatures: list[Signature]
) -> None:
    """Return if one signature satisfies the requirement. Else raise ImageError with the fault of each.

    Also raises if one of the requirement's keys can't be used, even if another key would do: better now than when that
    key is needed.
    """
    keys = [_read_key(path) for path in requirement.key_paths] + requirement.key_data
    staging = Staging(paths.graphroot)  # a staging directory: if this call is killed, the next one removes it
    try:
        directory = staging.new_path("keys")
        os.mkdir(directory, 0o700)
        verify = _verifier(requirement, keys, directory)
        wanted = SIMPLE_SIGNING if requirement.type == policy.SIGNED_BY else COSIGN_MEDIA_TYPE
        candidates = [signature for signature in signatures if signature.kind == wanted]
        reasons = []
        for signature in candidates:
            try:
                _compare(requirement, reference, manifest, verify(signature))
            except PodpyError as error:
                reasons.append(error.message)
            else:
                return
    finally:
        staging.close()
    raise ImageError(_summary(requirement, len(signatures), reasons))


def _verifier(requirement: Requirement, keys: list[bytes], directory: str) -> Callable[[Signature], Claim]:
    """Return a function that verifies a signature and returns its claim; it raises ImageError for any other key."""
    if requirement.type == policy.SIGNED_BY:
        from podpy.image.trust.simple_signing import Keyring

        keyring = Keyring(directory, keys)
        return lambda signature: parse_claim(keyring.verify(signature.data), SIMPLE_SIGNING_TYPE)
    from podpy.image.trust.sigstore import PublicKeys

    public_keys = PublicKeys(directory, keys)

    def verify(signature: Signature) -> Claim:
        public_keys.verify(signature.data, signature.annotations)
        return parse_claim(signature.data, SIGSTORE_TYPE)

    return verify


def _compare(requirement: Requirement, reference: Reference | None, manifest: bytes, claim: Claim) -> None:
    if claim.manifest_digest != sha256(manifest):
        raise ImageError(f"Signature for digest {claim.manifest_digest} does not match")
    if not matches(requirement.identity, reference, claim.docker_reference):
        raise ImageError(f'Signature for identity "{claim.docker_reference}" is not accepted')


def _summary(requirement: Requirement, found: int, reasons: list[str]) -> str:
    if len(reasons) == 1:
        return reasons[0]
    if reasons:
        return "None of the signatures were accepted, reasons: " + "; ".join(reasons)
    if found and requirement.type == policy.SIGSTORE_SIGNED:
        return f"A sigstore signature was required, but only other kinds of signatures exist ({found})"
    return "A signature was required, but no signature exists"


def _read_key(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_KEY_LIMIT)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="policy.json names this file as a key") from None
