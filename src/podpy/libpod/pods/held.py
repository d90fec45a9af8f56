"""HeldPod: libpod's internal form of a pod: its row, lock, containers and engine."""

from __future__ import annotations

from podpy.errors import NoSuchPodError
from podpy.libpod.containers.held import Held
from podpy.libpod.pods.states import state_of
from podpy.libpod.pods.table import PodTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine
    from podpy.libpod.locks import FileLock
    from podpy.libpod.pods.table import Member, PodRow
    from podpy.spec.pod import PodSpec


class HeldPod:
    """A pod. `row` is a snapshot."""

    def __init__(self, engine: Engine, row: PodRow) -> None:
        self.engine = engine
        self.row = row

    def __repr__(self) -> str:
        return f"<Pod {self.row.name} ({self.row.id[:12]})>"

    @property
    def id(self) -> str:
        """The id: 64 hexadecimal digits."""
        return self.row.id

    @property
    def name(self) -> str:
        """The name."""
        return self.row.name

    @property
    def spec(self) -> PodSpec:
        """The pod's spec."""
        return self.row.parsed()

    @property
    def table(self) -> PodTable:
        """The database's table of pods."""
        return PodTable(self.engine.database)

    def refresh(self) -> PodRow:
        """Read the row again and return it. Raises NoSuchPodError."""
        self.row = self.table.get(self.id)
        return self.row

    def held(self) -> list[Held]:
        """Return the containers, oldest first, the infra container before the others."""
        rows = self.engine.table.of_pod(self.id)
        found = [Held(self.engine, row) for row in rows]
        return sorted(found, key=lambda each: each.id != self.row.infra_id)

    def members(self) -> list[Member]:
        """Return the containers in the form of lists, with their true states; oldest first."""
        return true_members(self.engine, self.table.members(self.id))

    @property
    def status(self) -> str:
        """The state now: Created, Running, Degraded, Paused, Stopped, Exited …"""
        return state_of(self.members())

    def locked(self, meanwhile: Callable[[], object] | None = None) -> LockedPod:
        """Return a context that holds the pod's lock; entering raises NoSuchPodError.

        `meanwhile` is called first if another call has the lock.
        """
        return LockedPod(self, meanwhile)


class LockedPod:
    """A context that holds a pod's lock, which comes before its containers'."""

    def __init__(self, pod: HeldPod, meanwhile: Callable[[], object] | None) -> None:
        self._pod = pod
        self._meanwhile = meanwhile
        self._lock = pod.engine.lock(pod.id)

    def __enter__(self) -> FileLock:
        if not self._lock.acquire(wait=False):
            if self._meanwhile is not None:
                self._meanwhile()
            self._lock.acquire()
        try:
            self._pod.refresh()
        except NoSuchPodError:
            self._lock.remove()
            self._lock.release()
            raise
        return self._lock

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()


def true_members(engine: Engine, members: list[Member]) -> list[Member]:
    """Return containers of pods with their true states; removed ones are omitted."""
    from podpy.libpod.containers.rows import true_rows
    from podpy.libpod.containers.table import BUSY, INITIALIZED

    unsure = [each.id for each in members if each.status in (*BUSY, INITIALIZED)]
    if not unsure:
        return members
    true = {row.id: row for row in true_rows(engine, engine.table.summaries_of(unsure))}
    asked = set(unsure)
    return [
        _as(each, true[each.id]) if each.id in true else each
        for each in members
        if each.id in true or each.id not in asked
    ]


def _as(member: Member, row: ContainerRow) -> Member:
    return member.replace(status=row.status, started=row.started, finished=row.finished, exit_code=row.exit_code)
