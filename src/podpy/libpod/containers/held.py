"""Held: libpod's own form of a container: its row, lock and spec, and the engine that it belongs to."""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import NoSuchContainerError, StateError
from podpy.libpod.containers.ending.settle import settle
from podpy.libpod.containers.table import RUNNING, STOPPING, ContainerRow
from podpy.libpod.locks import Locked
from podpy.spec.container import ContainerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from podpy.libpod.engine import Engine
    from podpy.libpod.locks import FileLock
    from podpy.storage.images import ImageRecord

    T = TypeVar("T")


def find(engine: Engine, name_or_id: str) -> Held:
    """Return a container by name, id, or beginning of its id. Raises NoSuchContainerError, StateError."""
    return Held(engine, engine.table.find(name_or_id))


class Held:
    """A container. `row` is a snapshot; `refresh` updates it."""

    def __init__(
        self,
        engine: Engine,
        row: ContainerRow,
        *,
        lock: FileLock | None = None,
        image: ImageRecord | None = None,
    ) -> None:
        self.engine = engine
        self.row = row
        self.lock = lock or engine.lock(row.id)
        self._image = image
        self._parsed: tuple[str, ContainerSpec] | None = None

    def __repr__(self) -> str:
        row = self.row
        return f"<Container {row.name} ({row.id[:12]}) of {row.image_name or 'a directory'}: {row.status}>"

    @property
    def id(self) -> str:
        """The id: 64 hexadecimal digits."""
        return self.row.id

    @property
    def name(self) -> str:
        """The name."""
        return self.row.name

    @property
    def spec(self) -> ContainerSpec:
        """The container's spec, with the image's configuration merged in."""
        # Another process may update or rename the container, so the parsed spec is tied to the row's text.
        if self._parsed is None or self._parsed[0] != self.row.spec:
            self._parsed = self.row.spec, ContainerSpec.from_dict(fastjson.loads(self.row.spec))
        return self._parsed[1]

    @property
    def hostname(self) -> str:
        """The host name: of the container whose UTS namespace it joins, else the given one, else its short id."""
        how, _, owner = self.spec.uts.partition(":")
        if how == "container":
            try:
                return find(self.engine, owner).hostname
            except NoSuchContainerError:
                pass
        return self.spec.hostname or self.id[:12]

    @property
    def image(self) -> ImageRecord | None:
        """The image's record; None for `--rootfs`. Raises NoSuchImageError if it was removed by force."""
        if self._image is None and self.row.image_id:
            self._image = self.engine.store.find_image(self.row.image_id)
        return self._image

    @property
    def status(self) -> str:
        """The true state now: created, running, paused, exited …"""
        return self.refresh().status

    def refresh(self, *, locked: bool = False) -> ContainerRow:
        """Read the row again, settle it, and return it. Raises NoSuchContainerError if the container is gone.

        `locked`: the caller holds the lock.
        """
        self.row = settle(self.engine, self.engine.table.get(self.id), locked=locked)
        return self.row

    def look_again(self) -> None:
        """Refresh the row after the container's end, which may have removed it, as another call may."""
        try:
            self.refresh()
        except NoSuchContainerError:
            pass

    def locked(self, *, wait: bool = True) -> Locked:
        """Return a context that holds the lock and gives the settled row. Entering raises NoSuchContainerError.

        With wait=False, entering raises BusyError if another call has the lock.
        """
        return Locked(self.lock, lambda: self.refresh(locked=True), wait=wait)

    def _privileged(self, work: Callable[[], T]) -> T:
        """Do `work` inside the user's namespaces and return its result.

        The row is updated here too, even if a forked helper has changed it.
        """

        def and_tell() -> tuple[T, ContainerRow]:
            return work(), self.row

        result, self.row = self.engine.privileged(and_tell)
        return result

    def require_running(self, refusal: str) -> ContainerRow:
        """Return the settled row of a running container. Raises StateError with the text `refusal`."""
        row = self.refresh()
        if row.status not in (RUNNING, STOPPING):
            raise StateError(refusal, hint=f"Start it with: podpy start {self.name}")
        return row
