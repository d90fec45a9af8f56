"""`podpy pod ls`."""

from __future__ import annotations

import sys
from time import time_ns

from podpy.cli.engine import open_runtime
from podpy.cli.show import pod_rows
from podpy.errors import UsageError
from podpy.go.table import align_rows
from podpy.go.units import ago
from podpy.libpod.containers.table import shown_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.pods.table import PodLine

_SHORT = 12
_KEYS: dict[str, Callable[[PodLine], object]] = {
    "created": lambda line: -line.row.created,
    "id": lambda line: line.row.id,
    "name": lambda line: line.row.name,
    "names": lambda line: line.row.name,
    "number": lambda line: len(line.members),
    "status": lambda line: line.state,
}
_HEADINGS = {
    "ID": "pod id",
    "InfraID": "infra id",
    "NumberOfContainers": "# of containers",
    "ContainerIds": "ids",
    "ContainerNames": "names",
    "ContainerStatuses": "status",
}


def ls(options: Options) -> int:
    """List pods."""
    if options.sort not in _KEYS:
        raise UsageError("invalid option for --sort, options are: id, names, or number")
    with open_runtime(options) as runtime:
        lines = [*runtime.pods.lines(options.filter, whole=bool(options.format))]
        if options.latest:
            lines = lines[-1:]
        lines.sort(key=_KEYS[options.sort])  # type: ignore[arg-type]
    if options.format:
        sys.stdout.write(_formatted(lines, options))
        return 0
    width = None if options.no_trunc else _SHORT
    if options.quiet:
        sys.stdout.write("".join(f"{line.row.id[:width]}\n" for line in lines))
        return 0
    cells = [_cells(line, options, width) for line in lines]
    sys.stdout.write(align_rows(cells if options.noheading else [_heading(options), *cells]))
    return 0


def _heading(options: Options) -> list[str]:
    heading = ["POD ID", "NAME", "STATUS", "CREATED"]
    heading += ["NAMESPACES"] if options.ns else []
    heading.append("INFRA ID")
    more = [name for wanted, name in zip(_wanted(options), ("IDS", "NAMES", "STATUS"), strict=True) if wanted]
    return heading + (more or ["# OF CONTAINERS"])


def _wanted(options: Options) -> tuple[bool, bool, bool]:
    return options.ctr_ids, options.ctr_names, options.ctr_status


def _cells(line: PodLine, options: Options, width: int | None) -> list[str]:
    row, members = line.row, line.members
    cells = [row.id[:width], row.name, line.state, ago(row.created, time_ns())]
    cells += [",".join(row.parsed().share)] if options.ns else []
    cells.append(row.infra_id[:width])
    columns = (
        [each.id[:width] for each in members],
        [each.name for each in members],
        [shown_status(each.status, each.started, each.restarts) for each in members],
    )
    more = [",".join(texts) for wanted, texts in zip(_wanted(options), columns, strict=True) if wanted]
    return cells + (more or [str(len(members))])


def _formatted(lines: Sequence[PodLine], options: Options) -> str:
    from podpy.cli.show import report

    if report.is_json(options.format):
        from podpy.go.json import indented
        from podpy.libpod.pods.rows import as_report

        return indented([as_report(line) for line in lines], "  ") + "\n"
    now = time_ns()
    shown = [pod_rows.placeholders(line, whole=options.no_trunc, now=now) for line in lines]
    heading = None
    if report.wants_heading(options.format) and not options.noheading:
        heading = report.headers(_empty_row(), **_HEADINGS)
    return report.render(options.format, shown, heading, default="")


def _empty_row() -> Struct:
    from podpy.libpod.pods.table import PodLine, PodRow

    line = PodLine(row=PodRow(id="", name="", created=0), members=[], state="")
    return pod_rows.placeholders(line, whole=True, now=0)
