"""What running containers use now, as raw counters.

Each value is read from the container's own cgroup (v2), if it has one with that controller. Else it is summed over the
processes of its pid namespace in /proc: memory is then their proportional share (smaps_rollup, Pss) without the page
cache, and disk I/O is that of processes that still run. A value that neither gives is None.

Nobody has to join the user's namespaces for it: their maker has all rights in them (user_namespaces(7)), which
/proc asks for (ptrace(2), PTRACE_MODE_READ).
"""

from __future__ import annotations

import os

from podpy import files
from podpy.libpod.containers.inspect_host import cgroup_path
from podpy.pids import namespace, stat_fields
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.libpod.containers.table import ContainerRow

    Traffic = dict[str, dict[str, int]]

_ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")  # v2 alone; beside v1
_COMPLETE = frozenset(("memory.current", "pids.current", "io.stat"))
_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds
_KIB = 1024
_UTIME, _STIME, _CUTIME, _CSTIME, _THREADS = 11, 12, 13, 14, 17  # proc_pid_stat(5), counted from the state
# proc_pid_net(5), dev: the column of each of Podman's numbers.
_COUNTERS = {
    "RxBytes": 0, "RxDropped": 3, "RxErrors": 2, "RxPackets": 1,
    "TxBytes": 8, "TxDropped": 11, "TxErrors": 10, "TxPackets": 9,
}  # fmt: skip


class Usage(Record):
    """The raw values of one container. Bytes, nanoseconds; None: unknown on this host."""

    cpu_time: int | None = None
    system_time: int | None = None  # the part spent in the kernel
    memory: int | None = None
    memory_limit: int = 0  # without a limit, the machine's memory
    network: Traffic | None = None
    block_input: int | None = None
    block_output: int | None = None
    pids: int | None = None  # processes and threads


def measure(rows: list[ContainerRow]) -> dict[str, Usage]:
    """Return the usage of running containers by id."""
    total = _total_memory()
    own_network = namespace("self", "net")
    groups = _Cgroups()
    found: dict[str, Usage] = {}
    lacking = []
    for row in rows:
        group = groups.of(row)
        shares_network = namespace(row.pid, "net") == own_network
        network = None if shares_network else _traffic(row.pid)
        if group is not None:
            found[row.id] = group.usage(total, network)
        else:
            found[row.id] = Usage(memory_limit=total, network=network)
        if group is None or not group.tells_everything:
            lacking.append(row)
    for identifier, processes in _processes_of(lacking).items() if lacking else ():
        found[identifier] = _completed(found[identifier], processes)
    return found


class _Cgroups:
    """Finds containers' cgroups. Siblings have the same controllers (cgroup-v2.rst), and names that differ by the id."""

    def __init__(self) -> None:
        self._forms: dict[tuple[str, str], frozenset[str]] = {}  # what is before and after the id → names of files

    def of(self, row: ContainerRow) -> Cgroup | None:
        """Return the cgroup that belongs to this container alone, None if there isn't one."""
        for (before, after), names in self._forms.items():
            group = Cgroup(f"{before}{row.id}{after}", names)
            if group.cpu:
                return group
        directory = _own_cgroup(row)
        if not directory:
            return None
        before, _, after = directory.rpartition(row.id)
        names = self._forms[before, after] = frozenset(os.listdir(directory))
        return Cgroup(directory, names)


def _own_cgroup(row: ContainerRow) -> str:
    """Return the directory of a cgroup that belongs to this container alone, or an empty text."""
    parts = cgroup_path(row).split("/")
    own = next((place for place, part in enumerate(parts, 1) if row.id in part), 0)
    paths = [root + "/".join(parts[:own]) for root in _ROOTS] if own else []
    return next((path for path in paths if os.path.exists(f"{path}/cpu.stat")), "")


class Cgroup:
    """A container's cgroup (cgroup-v2.rst). `cpu` is empty if it isn't there."""

    def __init__(self, directory: str, names: Iterable[str]) -> None:
        """`names`: the files that it has."""
        self._directory = directory
        self._names = names
        self.cpu = self._pairs("cpu.stat")

    @property
    def tells_everything(self) -> bool:
        """Whether it has all controllers that a usage needs."""
        return _COMPLETE.issubset(self._names)

    def usage(self, total: int, network: Traffic | None) -> Usage:
        """Return its values; None where it lacks the controller. `total`: the machine's memory."""
        memory = self._number("memory.current")
        if memory is not None:
            memory = max(0, memory - self._pairs("memory.stat").get("inactive_file", 0))
        limit = self._number("memory.max")
        read, written = self._disk()
        return Usage(
            cpu_time=self.cpu["usage_usec"] * 1000 if "usage_usec" in self.cpu else None,
            system_time=self.cpu["system_usec"] * 1000 if "system_usec" in self.cpu else None,
            memory=memory,
            memory_limit=min(limit, total) if limit else total,
            network=network,
            block_input=read,
            block_output=written,
            pids=self._number("pids.current"),
        )

    def _text(self, name: str) -> str:
        return files.read_record(f"{self._directory}/{name}") if name in self._names else ""

    def _number(self, name: str) -> int | None:
        text = self._text(name).strip()
        return int(text) if text.isdigit() else None

    def _pairs(self, name: str) -> dict[str, int]:
        lines = self._text(name).splitlines()
        return {name: int(number) for name, _, number in (line.partition(" ") for line in lines) if number.isdigit()}

    def _disk(self) -> tuple[int | None, int | None]:
        if "io.stat" not in self._names:
            return None, None
        lines = files.read_small(f"{self._directory}/io.stat").splitlines()
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
    changes: dict[str, int | None] = {}
    if usage.cpu_time is None or usage.pids is None:
        alive = [fields for pid in processes if (fields := stat_fields(pid))]
        if not alive:
            return usage
        changes["pids"] = _ticks(alive, _THREADS)
        changes["cpu_time"] = _ticks(alive, _UTIME, _STIME, _CUTIME, _CSTIME) * _TICK
        changes["system_time"] = _ticks(alive, _STIME, _CSTIME) * _TICK
    if usage.memory is None:
        changes["memory"] = _sum(map(_memory, processes))
    if usage.block_input is None:
        disk = [*map(_disk, processes)]
        changes["block_input"] = _sum(read for read, _ in disk)
        changes["block_output"] = _sum(written for _, written in disk)
    return usage.replace(**{name: value for name, value in changes.items() if getattr(usage, name) is None})


def _ticks(stats: list[list[str]], *places: int) -> int:
    """Return the sum of fields of several processes' stat."""
    return sum(int(fields[place]) for fields in stats for place in places)


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of the known numbers; None if none is known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _memory(pid: int) -> int | None:
    """Return a process's proportional share of memory in bytes; None if it has just ended, or may not be read."""
    _, found, rest = files.read_record(f"/proc/{pid}/smaps_rollup").partition("\nPss:")
    return int(rest.split(maxsplit=1)[0]) * _KIB if found else None


def _disk(pid: int) -> tuple[int | None, int | None]:
    """Return the bytes that a process has read from and written to disks (proc_pid_io(5))."""
    counts = dict(line.split(": ") for line in files.read_record(f"/proc/{pid}/io").splitlines())
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
        if name.strip() != "lo":
            counts = numbers.split()
            found[name.strip()] = {key: int(counts[place]) for key, place in _COUNTERS.items()}
    return found
