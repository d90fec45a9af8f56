"""Volumes: the methods that the command line, the library and the API call.

with Runtime() as runtime:
    volume = runtime.volumes.create("data", labels={"app": "shop"})
    print(volume.mountpoint)
    for volume in runtime.volumes.list(["label=app=shop"]):
        runtime.volumes.remove(volume.name)
"""

from __future__ import annotations

from podpy.errors import (
    InUseError,
    NoSuchContainerError,
    NoSuchVolumeError,
    NotSupportedError,
    PodpyError,
    StorageError,
)
from podpy.libpod.containers import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.libpod.system.prune import Pruned
    from podpy.storage.layers.pack import Packed
    from podpy.storage.volumes.volume import Volume

    Found = list[Volume]
    Facts = list[dict[str, Any]]
    Outcome = tuple[str, PodpyError | None]

_LOCAL = ("", "local")
_IMAGE = "image"


class Volumes:
    """The volumes of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Look-ups

    def get(self, name: str) -> Volume:
        """Return a volume by its name, or the beginning of it. Raises NoSuchVolumeError, AmbiguousNameError."""
        return self._engine.volume_table.find(name)

    def exists(self, name: str) -> bool:
        """Return whether there is a volume with exactly this name."""
        return self._engine.volume_table.exists(name)

    def list(self, filters: Sequence[str] = ()) -> Found:
        """Return the volumes that match every filter (podman-volume-ls(1)), oldest first.

        Raises UsageError, NoSuchVolumeError (after, since).
        """
        from podpy.libpod.filters import volumes

        return volumes.matching(self._engine, [*filters])

    def inspect(self, name: str) -> dict[str, Any]:
        """Return everything about a volume, with Podman's fields in their order. Raises as get."""
        from podpy.libpod.volumes.inspect import inspect

        try:
            return inspect(self._engine, self.get(name))
        except NoSuchVolumeError as error:
            raise NoSuchVolumeError(f"no such volume {name}", hint=error.hint) from None

    def facts(self, volumes: Sequence[Volume]) -> Facts:
        """Return the data of `inspect` for each of these volumes."""
        from podpy.libpod.volumes.inspect import inspect

        return [inspect(self._engine, volume) for volume in volumes]

    # Creating

    def create(
        self,
        name: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
        driver: str = "local",
        uid: int | None = None,
        gid: int | None = None,
        ignore: bool = False,
        part_of: str = "",
    ) -> Volume:
        """Create a volume and return it; without a name it gets 64 random hex digits.

        `options` are the driver's (podman-volume-create(1), --opt). `uid` and `gid`: its owner, as ids in podpy's user
        namespace. `ignore`: return an existing volume of this name unchanged. The driver `image` has one option,
        `image`. `part_of`: the id of an Unfinished, which a new volume belongs to. Raises InUseError for a taken name,
        UsageError, NotSupportedError (another driver, quotas), NoSuchImageError, StorageError.
        """
        name = name or names.new_id()
        if driver not in (*_LOCAL, _IMAGE):
            raise _unknown_driver(name, driver)
        table = self._engine.volume_table
        if ignore and table.exists(name):
            return table.find(name)

        def make() -> Volume:
            if driver == _IMAGE:
                from podpy.libpod.volumes import of_images

                return of_images.create(
                    self._engine, name, labels=labels, options=options or {}, owner=(uid, gid), part_of=part_of
                )
            table = self._engine.volume_table  # a library's helper has its own
            return table.create(name, labels=labels, options=options, owner=(uid, gid), part_of=part_of)

        needs_ids = uid is not None or gid is not None or "o" in (options or {}) or driver == _IMAGE
        try:
            return self._engine.privileged(make) if needs_ids else make()
        except InUseError:
            if not ignore:
                raise
            return self.get(name)  # another call has just created it

    def create_for(
        self,
        container_id: str,
        files: Iterable[tuple[str, bytes, int]] = (),
        *,
        options: Mapping[str, str] | None = None,
        group: int = 0,
        mode: int = 0o755,
    ) -> str:
        """Create a volume that belongs to a container, and goes with it, and return its name.

        `files`: relative path, data and mode of each file in it. `options` are the driver's (a tmpfs). It belongs to
        the container's root and `group`, with `mode`. Raises UsageError, StorageError.
        """
        from podpy.libpod.volumes.of_pods import create_for

        engine, given = self._engine, dict(options or {})
        return engine.privileged(lambda: create_for(engine, container_id, files, options=given, group=group, mode=mode))

    def make_directories(self, container_id: str, name: str, paths: Sequence[str], *, group: int = 0) -> None:
        """Make missing directories in a volume; they belong to a container's root and `group`. No link is followed.

        Raises NoSuchVolumeError, NoSuchContainerError.
        """
        from podpy.libpod.volumes.of_pods import make_directories

        self._engine.privileged(lambda: make_directories(self._engine, container_id, name, paths, group))

    # Changing

    def rename(self, name: str, new: str) -> None:
        """Rename a volume that no container uses: podman-volume-rename(1).

        Raises NoSuchVolumeError, InUseError, UsageError.
        """
        self._engine.privileged(lambda: self._engine.volume_table.rename(name, new))

    def mount(self, name: str) -> str:
        """Mount a volume, if it has options, in the user's mount namespace (of `podpy unshare`), and return the path.

        Raises NoSuchVolumeError, StorageError.
        """
        return self._engine.privileged(lambda: self._mount(name))

    def _mount(self, name: str) -> str:
        from podpy.storage.database.events import tell
        from podpy.storage.volumes import mounting

        volume = self.get(name)
        if volume.needs_mount:
            with self._engine.database.transaction():  # keeps a removal or another mount out
                volume = self.get(volume.name)
                if not mounting.is_mounted(volume):
                    try:
                        mounting.mount(volume)
                    except StorageError as error:
                        told = f"mounting volume {volume.name}: {error.message}"
                        raise StorageError(told, hint=error.hint) from error
                    tell(self._engine.database, "volume", "mount", volume.name, volume.name, volume.labels)
        return volume.mountpoint

    def unmount(self, name: str) -> str:
        """Undo `mount`, and return the volume's name; an unmounted volume is no error. Raises NoSuchVolumeError."""
        return self._engine.privileged(lambda: self._unmount(name))

    def _unmount(self, name: str) -> str:
        from podpy.storage.database.events import tell
        from podpy.storage.volumes import mounting

        volume = self.get(name)
        if volume.needs_mount:
            with self._engine.database.transaction():
                if mounting.detach(volume):
                    tell(self._engine.database, "volume", "unmount", volume.name, volume.name, volume.labels)
        return volume.name

    # Contents

    def export(self, name: str, output: str | int) -> Packed:
        """Write a tar of a volume's files to a descriptor, or to a file that appears when it is complete; return its
        statistics.

        Raises NoSuchVolumeError, StorageError, ImageError (the file), BrokenPipeError.
        """
        from podpy.libpod.volumes import transfer

        return self._engine.privileged(lambda: transfer.export(self._engine, self.get(name), output))

    def import_(self, name: str, source: str | int) -> None:
        """Unpack a tar (compressed or not) from a file or a descriptor into a volume, completely or not at all.

        Existing files of the same names are replaced, others stay. Raises NoSuchVolumeError, UsageError (the file),
        BrokenTarError, ImageError (broken compression), StorageError, StateError (a tmpfs that no container has).
        """
        from podpy.libpod.volumes import transfer

        self.get(name)
        with transfer.opened(self._engine, source) as descriptor:
            self._engine.privileged(lambda: transfer.import_tar(self._engine, self.get(name), descriptor))

    # Removing

    def remove(self, name: str, *, force: bool = False, timeout: int | None = None) -> str:
        """Remove a volume with its files, and return its whole name.

        `force`: first stop (within `timeout` seconds; None: the containers' own) and remove the containers that use it.
        Raises NoSuchVolumeError; without `force` InUseError if a container uses it.
        """
        return self._engine.privileged(lambda: self._remove(name, force, timeout))

    def _remove(self, name: str, force: bool, timeout: int | None) -> str:
        table = self._engine.volume_table
        if not force:
            return table.remove(name)
        whole = table.find(name).name
        for user in table.users(whole):
            self._remove_user(user, timeout)
        return table.remove(whole) if table.exists(whole) else whole  # an anonymous one is removed with its container

    def _remove_user(self, container_id: str, timeout: int | None) -> None:
        from podpy.libpod.containers.held import find
        from podpy.libpod.pods.users import remove_user

        try:
            remove_user(find(self._engine, container_id), timeout=timeout, depend=True)
        except NoSuchContainerError:
            pass

    def remove_several(
        self, volumes: Sequence[str] = (), *, every: bool = False, force: bool = False, timeout: int | None = None
    ) -> Iterator[Outcome]:
        """Remove volumes (`every`: all), each as `remove` does; yield each name with its error or None."""
        for name in [volume.name for volume in self.list()] if every else volumes:
            try:
                yield self.remove(name, force=force, timeout=timeout), None
            except PodpyError as error:
                yield name, error

    def prune(self, filters: Sequence[str] = (), *, every: bool = False, dry_run: bool = False) -> Pruned:
        """Remove the anonymous volumes (`every`: all volumes) that no container uses and that match every filter.

        `dry_run`: remove nothing. Raises UsageError.
        """
        from podpy.libpod.system import prune

        chosen = self.prunable(filters, every=every)
        return prune.volumes(self._engine, [volume.name for volume in chosen], dry_run=dry_run)

    def prunable(self, filters: Sequence[str] = (), *, every: bool = False) -> Found:
        """Return the volumes that `prune` would remove. Raises UsageError."""
        from podpy.libpod.filters import volumes

        return volumes.unused(self._engine, [*filters], every=every)


def _unknown_driver(name: str, driver: str) -> PodpyError:
    return NotSupportedError(
        f"volume {name} uses volume plugin {driver} but it could not be retrieved: no volume plugin with name {driver} "
        "available: required plugin missing",
        hint='podpy has no volume plugins: the drivers are "local" and "image"',
    )
