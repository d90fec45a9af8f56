"""`--userns`, `--uidmap`, `--gidmap` → the id maps of the container's own user namespace (user_namespaces(7)).

Ids on the right side are those of podpy's own user namespace. There an unprivileged user is 0 and the subordinate ids
begin at 1, so `keep-id` only maps 0 to another id:

    keep-id with user 1000:   0…999 → 1…1000    1000 → 0    1001… → 1001…
    nomap:                    0… → 1…           (the user has no id in the container)
    auto:                     0… → a free piece of the subordinate ids
"""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError
from podpy.numbers import parse_id
from podpy.record import Record
from podpy.spec.container import IdMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.spec.container import ContainerSpec
    from podpy.spec.idmaps import Lines

_AUTO_SIZE = 1024  # Podman's smallest; images with larger ids need size=


def resolve(
    spec: ContainerSpec, *, own: tuple[Lines, Lines], rootless: bool, taken: Sequence[IdMapping] = ()
) -> ContainerSpec:
    """Return the spec with `uid_maps` and `gid_maps` for its `userns`; unchanged if it has podpy's own namespace.

    `own`: the maps of podpy's user namespace (`rootless.idmaps`); their first lines are the user's own ids. `taken`:
    the maps of other containers, whose ids `auto` avoids. Raises UsageError, NotSupportedError.
    """
    mode, _, rest = spec.userns.partition(":")
    if mode in ("", "host", "container", "ns") or spec.uid_maps:
        return spec
    if mode == "private":
        resolved = _explicit(spec, own)
    elif mode == "auto":
        resolved = _auto(spec, _options("auto", rest), own, taken)
    elif not rootless:
        raise NotSupportedError(f"--userns={mode} is only for unprivileged users: root has every id already")
    else:
        resolved = _around_the_user(spec, mode, rest, own)
    return resolved.replace(
        uid_maps=within_lines(resolved.uid_maps, own[0]), gid_maps=within_lines(resolved.gid_maps, own[1])
    )


def within_lines(maps: Sequence[IdMapping], own: Lines) -> list[IdMapping]:
    """Return the maps, split so that each piece lies within one line of podpy's own map.

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
    highest = (_count(own[0]) - 1, _count(own[1]) - 1)
    if mode == "nomap":
        return spec.replace(uid_maps=_shifted(highest[0]), gid_maps=_shifted(highest[1]))
    options = _options("keep-id", rest)
    uid = own[0][0][1] if options.uid is None else options.uid
    gid = own[1][0][1] if options.gid is None else options.gid
    if options.size is not None:
        highest = (min(highest[0], options.size), min(highest[1], options.size))
    return spec.replace(
        uid_maps=_kept(uid, highest[0]),
        gid_maps=_kept(gid, highest[1]),
        user=spec.user or f"{uid}:{gid}",
    )


def outside(number: int, maps: Sequence[IdMapping]) -> int:
    """Return what an id of a container is in podpy's own user namespace; without `maps` it is the same id."""
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
    spec: ContainerSpec, options: _Options, own: tuple[Lines, Lines], taken: Sequence[IdMapping]
) -> ContainerSpec:
    from podpy.spec import idmaps

    size = options.size or _AUTO_SIZE
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
    forced = [
        [piece for text in texts for piece in idmaps.parse_line(f"--userns=auto:{name}", text, lines)]
        for name, texts, lines in (
            ("uidmapping", options.uid_lines, own[0]),
            ("gidmapping", options.gid_lines, own[1]),
        )
    ]
    return spec.replace(uid_maps=idmaps.extend(maps, forced[0]), gid_maps=idmaps.extend(maps, forced[1]))


def _explicit(spec: ContainerSpec, own: tuple[Lines, Lines]) -> ContainerSpec:
    from podpy.spec import idmaps

    uid_lines, gid_lines = idmaps.for_both(spec.uid_map_lines, spec.gid_map_lines)
    return spec.replace(
        uid_maps=idmaps.parse("--uidmap", uid_lines, own[0]), gid_maps=idmaps.parse("--gidmap", gid_lines, own[1])
    )


def _count(lines: Lines) -> int:
    return sum(size for _, _, size in lines)


class _Options(Record):
    """The options behind the colon of `keep-id` and `auto`."""

    size: int | None = None
    uid: int | None = None
    gid: int | None = None
    uid_lines: list[str] = []
    gid_lines: list[str] = []


_KNOWN = {"keep-id": ("uid", "gid", "size"), "auto": ("size", "uidmapping", "gidmapping")}


def _options(mode: str, text: str) -> _Options:
    found: dict[str, int] = {}
    lines: dict[str, list[str]] = {"uidmapping": [], "gidmapping": []}
    for item in text.split(",") if text else []:
        name, _, value = item.partition("=")
        number = parse_id(value)
        if name in _KNOWN[mode] and name in lines:
            lines[name].append(value)
        elif name in _KNOWN[mode] and number is not None:
            found[name] = number
        else:
            raise UsageError(f"unknown option specified: {item!r}", hint=f"--userns={mode}: {', '.join(_KNOWN[mode])}")
    return _Options(**found, uid_lines=lines["uidmapping"], gid_lines=lines["gidmapping"])
