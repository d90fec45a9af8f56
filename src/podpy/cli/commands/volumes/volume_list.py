"""`podpy volume ls`, `volume prune`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.question import agreed
from podpy.cli.show.notice import complain
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct

_WARNING = "WARNING! This will remove {} not used by at least one container. The following volumes will be removed:"


def ls(options: Options) -> int:
    """`podpy volume ls`."""
    if options.quiet and options.given("format"):
        raise UsageError("quiet and format flags cannot be used together")
    with open_runtime(options) as runtime:
        volumes = runtime.volumes.list(options.filter)
        if options.quiet:
            sys.stdout.write("".join(f"{volume.name}\n" for volume in volumes))
            return 0
        if not options.format:
            sys.stdout.write(_table([(volume.driver, volume.name) for volume in volumes], options))
            return 0
        facts = runtime.volumes.facts(volumes)
    sys.stdout.write(_formatted(facts, options))
    return 0


def _table(lines: list[tuple[str, str]], options: Options) -> str:
    from podpy.go.table import align

    heading = [] if options.noheading else [("DRIVER", "VOLUME NAME")]
    return align("".join(f"{driver}\t{name}\n" for driver, name in [*heading, *lines])) if heading or lines else ""


def _formatted(facts: list[dict[str, Any]], options: Options) -> str:
    from podpy.cli.show import report
    from podpy.go.view import volume_view

    if report.is_json(options.format):
        from podpy.go.json import indented

        return indented([volume_view(found) for found in facts], "  ") + "\n"
    heading = None
    if report.wants_heading(options.format) and not options.noheading:
        from podpy.go.template.values import Struct

        heading = report.headers(Struct(dict.fromkeys(_FIELDS, "")), Name="volume name")
    return report.render(options.format, [_row(found) for found in facts], heading, default="")


_FIELDS = (
    "Name", "Driver", "Mountpoint", "CreatedAt", "Status", "Labels", "Scope", "Options", "UID", "GID", "Anonymous",
    "MountCount", "NeedsCopyUp", "NeedsChown", "Timeout", "StorageID", "LockNumber",
)  # fmt: skip


def _row(found: dict[str, Any]) -> Struct:
    """Return a volume as a list's template sees it. Labels are one text, as in Podman 6 and Docker."""
    from podpy.go.view import Shown, volume_view

    whole = volume_view(found)
    labels = found["Labels"]
    text = ",".join(f"{name}={labels[name]}" for name in sorted(labels))
    return Shown({**whole, "Labels": text}, whole.json_form())


def prune(options: Options) -> int:
    """`podpy volume prune`: prints the names of the volumes that it removed, or (--dry-run) would remove."""
    every = options.all
    if options.force and options.dry_run:
        raise UsageError("--force and --dry-run cannot be used together")
    if every and any(text.partition("=")[0] == "all" for text in options.filter):
        raise UsageError("--all and --filter all cannot be used together")
    every = every or "all=true" in (text.lower() for text in options.filter)
    with open_runtime(options) as runtime:
        if not options.force and not options.dry_run:
            names = [volume.name for volume in runtime.volumes.prunable(options.filter, every=every)]
            warning = _WARNING.format("all volumes" if every else "anonymous local volumes")
            if not names:
                print(f"{warning}\nNo dangling {'' if every else 'anonymous '}volumes found")
                return 0
            if not agreed(options, "\n".join((warning, *names, ""))):
                return 0
        pruned = runtime.volumes.prune(options.filter, every=every, dry_run=options.dry_run)
    if options.dry_run:
        print("Volumes that would be pruned:")
    for name in pruned.removed:
        print(name)
    for error in pruned.errors:
        complain(error)
    return pruned.errors[-1].exit_code if pruned.errors else 0
