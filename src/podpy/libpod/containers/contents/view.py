"""View: a container's root file system as one descriptor.

A running container is viewed as it sees itself (/proc/PID/root: with volumes, tmpfs and all), or, without mounts, as
in its monitor's mount namespace: only its layer and the image's. A stopped one is mounted in this process's own mount
namespace while its lock is held, so nobody can start it meanwhile. The mount is detached from its path at once: only
the descriptor keeps it, so removing a directory can never reach into it.
"""

from __future__ import annotations

import os

from podpy import beneath, linux, pids
from podpy.errors import NoSuchContainerError, StateError
from podpy.libpod.containers.table import ALIVE, INITIALIZED
from podpy.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.table import ContainerRow
    from podpy.spec.container import Mount

    Maps = list[tuple[int, int, int]]

_TRIES = 5  # a container may end, or be restarted, while it is opened
_CLONE = linux.OPEN_TREE_CLONE | linux.OPEN_TREE_CLOEXEC | linux.AT_RECURSIVE
_NO_PROCESS = (FileNotFoundError, ProcessLookupError)


class View:
    """A context with a container's root file system: `root` is its descriptor, `path` a path to it.

    `mounts`: include the mounts in it. `wait`: wait for a stopped container's lock; if False, raise BusyError. In the
    block, `is_running` and the id maps (inside, outside, size) are known.
    """

    def __init__(self, container: Held, *, mounts: bool, wait: bool = True) -> None:
        self.container = container
        self.is_running = False
        self.root = -1
        self._mounts = mounts
        self._wait = wait
        self._locked = False

    @property
    def path(self) -> str:
        """A path to the root, for functions that open files beneath it (podpy.beneath)."""
        return beneath.magic_path(self.root)

    @property
    def uid_maps(self) -> Maps:
        """The map from uids inside to uids outside; empty: they are the same."""
        return [(line.container, line.host, line.size) for line in self.container.spec.uid_maps]

    @property
    def gid_maps(self) -> Maps:
        """The same for gids."""
        return [(line.container, line.host, line.size) for line in self.container.spec.gid_maps]

    def __enter__(self) -> Self:
        """Raises NoSuchContainerError, StateError, BusyError, StorageError."""
        for _ in range(_TRIES):
            row = self.container.refresh()
            if row.status not in (*ALIVE, INITIALIZED):
                if self._enter_stopped():
                    return self
            elif self._enter_running(row):
                return self
        raise StateError(f"container {self.container.name} keeps ending and starting", hint="Stop it, then try again")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.root >= 0:
            os.close(self.root)
            self.root = -1
        if self._locked:
            self._locked = False
            self.container.lock.release()
        if kind is None and self.is_running:
            self._refuse_removed()

    def _refuse_removed(self) -> None:
        """Raise NoSuchContainerError if the container was removed meanwhile: its files may be gone, too."""
        try:
            self.container.engine.table.get(self.container.id)
        except NoSuchContainerError:
            name = self.container.name
            raise NoSuchContainerError(f"container {name} was removed while its files were read") from None

    def _enter_running(self, row: ContainerRow) -> bool:
        pid, started = (row.pid, row.pid_start) if self._mounts else (row.conmon_pid, row.conmon_start)
        inner = "root" if self._mounts else self._rootfs_of_monitor()
        try:
            # The descriptor stands for exactly this process: after its end, nothing is found beneath it (proc(5)).
            process = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except _NO_PROCESS:
            return False
        try:
            if not pids.is_alive(pid, started):
                return False
            self.root = os.open(inner, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
        except _NO_PROCESS:
            return False
        finally:
            os.close(process)
        self.is_running = True
        return True

    def _rootfs_of_monitor(self) -> str:
        return f"root{self.container.engine.run_directory(self.container.id)}/rootfs"

    def _enter_stopped(self) -> bool:
        """Return whether the container is mounted now; False: it was started meanwhile."""
        container = self.container
        with container.locked(wait=self._wait) as row:
            if row.status in (*ALIVE, INITIALIZED):
                return False
            container.lock.acquire()  # a second time: held until the view's end
            self._locked = True
            try:
                self.root = self._mount()
            except BaseException:
                self._locked = False
                container.lock.release()
                raise
        return True

    def _mount(self) -> int:
        from podpy.rootless.mounts import Privately

        store, spec = self.container.engine.store, self.container.spec
        target = store.staging.new_path("root")
        operations = store.mount_operations(
            self.container.id,
            self.container.image,
            target,
            brief=True,
            rootfs=spec.rootfs,
            rootfs_overlay=spec.rootfs_overlay,
            uid_maps=self.uid_maps,
            gid_maps=self.gid_maps,
        )
        with Privately():
            try:
                Plan(*operations).run()
                if self._mounts:
                    self._attach_mounts(target)
                return _tree(target)
            finally:
                try:
                    linux.umount2(target, linux.MNT_DETACH)
                except OSError:
                    pass  # nothing was mounted

    def _attach_mounts(self, rootfs: str) -> None:
        """Mount the container's volumes and host directories at their targets beneath `rootfs`, as its start would."""
        from podpy.libpod.containers.starting.launch import context_of
        from podpy.libpod.containers.starting.root import LookUpUser
        from podpy.libpod.containers.starting.sources import GiveTree, Sources

        engine, spec = self.container.engine, self.container.spec
        directory = engine.store.staging.new_path("run")
        os.mkdir(directory, 0o700)
        there = [mount for mount in spec.mounts if mount.type != "bind" or os.path.exists(mount.source)]
        context = context_of(self.container).replace(
            directory=directory, rootfs=rootfs, spec=spec.replace(mounts=there)
        )
        user = LookUpUser(context)
        sources = Sources(context, engine, user)
        attached = _Attached(rootfs, context.host_ids(0, 0))
        try:
            Plan(user, *(one for one in sources.operations if not isinstance(one, GiveTree))).run()
            for mount in sorted(there, key=lambda mount: mount.target.count("/")):
                if mount.target in sources.paths:
                    attached.add(sources.paths[mount.target], mount)
            attached.make_read_only()
        finally:
            attached.close()
            sources.release()

    def owner(self) -> tuple[int, int]:
        """Return the container's user and primary group as ids in podpy's own user namespace.

        Raises CommandNotExecutableError for a user that isn't in the container's passwd.
        """
        from podpy.oci.root.users import lookup
        from podpy.spec.userns import outside

        spec = self.container.spec
        ids = lookup(self.path, spec.user)
        return outside(ids.uid, spec.uid_maps), outside(ids.gid, spec.gid_maps)


def _tree(target: str) -> int:
    """Return a descriptor of a copy of the mount tree at a path; the copy ends with the descriptor (open_tree(2))."""
    place = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return beneath.clone(place)
    finally:
        os.close(place)


class _Attached:
    """Mounts beneath a root; those in others' files by descriptors that follow no link, as at a start."""

    def __init__(self, rootfs: str, owner: tuple[int, int]) -> None:
        self._rootfs = rootfs
        self._owner = owner
        self._trees: dict[str, tuple[int, str]] = {}  # place → descriptor of the mount there, and its target
        self._read_only: list[int] = []  # the descriptors of those that are to be read-only

    def add(self, source: str, mount: Mount) -> None:
        """Mount a path of podpy's, or of the user's, at the mount's target, which is made if it's a missing directory.

        Raises UsageError for a target that leads over a link in another mount, OSError.
        """
        where = beneath.real_path(self._rootfs, mount.target, covered=self._trees)
        place = self._place(where, mount.target, directory=os.path.isdir(source))
        if place < 0:
            return  # a file that is mounted where there is none: only the start makes its place
        try:
            tree = linux.open_tree(linux.AT_FDCWD, source, _CLONE)
            self._trees[where] = (tree, mount.target)
            linux.move_mount(tree, "", place, "", linux.MOVE_MOUNT_F_EMPTY_PATH | linux.MOVE_MOUNT_T_EMPTY_PATH)
            if "ro" in mount.options:
                self._read_only.append(tree)
        finally:
            os.close(place)

    def _place(self, where: str, target: str, *, directory: bool) -> int:
        from podpy.libpod.containers.starting.nested import open_place
        from podpy.oci.root import inside

        tops = (top for top in self._trees if where.startswith(top.rstrip("/") + "/"))
        above = max(tops, key=len, default="")
        if above:
            tree, outer = self._trees[above]
            inner = where[len(above.rstrip("/")) + 1 :]
            return open_place(tree, inner, (outer, target), owner=self._owner, directory=directory)
        if directory:
            return inside.make_directories(self._rootfs, where)
        try:
            return beneath.open_in_root(self._rootfs, where, os.O_PATH)
        except FileNotFoundError:
            return -1

    def make_read_only(self) -> None:
        """Change those mounts whose options say `ro`, when all are there: places in such a one, too. Raises OSError."""
        from podpy.storage.mounts.tree import change

        for tree in self._read_only:
            change(tree, ["ro"])

    def close(self) -> None:
        """Close the descriptors; the mounts stay."""
        for tree, _target in self._trees.values():
            os.close(tree)
