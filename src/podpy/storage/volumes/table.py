"""The volumes of one store: their rows, and their directories.

    graphroot/volumes/NAME/_data     the files; the directory may be elsewhere: place.py
    graphroot/volumes/.renaming      a link "OLD/NEW" while a volume is being renamed
    `volumes` in podpy.sqlite        name, driver, labels, options, owner, whether anonymous, what its first use did

Made, renamed and removed: row and directory in one transaction. A kill before its end leaves an empty directory without
a row, or a row without a directory, which `ensure` makes again; or the link, by which the next call finishes. `check`
names a directory without a row; the next `create` of that name takes it over, as it is.
"""

from __future__ import annotations

import os
import time

from podpy import fastjson, files, numbers, pids
from podpy.errors import AmbiguousNameError, InUseError, NoSuchVolumeError, StorageError, UsageError
from podpy.storage.volumes import place
from podpy.storage.volumes.driver import LOCAL
from podpy.storage.volumes.first_use import COPIED, NEW, OWNED
from podpy.storage.volumes.volume import Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from podpy.config.paths import Paths
    from podpy.storage.database.database import Database
    from podpy.storage.staging import Staging
    from podpy.storage.volumes.first_use import FirstUse

_COLUMNS = "name, anonymous, created, labels, options, copied_up, driver, uid, gid"
_NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_NAME_CHARACTERS = _NAME_START | frozenset("_.-")
_LONGEST_NAME = 255  # NAME_MAX
_RENAMING = ".renaming"


class VolumeTable:
    """The user's volumes."""

    def __init__(self, paths: Paths, database: Database) -> None:
        self._database = database
        self._graphroot = os.fspath(paths.graphroot)
        self._root = place.directory(self._graphroot)

    @property
    def directory(self) -> str:
        """The directory of the volumes' directories."""
        return self._root

    # Looking

    def all(self) -> list[Volume]:
        """Return every volume, oldest first."""
        self._finish_rename()
        query = f"SELECT {_COLUMNS} FROM volumes ORDER BY created, name"
        return [self._volume(row) for row in self._database.query(query)]

    def find(self, name: str) -> Volume:
        """Return the volume with this name, or the only one whose name begins so. Raises NoSuchVolumeError,
        AmbiguousNameError.
        """
        self._finish_rename()
        rows = self._rows(name)
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

    def exists(self, name: str) -> bool:
        """Return whether there is a volume with exactly this name."""
        self._finish_rename()
        return bool(self._rows(name))

    def mountpoint(self, name: str) -> str:
        """Return the directory of the volume with exactly this name, whether there is one or not."""
        return os.path.join(self._root, name, "_data")

    # Coming and going

    def ensure(self, name: str, *, anonymous: bool = False, options: Mapping[str, str] | None = None) -> Volume:
        """Return the volume with exactly this name, made (with `options`) if there is none. Raises as create."""
        self._finish_rename()
        while not (rows := self._rows(name)):
            try:
                return self.create(name, anonymous=anonymous, options=options)
            except InUseError:
                continue  # another call has just made it
        self._make_directory(name)  # its removal was killed before it was committed
        return self._volume(rows[0])

    def create(
        self,
        name: str,
        *,
        anonymous: bool = False,
        labels: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
        owner: tuple[int | None, int | None] = (None, None),
        driver: str = LOCAL,
        files: str = "",
        part_of: str = "",
    ) -> Volume:
        """Make a volume; `options` as `driver.read` takes them, `owner`: its uid and gid, if they are to be fixed;
        `part_of`: the call's work that it belongs to (storage.database.unfinished).

        `files`: a directory in a staging area of `new_staging` that becomes the volume's; another `driver` than local
        has given it its files, and its options are only shown. With an owner, also one of the options, this process
        must be in the user's namespaces. Raises InUseError if the name is taken, UsageError for a name or options that
        can't be, NotSupportedError (quotas), StorageError, OSError.
        """
        check_name(name)
        shown, (uid, gid) = _read_options(options or {}, owner) if driver == LOCAL else ({**(options or {})}, owner)
        _check_ids(uid, gid)
        from podpy.storage.database.events import tell
        from podpy.storage.database.unfinished import VOLUME, note

        labels = labels or {}
        given = uid is not None or gid is not None
        state = COPIED if files else OWNED if given else NEW
        row = (
            name, int(anonymous), time.time_ns(), fastjson.dumps({**labels}), fastjson.dumps(shown), state, driver,
            uid or 0, gid or 0,
        )  # fmt: skip
        with self._database.transaction():
            if self._rows(name):
                raise InUseError(
                    f"volume with name {name} already exists: volume already exists",
                    hint="With --ignore that is no error",
                )
            self._database.execute(f"INSERT INTO volumes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            tell(self._database, "volume", "create", name, name, {**labels})
            note(self._database, part_of, VOLUME, name)
            # Within the transaction: when it is committed the directory is there, and if it isn't, an empty one is
            # left.
            self._make_directory(name)
            if files:
                self._put(files, name)
            if given:
                self._give(name, uid or 0, gid or 0)
        return self._volume(row)

    def remove(self, name: str, *, pruned: bool = False) -> str:
        """Remove a volume and its files, and return its whole name; `pruned`: the event says so, too.

        What is mounted at its directory is unmounted. Raises NoSuchVolumeError; InUseError if a container uses it.
        """
        from podpy.storage import crash_point
        from podpy.storage.database.events import tell

        self._database.make_room()
        staging, aside = place.new_staging(self._graphroot), ""
        volume = Volume(name=name, mountpoint="")
        path = ""
        try:
            with self._database.transaction():  # a container that is being created uses it before or after, not between
                volume = self.find(name)
                path = os.path.join(self._root, volume.name)
                self._refuse_used(volume.name)
                if volume.needs_mount:
                    from podpy.storage.volumes import mounting

                    mounting.detach(volume)  # else its files would be removed
                self._database.execute("DELETE FROM volumes WHERE name = ?", (volume.name,))
                for action in ("remove", "prune") if pruned else ("remove",):
                    tell(self._database, "volume", action, volume.name, volume.name, volume.labels)
                # Before the commit: files that outlived their row would be the next volume's of that name.
                aside = staging.set_aside(path)
                crash_point("volume:aside")
        except BaseException:
            if aside and self._is_there(volume):
                os.rename(aside, path)
            raise
        finally:
            staging.close()
        return volume.name

    def _is_there(self, volume: Volume) -> bool:
        """Return whether a volume still has its row: what comes after a commit (Ctrl-C) may be told like its failure.

        If that can't be known it has: files without a row are better than a row without files.
        """
        try:
            query = "SELECT 1 FROM volumes WHERE name = ? AND created = ?"
            return bool(self._database.query(query, (volume.name, volume.created)))
        except StorageError:
            return True

    def rename(self, name: str, new: str) -> None:
        """Give a volume that no container uses another name; it isn't anonymous any more.

        This process must be in the user's namespaces. Raises NoSuchVolumeError; InUseError if a container uses it, it
        is mounted, or the name is taken; UsageError.
        """
        from podpy.storage import crash_point
        from podpy.storage.database.events import tell

        check_name(new)
        with self._database.transaction(durable=True):
            volume = self.find(name)
            if self._rows(new):
                raise InUseError(f"volume with name {new} already exists: volume already exists")
            self._refuse_used(volume.name)
            if volume.needs_mount:
                from podpy.storage.volumes import mounting

                if mounting.is_mounted(volume):
                    raise InUseError(
                        f"volume {volume.name} is mounted: volume is being used",
                        hint=f"podpy volume unmount {volume.name}",
                    )
            self._make_directory(volume.name)
            self._database.execute("UPDATE volumes SET name = ?, anonymous = 0 WHERE name = ?", (new, volume.name))
            tell(self._database, "volume", "rename", new, new, volume.labels)
            # The link first: by it the next call sees how far a killed one has come.
            os.symlink(f"{volume.name}/{new}", os.path.join(self._root, _RENAMING))
            try:
                os.rename(os.path.join(self._root, volume.name), os.path.join(self._root, new))
            except OSError:
                os.unlink(os.path.join(self._root, _RENAMING))
                raise
            files.fsync_directory(self._root)
            crash_point("volume:renamed")
        self._finish_rename()

    def _finish_rename(self) -> None:
        """Finish what a killed rename has left, if it has: cheap if it hasn't."""
        link = os.path.join(self._root, _RENAMING)
        try:
            os.readlink(link)
        except OSError:
            return
        with self._database.transaction():  # of a call that is at it, this sees the end
            try:
                old, _, new = os.readlink(link).partition("/")
            except FileNotFoundError:
                return
            places = [os.path.join(self._root, name) for name in (old, new)]
            if not self._rows(new) and not os.path.lexists(places[0]):
                os.rename(places[1], places[0])
                files.fsync_directory(self._root)
            os.unlink(link)

    def _refuse_used(self, name: str) -> None:
        users = self.users(name)
        if users:
            raise InUseError(
                f"volume {name} is being used by the following container(s): {', '.join(users)}: volume is being used",
                hint=f"Remove them first: podpy rm {' '.join(user[:12] for user in users)}",
            )

    def _make_directory(self, name: str) -> None:
        place.require(self._graphroot)
        os.makedirs(os.path.join(self._root, name, "_data"), mode=0o755, exist_ok=True)

    def _put(self, files: str, name: str) -> None:
        try:
            os.rename(files, self.mountpoint(name))
        except OSError as error:
            raise StorageError(
                f"{self.mountpoint(name)}: {(error.strerror or '').lower()}",
                hint="No volume has these files (podpy system check): move them away",
            ) from None

    def _remove_empty_directory(self, name: str) -> None:
        try:
            os.rmdir(self.mountpoint(name))
            os.rmdir(os.path.join(self._root, name))
        except OSError:
            pass  # it was there before, with files in it: it stays as it is

    def _give(self, name: str, uid: int, gid: int) -> None:
        directory = os.open(self.mountpoint(name), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(directory, uid, gid)
        except OSError as error:
            self._remove_empty_directory(name)
            raise UsageError(
                f"chowning volume directory {self.mountpoint(name)!r} to {uid}:{gid}: {error.strerror}",
                hint="The ids must be among yours: podpy unshare cat /proc/self/uid_map",
            ) from error
        finally:
            os.close(directory)

    # Users

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

    def monitors(self, name: str) -> list[int]:
        """Return the pids of the monitors of the volume's containers: in their mount namespaces it is mounted."""
        query = """SELECT conmon_pid, conmon_start FROM containers JOIN container_volumes ON id = container_id
            WHERE volume = ? AND conmon_pid > 0"""
        return [pid for pid, started in self._database.query(query, (name,)) if pids.is_alive(pid, started)]

    def new_staging(self) -> Staging:
        """Return a staging directory, not yet made, from which files can be renamed into volumes. Close it."""
        return place.new_staging(self._graphroot)

    def receive(self, volume: Volume, archive: Iterable[bytes] | int) -> None:
        """Unpack a tar into a volume, which is mounted if it must be: see `incoming.receive`."""
        from podpy.storage.volumes import incoming

        incoming.receive(volume, self._graphroot, archive)

    def prepare(self, volume: Volume, use: FirstUse, *, fresh: bool = False) -> None:
        """Make an empty volume ready for a container: see `first_use`. Once in its life the image fills it.

        `fresh`: something without files was mounted there just now; it is filled whatever became of it before. Raises
        OSError.
        """
        if not volume.needs_mount:
            self.finish_import(volume)
        if volume.copied_up and not fresh:
            return
        from podpy.storage.volumes import first_use

        fixed = (volume.uid, volume.gid) if volume.owned and (volume.uid or volume.gid) else None
        before = OWNED if volume.owned and (fixed or not fresh) else NEW
        staged_in = "" if fresh else self._graphroot
        state = first_use.fill(volume.mountpoint, use, before, staged_in=staged_in, fixed=fixed)
        if not fresh and state != NEW and not (state == OWNED and volume.owned):
            self._database.execute("UPDATE volumes SET copied_up = ? WHERE name = ?", (state, volume.name))

    def finish_import(self, volume: Volume) -> None:
        """Finish an import that was killed after its commit, if one was: cheap if none was."""
        home = os.path.dirname(volume.mountpoint)
        if len(os.listdir(home)) > 1:
            from podpy.storage.volumes import incoming

            incoming.finish(home)

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        return self._database.query(f"SELECT {_COLUMNS} FROM volumes WHERE name = ?", (name,))

    def _volume(self, row: tuple[Any, ...]) -> Volume:
        name, anonymous, created, labels, options, copied_up, kind, uid, gid = row
        return Volume(
            name=name,
            mountpoint=self.mountpoint(name),
            driver=kind,
            anonymous=bool(anonymous),
            created=created,
            labels=fastjson.loads(labels),
            options=fastjson.loads(options),
            uid=uid,
            gid=gid,
            copied_up=copied_up == COPIED,
            owned=copied_up != NEW,
        )


def check_name(name: str) -> None:
    """Raise UsageError if a volume can't be called so."""
    if not name or name[0] not in _NAME_START or not _NAME_CHARACTERS.issuperset(name):
        raise UsageError(
            "running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument",
            hint=f"{name!r} doesn't",
        )
    if len(name) > _LONGEST_NAME:
        raise UsageError(f"a volume's name has at most {_LONGEST_NAME} characters: file name too long")


def _check_ids(*ids: int | None) -> None:
    for number in ids:
        if number is not None and not 0 <= number <= numbers.LARGEST_ID:
            raise UsageError(f"{number} is no user or group id", hint=f"It is a number from 0 to {numbers.LARGEST_ID}")


def _read_options(
    options: Mapping[str, str], owner: tuple[int | None, int | None]
) -> tuple[dict[str, str], tuple[int | None, int | None]]:
    """Return the options as a row keeps them, and the owner that they or the caller name."""
    if not options:
        return {}, owner
    from podpy.storage.volumes import driver

    read = driver.read(options)
    device = read.shown.get("device", "")
    if read.shown.get("type", "").lower() == "bind" and not os.path.exists(device):
        raise UsageError(
            f"invalid volume option device for driver 'local': faccessat {device}: no such file or directory",
            hint=f"Make it first: mkdir -p {device}",
        )
    uid, gid = owner
    return read.shown, (read.uid if uid is None else uid, read.gid if gid is None else gid)
