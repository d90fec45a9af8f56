"""Volumes: directories that outlive their containers.

    graphroot/volumes/NAME/_data     the files
    `volumes` in podpy.sqlite        name, whether anonymous, labels, options, whether an image's files were copied in

Made and removed: row and directory in one transaction. A kill before its end leaves an empty directory without a row,
or a row without a directory, which `ensure` makes again. `check` names a directory without a row; the next `create` of
that name takes it over, as it is.
"""

from __future__ import annotations

import os
import time

from podpy import fastjson
from podpy.errors import AmbiguousNameError, InUseError, NoSuchVolumeError, StorageError
from podpy.record import Record
from podpy.storage.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.config.paths import Paths
    from podpy.storage.database.database import Database

_COLUMNS = "name, anonymous, created, labels, options, copied_up"
# The column copied_up: an owner that the next container may change; one that stays; and the image's files were copied.
_NEW, _COPIED, _OWNED = 0, 1, 2
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


class Volume(Record):
    """One volume. `created` is nanoseconds since 1970; `mountpoint` the directory with its files."""

    name: str
    mountpoint: str
    anonymous: bool = False
    created: int = 0
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    copied_up: bool = False  # an image's files were copied in: it isn't changed any more
    owned: bool = False  # its owner stays


class Volumes:
    """The user's volumes."""

    def __init__(self, paths: Paths, database: Database) -> None:
        self._database = database
        self._graphroot = os.fspath(paths.graphroot)
        self._root = os.path.join(self._graphroot, "volumes")

    def all(self) -> list[Volume]:
        """Return every volume, by name."""
        return [self._volume(row) for row in self._database.query(f"SELECT {_COLUMNS} FROM volumes ORDER BY name")]

    def find(self, name: str) -> Volume:
        """Return the volume with this name, or the only one whose name begins so. Raises NotFoundError."""
        rows = self._database.query(f"SELECT {_COLUMNS} FROM volumes WHERE name = ?", (name,))
        if not rows and name:
            last = name + chr(0x10FFFF)
            query = f"SELECT {_COLUMNS} FROM volumes WHERE name >= ? AND name < ? LIMIT 2"
            rows = self._database.query(query, (name, last))
        if len(rows) > 1:
            raise AmbiguousNameError(
                f"more than one result for volume name {name}: volume already exists", hint="Give the whole name"
            )
        if not rows:
            raise NoSuchVolumeError(f'no volume with name "{name}" found: no such volume', hint="See podpy volume ls")
        return self._volume(rows[0])

    def ensure(self, name: str, *, anonymous: bool = False) -> Volume:
        """Return the volume with exactly this name, made if there is none. Raises StorageError."""
        rows = self._database.query(f"SELECT {_COLUMNS} FROM volumes WHERE name = ?", (name,))
        if not rows:
            return self.create(name, anonymous=anonymous)
        self._make_directory(name)  # its removal was killed before it was committed
        return self._volume(rows[0])

    def create(
        self,
        name: str,
        *,
        anonymous: bool = False,
        labels: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
    ) -> Volume:
        """Make a volume. Raises InUseError if the name is taken, StorageError if it can't be one."""
        if not name or name[0] in ".-" or len(name) > 255 or not _NAME_CHARACTERS.issuperset(name):
            raise StorageError(f"{name!r} can't be a volume's name", hint="Use letters, digits, _, . and -")
        from podpy.storage.database.events import tell

        row = (name, int(anonymous), time.time_ns(), fastjson.dumps(labels or {}), fastjson.dumps(options or {}), 0)
        with self._database.transaction():
            self._database.execute(f"INSERT INTO volumes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)
            tell(self._database, "volume", "create", name, name, labels or {})
            # Within the transaction: when it is committed the directory is there, and if it isn't, an empty one is
            # left.
            self._make_directory(name)
        return self._volume(row)

    def remove(self, name: str, *, force: bool = False) -> None:
        """Remove a volume and its files. Raises NotFoundError; InUseError if a container uses it, unless `force`."""
        from podpy.storage import crash_point
        from podpy.storage.database.events import tell

        self._database.make_room()
        staging, aside = Staging(self._graphroot), ""
        try:
            with self._database.transaction():  # a container that is being created uses it before or after, not between
                volume = self.find(name)
                users = self.users(volume.name)
                if users and not force:
                    ids = ", ".join(user[:12] for user in users)
                    raise InUseError(
                        f"volume {volume.name} is being used by container {ids}", hint="Remove it first, or use --force"
                    )
                self._database.execute("DELETE FROM volumes WHERE name = ?", (volume.name,))
                tell(self._database, "volume", "remove", volume.name, volume.name, volume.labels)
                # Before the commit: files that outlived their row would be the next volume's of that name.
                aside = staging.set_aside(os.path.join(self._root, volume.name))
                crash_point("volume:aside")
        except BaseException:
            if aside:
                os.rename(aside, os.path.join(self._root, volume.name))
            raise
        finally:
            staging.close()

    def _make_directory(self, name: str) -> None:
        os.makedirs(os.path.join(self._root, name, "_data"), mode=0o755, exist_ok=True)

    def users(self, name: str) -> list[str]:
        """Return the ids of the containers that use a volume."""
        query = "SELECT container_id FROM container_volumes WHERE volume = ? ORDER BY container_id"
        return [container_id for (container_id,) in self._database.query(query, (name,))]

    def uses(self) -> list[tuple[str, str]]:
        """Return a pair for each use: the container's id and the volume's name."""
        return [(c, v) for c, v in self._database.query("SELECT container_id, volume FROM container_volumes")]

    def anonymous_of(self, container_id: str) -> list[str]:
        """Return the names of the anonymous volumes that a container uses."""
        query = "SELECT name FROM container_volumes JOIN volumes ON name = volume WHERE container_id = ? AND anonymous"
        return [name for (name,) in self._database.query(query, (container_id,))]

    def use(self, container_id: str, name: str) -> None:
        """Note that a container uses a volume, as long as the container has a row."""
        self._database.execute("INSERT OR IGNORE INTO container_volumes VALUES (?, ?)", (container_id, name))

    def mountpoint(self, name: str) -> str:
        """Return the directory of the volume with exactly this name, whether there is one or not."""
        return os.path.join(self._root, name, "_data")

    def prepare(
        self,
        volume: Volume,
        rootfs: str,
        target: str,
        owner: tuple[int, int],
        *,
        copy: bool = True,
        as_image: bool = True,
    ) -> None:
        """Make an empty volume ready for a container that has it at `target`: Podman's rules (podman-run(1), --volume).

        Once in its life it gets what the image has there, owner and mode too (not with copy=False). Where the image has
        nothing to copy, its owner is that of the image's directory, or `owner`, (uid, gid), if there is none; the next
        container may change that as long as it is empty, unless the image's directory is root's. With as_image=False
        it is always `owner`. Links in `target` are followed within the mounted `rootfs` only. Raises OSError.
        """
        if volume.copied_up:
            return
        directory = os.open(volume.mountpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        source = -1
        try:
            if os.listdir(directory):
                state = _OWNED
            else:
                source = _open_inside(rootfs, target)
                state = self._prepare_empty(source, directory, owner, volume, copy=copy, as_image=as_image)
        finally:
            os.close(directory)
            if source >= 0:
                os.close(source)
        if state != _NEW and not (state == _OWNED and volume.owned):
            self._database.execute("UPDATE volumes SET copied_up = ? WHERE name = ?", (state, volume.name))

    def _prepare_empty(
        self, source: int, directory: int, owner: tuple[int, int], volume: Volume, *, copy: bool, as_image: bool
    ) -> int:
        """Return the volume's new state; `source` is the image's directory, or -1."""
        if source >= 0 and copy and os.listdir(source):
            self._fill(source, directory)
            return _COPIED
        if volume.owned:
            return _OWNED
        if source < 0 or not as_image:
            os.fchown(directory, *owner)
            return _NEW
        status = os.fstat(source)
        os.fchown(directory, status.st_uid, status.st_gid)
        os.fchmod(directory, status.st_mode & 0o7777)
        os.utime(directory, ns=(status.st_atime_ns, status.st_mtime_ns))
        return _OWNED if status.st_uid == status.st_gid == 0 else _NEW

    def _fill(self, source: int, target: int) -> None:
        # Copied aside and synced, then renamed: a volume that isn't empty is never filled again, so one that a kill or
        # a power cut left half full would stay that. The directory itself stays: a container may have it mounted.
        from podpy.beneath import magic_path
        from podpy.storage import crash_point
        from podpy.storage.layers import copying, filesystem

        staging = Staging(self._graphroot)
        try:
            aside = staging.new_path("volume")
            os.mkdir(aside, 0o700)
            copying.copy_tree(magic_path(source), aside)
            filesystem.sync_filesystem(self._graphroot)
            crash_point("volume:copied")
            for name in os.listdir(aside):
                os.rename(os.path.join(aside, name), name, dst_dir_fd=target)
            copying.copy_tree(aside, magic_path(target))  # there is nothing in it: the owner, mode, attributes
            times = os.fstat(source)
            os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
        finally:
            staging.close()

    def _volume(self, row: tuple[Any, ...]) -> Volume:
        name, anonymous, created, labels, options, copied_up = row
        return Volume(
            name=name,
            mountpoint=self.mountpoint(name),
            anonymous=bool(anonymous),
            created=created,
            labels=fastjson.loads(labels),
            options=fastjson.loads(options),
            copied_up=copied_up == _COPIED,
            owned=copied_up != _NEW,
        )


def _open_inside(rootfs: str, target: str) -> int:
    from podpy import beneath

    try:
        return beneath.open_in_root(rootfs, target, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return -1
