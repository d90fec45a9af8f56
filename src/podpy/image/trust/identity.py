"""signedIdentity: whether a signature's name fits the image's."""

from __future__ import annotations

from podpy.config.policy import MATCH_REPO_DIGEST_OR_EXACT
from podpy.errors import ConfigError, ImageError
from podpy.image.names.reference import DOCKER_DOMAIN, Reference, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.policy import Identity, Policy


def check_identities(policy: Policy) -> None:
    """Raise ConfigError, with file and key, if a signedIdentity in the policy has an impossible name."""
    for requirement in policy.all_requirements():
        problem = _problem(requirement.identity)
        if problem:
            raise ConfigError(
                f"{policy.path}: {requirement.identity.where}.{problem}", hint="See containers-policy.json(5)"
            )


def matches(identity: Identity, intended: Reference | None, claimed: str) -> bool:
    """Return whether a signature with the name `claimed` is acceptable for the image `intended`.

    `intended` is the name that the user gave, normalised; None if the transport has no names (dir).
    """
    try:
        signed = _normalised(claimed)
    except ImageError:
        return False
    if identity.type == "exactReference":
        return str(signed) == str(_normalised(identity.docker_reference))
    if identity.type == "exactRepository":
        return signed.name == _normalised(identity.docker_repository).name
    if intended is None:
        return False
    if identity.type == "matchRepository":
        return signed.name == intended.name
    if identity.type == "matchExact":
        return _has_tag_or_digest(signed) and str(signed) == str(intended)
    if identity.type == "remapIdentity":
        return _repository_by_digest_or_exact(_remapped(identity, intended), signed)
    return identity.type == MATCH_REPO_DIGEST_OR_EXACT and _repository_by_digest_or_exact(str(intended), signed)


def _repository_by_digest_or_exact(intended: str, signed: Reference) -> bool:
    # Digests are compared elsewhere: the manifest's with the intended one, and the signature's with the manifest's.
    try:
        wanted = parse(intended)
    except ImageError:
        return False
    if wanted.is_short or not _has_tag_or_digest(signed):
        return False
    return signed.name == wanted.name if wanted.digest and not wanted.tag else str(signed) == str(wanted)


def _remapped(identity: Identity, intended: Reference) -> str:
    if intended.name == identity.prefix or intended.name.startswith(identity.prefix + "/"):
        return identity.signed_prefix + str(intended)[len(identity.prefix) :]
    return str(intended)


def _has_tag_or_digest(reference: Reference) -> bool:
    return bool(reference.tag or reference.digest)


def _normalised(text: str) -> Reference:
    reference = parse(text)
    return reference.in_domain(DOCKER_DOMAIN) if reference.is_short else reference


def _problem(identity: Identity) -> str:
    try:
        if identity.docker_reference and not _has_tag_or_digest(_normalised(identity.docker_reference)):
            return f'dockerReference: "{identity.docker_reference}" has neither a tag nor a digest'
        if identity.docker_repository:
            _normalised(identity.docker_repository)
        for key, prefix in (("prefix", identity.prefix), ("signedPrefix", identity.signed_prefix)):
            # A bare host is a prefix too: with "/x" appended, both kinds can be parsed as a name.
            whole = parse(f"{prefix}/x") if prefix else None
            if whole is not None and (whole.is_short or "@" in prefix or ":" in prefix.partition("/")[2]):
                return f'{key}: "{prefix}" is not a host, or a namespace or repository of one'
    except ImageError as error:
        return f"{identity.type}: {error.message}"
    return ""
