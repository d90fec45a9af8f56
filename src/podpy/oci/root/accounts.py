"""Lines in the container's /etc/passwd and /etc/group for users that the image doesn't know (podman-run(1), --passwd).

The container's user gets a line if it is given as a number. With `--userns=keep-id` podpy's caller gets one too:
toolbox and distrobox `exec` as that user. The lines are appended to the files in the container's own layer, since
`useradd` replaces the files, and a bind-mounted one can't be replaced. If the container has no writable root
filesystem of its own (`--read-only`, `--rootfs`), the whole text is returned, to be mounted.
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
    """The result of `prepare`: texts to mount over files (path in the container → text), and the user's home."""

    texts: dict[str, str] = {}
    home: str = "/"


class _Line(Record):
    """A line for passwd or group; `number` is the uid or gid in it."""

    number: int
    text: str
    home: str = ""


def prepare(spec: ContainerSpec, rootfs: str, user: UserIds) -> Added:
    """Add the missing lines. `user`: the container's, as looked up in its files. Raises OSError.

    An image without these files gets none.
    """
    if not spec.passwd or not (spec.user or spec.host_users):
        return Added(home=user.home)
    passwd = [line for name in spec.host_users for line in _of_host_user(spec, rootfs, name)]
    group: list[_Line] = []
    if spec.user:
        caller, group = _of_caller(spec, rootfs) if _keeps_the_caller(spec) else ([], [])
        passwd += [line for line in caller if line.number not in [known.number for known in passwd]]
        if not user.name and user.uid not in [line.number for line in passwd]:
            passwd.append(_of_number(spec, user))
        if not user.group_known and user.gid not in [line.number for line in group]:
            text = _group_text(spec, str(user.gid), user.gid, user.name or str(user.uid))
            group.append(_Line(number=user.gid, text=text))
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
    text = _passwd_text(spec, str(user.uid), user.uid, user.gid, "container user", home)
    return _Line(number=user.uid, home=home, text=text)


def as_numbers(spec: ContainerSpec, rootfs: str) -> str:
    """Return the container's user; as a number if it is a user of the host that will be added (--hostuser)."""
    name, _, group = spec.user.partition(":")
    lines = _of_host_user(spec, rootfs, name) if name in spec.host_users else []
    if not lines:
        return spec.user
    import pwd

    entry = pwd.getpwnam(name)
    return f"{entry.pw_uid}:{group or entry.pw_gid}"


def _of_host_user(spec: ContainerSpec, rootfs: str, name: str) -> list[_Line]:
    """Return the line of a user of the host, with the same uid; none if the container has that name."""
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError:  # the user was removed since the container was created
        return []
    if name in users.ids_by_name(files.read_text(rootfs, PASSWD)) or not fits_field(name + entry.pw_gecos):
        return []
    home = _home(spec, entry.pw_dir)
    text = _passwd_text(spec, name, entry.pw_uid, entry.pw_gid, entry.pw_gecos, home)
    return [_Line(number=entry.pw_uid, home=home, text=text)]


def _passwd_text(spec: ContainerSpec, name: str, uid: int, gid: int, gecos: str, home: str) -> str:
    """Return a line of passwd(5); --passwd-entry may give its form."""
    if not spec.passwd_entry:
        return f"{name}:*:{uid}:{gid}:{gecos}:{home}:/bin/sh"
    values = {"$USERNAME": name, "$UID": str(uid), "$GID": str(gid), "$NAME": gecos, "$HOME": home}
    return _filled(spec.passwd_entry, values)


def _group_text(spec: ContainerSpec, name: str, gid: int, members: str) -> str:
    """Return a line of group(5); --group-entry may give its form."""
    if not spec.group_entry:
        return f"{name}:x:{gid}:{members}"
    return _filled(spec.group_entry, {"$GROUPNAME": name, "$GID": str(gid), "$USERLIST": members})


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text.rstrip("\n")


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
        text = _passwd_text(spec, entry.pw_name, uid, gid, entry.pw_gecos, home)
        passwd = [_Line(number=uid, home=home, text=text)]
    try:
        name = grp.getgrgid(gid).gr_name
    except KeyError:
        name = str(gid)
    if not _is_free(rootfs, GROUP, name, gid) or not fits_field(name + entry.pw_name):
        return passwd, []
    return passwd, [_Line(number=gid, text=_group_text(spec, name, gid, entry.pw_name))]


def _own(maps: list[IdMapping]) -> int:
    """Return the id of the caller (0 in podpy's own namespace) in the container's user namespace."""
    return next((line.container for line in maps if line.host == 0), 0)


def _is_free(rootfs: str, path: str, name: str, number: int) -> bool:
    found = users.ids_by_name(files.read_text(rootfs, path))
    return name not in found and number not in found.values()


def _home(spec: ContainerSpec, own: str = "") -> str:
    """Return the home directory for a new line: `own` if something is mounted there, else the working directory.

    A path that passwd(5) can't hold becomes the root directory.
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
