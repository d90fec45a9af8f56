"""Why a file can't be used inside a container: each part of its path with its owner inside and outside, and its mode.

The question is asked for the container's first process. The rules are path_resolution(7)'s: passing a directory needs
its x, reading a file its r. Root's capabilities count only for files whose owner and group are mapped in the
container's user namespace (capabilities(7), CAP_DAC_OVERRIDE; user_namespaces(7)).
"""

from __future__ import annotations

import os
import stat

from podpy import beneath, files, pids
from podpy.errors import StateError
from podpy.libpod.containers.held import find
from podpy.libpod.containers.table import ALIVE
from podpy.libpod.why.answer import Answer
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine
    from podpy.spec.container import IdMapping, Mount

_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2
_OVERFLOW = 65534  # the id shown for an owner that isn't mapped in a user namespace
_READ, _WRITE, _SEARCH = 4, 2, 1
_ENFORCING = "/sys/fs/selinux/enforce"


class Part(Record):
    """One part of a path. Ids are in podpy's own user namespace; `outside` is the owner on the host, -1: unknown."""

    path: str
    mode: int
    uid: int
    gid: int
    outside: int
    label: str = ""
    has_acl: bool = False
    link: str = ""


class Asker(Record):
    """The process that wants to use the file: its ids in podpy's own user namespace, and capabilities."""

    uid: int
    gid: int
    groups: list[int]
    capabilities: int


def explain(engine: Engine, name: str, path: str) -> Answer:
    """Explain why the container's first process can't use the file. Raises NoSuchContainerError, StateError."""
    container = find(engine, name)
    row = container.refresh()
    path = os.path.normpath("/" + path.lstrip("/"))
    mount = _mount_of(container, path)
    ended = StateError(
        f"container {row.name} is not running, so nobody can look into it", hint=f"podpy start {row.name}"
    )
    if row.status not in ALIVE:
        raise ended
    outside = _outside_owners(mount, path)
    try:
        asker, parts, missing = engine.privileged(lambda: _look(row.pid, path, outside))
    except OSError:
        if pids.is_alive(row.pid, row.pid_start):
            raise
        raise ended from None
    if not pids.is_alive(row.pid, row.pid_start):  # the pid may have been somebody else's then
        raise ended
    return _Verdict(container, path, mount, asker, parts, missing).answer()


def _mount_of(container: Held, path: str) -> Mount | None:
    """Return the mount that holds a path inside: the one with the longest target; None: the root file system."""
    found = [
        mount
        for mount in container.spec.mounts
        if path == mount.target or path.startswith(mount.target.rstrip("/") + "/")
    ]
    return max(found, key=lambda mount: len(mount.target), default=None)


def _outside_owners(mount: Mount | None, path: str) -> dict[str, int]:
    """Return the host's owners of files in a bind mount by their path inside, seen from outside the namespaces."""
    found: dict[str, int] = {}
    if mount is None or mount.type != "bind":
        return found
    inside, source = mount.target.rstrip("/"), mount.source
    for name in ("", *path[len(inside) :].strip("/").split("/")):
        if name:
            inside, source = f"{inside}/{name}", f"{source}/{name}"
        try:
            found[inside or "/"] = os.stat(source).st_uid
        except OSError:
            break
    return found


def _look(pid: int, path: str, outside: dict[str, int]) -> tuple[Asker, list[Part], str]:
    """Return the asking process, the existing parts, and the first missing one (or an empty text)."""
    root = f"/proc/{pid}/root"
    parts: list[Part] = []
    shown = ""
    for name in ("", *path.strip("/").split("/")):
        shown = "/" if not name and not shown else f"{shown.rstrip('/')}/{name}" if name else shown
        try:
            parts.append(_part(root, shown, outside))
        except (FileNotFoundError, NotADirectoryError):
            return _asker(pid), parts, shown
    return _asker(pid), parts, ""


def _part(root: str, path: str, outside: dict[str, int]) -> Part:
    link = ""
    itself = beneath.open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW)
    try:
        if stat.S_ISLNK(os.fstat(itself).st_mode):
            link = os.readlink("", dir_fd=itself)
    finally:
        os.close(itself)
    descriptor = beneath.open_in_root(root, path, os.O_PATH)
    try:
        status = os.fstat(descriptor)
        place = beneath.magic_path(descriptor)
        known = outside.get(path, -1)
        return Part(
            path=path,
            mode=status.st_mode,
            uid=status.st_uid,
            gid=status.st_gid,
            outside=known if known >= 0 and not link else _host_id(status.st_uid),
            label=_attribute(place, "security.selinux").rstrip("\0"),
            has_acl=bool(_attribute(place, "system.posix_acl_access")),
            link=link,
        )
    finally:
        os.close(descriptor)


def _attribute(path: str, name: str) -> str:
    try:
        return os.getxattr(path, name).decode("utf-8", "replace")
    except OSError:
        return ""


def _host_id(identifier: int) -> int:
    """Translate an id of this process's user namespace to the host's; -1 if it isn't mapped."""
    for line in files.read("/proc/self/uid_map").splitlines():
        inside, outside, size = (int(word) for word in line.split())
        if inside <= identifier < inside + size:
            return outside + identifier - inside
    return -1


def _asker(pid: int) -> Asker:
    status = dict(line.partition(":")[::2] for line in files.read(f"/proc/{pid}/status").splitlines())
    return Asker(
        uid=int(status["Uid"].split()[1]),
        gid=int(status["Gid"].split()[1]),
        groups=[int(group) for group in status["Groups"].split()],
        capabilities=int(status["CapEff"], 16),
    )


class _Verdict:
    """Judges the parts of the path for the asking process."""

    def __init__(
        self, container: Held, path: str, mount: Mount | None, asker: Asker, parts: list[Part], missing: str
    ) -> None:
        self._container = container
        self._path = path
        self._mount = mount
        self._asker = asker
        self._parts = parts
        self._missing = missing

    def answer(self) -> Answer:
        """Return the answer."""
        row = self._container.row
        stopped = next((part for part in self._parts[:-1] if not self._may(part, _SEARCH)), None)
        if stopped is None and self._parts and self._missing and not self._may(self._parts[-1], _SEARCH):
            stopped = self._parts[-1]
        reasons, mends = self._reasons(stopped)
        return Answer(
            about=f"{self._path} in {row.name}, for its first process (user {self._inside(self._asker.uid)})",
            reasons=reasons,
            mends=mends,
            table=self._table(),
            facts={
                "container": row.name,
                "path": self._path,
                "exists": not self._missing,
                "readable": not self._missing and stopped is None and self._may(self._parts[-1], _READ),
                "writable": not self._missing and stopped is None and self._may_write(self._parts[-1]),
                "stopped_at": stopped.path if stopped else self._missing,
                "parts": [self._facts(part) for part in self._parts],
            },
        )

    def _reasons(self, stopped: Part | None) -> tuple[list[str], list[str]]:
        if stopped is not None:
            return [self._denied(stopped, "may not go through")], self._mends(stopped)
        if self._missing:
            return [f"There is no {self._missing} inside."], self._mends_of_missing()
        last = self._parts[-1]
        if not self._may(last, _READ):
            return [self._denied(last, "may not read")], self._mends(last)
        reasons = ["It can be read."]
        if self._may_write(last):
            reasons.append("It can be written to, too.")
            return reasons, []
        if self._is_read_only():
            reasons.append("It can't be written to: it is mounted read-only.")
            return reasons, ["Leave out :ro (or --read-only)"]
        reasons.append(self._denied(last, "may not write to"))
        return reasons, self._mends(last)

    def _denied(self, part: Part, what: str) -> str:
        owner = f"it belongs to user {self._inside(part.uid)} inside"
        if not self._knows(part.uid, self._uid_maps()):
            owner = "it belongs to somebody whom the container doesn't know"
        outside = f" (user {part.outside} of this machine)" if part.outside >= 0 else ""
        acl = ", and it has an access list (getfacl)" if part.has_acl else ""
        label = f"; its SELinux label is {part.label}" if part.label and _enforces_selinux() else ""
        return f"It {what} {part.path}: {owner}{outside}, its mode is {stat.filemode(part.mode)}{acl}{label}."

    def _mends(self, part: Part) -> list[str]:
        mends = []
        mount = self._mount if self._mount and part.path.startswith(self._mount.target.rstrip("/")) else None
        own = os.stat("/proc/self").st_uid  # this process is in podpy's namespace now: 0 is the user
        if mount is None:
            mends.append("Run it as another user (--user), or change the file in the image")
            return mends
        if part.label and _enforces_selinux():
            mends.append(f"-v {mount.source}:{mount.target}:z relabels it for containers (:Z: for this one alone)")
        if part.uid == own and self._asker.uid != own:
            mends.append("--userns=keep-id lets the container's user be you")
        if mount.type in ("bind", "volume"):
            mends.append(
                f"-v {mount.source}:{mount.target}:U gives the files to the container's user (on this machine, too)"
            )
        if part.mode & 0o070 and not self._knows(part.gid, self._gid_maps()):
            mends.append("--group-add keep-groups keeps your groups, if one of them may")
        if mount.type == "bind":
            place = mount.source + part.path[len(mount.target.rstrip("/")) :]
            mends.append(f"chmod o+{'rx' if stat.S_ISDIR(part.mode) else 'r'} {place}")
        return mends

    def _mends_of_missing(self) -> list[str]:
        mount = self._mount
        if mount is not None and mount.type == "bind":
            place = mount.source + self._missing[len(mount.target.rstrip("/")) :]
            return [f"It would be {place} on this machine"]
        return [
            f"podpy exec {self._container.name} ls -la {os.path.dirname(self._missing)}",
            "-v HOST:INSIDE brings it in",
        ]

    def _may(self, part: Part, wanted: int) -> bool:
        asker = self._asker
        if self._overrides(part, wanted):
            return True
        if part.uid == asker.uid:
            return bool(part.mode >> 6 & wanted)
        if part.gid in (asker.gid, *asker.groups):
            return bool(part.mode >> 3 & wanted)
        return bool(part.mode & wanted)

    def _overrides(self, part: Part, wanted: int) -> bool:
        if not (self._knows(part.uid, self._uid_maps()) and self._knows(part.gid, self._gid_maps())):
            return False
        reads = wanted == _READ or (wanted == _SEARCH and stat.S_ISDIR(part.mode))
        capability = _CAP_DAC_OVERRIDE | (_CAP_DAC_READ_SEARCH if reads else 0)
        return bool(self._asker.capabilities & capability)

    def _may_write(self, part: Part) -> bool:
        return self._may(part, _WRITE) and not self._is_read_only()

    def _is_read_only(self) -> bool:
        if self._mount is not None:
            return "ro" in self._mount.options or "readonly" in self._mount.options
        return self._container.spec.read_only

    def _uid_maps(self) -> Sequence[IdMapping]:
        return self._container.spec.uid_maps

    def _gid_maps(self) -> Sequence[IdMapping]:
        return self._container.spec.gid_maps

    def _knows(self, identifier: int, maps: Sequence[IdMapping]) -> bool:
        if not maps:
            return identifier != _OVERFLOW
        return any(line.host <= identifier < line.host + line.size for line in maps)

    def _inside(self, identifier: int) -> int:
        for line in self._uid_maps():
            if line.host <= identifier < line.host + line.size:
                return line.container + identifier - line.host
        return _OVERFLOW if self._uid_maps() else identifier

    def _table(self) -> list[list[str]]:
        rows = [["PATH", "MODE", "OWNER INSIDE", "OWNER OUTSIDE", "IT MAY"]]
        for part in self._parts:
            name = f"{part.path} -> {part.link}" if part.link else part.path
            inside = str(self._inside(part.uid)) if self._knows(part.uid, self._uid_maps()) else "nobody it knows"
            outside = str(part.outside) if part.outside >= 0 else "?"
            rows.append([name, stat.filemode(part.mode), inside, outside, self._rights(part)])
        return rows

    def _rights(self, part: Part) -> str:
        words = {_READ: "read", _WRITE: "write", _SEARCH: "enter" if stat.S_ISDIR(part.mode) else "run"}
        allowed = [word for right, word in words.items() if self._may(part, right)]
        if "run" in allowed and not part.mode & 0o111:
            allowed.remove("run")
        return ", ".join(allowed) or "nothing"

    def _facts(self, part: Part) -> dict[str, object]:
        return {
            "path": part.path,
            "link": part.link,
            "mode": f"{stat.S_IMODE(part.mode):04o}",
            "uid_inside": self._inside(part.uid),
            "uid_outside": part.outside,
            "known_inside": self._knows(part.uid, self._uid_maps()),
            "label": part.label,
            "acl": part.has_acl,
            "may": self._rights(part),
        }


def _enforces_selinux() -> bool:
    return files.read_small(_ENFORCING).strip() == "1"
