"""`--volumes-from CONTAINER[:OPTIONS]`: another container's mounts, at targets where this one has none. Pure."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.spec.container import ContainerSpec, Mount

_ACCESS = ("ro", "rw")
_OPTIONS = frozenset([*_ACCESS, "z"])


def resolve(spec: ContainerSpec, find: Callable[[str], ContainerSpec]) -> ContainerSpec:
    """Return the spec with the mounts of the containers in `volumes_from`; `find` returns a container's spec.

    Of two containers the later one wins, as in Podman. Raises UsageError, and what `find` raises.
    """
    taken = {mount.target for mount in spec.mounts}
    found: dict[str, Mount] = {}
    for text in spec.volumes_from:
        name, _, options = text.partition(":")
        words = options.split(",") if options else []
        if not name or not _OPTIONS.issuperset(words) or set(_ACCESS).issubset(words):
            raise UsageError(f"invalid value {text!r} for --volumes-from", hint="It is CONTAINER[:ro|rw[,z]]")
        for mount in find(name).mounts:
            if mount.type in ("bind", "volume") and mount.target not in taken:
                found[mount.target] = _with_options(mount, words)
    return spec.replace(mounts=[*spec.mounts, *found.values()])


def _with_options(mount: Mount, words: list[str]) -> Mount:
    if not words:
        return mount
    kept = [option for option in mount.options if option not in (_ACCESS if set(_ACCESS) & set(words) else ())]
    return mount.replace(options=[*kept, *(word for word in words if word not in kept)])
