"""Lines in the container's /etc/passwd and /etc/group for users that the image doesn't know (podman-run(1), --passwd).

The container's user gets one if it is a number, and with `--userns=keep-id` so does podpy's caller, as whom others may
`exec` (toolbox, distrobox). The lines are appended to the files of the container's own layer: a file that is
bind-mounted couldn't be replaced, which is what `useradd` and its kind do. Where the root filesystem isn't the
container's own to write (`--read-only`, `--rootfs`), the whole text is returned, to be mounted.
"""

from __future__ import annotations

import os

from podpy import beneath
from podpy.numbers import fits_field
from podpy.oci.root import inside as files
from podpy.oci.root import users
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.oci.root.users import UserIds
    from podpy.spec.container import ContainerSpec, IdMapping

PASSWD, GROUP = "/etc/passwd", "/etc/group"


class Added(Record):
    """What `prepare` has done: texts to mount instead of files (path in the container → text), and the user's home."""

    texts: dict[str, str] = {}
    home: str = "/"


class _Line(Record):
    """A line for passwd or group; `number` is its id."""

    number: int
    text: str
    home: str = ""


def prepare(spec: ContainerSpec, rootfs: str, user: UserIds) -> Added:
    """Add the lines that are missing. `user`: the container's, as looked up in its files. Raises OSError.

    An image without these files stays without.
    """
    if not spec.passwd or not spec.user:
        return Added(home=user.home)
    caller, callers_group = _of_caller(spec, rootfs) if _keeps_the_caller(spec) else ([], [])
    passwd, group = list(caller), list(callers_group)
    if not user.name and user.uid not in [line.number for line in caller]:
        passwd.append(_of_number(spec, user))
    if not user.group_known and user.gid not in [line.number for line in callers_group]:
        group.append(_Line(number=user.gid, text=f"{user.gid}:x:{user.gid}:{user.name or user.uid}"))
    texts, home = {}, user.home
    for path, lines in ((PASSWD, passwd), (GROUP, group)):
        text = files.read_text(rootfs, path) if lines else ""
        if not text:
            continue
        addition = ("" if text.endswith("\n") else "\n") + "".join(line.text + "\n" for line in lines)
        if spec.read_only or spec.rootfs:
            texts[path] = text + addition
        else:
            _append(rootfs, path, addition)
        home = next((line.home for line in lines if line.home and line.number == user.uid), home)
    return Added(texts=texts, home=home)


def _of_number(spec: ContainerSpec, user: UserIds) -> _Line:
    home = _home(spec)
    return _Line(number=user.uid, home=home, text=f"{user.uid}:*:{user.uid}:{user.gid}:container user:{home}:/bin/sh")


def _keeps_the_caller(spec: ContainerSpec) -> bool:
    mode, _, options = spec.userns.partition(":")
    return mode == "keep-id" and not any(part.startswith(("uid=", "gid=")) for part in options.split(","))


def _of_caller(spec: ContainerSpec, rootfs: str) -> tuple[list[_Line], list[_Line]]:
    """Return the passwd and group lines for podpy's caller, each unless the container has the name or number."""
    import grp
    import pwd

    uid, gid = _own(spec.uid_maps), _own(spec.gid_maps)
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return [], []
    passwd: list[_Line] = []
    if _is_free(rootfs, PASSWD, entry.pw_name, uid) and fits_field(entry.pw_name + entry.pw_gecos):
        home = _home(spec, entry.pw_dir)
        text = f"{entry.pw_name}:*:{uid}:{gid}:{entry.pw_gecos}:{home}:/bin/sh"
        passwd = [_Line(number=uid, home=home, text=text)]
    try:
        name = grp.getgrgid(gid).gr_name
    except KeyError:
        name = str(gid)
    if not _is_free(rootfs, GROUP, name, gid) or not fits_field(name + entry.pw_name):
        return passwd, []
    return passwd, [_Line(number=gid, text=f"{name}:x:{gid}:{entry.pw_name}")]


def _own(maps: list[IdMapping]) -> int:
    """Return what the caller, who is 0 in podpy's own namespace, is in the container's."""
    return next((line.container for line in maps if line.host == 0), 0)


def _is_free(rootfs: str, path: str, name: str, number: int) -> bool:
    found = users.ids_by_name(files.read_text(rootfs, path))
    return name not in found and number not in found.values()


def _home(spec: ContainerSpec, own: str = "") -> str:
    """Return the home of a new line: `own` where something is mounted there, else the working directory.

    A path that can't stand in a line becomes the root directory.
    """
    targets = {mount.target.rstrip("/") for mount in spec.mounts}
    path = own
    while path and path not in targets:
        path = path.rpartition("/")[0]
    home = own if path else spec.workdir
    return home if home and fits_field(home) else "/"


def _append(rootfs: str, path: str, text: str) -> None:
    descriptor = beneath.open_in_root(rootfs, path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if files.is_regular(descriptor):
            os.write(descriptor, text.encode(errors="surrogateescape"))
    finally:
        os.close(descriptor)
