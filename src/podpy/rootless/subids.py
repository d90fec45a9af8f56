"""The user's subordinate ids: /etc/subuid and /etc/subgid, or NSS.

subuid(5): lines `NAME-OR-UID:FIRST:COUNT`; a user may have several. With `subid: SOURCE` in /etc/nsswitch.conf the
files aren't asked; shadow's `getsubids` asks the source (sssd for FreeIPA, ...), and so do newuidmap and newgidmap.
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.errors import RuntimeFailedError
from podpy.numbers import LARGEST_ID, parse_id
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Range: TypeAlias = tuple[int, int]

SUBUID = "/etc/subuid"
SUBGID = "/etc/subgid"
NSSWITCH = "/etc/nsswitch.conf"
MAX_MAP_LINES = 340  # user_namespaces(7)
_PATIENCE = 30  # seconds: the source may be far away
_MAX_FILE = 8 << 20


class SubidFiles:
    """Where the ranges are looked up; tests give their own."""

    def __init__(self, subuid: str = SUBUID, subgid: str = SUBGID, nsswitch: str = NSSWITCH) -> None:
        self.subuid = subuid
        self.subgid = subgid
        self.nsswitch = nsswitch


def find(uid: int, files: SubidFiles | None = None) -> tuple[list[Range], list[Range]]:
    """Return the user's (uid ranges, gid ranges), each a list of (first, count); empty lists if there are none."""
    files = files or SubidFiles()
    name = user_name(uid)
    if nss_source(files.nsswitch):
        return _from_nss(name or str(uid), gids=False), _from_nss(name or str(uid), gids=True)
    return from_file(files.subuid, uid, name), from_file(files.subgid, uid, name)


def from_file(path: str, uid: int, name: str) -> list[Range]:
    """Return a user's ranges in a subuid(5) file, by name and by number, in the file's order; bad lines don't count."""
    wanted = {str(uid), name} - {""}
    ranges = []
    for line in files.read_small(path, _MAX_FILE).splitlines():
        owner, _, rest = line.strip().partition(":")
        first, _, count = rest.partition(":")
        found = to_range(first, count) if owner in wanted else None
        if found is not None:
            ranges.append(found)
    return list(dict.fromkeys(ranges))


def to_range(first: str, count: str) -> Range | None:
    """Return a line's range as (first, count), or None for one that has no id or goes beyond the last."""
    start, size = parse_id(first), parse_id(count)
    return (start, size) if start is not None and size and start + size - 1 <= LARGEST_ID else None


def id_map(own_id: int, ranges: list[Range]) -> list[tuple[int, int, int]]:
    """Return a namespace's map: 0 is the user, from 1 on come the ranges, as Podman's. (inside, outside, size)."""
    lines = [(0, own_id, 1)]
    inside = 1
    for first, count in ranges[: MAX_MAP_LINES - 1]:
        lines.append((inside, first, count))
        inside += count
    return lines


def user_name(uid: int) -> str:
    """Return the user's name, or an empty text."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return os.environ.get("USER", "")


def nss_source(nsswitch: str = NSSWITCH) -> str:
    """Return what nsswitch.conf names after `subid:`; an empty text if nothing, or `files`, which needs no program."""
    for line in files.read_small(nsswitch).splitlines():
        database, colon, sources = line.partition("#")[0].partition(":")
        if colon and database.strip() == "subid":
            return "" if sources.split() == ["files"] else sources.strip()
    return ""


def _from_nss(name: str, *, gids: bool) -> list[Range]:
    """Ask getsubids(1): lines `0: NAME FIRST COUNT`."""
    program = which("getsubids")
    if not program:
        return []
    try:
        done = process.run([program, *(["-g"] if gids else []), name], timeout=_PATIENCE)
    except (OSError, RuntimeFailedError):
        return []
    rows = [line.split() for line in done.stdout.decode(errors="replace").splitlines()]
    ranges = [to_range(row[-2], row[-1]) for row in rows if len(row) >= 4]
    return [found for found in ranges if found is not None]
