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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podpy.libpod.containers.table import ContainerRow

    Traffic = dict[str, dict[str, int]]
    Usage = dict[str, Any]  # _VALUES: bytes, nanoseconds; None: unknown on this host

# system_time: the part of cpu_time spent in the kernel. memory_limit: without one, the machine's memory. network: a
# Traffic. pids: processes and threads.
_VALUES = ("cpu_time", "system_time", "memory", "memory_limit", "network", "block_input", "block_output", "pids")
_ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")  # v2 alone; beside v1
_COMPLETE = frozenset(("memory.current", "pids.current", "io.stat"))
_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds
_KIB = 1024
_SURELY_WHOLE = 2048  # bytes: of no file here is a line longer than the rest of the smallest page
_NO_DIRECTORY_IN_IT = 2  # links of a directory: its name, and its own "."
_UTIME, _STIME, _CUTIME, _CSTIME, _THREADS = 11, 12, 13, 14, 17  # proc_pid_stat(5), counted from the state
# proc_pid_net(5), dev: the column of each of Podman's numbers.
_COUNTERS = {
    "RxBytes": 0, "RxDropped": 3, "RxErrors": 2, "RxPackets": 1,
    "TxBytes": 8, "TxDropped": 11, "TxErrors": 10, "TxPackets": 9,
}  # fmt: skip


def measure(rows: list[ContainerRow]) -> dict[str, Usage]:
    """Return the usage of running containers by id."""
    total = _total_memory()
    own_network = namespace("self", "net")
    groups = _Cgroups()
    found: dict[str, Usage] = {}
    elsewhere = []
    for row in rows:
        group = groups.of(row)
        if group is None:
            usage = {**dict.fromkeys(_VALUES), "memory_limit": total}
            elsewhere.append(row)
        else:
            usage = group.usage(total)
            if not group.tells_everything:
                processes, usage["pids"] = group.members()
                _complete(usage, processes)
        found[row.id] = usage
        if namespace(row.pid, "net") != own_network:
            usage["network"] = _traffic(row.pid)
    for identifier, processes in _processes_of(elsewhere).items() if elsewhere else ():
        _complete(found[identifier], processes)
    return found


class _Cgroups:
    """Finds containers' cgroups. Siblings have the same controllers (cgroup-v2.rst); their names differ by the id."""

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
        words = self._text("cpu.stat").split()
        self.cpu = dict(zip(words[::2], words[1::2], strict=True))

    @property
    def tells_everything(self) -> bool:
        """Whether it has all controllers that a usage needs."""
        return _COMPLETE.issubset(self._names)

    def usage(self, total: int) -> Usage:
        """Return all values but the network's; None where it lacks the controller. `total`: the machine's memory."""
        usage: Usage = {**dict.fromkeys(_VALUES), "memory_limit": total}
        if "usage_usec" in self.cpu:
            usage["cpu_time"] = int(self.cpu["usage_usec"]) * 1000
            usage["system_time"] = int(self.cpu["system_usec"]) * 1000
        if "memory.current" in self._names:
            usage["memory"] = self._memory()
            usage["memory_limit"] = min(self._number("memory.max") or total, total)
        if "io.stat" in self._names:
            usage["block_input"], usage["block_output"] = self._disk()
        if "pids.current" in self._names:
            usage["pids"] = self._number("pids.current")
        return usage

    def members(self) -> tuple[list[str], int]:
        """Return the pids (outside) of its processes, with those of the cgroups in it, and the number of threads."""
        processes: list[str] = []
        threads = 0
        directories = [self._directory]
        for directory in directories:
            try:
                if os.stat(directory).st_nlink > _NO_DIRECTORY_IN_IT:
                    directories += [entry.path for entry in os.scandir(directory) if entry.is_dir()]
            except OSError:  # it has just ended
                continue
            inside = _lines(f"{directory}/cgroup.threads")
            threads += len(inside)
            # The thread of a process that has one has its number.
            processes += inside if len(inside) == 1 else _lines(f"{directory}/cgroup.procs")
        return processes, threads

    def _text(self, name: str) -> str:
        return files.read_record(f"{self._directory}/{name}") if name in self._names else ""

    def _number(self, name: str) -> int | None:
        text = self._text(name).strip()
        return int(text) if text.isdigit() else None

    def _memory(self) -> int | None:
        memory = self._number("memory.current")
        inactive = self._text("memory.stat").partition("\ninactive_file ")[2].partition("\n")[0]
        return None if memory is None else max(0, memory - int(inactive or 0))

    def _disk(self) -> tuple[int, int]:
        lines = files.read_small(f"{self._directory}/io.stat").splitlines()
        counts = [word.partition("=") for line in lines for word in line.split()[1:]]
        read = sum(int(number) for name, _, number in counts if name == "rbytes")
        return read, sum(int(number) for name, _, number in counts if name == "wbytes")


def _lines(path: str) -> list[str]:
    """Return the lines of a file of the kernel's that it writes line by line; none if it can't be read.

    One read(2) is enough for a short one: it ends where the next line wouldn't fit into a page (seq_file.rst).
    """
    text = files.read_record(path)
    return (text if len(text) < _SURELY_WHOLE else files.read_small(path)).splitlines()


def _total_memory() -> int:
    """Return the machine's memory in bytes (proc_meminfo(5))."""
    first = files.read("/proc/meminfo").partition("\n")[0]
    return int(first.split()[1]) * _KIB


def _processes_of(rows: Iterable[ContainerRow]) -> dict[str, list[str]]:
    """Return the pids (outside) of each container by its id: one pass over /proc for all."""
    own = namespace("self", "pid")
    spaces: dict[str, list[str]] = {}
    found: dict[str, list[str]] = {}
    for row in rows:
        space = namespace(row.pid, "pid")
        if space == own:
            from podpy.libpod.containers.top import tree

            found[row.id] = [str(pid) for pid in tree(row.pid)]  # it has the host's pid namespace
        elif space:
            spaces.setdefault(space, []).append(row.id)
            found[row.id] = []
    for name in os.listdir("/proc") if spaces else ():
        if name.isdigit():
            for identifier in spaces.get(namespace(name, "pid"), ()):
                found[identifier].append(name)
    return found


def _complete(usage: Usage, processes: list[str]) -> None:
    """Sum missing values up over processes."""
    if usage["cpu_time"] is None or usage["pids"] is None:
        _count(usage, processes)
    if usage["memory"] is None:
        usage["memory"] = _sum([_memory(pid) for pid in processes])
    if usage["block_input"] is None:
        counts = [_disk(pid) for pid in processes]
        usage["block_input"] = _sum([read for read, _ in counts])
        usage["block_output"] = _sum([written for _, written in counts])


def _count(usage: Usage, processes: list[str]) -> None:
    """Count threads, and their time where the cgroup doesn't tell it."""
    alive = [fields for pid in processes if (fields := stat_fields(pid))]
    if not alive:
        return
    if usage["pids"] is None:
        usage["pids"] = _total(alive, _THREADS)
    if usage["cpu_time"] is None:
        usage["cpu_time"] = _total(alive, _UTIME, _STIME, _CUTIME, _CSTIME) * _TICK
        usage["system_time"] = _total(alive, _STIME, _CSTIME) * _TICK


def _total(stats: list[list[str]], *places: int) -> int:
    """Return the sum of fields of several processes' stat."""
    return sum([int(fields[place]) for fields in stats for place in places])


def _sum(numbers: list[int | None]) -> int | None:
    """Return the sum of the known numbers; None if none is known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _memory(pid: str) -> int | None:
    """Return a process's proportional share of memory in bytes; None if it has just ended, or may not be read."""
    _, found, rest = files.read_record(f"/proc/{pid}/smaps_rollup").partition("\nPss:")
    return int(rest.split(maxsplit=1)[0]) * _KIB if found else None


def _disk(pid: str) -> tuple[int | None, int | None]:
    """Return the bytes that a process has read from and written to disks (proc_pid_io(5)); None like `_memory`."""
    _, found, rest = files.read_record(f"/proc/{pid}/io").partition("\nread_bytes:")
    if not found:
        return None, None
    words = rest.split(maxsplit=3)  # of this line and the next, write_bytes
    return int(words[0]), int(words[2])


def _traffic(pid: int) -> Traffic | None:
    """Return the traffic of each interface, except the loopback, in a process's network namespace."""
    lines = _lines(f"/proc/{pid}/net/dev")
    if not lines:
        return None
    found: Traffic = {}
    for line in lines[2:]:
        name, _, numbers = line.partition(":")
        name = name.strip()
        if name != "lo":
            counts = numbers.split()
            found[name] = {key: int(counts[place]) for key, place in _COUNTERS.items()}
    return found
