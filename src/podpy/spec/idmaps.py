"""Lines of `--uidmap` and `--gidmap` → id maps (podman-run(1)), and how lines combine.

    [FLAGS]CONTAINER:[@]FROM[:SIZE]     FLAGS: + overrides earlier lines for its ids; u or g: for one kind of ids only

FROM is an id of podpy's own user namespace; with @ it is the host's. If the first line has a +, podpy's ids that no
line names are mapped, in order, to the container's ids that no line names.
"""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError
from podpy.numbers import LARGEST_ID, parse_id
from podpy.spec.container import IdMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Lines: TypeAlias = "Sequence[tuple[int, int, int]]"  # (inside, outside, size), as /proc/PID/uid_map

FLAGS = "+ug"


def for_both(uid_texts: Sequence[str], gid_texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines of each kind; an option given alone counts for both kinds, except its lines with u or g."""
    if uid_texts and gid_texts:
        return list(uid_texts), list(gid_texts)
    if uid_texts:
        return list(uid_texts), [text for text in uid_texts if "u" not in _flags(text)]
    return [text for text in gid_texts if "g" not in _flags(text)], list(gid_texts)


def parse(option: str, texts: Sequence[str], own: Lines) -> list[IdMapping]:
    """Return the map that the lines of one option describe; without lines, all of podpy's ids.

    `own`: the map of podpy's user namespace. Raises UsageError, and NotSupportedError for ids not in it.
    """
    total = sum(size for _, _, size in own)
    if not texts:
        return [IdMapping(container=0, host=0, size=total)]
    maps: list[IdMapping] = []
    for text in texts:
        pieces = parse_line(option, text, own)
        maps = extend(maps, pieces) if "+" in _flags(text) else [*maps, *pieces]
    return _filled(maps, total) if "+" in _flags(texts[0]) else maps


def parse_line(option: str, text: str, own: Lines) -> list[IdMapping]:
    """Return the pieces of one line: several if its host ids lie apart in podpy's map. Raises as `parse`."""
    container_text, host_text, size_text = [*text[len(_flags(text)) :].split(":"), "1"][:3]
    container, host, size = parse_id(container_text), parse_id(host_text.lstrip("@")), parse_id(size_text)
    if container is None or host is None or not size or max(container, host) + size - 1 > LARGEST_ID:
        raise UsageError(f"{option} {text}: ids go from 0 to {LARGEST_ID}")
    if host_text.startswith("@"):
        return _of_host(option, container, host, size, own)
    total = sum(count for _, _, count in own)
    if host + size > total:
        raise NotSupportedError(
            f"{option} {text}: this user has only the ids 0 to {total - 1}",
            hint="podpy unshare cat /proc/self/uid_map shows them; /etc/subuid gives more",
        )
    return [IdMapping(container=container, host=host, size=size)]


def _flags(text: str) -> str:
    return text[: len(text) - len(text.lstrip(FLAGS))]


def _of_host(option: str, container: int, first: int, size: int, own: Lines) -> list[IdMapping]:
    """Return the pieces that map `size` host ids from `first` on, by their ids in podpy's own namespace."""
    pieces = []
    for inside, outside, count in own:
        start, after = max(first, outside), min(first + size, outside + count)
        if start < after:
            pieces.append(
                IdMapping(container=container + start - first, host=inside + start - outside, size=after - start)
            )
    if sum(piece.size for piece in pieces) < size:
        ids = str(first) if size == 1 else f"{first} to {first + size - 1}"
        raise NotSupportedError(f"{option}: the host's id {ids} isn't one of this user's")
    return pieces


def extend(maps: Sequence[IdMapping], added: Sequence[IdMapping]) -> list[IdMapping]:
    """Return the maps with `added`, which replaces what they had for the same ids on either side."""
    kept = list(maps)
    for new in added:
        kept = [piece for old in kept for piece in _without(old, old.container, new.container, new.size)]
        kept = [piece for old in kept for piece in _without(old, old.host, new.host, new.size)]
    return [*kept, *added]


def _without(old: IdMapping, start: int, first: int, size: int) -> list[IdMapping]:
    """Return the rest of a line, whose ids begin at `start`, without the `size` ids from `first` on."""
    below = min(max(first - start, 0), old.size)
    above = min(max(first + size - start, 0), old.size)
    pieces = [(0, below), (above, old.size)]
    return [
        IdMapping(container=old.container + begin, host=old.host + begin, size=end - begin)
        for begin, end in pieces
        if begin < end
    ]


def _filled(maps: Sequence[IdMapping], total: int) -> list[IdMapping]:
    """Return the maps, with podpy's unmapped ids mapped in order to the container's unmapped ids."""
    free = _gaps([(line.host, line.size) for line in maps], total)
    places = _gaps([(line.container, line.size) for line in maps], LARGEST_ID + 1)
    result = list(maps)
    while free:
        (host, size), (container, room) = free.pop(0), places.pop(0)
        part = min(size, room)
        result.append(IdMapping(container=container, host=host, size=part))
        if part < size:
            free.insert(0, (host + part, size - part))
        if part < room:
            places.insert(0, (container + part, room - part))
    return sorted(result, key=lambda line: line.container)


def _gaps(taken: list[tuple[int, int]], end: int) -> list[tuple[int, int]]:
    """Return the ranges of ids below `end` that aren't in `taken`; a range is (first, count)."""
    gaps, next_id = [], 0
    for first, count in sorted(taken):
        if first > next_id:
            gaps.append((next_id, first - next_id))
        next_id = max(next_id, first + count)
    return [*gaps, (next_id, end - next_id)] if next_id < end else gaps
