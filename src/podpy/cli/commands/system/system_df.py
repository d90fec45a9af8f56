"""`podpy system df`: disk usage of images, containers and volumes."""

from __future__ import annotations

import sys
from time import time_ns

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError
from podpy.go.units import human_duration, human_size
from podpy.libpod.system.disk_usage import DiskUsage, KindUsage, disk_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options

_SHORT = 12
_COLUMNS = "{{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"


def run(options: Options) -> int:
    """Print one line for each kind of object, or (--verbose) for each object."""
    if options.format and options.verbose:
        raise UsageError("cannot combine --format and --verbose flags")
    with open_runtime(options) as runtime:
        usage = disk_usage(runtime)
    sys.stdout.write(_each(usage) if options.verbose else _summary(usage, options.format))
    return 0


def _summary(usage: DiskUsage, format_text: str) -> str:
    from podpy.cli.show import report
    from podpy.go.template.values import Struct

    rows = [_row(found) for found in usage.kinds()]
    if report.is_json(format_text):
        from podpy.go.json import indented

        return indented([Struct(row) for row in rows], "    ") + "\n"
    heading = report.headers(Struct(rows[0])) if report.wants_heading(format_text) else None
    return report.render(format_text, [Struct(row) for row in rows], heading, default=_COLUMNS)


def _row(found: KindUsage) -> dict[str, Any]:
    return {
        "Type": found.kind,
        "Total": found.total,
        "Active": found.active,
        "RawSize": found.size,
        "RawReclaimable": found.reclaimable,
        "TotalCount": found.total,
        "Size": human_size(found.size),
        "Reclaimable": f"{human_size(found.reclaimable)} ({found.percent}%)",
    }


def _each(usage: DiskUsage) -> str:
    from podpy.go.table import align

    now = time_ns()
    tables = (
        ("Images", ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"],
         _image_lines(usage, now)),
        ("Containers", ["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"],
         _container_lines(usage, now)),
        ("Local Volumes", ["VOLUME NAME", "LINKS", "SIZE"],
         [[found.name, str(found.containers), human_size(found.size)] for found in usage.volumes]),
    )  # fmt: skip
    parts = []
    for title, heading, lines in tables:
        text = "\n".join("\t".join(cells) for cells in [heading, *lines])
        parts.append(f"{title} space usage:\n\n{align(text)}\n")
    return "\n".join(parts)


def _image_lines(usage: DiskUsage, now: int) -> list[list[str]]:
    from podpy.libpod.images.rows import split_name

    return [
        [
            *split_name(name),
            found.image.id[:_SHORT],
            human_duration((now - found.image.created) / 1e9),
            human_size(found.shared + found.own),
            human_size(found.shared),
            human_size(found.own),
            str(found.containers),
        ]
        for found in usage.images
        for name in found.image.names or [""]
    ]


def _container_lines(usage: DiskUsage, now: int) -> list[list[str]]:
    from podpy.fastjson import loads

    return [
        [
            found.row.id[:_SHORT],
            found.row.image_id[:_SHORT],
            " ".join(loads(found.row.command)),
            str(found.volumes),
            human_size(found.size),
            human_duration((now - found.row.created) / 1e9),
            found.row.status,
            found.row.name,
        ]
        for found in usage.containers
    ]
