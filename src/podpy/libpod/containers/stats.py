"""Resource usage of containers: CPU, memory, network, disk, processes.

Each value is read from the container's own cgroup (v2), if it has one with that controller. Else it is summed over the
processes of its pid namespace in /proc: memory is then their proportional share (smaps_rollup, Pss) without the page
cache, and disk I/O is that of processes that still run. A value that neither gives is None.

As in Podman, the CPU percentage is counted since the last sample, the first one since the container's start (libpod,
calculateCPUPercent); memory is memory.current without inactive_file.
"""

from __future__ import annotations

import os
from time import time_ns

from podpy import files
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.held import Held
from podpy.libpod.containers.inspect_host import cgroup_path
from podpy.libpod.containers.table import ALIVE, ContainerRow
from podpy.pids import namespace
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podpy.libpod.engine import Engine

    Traffic = dict[str, dict[str, int]]

_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds
_KIB = 1024
_UTIME, _STIME, _CUTIME, _CSTIME, _THREADS = 11, 12, 13, 14, 17  # proc_pid_stat(5), counted from the state
# proc_pid_net(5), dev: the column of each of Podman's numbers.
_COUNTERS = {
    "RxBytes": 0, "RxPackets": 1, "RxErrors": 2, "RxDropped": 3,
    "TxBytes": 8, "TxPackets": 9, "TxErrors": 10, "TxDropped": 11,
}  # fmt: skip


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
        self._names = [*names]
        self._every = every
        self._before: dict[str, Stats] = {}

    def sample(self) -> list[Stats]:
        """Return the present usage of each; a stopped container uses nothing. Raises NoSuchContainerError (by name)."""
        rows = self._rows()
        measured = self._engine.privileged(lambda: _measure([row for row in rows if row.status in ALIVE]))
        found = [_with_percents(row, measured.get(row.id), self._before.get(row.id)) for row in rows]
        self._before = {stats.id: stats for stats in found}
        return found

    def _rows(self) -> list[ContainerRow]:
        from podpy.libpod.containers.rows import true_rows

        table = self._engine.table
        if not self._names:
            rows = true_rows(self._engine, table.summaries() if self._every else table.summaries(*ALIVE))
            return [row for row in rows if self._every or row.status in ALIVE]
        try:
            return [Held(self._engine, table.find(name)).refresh() for name in self._names]
        except NoSuchContainerError as error:
            name = next(name for name in self._names if f'"{name}"' in error.message)
            text = f"unable to get list of containers: unable to look up container {name}: {error.message}"
            raise NoSuchContainerError(text, hint=error.hint) from None


class Usage(Record):
    """The raw values of one container."""

    cpu_time: int | None = None
    system_time: int | None = None
    memory: int | None = None
    memory_limit: int = 0
    network: Traffic | None = None
    block_input: int | None = None
    block_output: int | None = None
    pids: int | None = None


def _with_percents(row: ContainerRow, usage: Usage | None, before: Stats | None) -> Stats:
    if usage is None:
        return Stats(id=row.id, name=row.name)
    now = time_ns()
    cpu_time = usage.cpu_time
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
        **usage.as_dict(),
    )


def _percent(cpu_time: int | None, before: int, span: int) -> float | None:
    if cpu_time is None:
        return None
    return max(0.0, (cpu_time - before) / span * 100) if span > 0 else 0.0


def _measure(rows: list[ContainerRow]) -> dict[str, Usage]:
    """Return the usage of containers by id; this process must be in the user's namespaces to see all processes."""
    total = _total_memory()
    places = {row.id: _own_cgroup(row) for row in rows}
    lacking = [row for row in rows if not _tells_everything(places[row.id])]
    processes = _processes_of(lacking) if lacking else {}
    own_network = namespace("self", "net")
    found = {}
    for row in rows:
        usage = _from_cgroup(places[row.id], total)
        if row.id in processes:
            usage = _completed(usage, processes[row.id])
        shares_network = namespace(row.pid, "net") == own_network
        found[row.id] = usage.replace(network=None if shares_network else _traffic(row.pid))
    return found


def _own_cgroup(row: ContainerRow) -> str:
    """Return the directory of a cgroup that belongs to this container alone, or an empty text."""
    from podpy.rootless.cgroups import ROOT, UNIFIED, cgroup_mode

    parts = cgroup_path(row).split("/")
    own = next((place for place, part in enumerate(parts, 1) if row.id in part), 0)
    mode = cgroup_mode() if own else ""
    if mode not in ("v2", "hybrid"):
        return ""
    return (ROOT if mode == "v2" else UNIFIED) + "/".join(parts[:own])


def _tells_everything(directory: str) -> bool:
    return bool(directory) and all(
        os.path.exists(f"{directory}/{name}") for name in ("cpu.stat", "memory.current", "pids.current", "io.stat")
    )


def _from_cgroup(directory: str, total: int) -> Usage:
    """Return the values of a cgroup (cgroup-v2.rst); None where it lacks the controller."""
    if not directory:
        return Usage(memory_limit=total)
    cpu = _pairs(f"{directory}/cpu.stat")
    memory = _number(f"{directory}/memory.current")
    if memory is not None:
        memory = max(0, memory - _pairs(f"{directory}/memory.stat").get("inactive_file", 0))
    limit = _number(f"{directory}/memory.max")
    read, written = _disk(f"{directory}/io.stat")
    return Usage(
        cpu_time=cpu["usage_usec"] * 1000 if "usage_usec" in cpu else None,
        system_time=cpu["system_usec"] * 1000 if "system_usec" in cpu else None,
        memory=memory,
        memory_limit=min(limit, total) if limit else total,
        block_input=read,
        block_output=written,
        pids=_number(f"{directory}/pids.current"),
    )


def _number(path: str) -> int | None:
    text = files.read_small(path).strip()
    return int(text) if text.isdigit() else None


def _pairs(path: str) -> dict[str, int]:
    try:
        lines = files.read(path).splitlines()
    except OSError:
        return {}
    return {name: int(number) for name, _, number in (line.partition(" ") for line in lines) if number.isdigit()}


def _disk(path: str) -> tuple[int | None, int | None]:
    try:
        lines = files.read(path).splitlines()
    except OSError:
        return None, None
    counts = [word.partition("=") for line in lines for word in line.split()[1:]]
    read = sum(int(number) for name, _, number in counts if name == "rbytes")
    return read, sum(int(number) for name, _, number in counts if name == "wbytes")


def _total_memory() -> int:
    """Return the machine's memory in bytes (proc_meminfo(5))."""
    first = files.read("/proc/meminfo").partition("\n")[0]
    return int(first.split()[1]) * _KIB


def _processes_of(rows: Iterable[ContainerRow]) -> dict[str, list[int]]:
    """Return the pids (outside) of each container by its id: one pass over /proc for all."""
    own = namespace("self", "pid")
    spaces: dict[str, list[str]] = {}
    found: dict[str, list[int]] = {}
    for row in rows:
        space = namespace(row.pid, "pid")
        if space == own:
            from podpy.libpod.containers.top import tree

            found[row.id] = tree(row.pid)  # it has the host's pid namespace
        elif space:
            spaces.setdefault(space, []).append(row.id)
            found[row.id] = []
    for name in os.listdir("/proc") if spaces else ():
        if name.isdigit():
            for identifier in spaces.get(namespace(name, "pid"), ()):
                found[identifier].append(int(name))
    return found


def _completed(usage: Usage, processes: list[int]) -> Usage:
    """Return the usage with missing values summed up over processes."""
    told = [_Process(pid) for pid in processes]
    alive = [process for process in told if process.stat]
    changes: dict[str, int | None] = {}
    if usage.cpu_time is None:
        changes["cpu_time"] = sum(process.ticks(_UTIME, _STIME, _CUTIME, _CSTIME) for process in alive) * _TICK
        changes["system_time"] = sum(process.ticks(_STIME, _CSTIME) for process in alive) * _TICK
    if usage.memory is None:
        changes["memory"] = _sum(process.memory() for process in alive)
    if usage.block_input is None:
        disk = [process.disk() for process in alive]
        changes["block_input"] = _sum(read for read, _ in disk)
        changes["block_output"] = _sum(written for _, written in disk)
    if usage.pids is None:
        changes["pids"] = sum(process.ticks(_THREADS) for process in alive)
    return usage.replace(**changes) if alive else usage


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of the known numbers; None if none is known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


class _Process:
    """One process in /proc; `stat` is empty if it has ended."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.stat = files.read_small(f"/proc/{pid}/stat").rpartition(")")[2].split()

    def ticks(self, *places: int) -> int:
        """Return the sum of fields of its stat."""
        return sum(int(self.stat[place]) for place in places)

    def memory(self) -> int | None:
        """Return its proportional share of memory in bytes; None if it has just ended, or may not be read."""
        for line in files.read_small(f"/proc/{self._pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _KIB
        return None

    def disk(self) -> tuple[int | None, int | None]:
        """Return the bytes that it has read from and written to disks (proc_pid_io(5))."""
        counts = dict(line.split(": ") for line in files.read_small(f"/proc/{self._pid}/io").splitlines())
        if "read_bytes" not in counts:
            return None, None
        return int(counts["read_bytes"]), int(counts["write_bytes"])


def _traffic(pid: int) -> Traffic | None:
    """Return the traffic of each interface, except the loopback, in a process's network namespace."""
    found: Traffic = {}
    try:
        lines = files.read(f"/proc/{pid}/net/dev").splitlines()[2:]
    except OSError:
        return None
    for line in lines:
        name, _, numbers = line.partition(":")
        counts = numbers.split()
        if name.strip() != "lo":
            found[name.strip()] = {key: int(counts[_COUNTERS[key]]) for key in sorted(_COUNTERS)}
    return found
