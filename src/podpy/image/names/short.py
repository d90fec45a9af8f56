"""Short names: what `busybox` can mean, in the store and in a registry (registries.conf(5), short-name aliases)."""

from __future__ import annotations

from podpy.errors import ImageError
from podpy.image.names.reference import DEFAULT_TAG, LOCALHOST, Reference, parse
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.registries import Registries


class Resolution(Record):
    """Full names to try in a pull, in order, and one line that tells the user where they come from."""

    names: list[Reference]
    why: str = ""


def in_store(reference: Reference, registries: Registries) -> list[str]:
    """Return the full names under which the store may know a reference, best first.

    A short name is looked for as its alias, then in `localhost/`, then in each unqualified-search registry, then in
    docker.io (what `docker load` and `podman load` normalise to).
    """
    if not reference.is_short:
        return [str(reference.with_default_tag().without_tag_if_digest())]
    alias = _alias(reference, registries)
    candidates = [] if alias is None else [alias]
    candidates += [reference.in_domain(domain) for domain in (LOCALHOST, *registries.search, "docker.io")]
    names = [str(candidate.with_default_tag().without_tag_if_digest()) for candidate in candidates]
    return list(dict.fromkeys(names))


def for_pull(text: str, registries: Registries) -> Resolution:
    """Return the full names that `podpy pull TEXT` tries.

    Raises ImageError for what isn't a reference, for a short name that nothing resolves, and (mode `enforcing`) for one
    that could be in several registries: the error lists the full names, since podpy never asks.
    """
    reference = parse(text)
    if not reference.is_short:
        return Resolution(names=[reference.with_default_tag()])
    alias = _alias(reference, registries)
    if alias is not None:
        origin = registries.origin.get(reference.path, "")
        why = f'Resolved "{reference.path}" as an alias ({origin})'
        return Resolution(names=[alias.with_default_tag()], why=why)
    origin = registries.origin.get("", "/etc/containers/registries.conf")
    names = [reference.in_domain(domain).with_default_tag() for domain in registries.search]
    if not names:
        raise ImageError(
            f'short-name "{text}" did not resolve to an alias and no unqualified-search registries are defined '
            f'in "{origin}"',
            hint=f"Give the full name, as {reference.in_domain('docker.io')}",
        )
    if len(names) > 1 and registries.short_name_mode == "enforcing":
        listed = ", ".join(str(name) for name in names)
        raise ImageError(f'short-name "{text}" is ambiguous', hint=f"Give one of the full names: {listed}")
    why = f'Resolving "{reference.path}" using unqualified-search registries ({origin})'
    return Resolution(names=names, why=why)


def matches_suffix(name: str, reference: Reference) -> bool:
    """Return whether a stored name `registry/…/x:tag` ends in the short name `x[:tag]` (Podman's last resort).

    Of `x@sha256:…` only the repository counts here.
    """
    if not reference.is_short:
        return False
    if reference.digest:
        return f"/{parse(name).name}".endswith(f"/{reference.path}")
    return name.endswith(f"/{reference.path}:{reference.tag or DEFAULT_TAG}")


def _alias(reference: Reference, registries: Registries) -> Reference | None:
    target = registries.aliases.get(reference.path)
    if not target:  # an empty value switches an alias of an earlier file off
        return None
    resolved = parse(target)
    if resolved.is_short or resolved.tag or resolved.digest:
        raise ImageError(f'the alias "{reference.path}" = "{target}" is not a full name without a tag')
    return resolved.replace(tag=reference.tag, digest=reference.digest)
