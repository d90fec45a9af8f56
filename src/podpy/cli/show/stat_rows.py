"""One container in `stats`: the texts of its columns, and Podman's placeholders for --format."""

from __future__ import annotations

from podpy.go.template.values import Map, NilSlice, Struct
from podpy.go.time import GoDuration
from podpy.go.units import binary_size, human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.libpod.containers.stats import Stats

_SHORT_ID = 12
_UNKNOWN = "--"
HEADING = ("ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET IO", "BLOCK IO", "PIDS", "CPU TIME", "AVG CPU %")
HEADINGS = {
    "UpTime": "cpu time",
    "CPUPerc": "cpu %",
    "AVGCPU": "avg cpu %",
    "MemUsage": "mem usage / limit",
    "MemUsageBytes": "mem usage / limit",
    "MemPerc": "mem %",
    "NetIO": "net io",
    "BlockIO": "block io",
    "PIDS": "pids",
}


class StatTexts:
    """The texts of one container's columns; an unknown value is `--`."""

    def __init__(self, stats: Stats, *, cut: bool = True) -> None:
        self.id = stats.id[:_SHORT_ID] if cut else stats.id
        self.name = stats.name
        self.cpu = percent(stats.cpu)
        self.memory = _pair(stats.memory, stats.memory_limit, human_size)
        self.memory_percent = percent(stats.memory_percent)
        self.network = _UNKNOWN + " / " + _UNKNOWN
        if stats.network is not None:
            self.network = _pair(_total(stats, "RxBytes"), _total(stats, "TxBytes"), human_size)
        self.block = _pair(stats.block_input, stats.block_output, human_size)
        self.pids = _UNKNOWN if stats.pids is None else str(stats.pids)
        self.cpu_time = _UNKNOWN if stats.cpu_time is None else str(GoDuration(stats.cpu_time))
        self.average = percent(stats.average_cpu)

    def cells(self) -> tuple[str, ...]:
        """Return the standard columns."""
        return (
            self.id, self.name, self.cpu, self.memory, self.memory_percent, self.network, self.block, self.pids,
            self.cpu_time, self.average,
        )  # fmt: skip


def percent(number: float | None) -> str:
    """Return a percentage with two digits."""
    return _UNKNOWN if number is None else f"{number:.2f}%"


def _pair(first: int | None, second: int | None, text: Callable[[float], str]) -> str:
    return f"{_UNKNOWN if first is None else text(first)} / {_UNKNOWN if second is None else text(second)}"


def binary_pair(stats: Stats) -> str:
    """Return the memory and its limit in units of 1024."""
    return _pair(stats.memory, stats.memory_limit, binary_size)


def _total(stats: Stats, counter: str) -> int:
    return sum([counts[counter] for counts in stats.network.values()]) if stats.network else 0


def unknown(samples: Sequence[Stats]) -> list[str]:
    """Return the headings of the columns with an unknown value."""
    columns = {
        "CPU": "cpu_time", "MEM": "memory", "NET IO": "network", "BLOCK IO": "block_input", "PIDS": "pids"
    }  # fmt: skip
    return [column for column, field in columns.items() if None in [getattr(each, field) for each in samples]]


class _Shown(Struct):
    """In a template `.MemUsage` is a text; in JSON it is a number."""

    __slots__ = ("raw",)
    raw: Struct

    def json_form(self) -> Struct:
        return self.raw


def placeholders(stats: Stats, *, cut: bool = True) -> Struct:
    """Return the fields that --format can show (podman-stats(1)); its JSON is Podman's ContainerStats."""
    network = stats.network if stats.network is None else {k: Struct(v) for k, v in stats.network.items()}
    raw = Struct(
        {
            "AvgCPU": stats.average_cpu or 0.0,
            "ContainerID": stats.id,
            "Name": stats.name,
            "PerCPU": NilSlice(),
            "CPU": stats.cpu or 0.0,
            "CPUNano": stats.cpu_time or 0,
            "CPUSystemNano": stats.system_time or 0,
            "SystemNano": stats.time,
            "MemUsage": stats.memory or 0,
            "MemLimit": stats.memory_limit,
            "MemPerc": stats.memory_percent or 0.0,
            "Network": Map(network or None, zero=Struct()),
            "BlockInput": stats.block_input or 0,
            "BlockOutput": stats.block_output or 0,
            "PIDs": stats.pids or 0,
            "UpTime": GoDuration(stats.cpu_time or 0),
            "Duration": stats.cpu_time or 0,
        }
    )
    texts = StatTexts(stats, cut=cut)
    shown = _Shown(raw)
    shown.raw = raw
    shown.update(
        {
            "ID": texts.id,
            "CPUPerc": texts.cpu,
            "AVGCPU": texts.average,
            "Up": texts.cpu_time,
            "MemUsage": texts.memory,
            "MemUsageBytes": binary_pair(stats),
            "MemPerc": texts.memory_percent,
            "NetIO": texts.network,
            "BlockIO": texts.block,
            "PIDS": texts.pids,
            "ContainerStats": lambda: raw,
        }
    )
    return shown


def json_row(stats: Stats, *, cut: bool = True) -> Struct:
    """Return a container as `stats --format json` prints it."""
    texts = StatTexts(stats, cut=cut)
    return Struct(
        {
            "id": texts.id,
            "name": texts.name,
            "cpu_time": texts.cpu_time,
            "cpu_percent": texts.cpu,
            "avg_cpu": texts.average,
            "mem_usage": texts.memory,
            "mem_percent": texts.memory_percent,
            "net_io": texts.network,
            "block_io": texts.block,
            "pids": texts.pids,
        }
    )
