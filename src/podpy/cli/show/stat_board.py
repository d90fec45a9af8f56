"""`stats` on a terminal: one line for each container, with small bars for the last samples; keys choose the order."""

from __future__ import annotations

import os
import select
import sys
from time import monotonic

from podpy.cli.show.stat_rows import HEADING, StatTexts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from podpy.libpod.containers.stats import Sampler, Stats

_BARS = "▁▂▃▄▅▆▇█"
_HISTORY = 10  # samples
_LITTLE_CPU = 10.0  # percent that fill a bar at least
_MUCH_CPU, _MUCH_MEMORY = 80.0, 90.0  # percent
_INPUT = 0
_QUIT = "q"
_WIDE = 130  # columns that all of it takes
_LEFT_OUT = ("ID", "MEM %", "CPU TIME", "AVG CPU %")  # on narrower terminals
_ORDERS: dict[str, tuple[str, Callable[[Stats], Any]]] = {
    "n": ("name", lambda stats: stats.name),
    "c": ("CPU", lambda stats: -(stats.cpu or 0.0)),
    "m": ("memory", lambda stats: -(stats.memory or 0)),
    "p": ("processes", lambda stats: -(stats.pids or 0)),
    "b": ("disk", lambda stats: -((stats.block_input or 0) + (stats.block_output or 0))),
}


def bars(numbers: list[float], least: float) -> str:
    """Return a bar for each number. The highest number, or `least` if that is more, has a full bar."""
    top = max([least, *numbers])
    steps = len(_BARS) - 1
    return "".join(_BARS[min(steps, int(number / top * steps + 0.5))] if top else _BARS[0] for number in numbers)


class Board:
    """The table, drawn again after each sample and each key."""

    def __init__(self, sampler: Sampler, interval: float, *, cut: bool, told: Callable[[list[Stats]], None]) -> None:
        """`told` is called with the first sample."""
        self._sampler = sampler
        self._interval = interval
        self._cut = cut
        self._told = told
        self._order = "n"
        self._cpu: dict[str, list[float]] = {}
        self._memory: dict[str, list[float]] = {}
        self._samples: list[Stats] = []
        self._names = [*HEADING]

    def run(self) -> None:
        """Draw until q is pressed (or Ctrl-C)."""
        from rich.console import Console
        from rich.live import Live

        self._take()
        self._told(self._samples)
        console = Console()
        self._names = [name for name in HEADING if console.width >= _WIDE or name not in _LEFT_OUT]
        with _keys() as pressed, Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            next_time = monotonic() + self._interval
            while True:
                live.update(self.table(), refresh=True)
                key = pressed(max(0.0, next_time - monotonic()))
                if key == _QUIT:
                    return
                if key in _ORDERS:
                    self._order = key
                if monotonic() >= next_time:
                    self._take()
                    next_time = monotonic() + self._interval

    def _take(self) -> None:
        self._samples = self._sampler.sample()
        there = {stats.id for stats in self._samples}
        for history in (self._cpu, self._memory):
            for gone in history.keys() - there:
                del history[gone]
        for stats in self._samples:
            self._cpu[stats.id] = [*self._cpu.get(stats.id, []), stats.cpu or 0.0][-_HISTORY:]
            self._memory[stats.id] = [*self._memory.get(stats.id, []), float(stats.memory or 0)][-_HISTORY:]

    def table(self) -> Any:
        """Return the table, for Rich."""
        from rich.table import Table

        orders = "  ".join(f"[bold]{key}[/] {name}" for key, (name, _) in _ORDERS.items())
        table = Table(box=None, pad_edge=False, caption=f"order: {orders}  [bold]q[/] ends", caption_justify="left")
        for name in self._names:
            words = {"CPU %": "c", "MEM USAGE / LIMIT": "m", "NAME": "n", "PIDS": "p", "BLOCK IO": "b"}
            style = "bold underline" if words.get(name) == self._order else "bold"
            table.add_column(name, header_style=style, no_wrap=True, justify="left")
            if name in ("CPU %", "MEM USAGE / LIMIT"):
                table.add_column("", no_wrap=True)
        for stats in sorted(self._samples, key=_ORDERS[self._order][1]):
            table.add_row(*self._cells(stats), style=None if stats.running else "dim")
        return table

    def _cells(self, stats: Stats) -> Iterator[Any]:
        from rich.text import Text

        cells = StatTexts(stats, cut=self._cut).cells()
        much_cpu = (stats.cpu or 0.0) > _MUCH_CPU
        much_memory = (stats.memory_percent or 0.0) > _MUCH_MEMORY
        for name, text in zip(HEADING, cells, strict=True):
            if name not in self._names:
                continue
            yield Text(text)
            if name == "CPU %":
                yield Text(bars(self._cpu[stats.id], _LITTLE_CPU), style="yellow" if much_cpu else "green")
            elif name == "MEM USAGE / LIMIT":
                yield Text(bars(self._memory[stats.id], 1.0), style="red" if much_memory else "cyan")


class _Keys:
    """A context that reads single keys; it restores the terminal's settings at its end."""

    def __enter__(self) -> Callable[[float], str]:
        self._is_terminal = os.isatty(_INPUT)
        if self._is_terminal:
            import termios
            import tty

            self._before = termios.tcgetattr(_INPUT)
            tty.setcbreak(_INPUT)
        return self._wait

    def __exit__(self, *_error: object) -> None:
        if self._is_terminal:
            import termios

            termios.tcsetattr(_INPUT, termios.TCSADRAIN, self._before)
        sys.stdout.flush()

    def _wait(self, seconds: float) -> str:
        """Return the key that is pressed within so many seconds, or an empty text."""
        ready, _, _ = select.select([_INPUT] if self._is_terminal else [], [], [], seconds)
        if not ready:
            return ""
        read = os.read(_INPUT, 64)
        if not read:
            self._is_terminal = False  # hung up: nothing will ever come
        return read[:1].decode("ascii", "replace").lower()


def _keys() -> AbstractContextManager[Callable[[float], str]]:
    return _Keys()
