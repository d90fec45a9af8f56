"""`podpy search`: a table of images, or of one repository's tags."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show import report
from podpy.cli.show.image_progress import make
from podpy.errors import UsageError
from podpy.go.template.values import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.image.registry.search import Found
    from podpy.libpod.images.options import Access

_WIDTH = 44
_YES = "[OK]"
_IMAGES = "{{.Name}}\t{{.Description}}"
_COMPATIBLE = _IMAGES + "\t{{.Stars}}\t{{.Official}}\t{{.Automated}}"
_TAGS = "{{.Name}}\t{{.Tag}}"


def search(options: Options) -> int:
    """`podpy search`: prints nothing if nothing is found."""
    if options.list_tags and options.filter:
        raise UsageError("filters are not applicable to list tags result")
    sys.stdout.write(_tags(options) if options.list_tags else _images(options))
    return 0


def _tags(options: Options) -> str:
    with open_runtime(options) as runtime:
        found = runtime.registries.tags(options.term, _access(options), limit=options.limit, progress=make(quiet=False))
    if report.is_json(options.format):
        return _json([Struct({"Name": one.name, "Tags": one.tags}) for one in found])
    rows = [_row(one.index, one.name, tag=tag) for one in found for tag in one.tags]
    return _table(options, rows, _TAGS)


def _images(options: Options) -> str:
    with open_runtime(options) as runtime:
        found = runtime.registries.search(
            options.term, _access(options), filters=options.filter, limit=options.limit, progress=make(quiet=False)
        )
    in_json = report.is_json(options.format)
    rows = [_row(one.index, one.name, one, whole=options.no_trunc or in_json) for one in found]
    if in_json:
        return _json(rows)
    return _table(options, rows, _COMPATIBLE if options.compatible else _IMAGES)


def _access(options: Options) -> Access:
    from podpy.cli.registry_options import access_fields
    from podpy.libpod.images.options import Access

    return Access(**access_fields(options))


def _json(rows: list[Struct]) -> str:
    from podpy.go.json import indented

    return indented(rows, "    ") + "\n"


def _table(options: Options, rows: list[Struct], default: str) -> str:
    if not rows:
        return ""
    heading = report.headers(rows[0]) if report.wants_heading(options.format) else None
    return report.render(options.format, rows, heading, default=default)


def _row(index: str, name: str, found: Found | None = None, *, tag: str = "", whole: bool = False) -> Struct:
    text = found.description if found else ""
    return Struct(
        {
            "Index": index,
            "Name": name,
            "Description": text if whole or len(text) <= _WIDTH else text[:_WIDTH] + "...",
            "Stars": found.stars if found else 0,
            "Official": _YES if found and found.official else "",
            "Automated": _YES if found and found.automated else "",
            "Tag": tag,
        }
    )
