"""`podpy version`."""

from __future__ import annotations

import sys

from podpy.cli.show.report import is_json, render_each
from podpy.go import json as gojson
from podpy.go.table import align
from podpy.go.template.values import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Print podpy's version, and the Podman version that its command line follows. There is no server."""
    from podpy.cli.called import engine_and_version
    from podpy.libpod.system.info import version

    name, own = engine_and_version()
    facts = Struct({**version(), "Version": own})
    report = Struct({"Client": facts})
    if is_json(options.format):
        sys.stdout.write(gojson.compact(report) + "\n")
    elif options.given("format"):
        # Scripts written for older versions ask for {{.Version}}, without .Client; `{{json .}}` hasn't it.
        older = {name: _method(value) for name, value in {**facts, "Server": facts}.items()}
        sys.stdout.write(render_each(options.format, [Struct({**report, **older})]))
    else:
        rows = (
            ("Client:", f"{name.capitalize()} Engine"),
            ("Version:", facts["Version"]),
            ("API Version:", facts["APIVersion"]),
            ("Built:", facts["BuiltTime"]),
            ("OS/Arch:", facts["OsArch"]),
        )
        sys.stdout.write(align("".join(f"{name}\t{value}\n" for name, value in rows if value)))
    return 0


def _method(value: object) -> Callable[[], object]:
    return lambda: value
