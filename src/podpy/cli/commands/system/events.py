"""`podpy events`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.cli.parser.options import Options
    from podpy.libpod.system.events import EventStream


def run(options: Options) -> int:
    """Print past events of the given period, or follow new ones."""
    since, until = _time(options.since, "since"), _time(options.until, "until")
    with open_runtime(options) as runtime:
        stream = runtime.events(
            since=since,
            until=until,
            filters=options.filter,
            follow=options.stream,
            past=bool(options.since or options.until or not options.stream),
            output=sys.stdout.fileno(),
        )
        with stream:
            for text in _texts(stream, options):
                sys.stdout.write(text)
                sys.stdout.flush()
    return 0


def _time(text: str, name: str) -> int:
    if not text:
        return 0
    from podpy.errors import UsageError
    from podpy.libpod.filters.times import parse_time

    try:
        return parse_time(text, ahead=name == "until")
    except UsageError as error:
        text = f"failed to parse event filters: unable to convert {name} time of {text}: unable to interpret time value"
        raise UsageError(text, hint=error.hint) from None


def _texts(stream: EventStream, options: Options) -> Iterator[str]:
    if not options.format:
        return stream.texts(cut=not options.no_trunc)
    from podpy.cli.show import report
    from podpy.cli.show.event_rows import ShownEvent, json_line

    if report.is_json(options.format):
        return ("".join(map(json_line, events)) for events in stream.batches())
    write = report.per_row(options.format)
    return ("".join([write(ShownEvent(event)) for event in events]) for events in stream.batches())
