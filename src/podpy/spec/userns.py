"""`--userns`, `--uidmap`, `--gidmap` → the id maps of a user namespace of the container's own (user_namespaces(7)).

Ids on the right side are those of podpy's own user namespace. For an unprivileged user 0 is the user and 1 upwards are
the subordinate ids, so that `keep-id` is a matter of putting 0 elsewhere:

    keep-id with user 1000:   0…999 → 1…1000    1000 → 0    1001… → 1001…
    nomap:                    0… → 1…           (the user has no id in the container)
    auto:                     0… → a free piece of the subordinate ids
"""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError
from podpy.numbers import LARGEST_ID, parse_id
from podpy.spec.container import IdMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from podpy.spec.container import ContainerSpec

    Lines: TypeAlias = "Sequence[tuple[int, int, int]]"  # (inside, outside, size), as /proc/PID/uid_map

_AUTO_SIZE = 1024  # Podman's smallest; images with larger ids need size=


def resolve(
    spec: ContainerSpec, *, own: tuple[Lines, Lines], rootless: bool, taken: Sequence[IdMapping] = ()
) -> ContainerSpec:
    """Return the spec with `uid_maps` and `gid_maps` for its `userns`; unchanged if it has podpy's own namespace.

    `own`: the maps of podpy's user namespace (`rootless.idmaps`); their first lines are the user's own ids. `taken`:
    the maps of other containers, which `auto` keeps away from. Raises UsageError, NotSupportedError.
    """
    mode, _, rest = spec.userns.partition(":")
    if mode in ("", "host", "container", "ns") or spec.uid_maps:
        return spec
    if mode == "private":
        resolved = _explicit(spec, own)
    elif mode == "auto":
        resolved = _auto(spec, _options("auto", rest, ("size",)), own, taken)
    elif not rootless:
        raise NotSupportedError(f"--userns={mode} is only for unprivileged users: root has every id already")
    else:
        resolved = _around_the_user(spec, mode, rest, own)
    return resolved.replace(
        uid_maps=within_lines(resolved.uid_maps, own[0]), gid_maps=within_lines(resolved.gid_maps, own[1])
    )


def within_lines(maps: Sequence[IdMapping], own: Lines) -> list[IdMapping]:
    """Return the same maps in pieces that each lie in one line of podpy's own map.

    The kernel refuses a line that spans two lines of the parent namespace's map, as a user with several ranges of
    subordinate ids has (user_namespaces(7); kernel/user_namespace.c, map_write).
    """
    pieces = []
    for mapping in maps:
        for inside, _, size in own:
            first = max(mapping.host, inside)
            after = min(mapping.host + mapping.size, inside + size)
            if first < after:
                start = mapping.container + first - mapping.host
                pieces.append(IdMapping(container=start, host=first, size=after - first))
    return sorted(pieces, key=lambda piece: piece.container)


def _around_the_user(spec: ContainerSpec, mode: str, rest: str, own: tuple[Lines, Lines]) -> ContainerSpec:
    highest = tuple(_count(lines) - 1 for lines in own)
    if mode == "nomap":
        return spec.replace(uid_maps=_shifted(highest[0]), gid_maps=_shifted(highest[1]))
    options = _options("keep-id", rest, ("uid", "gid"))
    uid, gid = (options.get(name, lines[0][1]) for name, lines in zip(("uid", "gid"), own, strict=True))
    return spec.replace(
        uid_maps=_kept(uid, highest[0]),
        gid_maps=_kept(gid, highest[1]),
        user=spec.user or f"{uid}:{gid}",
    )


def outside(number: int, maps: Sequence[IdMapping]) -> int:
    """Return what an id of a container is in podpy's own user namespace; `maps` is empty if that is the same."""
    for line in maps:
        if line.container <= number < line.container + line.size:
            return line.host + number - line.container
    return number


def _kept(kept: int, highest: int) -> list[IdMapping]:
    """Return a map in which `kept` is the user (0 outside) and the subordinate ids fill the rest."""
    below = min(kept, highest)
    maps = [IdMapping(container=0, host=1, size=below)] if below else []
    maps.append(IdMapping(container=kept, host=0, size=1))
    if highest > kept:
        maps.append(IdMapping(container=kept + 1, host=kept + 1, size=highest - kept))
    return maps


def _shifted(highest: int) -> list[IdMapping]:
    if highest < 1:
        raise NotSupportedError(
            "--userns=nomap needs subordinate ids, and this user has none",
            hint="As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER",
        )
    return [IdMapping(container=0, host=1, size=highest)]


def _auto(
    spec: ContainerSpec, options: dict[str, int], own: tuple[Lines, Lines], taken: Sequence[IdMapping]
) -> ContainerSpec:
    size = options.get("size", _AUTO_SIZE)
    total = min(_count(own[0]), _count(own[1]))
    start = 1
    for mapping in sorted(taken, key=lambda line: line.host):
        if mapping.host + mapping.size > start and mapping.host < start + size:
            start = mapping.host + mapping.size
    if start + size > total:
        raise NotSupportedError(
            f"--userns=auto: no {size} free ids are left of this user's {total - 1} subordinate ids",
            hint="Remove containers that have some (podpy ps -a), or give a smaller size: --userns=auto:size=N",
        )
    maps = [IdMapping(container=0, host=start, size=size)]
    return spec.replace(uid_maps=maps, gid_maps=list(maps))


def _explicit(spec: ContainerSpec, own: tuple[Lines, Lines]) -> ContainerSpec:
    if not spec.uid_map_lines and not spec.gid_map_lines:
        whole = [[IdMapping(container=0, host=0, size=_count(lines))] for lines in own]
        return spec.replace(uid_maps=whole[0], gid_maps=whole[1])
    # podman-run(1): one of the two options alone counts for both.
    uids = _parse_lines("--uidmap", spec.uid_map_lines or spec.gid_map_lines, own[0])
    gids = _parse_lines("--gidmap", spec.gid_map_lines or spec.uid_map_lines, own[1])
    return spec.replace(uid_maps=uids, gid_maps=gids)


def _parse_lines(option: str, texts: Sequence[str], own: Lines) -> list[IdMapping]:
    maps = []
    for text in texts:
        container, host, size = [*text.split(":"), "1"][:3]
        if container[0] in "+ug":
            raise NotSupportedError(f"{option} {text}: the flags +, u and g come with a later version of podpy")
        number = _own_id(option, host, own) if host[0] == "@" else int(host)
        mapping = IdMapping(container=int(container), host=number, size=int(size))
        if mapping.size < 1 or max(mapping.container, mapping.host) + mapping.size - 1 > LARGEST_ID:
            raise UsageError(f"{option} {text}: ids go from 0 to {LARGEST_ID}")
        if mapping.host + mapping.size > _count(own):
            raise NotSupportedError(
                f"{option} {text}: this user has only the ids 0 to {_count(own) - 1}",
                hint="podpy unshare cat /proc/self/uid_map shows them; /etc/subuid gives more",
            )
        maps.append(mapping)
    return maps


def _own_id(option: str, text: str, own: Lines) -> int:
    """Return what a host id ("@1000") is in podpy's own namespace."""
    number = int(text[1:])
    for inside, outside, size in own:
        if outside <= number < outside + size:
            return inside + number - outside
    raise NotSupportedError(f"{option}: the host's id {number} isn't one of this user's")


def _count(lines: Lines) -> int:
    return sum(size for _, _, size in lines)


def _options(mode: str, text: str, known: tuple[str, ...]) -> dict[str, int]:
    result = {}
    for item in text.split(",") if text else []:
        name, _, value = item.partition("=")
        number = parse_id(value)
        if name not in known or number is None:
            raise UsageError(f"unknown option specified: {item!r}", hint=f"--userns={mode}: {', '.join(known)}")
        result[name] = number
    return result
