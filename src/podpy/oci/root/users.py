"""The ids of the container's process: `-u`, `--group-add`, the image's USER, looked up in the container's own files.

Podman's rules: a name must be in the container's /etc/passwd; a number needn't be. Without an explicit group, the user
has their primary group and the groups that list them as a member.
"""

from __future__ import annotations

from podpy.errors import CommandNotExecutableError, UsageError
from podpy.numbers import LARGEST_ID, parse_id
from podpy.oci.root import inside as files
from podpy.record import Record
from podpy.spec.container import KEEP_GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class UserIds(Record):
    """A container's user, resolved. Ids are inside the container."""

    uid: int = 0
    gid: int = 0
    groups: list[int] = []  # supplementary ones
    home: str = "/"
    name: str = ""  # empty if the container's passwd file doesn't have the user
    group_known: bool = True  # whether the primary group is in the container's group file


class _Passwd(Record):
    name: str
    uid: int
    gid: int
    home: str


class _Group(Record):
    name: str
    gid: int
    members: list[str]


def lookup(rootfs: str, user: str, groups: Sequence[str] = ()) -> UserIds:
    """Return the ids of `user` ("name", "uid", "name:group", "uid:gid") and of `groups` in the container at `rootfs`.

    Raises CommandNotExecutableError (126, as Podman does) for a name that the container doesn't have, UsageError for an
    impossible number.
    """
    wanted, _, wanted_group = user.partition(":")
    passwd = _find_user(rootfs, wanted)
    group_file = _parse_groups(files.read_text(rootfs, "/etc/group"))
    gid = passwd.gid if not wanted_group else _group_id(group_file, wanted_group)
    supplementary = [_group_id(group_file, name) for name in groups if name != KEEP_GROUPS]
    if not wanted_group and passwd.name:
        supplementary += [group.gid for group in group_file if passwd.name in group.members]
    return UserIds(
        uid=passwd.uid,
        gid=gid,
        groups=list(dict.fromkeys(supplementary)),
        home=passwd.home or "/",
        name=passwd.name,
        group_known=any(group.gid == gid for group in group_file),
    )


def _find_user(rootfs: str, wanted: str) -> _Passwd:
    number = _number(wanted) if wanted else 0
    for line in files.read_text(rootfs, "/etc/passwd").splitlines():
        fields = line.split(":")
        if len(fields) < 6:
            continue
        uid, gid = parse_id(fields[2]), parse_id(fields[3])
        if uid is None or gid is None:  # not a valid line: the kernel would read the number as no id, or as another one
            continue
        if fields[0] == wanted or uid == number:
            return _Passwd(name=fields[0], uid=uid, gid=gid, home=fields[5])
    if number is None:
        raise CommandNotExecutableError(
            f"unable to find user {wanted}: no matching entries in passwd file",
            hint="Give a number, or a name from the container's /etc/passwd",
        )
    return _Passwd(name="", uid=number, gid=0, home="/")


def _parse_groups(text: str) -> list[_Group]:
    groups = []
    for line in text.splitlines():
        fields = line.split(":")
        gid = parse_id(fields[2]) if len(fields) >= 4 else None
        if gid is not None:
            groups.append(_Group(name=fields[0], gid=gid, members=fields[3].split(",")))
    return groups


def ids_by_name(text: str) -> dict[str, int]:
    """Return name → id for the lines of a passwd(5) or group(5) file that have an id."""
    rows = (line.split(":") for line in text.splitlines())
    numbers = {fields[0]: parse_id(fields[2]) for fields in rows if len(fields) >= 4}
    return {name: number for name, number in numbers.items() if number is not None}


def _group_id(groups: Sequence[_Group], wanted: str) -> int:
    for group in groups:
        if group.name == wanted:
            return group.gid
    number = _number(wanted)
    if number is None:
        raise CommandNotExecutableError(
            f"unable to find group {wanted}: no matching entries in group file",
            hint="Give a number, or a name from the container's /etc/group",
        )
    return number


def _number(text: str) -> int | None:
    if not text.isascii() or not text.isdigit():
        return None
    number = parse_id(text)
    if number is None:
        raise UsageError(f"{text} is no user or group id: ids go up to {LARGEST_ID}")
    return number
