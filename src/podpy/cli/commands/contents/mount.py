"""`podpy mount`, `podpy unmount`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.cli.parser.options import Options

_SHORT_ID = 12


def mount(options: Options) -> int:
    """Mount containers and print where; without any, print those that are mounted."""
    from podpy.cli.show import report

    as_json = report.is_json(options.format)
    if options.format and not as_json:
        raise UsageError(f'unknown --format argument: "{options.format}"')
    with open_runtime(options) as runtime:
        names = [runtime.latest().id] if options.latest else options.containers
        if names or options.all:
            return _print(runtime.containers.mount(names, every=options.all))
        found = runtime.containers.mounted()
    if as_json:
        from podpy.go.json import indented
        from podpy.go.template.values import Struct

        print(indented([Struct({"id": row[0], "Names": [row[1]], "mountpoint": row[2]}) for row in found], " "))
    else:
        from podpy.go.table import align

        shown = [(row[0] if options.no_trunc else row[0][:_SHORT_ID], row[2]) for row in found]
        print(align("".join(f"{identity}\t{path}\n" for identity, path in shown)), end="")
    return 0


def unmount(options: Options) -> int:
    """Unmount containers and print their ids."""
    with open_runtime(options) as runtime:
        names = [runtime.latest().id] if options.latest else options.containers
        return _print(runtime.containers.unmount(names, every=options.all, force=options.force))


def _print(outcomes: Iterable[tuple[str, str | PodpyError]]) -> int:
    code = 0
    for _, outcome in outcomes:
        if isinstance(outcome, PodpyError):
            complain(outcome)
            code = outcome.exit_code
        else:
            print(outcome)
    return code
