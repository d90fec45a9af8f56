"""`podpy ps`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show import container_rows as rows_of
from podpy.cli.show.container_rows import View
from podpy.errors import UsageError
from podpy.go.table import align_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.runtime import Runtime

_NS_FIELDS = ("ID", "Names", "Pid", "Cgroup", "IPC", "MNT", "NET", "PIDNS", "User", "UTS")
_STANDARD = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
_HEADINGS = {
    "ID": "container id",
    "CreatedHuman": "created",
    "Cgroup": "cgroupns",
    "IPC": "ipc",
    "MNT": "mnt",
    "NET": "net",
    "PIDNS": "pidns",
    "User": "userns",
    "UTS": "uts",
    "Pod": "pod id",
    "PodName": "podname",
    "Restarts": "restarts",
    "RunningFor": "running for",
    "Networks": "networks",
}
_CLEAR_SCREEN = "\x1b[2J\x1b[H"


def run(options: Options) -> int:
    """List containers."""
    if options.given("last") and options.last >= 0 and options.latest:
        raise UsageError("last and latest are mutually exclusive")
    if options.quiet and (options.size or options.ns):
        raise UsageError("quiet conflicts with size and namespace")
    if options.size and options.ns:
        raise UsageError("size and namespace options conflict")
    if options.watch and options.latest:
        raise UsageError("the watch and latest flags cannot be used together")
    if options.ns and options.external:
        raise UsageError("--namespace and --external flags can not both be set")
    with open_runtime(options) as runtime:
        if not options.watch:
            sys.stdout.write(_page(runtime, options))
            return 0
        from podpy.cli.streams import pause

        while True:
            page = _page(runtime, options)
            sys.stdout.write((_CLEAR_SCREEN if sys.stdout.isatty() else "") + page)
            sys.stdout.flush()
            pause(options.watch)


def _page(runtime: Runtime, options: Options) -> str:
    if _is_plain(options):
        lines = runtime.container_lines()
        view = View(cut=not options.no_trunc, health=runtime.health_states([line[0] for line in lines]))
        return _standard(rows_of.standard_cells(lines, view), options)
    found = runtime.containers.listing(
        options.filter,
        all=options.all,
        last=1 if options.latest else options.last,
        sort=options.sort,
        size=options.size,
        whole=bool(options.format) or options.pod,  # else the container's whole description isn't read
    )
    rows, sizes = found.rows, found.sizes
    namespaces = options.ns or "Namespaces" in options.format
    view = View(cut=not options.no_trunc, sizes=sizes, namespaces=namespaces, health=found.health, pods=found.pods)
    if options.format:
        return _formatted(rows, view, options)
    if options.quiet:
        return "".join(rows_of.short(row.id, view) + "\n" for row in rows)
    return _columns(rows, view, options)


def _is_plain(options: Options) -> bool:
    """Return whether all containers are listed with the standard columns: then Runtime.container_lines is enough."""
    narrowed = options.filter or options.latest or options.last > 0 or not options.all
    other_columns = options.format or options.quiet or options.ns or options.size or options.pod
    return not narrowed and not other_columns and options.sort == "created"


def _columns(rows: list[ContainerRow], view: View, options: Options) -> str:
    """Return the columns without using a template: a template is too slow for a list of 1,000 containers."""
    if options.ns:
        columns = _ns_columns(view)
        cells = columns.values()
        lines = [] if options.noheading else [[*columns]]
        return align_rows(lines + [[cell(row) for cell in cells] for row in rows])
    texts = rows_of.standard_cells([row.line() for row in rows], view)
    heading: tuple[str, ...] = _STANDARD
    if options.pod:
        heading += ("POD ID", "PODNAME")
        texts = [
            (*cells, rows_of.short(row.pod, view), view.pods.get(row.pod, ""))
            for cells, row in zip(texts, rows, strict=True)
        ]
    if options.size:
        heading += ("SIZE",)
        texts = [(*cells, rows_of.size_text(row, view)) for cells, row in zip(texts, rows, strict=True)]
    return _standard(texts, options, heading)


def _standard(lines: list[tuple[str, ...]], options: Options, heading: tuple[str, ...] = _STANDARD) -> str:
    return align_rows(lines if options.noheading else [heading, *lines])


def _ns_columns(view: View) -> dict[str, Callable[[ContainerRow], str]]:
    from podpy.libpod.containers.facts import namespaces_of

    def space(name: str) -> Callable[[ContainerRow], str]:
        return lambda row: namespaces_of(row).get(name, "")

    return {
        "CONTAINER ID": lambda row: rows_of.short(row.id, view),
        "NAMES": lambda row: row.name,
        "PID": lambda row: str(row.pid),
        "CGROUPNS": space("Cgroup"),
        "IPC": space("Ipc"),
        "MNT": space("Mnt"),
        "NET": space("Net"),
        "PIDNS": space("Pidns"),
        "USERNS": space("User"),
        "UTS": space("Uts"),
    }


def _formatted(rows: list[ContainerRow], view: View, options: Options) -> str:
    from podpy.cli.show import report

    if report.is_json(options.format):
        from podpy.go.json import indented

        return indented([rows_of.json_row(row, view) for row in rows], "  ") + "\n"
    heading: Struct | None = None
    if report.wants_heading(options.format) and not options.noheading:
        heading = _headings()
    shown = [rows_of.placeholders(row, view) for row in rows]
    # Podman's namespaces have their fields on the row itself, too; both spellings are in use.
    return report.render(options.format.replace(".Namespaces.", "."), shown, heading, default="")


def _headings() -> Struct:
    from podpy.cli.show import report
    from podpy.fastjson import dumps
    from podpy.libpod.containers.table import ContainerRow
    from podpy.spec.container import ContainerSpec

    row = rows_of.placeholders(ContainerRow(id="", name="", spec=dumps(ContainerSpec(network="").as_dict())), View())
    return report.headers(row, **_HEADINGS)
