"""`podpy logs`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen
from podpy.errors import EXIT_FAILURE, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container
    from podpy.libpod.io.log_lines import LogLine, LogOptions
    from podpy.libpod.runtime import Runtime

# The colours of `--color`, given to containers in turn: ANSI's foreground colours without black and white.
_COLOURS = (31, 32, 33, 34, 35, 36)


def run(options: Options) -> int:
    """Print what containers wrote: stdout's lines to stdout, stderr's to stderr."""
    wanted = asked(options)
    with open_runtime(options) as runtime:
        found = [container for _, container in chosen(runtime, options)]
        for container in found:
            if isinstance(container, PodpyError):
                raise container
        containers = [container for container in found if not isinstance(container, PodpyError)]
        return print_logs(runtime, containers, wanted, options)


def asked(options: Options) -> LogOptions:
    """Return which part of a log is asked for. Raises UsageError."""
    from podpy.libpod.io.log_lines import LogOptions

    return LogOptions(
        follow=options.follow,
        tail=options.tail,
        since=_time(options.since),
        until=_time(options.until, ahead=True),
        output=sys.stdout.fileno(),
    )


def _time(text: str, *, ahead: bool = False) -> int:
    if not text:
        return 0
    from podpy.libpod.filters.times import parse_time

    return parse_time(text, ahead=ahead)


def print_logs(runtime: Runtime, containers: list[Container], wanted: LogOptions, options: Options) -> int:
    """Print the logs of one or more containers; return the exit code."""
    if len(containers) > 1 and wanted.follow:
        return _print_side_by_side(containers, wanted, options)
    if len(containers) > 1:
        return _print_merged(runtime, containers, wanted, options)
    printer = _Printer(containers[0], -1, options)
    for line in containers[0].logs(wanted):
        printer.print(line)
    printer.end()
    return 0


def _print_merged(runtime: Runtime, containers: list[Container], wanted: LogOptions, options: Options) -> int:
    printers = [_Printer(container, position, options) for position, container in enumerate(containers)]
    for which, line in runtime.containers.logs(containers, wanted):
        printers[which].print(line)
    printers[0].end()
    return 0


def _print_side_by_side(containers: list[Container], wanted: LogOptions, options: Options) -> int:
    """Follow several containers at once, each in a child process: lines are written whole, so they don't mix.

    Return the first failure's exit code.
    """
    import os

    from podpy import process

    children = []
    sys.stdout.flush()
    containers[0].engine.close()  # an SQLite connection must not be carried over a fork; each child opens its own
    for position, container in enumerate(containers):
        child = process.fork()
        if child == 0:
            printer = _Printer(container, position, options)
            for line in container.logs(wanted):
                printer.print(line)
            printer.end()
            os._exit(0)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return next((code if code > 0 else EXIT_FAILURE for code in codes if code), 0)


class _Printer:
    """Writes one container's lines, each with its prefix (the container's name or id, the time)."""

    def __init__(self, container: Container, position: int, options: Options) -> None:
        self._tty = container.spec.tty
        self._timestamps = options.timestamps
        self._at_start = {"stdout": True, "stderr": True}
        self._label = b""
        if options.names:
            self._label = container.name.encode() + b" "
        elif position >= 0:
            self._label = container.id[:12].encode() + b" "
        if options.color and self._label:
            colour = _COLOURS[position % len(_COLOURS)]
            self._label = b"\x1b[%dm%s\x1b[0m" % (colour, self._label)

    def print(self, line: LogLine) -> None:
        """Write a line, or a piece of one, to the stream that the container wrote it to."""
        out = self._out(line.stream)
        prefix = b""
        if self._at_start[line.stream if line.stream == "stderr" else "stdout"]:
            prefix = self._label + (line.time.encode() + b" " if self._timestamps else b"")
        out.write(prefix + line.text + (b"" if line.partial else b"\n"))
        out.flush()
        self._at_start[line.stream if line.stream == "stderr" else "stdout"] = not line.partial

    def end(self) -> None:
        """Write what is still buffered."""
        sys.stdout.buffer.flush()

    def _out(self, stream: str) -> BinaryIO:
        return sys.stderr.buffer if stream == "stderr" and not self._tty else sys.stdout.buffer
