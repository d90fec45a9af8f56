"""`podpy search`: a table of images, or of one repository's tags."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show import report
from podpy.cli.show.image_progress import make
from podpy.errors import UsageError
from podpy.go.template.values import Struct
from podpy.image.registry.search import Found, list_tags
from podpy.image.registry.search import search as search_images

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.parse import Options
    from podpy.image.registry.remote import Access

_WIDTH = 44
_YES = "[OK]"
_IMAGES = "{{.Name}}\t{{.Description}}"
_COMPATIBLE = _IMAGES + "\t{{.Stars}}\t{{.Official}}\t{{.Automated}}"
_TAGS = "{{.Name}}\t{{.Tag}}"


def search(options: Options) -> int:
    """`podpy search`: prints nothing if nothing is found."""
    filters = _Filters(options.filter)
    if options.list_tags and options.filter:
        raise UsageError("filters are not applicable to list tags result")
    if options.limit < 0:
        raise UsageError(f"--limit {options.limit}: a number that is not negative is needed")
    sys.stdout.write(_tags(options) if options.list_tags else _images(options, filters))
    return 0


def _tags(options: Options) -> str:
    with open_runtime(options) as runtime:
        found = list_tags(
            runtime.paths, options.term, _access(options), limit=options.limit, progress=make(quiet=False)
        )
    if report.is_json(options.format):
        return _json([Struct({"Name": one.name, "Tags": one.tags}) for one in found])
    rows = [_row(Found(index=one.index, name=one.name), tag=tag) for one in found for tag in one.tags]
    return _table(options, rows, _TAGS)


def _images(options: Options, filters: _Filters) -> str:
    with open_runtime(options) as runtime:
        found = search_images(
            runtime.paths, options.term, _access(options), limit=options.limit, progress=make(quiet=False)
        )
    in_json = report.is_json(options.format)
    rows = [_row(one, whole=options.no_trunc or in_json) for one in found if filters.match(one)]
    if in_json:
        return _json(rows)
    return _table(options, rows, _COMPATIBLE if options.compatible else _IMAGES)


def _access(options: Options) -> Access:
    from podpy.cli.registry_options import access_fields
    from podpy.image.registry.remote import Access

    return Access(**access_fields(options))


def _json(rows: list[Struct]) -> str:
    from podpy.go.json import indented

    return indented(rows, "    ") + "\n"


def _table(options: Options, rows: list[Struct], default: str) -> str:
    if not rows:
        return ""
    heading = report.headers(rows[0]) if report.wants_heading(options.format) else None
    return report.render(options.format, rows, heading, default=default)


def _row(found: Found, *, tag: str = "", whole: bool = False) -> Struct:
    text = found.description
    return Struct(
        {
            "Index": found.index,
            "Name": found.name,
            "Description": text if whole or len(text) <= _WIDTH else text[:_WIDTH] + "...",
            "Stars": found.stars,
            "Official": _YES if found.official else "",
            "Automated": _YES if found.automated else "",
            "Tag": tag,
        }
    )


class _Filters:
    """`--filter stars=N`, `is-official[=BOOL]`, `is-automated[=BOOL]`; the last one of a key counts."""

    def __init__(self, texts: list[str]) -> None:
        self._stars = 0
        self._wanted: dict[str, bool] = {}
        for text in texts:
            key, _, value = text.partition("=")
            if key == "stars":
                self._stars = _stars(text, value)
            elif key in ("is-official", "is-automated"):
                self._wanted[key] = value != "false"
            else:
                raise UsageError(f'invalid filter type "{text}"', hint="Keys: stars, is-official, is-automated")

    def match(self, found: Found) -> bool:
        """Tell whether all that is asked for is true of an image."""
        facts = {"is-official": found.official, "is-automated": found.automated}
        return found.stars >= self._stars and all(facts[key] == value for key, value in self._wanted.items())


def _stars(text: str, value: str) -> int:
    if not value:
        raise UsageError(f'invalid filter "{text}", should be stars=<value>')
    if not (value.isascii() and value.isdigit()):
        raise UsageError(f'incorrect value type for stars filter: "{value}" is no number')
    return int(value[:18])
