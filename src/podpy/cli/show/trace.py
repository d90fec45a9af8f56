"""`--trace`: how long each step took."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.runtime import Runtime
    from podpy.plan import Trace

_TICKS = os.sysconf("SC_CLK_TCK")


def print_trace(runtime: Runtime) -> None:
    """Print the trace to standard error, if one was asked for."""
    if runtime.trace is not None:
        sys.stderr.write("".join(line + "\n" for line in trace_lines(runtime.trace)))


def trace_lines(trace: Trace) -> list[str]:
    """Return one line per step: the milliseconds that it took, and those since the process began."""
    began = _process_start()
    lines = []
    last = began
    for at, text in trace.marks:
        lines.append(f"{(at - last) / 1000:8.2f} ms {(at - began) / 1000:8.2f} ms  {text}")
        last = at
    return lines


def _process_start() -> int:
    """Return when this process began: microseconds of the performance counter, to the clock tick (10 ms)."""
    from podpy.pids import start_time

    # Both count from the boot: CLOCK_MONOTONIC, and the start time in ticks (proc_pid_stat(5); exact without suspend).
    return start_time(os.getpid()) * 1_000_000 // _TICKS
