"""`podpy stats`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show import stat_rows
from podpy.cli.streams import pause
from podpy.errors import UsageError
from podpy.go.table import align_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.stats import Stats

_CLEAR_SCREEN = "\x1b[2J\x1b[H"


def run(options: Options) -> int:
    """Print what containers use, once or over and over."""
    if options.interval < 1:
        raise UsageError("invalid interval, must be a positive number greater zero")
    told = _Told()
    with open_runtime(options) as runtime:
        names = [runtime.latest().id] if options.latest else options.containers
        sampler = runtime.containers.stats(names, every=options.all)
        is_live = sys.stdout.isatty() and not options.no_stream
        if is_live and not options.format and not options.no_reset:
            from podpy.cli.show.stat_board import Board

            Board(sampler, options.interval, cut=not options.no_trunc, told=told).run()
            return 0
        write = _writer(options)
        while True:
            samples = sampler.sample()
            sys.stdout.write((_CLEAR_SCREEN if is_live and not options.no_reset else "") + write(samples))
            sys.stdout.flush()
            told(samples)
            if options.no_stream:
                return 0
            pause(options.interval)


class _Told:
    """Warns once about columns that can't be measured for every container."""

    def __init__(self) -> None:
        self._is_told = False

    def __call__(self, samples: list[Stats]) -> None:
        missing = stat_rows.unknown(samples)
        if not missing or self._is_told:
            return
        self._is_told = True
        from podpy.cli.show.notice import print_warning

        hint = "a container with the host's network has none of its own" if missing == ["NET IO"] else "see podpy info"
        print_warning(f"Not known here for every container: {', '.join(missing)} ({hint})")


def _writer(options: Options) -> Callable[[list[Stats]], str]:
    cut = not options.no_trunc
    if not options.format:
        return lambda samples: align_rows(
            [stat_rows.HEADING, *(stat_rows.StatTexts(each, cut=cut).cells() for each in samples)]
        )
    from podpy.cli.show import report

    if report.is_json(options.format):
        from podpy.go.json import indented

        return lambda samples: indented([stat_rows.json_row(each, cut=cut) for each in samples], " ") + "\n"
    heading = None
    if report.wants_heading(options.format):
        from podpy.libpod.containers.stats import Stats

        heading = report.headers(stat_rows.placeholders(Stats(id="", name="")), **stat_rows.HEADINGS)

    def write(samples: list[Stats]) -> str:
        rows = [stat_rows.placeholders(each, cut=cut) for each in samples]
        return report.render(options.format, rows, heading, default="")

    return write
