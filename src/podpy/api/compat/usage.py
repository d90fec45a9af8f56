"""What a container does and uses: top, stats."""

from __future__ import annotations

import os
from time import time_ns

from podpy import fastjson
from podpy.api.call import Answer
from podpy.api.errors import HttpError
from podpy.errors import NoSuchContainerError, NotSupportedError, UsageError
from podpy.libpod.containers.table import RUNNING, STOPPING
from podpy.libpod.containers.top import run_ps
from podpy.polling import wait_readable
from podpy.times import ZERO_TIME, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.libpod.containers.stats import Stats

_USUAL = "-ef"
_FIELDS = ("user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args")
"""podpy's own fields in place of those of `ps -ef`, where there is no ps."""
_SECOND = 1.0
_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds
_NO_CPU: dict[str, Any] = {
    "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
    "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
}
_NETWORK = {
    "rx_bytes": "RxBytes", "rx_packets": "RxPackets", "rx_errors": "RxErrors", "rx_dropped": "RxDropped",
    "tx_bytes": "TxBytes", "tx_packets": "TxPackets", "tx_errors": "TxErrors", "tx_dropped": "TxDropped",
}  # fmt: skip


def top(call: Call) -> Answer:
    """List a container's processes, as ps(1) does it."""
    container = call.runtime.container(call.path["id"].removeprefix("/"))
    if container.status not in (RUNNING, STOPPING, "paused"):
        raise HttpError(409, f"container {container.id} is not running")
    arguments = call.query["ps_args"] or _USUAL
    try:
        lines = run_ps(container, [arguments]).splitlines()
    except UsageError as error:
        raise HttpError(500, error.message) from None
    except NotSupportedError:
        if arguments != _USUAL:
            raise
        titles, *rows = call.runtime.containers.top(container.id, _FIELDS)
        return Answer({"Processes": rows, "Titles": titles})
    titles = lines[0].split()
    rows = [line.split(maxsplit=len(titles) - 1) for line in lines[1:]]
    own = f"ps {arguments}"
    return Answer({"Processes": [row for row in rows if not row[-1].endswith(own)], "Titles": titles})


def stats(call: Call) -> Answer | None:
    """Tell what a container uses: once, or every second."""
    container = call.runtime.container(call.path["id"].removeprefix("/"))
    sampler = call.runtime.containers.stats([container.id])
    before: dict[str, Any] | None = None
    if not call.query["stream"]:
        if not call.query["one-shot"] and container.status in (RUNNING, STOPPING):
            before = _shown(sampler.sample()[0], None, named=True)
            wait_readable([], _SECOND, output=call.connection.socket.fileno())
        return Answer(_shown(sampler.sample()[0], before, named=not call.query["one-shot"]))
    call.connection.begin(200)
    while True:
        try:
            now = _shown(sampler.sample()[0], before, named=True)
        except NoSuchContainerError:
            break
        call.connection.write((fastjson.dumps(now) + "\n").encode())
        before = now
        wait_readable([], _SECOND, output=call.connection.socket.fileno())
    call.connection.end()
    return None


def _shown(stats: Stats, before: dict[str, Any] | None, *, named: bool) -> dict[str, Any]:
    """Return a sample in Docker's form; `before`: the sample before it."""
    is_read = stats.running
    cpu = _cpu(stats) if is_read else _NO_CPU
    networks = {
        name: {shown: counters.get(own, 0) for shown, own in _NETWORK.items()}
        for name, counters in (stats.network or {}).items()
    }
    return {
        **({"name": f"/{stats.name}", "id": stats.id} if named else {}),
        "read": rfc3339(stats.time or time_ns(), utc=True) if is_read else ZERO_TIME,
        "preread": before["read"] if before else ZERO_TIME,
        "pids_stats": {"current": stats.pids} if is_read and stats.pids else {},
        "blkio_stats": _blocks(stats),
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": cpu,
        "precpu_stats": before["cpu_stats"] if before else _NO_CPU,
        "memory_stats": _memory(stats) if is_read else {},
        **({"networks": networks} if is_read and networks else {}),
    }


def _cpu(stats: Stats) -> dict[str, Any]:
    total, kernel = stats.cpu_time or 0, stats.system_time or 0
    usage = {"total_usage": total, "usage_in_kernelmode": kernel, "usage_in_usermode": max(0, total - kernel)}
    return {**_NO_CPU, "cpu_usage": usage, "system_cpu_usage": _host_time(), "online_cpus": os.cpu_count() or 1}


def _host_time() -> int:
    """Return the nanoseconds that all CPUs of the host have been there for (proc_stat(5))."""
    with open("/proc/stat", encoding="ascii") as file:
        return sum(map(int, file.readline().split()[1:9])) * _TICK


def _memory(stats: Stats) -> dict[str, Any]:
    if stats.memory is None:
        return {}
    return {"usage": stats.memory, "stats": {"inactive_file": 0}, "limit": stats.memory_limit}


def _blocks(stats: Stats) -> dict[str, Any]:
    lists = (
        "io_serviced_recursive", "io_queue_recursive", "io_service_time_recursive", "io_wait_time_recursive",
        "io_merged_recursive", "io_time_recursive", "sectors_recursive",
    )  # fmt: skip
    moved = (("read", stats.block_input), ("write", stats.block_output))
    bytes_moved = [{"major": 0, "minor": 0, "op": name, "value": value} for name, value in moved if value is not None]
    return {"io_service_bytes_recursive": bytes_moved or None, **dict.fromkeys(lists)}
