"""Lines in the container's /etc/passwd and /etc/group for a user that the image doesn't know (podman-run(1), --passwd).

They are appended to the files of the container's own layer: a file that is bind-mounted couldn't be replaced, which is
what `useradd` and its kind do. Where the root filesystem isn't the container's own to write (`--read-only`,
`--rootfs`), the whole text is returned, to be mounted.
"""

from __future__ import annotations

import os

from podpy import beneath
from podpy.oci.root import inside as files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.oci.root.users import UserIds
    from podpy.spec.container import ContainerSpec

PASSWD, GROUP = "/etc/passwd", "/etc/group"
_UNFIT = frozenset(":\n")


def prepare(spec: ContainerSpec, rootfs: str, user: UserIds, host_uid: int) -> dict[str, str]:
    """Add what is missing and return texts to mount instead: path in the container → text. `host_uid`: the caller's.

    An image without these files stays without. Raises OSError.
    """
    if not spec.passwd or not spec.user or (user.name and user.group_known):
        return {}
    name, comment = _names(spec, user, host_uid)
    lines = {}
    if not user.name:
        home = spec.workdir or "/"
        lines[PASSWD] = f"{name}:*:{user.uid}:{user.gid}:{comment}:{home}:/bin/sh"
    if not user.group_known:
        lines[GROUP] = f"{name if user.gid == user.uid else user.gid}:x:{user.gid}:{user.name or name}"
    own_layer = not (spec.read_only or spec.rootfs)
    texts = {}
    for path, line in lines.items():
        text = files.read_text(rootfs, path)
        if not text:
            continue
        addition = ("" if text.endswith("\n") else "\n") + line + "\n"
        if own_layer:
            _append(rootfs, path, addition)
        else:
            texts[path] = text + addition
    return texts


def _names(spec: ContainerSpec, user: UserIds, host_uid: int) -> tuple[str, str]:
    """Return the login name and comment of the new line: the caller's own with keep-id, else the number."""
    if spec.userns.partition(":")[0] == "keep-id":
        import pwd

        try:
            entry = pwd.getpwuid(host_uid)
        except KeyError:
            return str(user.uid), "container user"
        if not _UNFIT.intersection(entry.pw_name + entry.pw_gecos):
            return entry.pw_name, entry.pw_gecos
    return str(user.uid), "container user"


def _append(rootfs: str, path: str, text: str) -> None:
    descriptor = beneath.open_in_root(rootfs, path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if files.is_regular(descriptor):
            os.write(descriptor, text.encode(errors="surrogateescape"))
    finally:
        os.close(descriptor)
