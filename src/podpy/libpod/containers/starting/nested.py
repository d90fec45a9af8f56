"""Mounts whose places lie in others' files: below a volume, a host directory, a second image.

A container that shares a volume can put a symbolic link in the way of whatever is mounted below it at the next start,
and the OCI runtime looks such a place up by name. So podpy makes these mounts before: it copies the outer mount's tree
into the run directory, opens or makes each place in it by descriptors that follow no link, mounts there, and hands the
copy on as the source of one `rbind`. config.json names the inner mounts no more. All of it goes with the mount
namespace, so with the container.
"""

from __future__ import annotations

import os
import stat

from podpy import beneath, linux
from podpy.errors import NotSupportedError, UsageError
from podpy.oci.document.mounts import SHARED
from podpy.plan import Operation
from podpy.storage.mounts import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from podpy.libpod.containers.starting.bundle import BuildConfig
    from podpy.libpod.containers.starting.context import StartContext

    OciMount: TypeAlias = "dict[str, Any]"

_ROOTS = ("/dev", "/proc", "/sys")  # the directories of the host whose owner is root
_MADE_BY_PODPY = ("tmpfs", "ramfs", "devpts")  # the others need the container's own namespaces


class _Outer:
    """A mount in which others are to be placed."""

    def __init__(self, mount: OciMount, tree: int = -1) -> None:
        self.mount = mount
        self.tree = tree  # the descriptor of the mount that podpy has made, or -1


class MountNested(Operation):
    """Make the mounts that lie below mounts of others' files, and take them out of config.json."""

    def __init__(self, context: StartContext, built: BuildConfig) -> None:
        self._context = context
        self._built = built
        self._outer: dict[str, _Outer] = {}  # place in the container → what is mounted there, parents first
        self._runtimes: dict[str, OciMount] = {}  # place in the container → what the OCI runtime mounts
        self._made: list[_Outer] = []  # what podpy has mounted
        self._root = -1  # the copied tree of the root filesystem

    def describe(self) -> str:
        """Return what is mounted."""
        return "mount what lies below volumes and host directories there, without following a link"

    def execute(self) -> None:
        """Mount it. Raises UsageError for a place where it can't be, NotSupportedError, OSError."""
        config, context = self._built.config, self._context
        shared = {mount.target for mount in context.spec.mounts if mount.type in SHARED}
        linked = self._over_links([mount["destination"] for mount in config["mounts"]])
        try:
            for mount in config["mounts"]:
                place = mount["destination"]
                if place in linked:
                    place = beneath.real_path(context.rootfs, place, covered=self._covering())
                above = self._above(place)
                if above and self._is_podpys(mount, above, place):
                    self._outer[place] = _Outer(mount, self._nest(mount, above, place))
                    self._made.append(self._outer[place])
                    continue
                self._runtimes[place] = mount
                if mount["destination"] in shared:
                    self._outer[place] = _Outer(mount)
            for made in self._made:  # when all are there: places in one that is read-only, too
                tree.change(made.tree, made.mount["options"])
            if self._made:
                config["mounts"] = [*self._runtimes.values()]
        finally:
            for descriptor in (self._root, *(outer.tree for outer in self._outer.values())):
                if descriptor >= 0:
                    os.close(descriptor)

    def _over_links(self, targets: list[str]) -> set[str]:
        """Return those that lead over a symbolic link in the root filesystem."""
        asked = {mount.target for mount in self._context.spec.mounts}
        # Of the image's own /proc, /dev and /sys nothing is seen, and they are no links (RefuseLinks).
        looked_at = [path for path in targets if path in asked or not path.startswith(("/proc", "/dev", "/sys"))]
        return set(beneath.links(self._context.rootfs, looked_at))

    def _covering(self) -> list[str]:
        """Return the places below which nothing of the root filesystem is seen: a tmpfs may have a copy of it."""
        empty = (place for place, mount in self._runtimes.items() if "tmpcopyup" not in mount.get("options", ()))
        return [*self._outer, *empty]

    def _above(self, place: str) -> str:
        """Return the place of the innermost outer mount in which `place` lies, or ""."""
        tops = (top for top in self._outer if place.startswith(top.rstrip("/") + "/"))
        return max(tops, key=len, default="")

    def _is_podpys(self, mount: OciMount, above: str, place: str) -> bool:
        """Return whether podpy makes a mount itself. Raises NotSupportedError if nobody can do so safely."""
        outer = self._outer[above].mount
        inner = place[len(above.rstrip("/")) + 1 :]
        if outer["type"] == "bind" and _is_the_hosts(outer["source"], inner):
            return False  # `-v /dev:/dev`, `-v /sys:/sys`: nobody puts a link there
        if mount["type"] in (*_MADE_BY_PODPY, "bind"):
            return True
        raise NotSupportedError(
            f"{mount['destination']} can't be mounted below {outer['destination']}, whose files others may change: "
            "only the OCI runtime can do it, and would follow a link there",
            hint=f"Mount something else than {outer['destination']}, for example a directory in it",
        )

    def _nest(self, mount: OciMount, above: str, place: str) -> int:
        """Make one mount in another; return the descriptor of its top."""
        outer = self._outer[above]
        if not stat.S_ISDIR(os.stat(outer.tree if outer.tree >= 0 else outer.mount["source"]).st_mode):
            raise UsageError(f"{mount['destination']} can't be mounted below {above}: that is no directory")
        if outer.tree < 0:
            outer.tree = self._put_in_root(above) if self._context.spec.uid_maps else self._copy(outer.mount)
        inner = place[len(above.rstrip("/")) + 1 :]
        if mount["type"] == "bind":
            return self._bind(mount, outer, inner)
        top = self._open_place(mount, outer, inner, directory=True)
        try:
            flags, data = tree.parse(self._options(mount))
            place = os.path.join(self._context.directory, "nested")
            return tree.move(tree.make(mount["type"], place, flags & ~linux.MS_RDONLY, data), top)
        finally:
            os.close(top)

    def _bind(self, mount: OciMount, outer: _Outer, inner: str) -> int:
        if "copy-symlink" in mount["options"] and os.path.islink(mount["source"]):
            raise NotSupportedError(
                f"{mount['destination']}: no-dereference of a mount below {outer.mount['destination']}",
                hint="Mount what the link names, or mount it elsewhere",
            )
        source = os.open(mount["source"], os.O_PATH | os.O_CLOEXEC)
        try:
            is_directory = stat.S_ISDIR(os.fstat(source).st_mode)
            top = self._open_place(mount, outer, inner, directory=is_directory)
            try:
                return tree.move(beneath.clone(source, recursive="rbind" in mount["options"]), top)
            finally:
                os.close(top)
        finally:
            os.close(source)

    def _copy(self, mount: OciMount) -> int:
        """Copy an outer mount's tree into the run directory, for the runtime to mount; return its top's descriptor."""
        number = sum(outer.tree >= 0 for outer in self._outer.values())
        target = os.path.join(self._context.directory, f"outer{number}")
        top = self._attach(mount["source"], target, recursive="rbind" in mount["options"])
        # What the user asked of the propagation is meant for this mount and those that it had.
        tree.propagate(top, mount["options"])
        mount["source"] = target
        words = {"bind": "rbind", "rprivate": "private", "rslave": "slave"}
        mount["options"] = [words.get(option, option) for option in mount["options"]]
        return top

    def _put_in_root(self, place: str) -> int:
        """Mount an outer mount in a copy of the root filesystem's tree, which the runtime gets; return its descriptor.

        For a container with a user namespace of its own: there crun before 1.8.2 ignores that an `rbind` is recursive.
        """
        mount = self._runtimes[place]
        hiding = next((other for top, other in self._runtimes.items() if place.startswith(top.rstrip("/") + "/")), None)
        if hiding is not None:
            raise NotSupportedError(
                f"a mount below {mount['destination']}, which is below {hiding['destination']}, "
                "in a user namespace of the container's own",
                hint=f"Leave out --userns or --uidmap, or mount it outside of {hiding['destination']}",
            )
        if self._root < 0:
            copy = os.path.join(self._context.directory, "root")
            self._root = self._attach(self._built.config["root"]["path"], copy, recursive=True)
            self._built.config["root"]["path"] = copy
        del self._runtimes[place]
        made = self._bind(mount, _Outer({"destination": "/"}, self._root), place.lstrip("/"))
        self._made.append(_Outer(mount, made))
        return made

    def _attach(self, source: str, target: str, *, recursive: bool) -> int:
        """Mount a copy of a path's tree at a directory of podpy's own, which is made; return its top's descriptor."""
        descriptor = os.open(source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            top = beneath.clone(descriptor, recursive=recursive)
        finally:
            os.close(descriptor)
        try:
            os.makedirs(target, mode=0o700, exist_ok=True)
            linux.move_mount(top, "", linux.AT_FDCWD, target, linux.MOVE_MOUNT_F_EMPTY_PATH)
        except BaseException:
            os.close(top)
            raise
        return top

    def _open_place(self, mount: OciMount, outer: _Outer, inner: str, *, directory: bool) -> int:
        targets = (outer.mount["destination"], mount["destination"])
        return open_place(outer.tree, inner, targets, owner=self._context.host_ids(0, 0), directory=directory)

    def _options(self, mount: OciMount) -> list[str]:
        """Return a new file system's options, with ids as podpy's own user namespace has them."""
        result, ids = [], {"uid": 0, "gid": 0}
        for option in mount["options"]:
            name, _, value = option.partition("=")
            if name in ids and value.isdecimal():
                ids[name] = int(value)
            elif name != "tmpcopyup":
                result.append(option)
        uid, gid = self._context.host_ids(ids["uid"], ids["gid"])
        if mount["type"] != "ramfs":
            result += [f"uid={uid}", f"gid={gid}"]
        return result


def open_place(top: int, inner: str, targets: tuple[str, str], *, owner: tuple[int, int], directory: bool) -> int:
    """Return an O_PATH descriptor of the place at `inner` below the outer mount `top`; missing parts are made.

    `targets`: of the outer and of the inner mount, for errors. Raises UsageError.
    """
    outer, target = targets
    try:
        return beneath.make_inside(top, inner, owner=owner, directory=directory)
    except (FileExistsError, NotADirectoryError) as error:
        there = f"{outer.rstrip('/')}/{error.filename or inner}"
        raise UsageError(
            f"{target} can't be mounted below {outer}: "
            f"{there} is a symbolic link, or no {'directory' if directory else 'file'}",
            hint="No link is followed among files that others may change: mount it where the link leads, or elsewhere",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{target} can't be mounted below {outer}: {error.strerror}",
            hint=f"Make its place in {outer} before, or mount it elsewhere",
        ) from error


def _is_the_hosts(source: str, inner: str) -> bool:
    """Return whether only the host's root can change the directories on the way from `source` to `inner`.

    This process may write whatever belongs to an id that a container of the user's can have (capabilities(7)). What
    doesn't may be another user's: in podpy's user namespace that looks like root's.
    """
    if linux.filesystem_type(source) == linux.SYSFS_MAGIC:
        return True
    directory = os.path.realpath(source)
    if not any(f"{directory}/".startswith(f"{root}/") for root in _ROOTS):
        return False
    for name in ["", *inner.split("/")[:-1]]:
        directory = os.path.join(directory, name)
        try:
            flags = os.statvfs(directory).f_flag
        except OSError:
            return False
        if flags & os.ST_RDONLY or os.access(directory, os.W_OK) or (name and os.path.islink(directory)):
            return False
    return True
