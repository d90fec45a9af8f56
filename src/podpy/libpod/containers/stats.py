"""Resource usage of containers: CPU, memory, network, disk, processes.

The raw values are usage.py's. As in Podman, the CPU percentage is counted since the last sample, the first one since
the container's start (libpod, calculateCPUPercent); memory is memory.current without inactive_file.
"""

from __future__ import annotations

from time import time_ns

from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.held import Held
from podpy.libpod.containers.table import ALIVE, ContainerRow
from podpy.libpod.containers.usage import measure
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.usage import Traffic, Usage
    from podpy.libpod.engine import Engine


class Stats(Record):
    """One container's usage. Bytes, nanoseconds, percent (of one CPU; of the limit). None: unknown on this host."""

    id: str
    name: str
    running: bool = False
    time: int = 0  # of the sample
    cpu: float | None = 0.0  # percent, since the last sample
    average_cpu: float | None = 0.0  # percent, since the start
    cpu_time: int | None = 0
    system_time: int | None = 0  # the part spent in the kernel
    memory: int | None = 0
    memory_limit: int = 0  # without a limit, the machine's memory
    network: Traffic | None = {}
    block_input: int | None = 0
    block_output: int | None = 0
    pids: int | None = 0  # processes and threads

    @property
    def memory_percent(self) -> float | None:
        """The used share of the limit, in percent."""
        if self.memory is None:
            return None
        return self.memory / self.memory_limit * 100 if self.memory_limit else 0.0


class Sampler:
    """Takes samples of the running containers, of all, or of some by name."""

    def __init__(self, engine: Engine, names: Sequence[str] = (), *, every: bool = False) -> None:
        self._engine = engine
        self.names = [*names]
        self._every = every
        self._before: dict[str, Stats] = {}

    def sample(self) -> list[Stats]:
        """Return the present usage of each; a stopped container uses nothing. Raises NoSuchContainerError (by name)."""
        rows = self._rows()
        measured = measure([row for row in rows if row.status in ALIVE])
        found = [_with_percents(row, measured.get(row.id), self._before.get(row.id)) for row in rows]
        self._before = {stats.id: stats for stats in found}
        return found

    def _rows(self) -> list[ContainerRow]:
        from podpy.libpod.containers.rows import true_rows

        table = self._engine.table
        if not self.names:
            rows = true_rows(self._engine, table.summaries() if self._every else table.summaries(*ALIVE))
            return [row for row in rows if self._every or row.status in ALIVE]
        try:
            return [Held(self._engine, table.find(name)).refresh() for name in self.names]
        except NoSuchContainerError as error:
            name = next(name for name in self.names if f'"{name}"' in error.message)
            text = f"unable to get list of containers: unable to look up container {name}: {error.message}"
            raise NoSuchContainerError(text, hint=error.hint) from None


def _with_percents(row: ContainerRow, usage: Usage | None, before: Stats | None) -> Stats:
    if usage is None:
        return Stats(id=row.id, name=row.name)
    now = time_ns()
    cpu_time = usage["cpu_time"]
    since, used = row.started, 0
    if before is not None and before.running and cpu_time is not None and (before.cpu_time or 0) <= cpu_time:
        since, used = before.time, before.cpu_time or 0
    return Stats(
        id=row.id,
        name=row.name,
        running=True,
        time=now,
        cpu=_percent(cpu_time, used, now - since),
        average_cpu=_percent(cpu_time, 0, now - row.started),
        **usage,
    )


def _percent(cpu_time: int | None, before: int, span: int) -> float | None:
    if cpu_time is None:
        return None
    return max(0.0, (cpu_time - before) / span * 100) if span > 0 else 0.0
