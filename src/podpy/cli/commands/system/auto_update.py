"""`podpy auto-update`, `rollback`, `system auto-update enable|status|disable`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.runtime import Runtime
    from podpy.libpod.updates.options import Report
    from podpy.libpod.updates.table import Update

_COLUMNS = "\t{{.Unit}}\t{{.Container}}\t{{.Image}}\t{{.Policy}}\t{{.Updated}}"
_HISTORY = "{{.Time}}\t{{.Unit}}\t{{.Container}}\t{{.Image}}\t{{.Policy}}\t{{.From}}\t{{.To}}\t{{.Updated}}\t{{.Error}}"
_OF_AN_UPDATE = (
    "Time", "Begun", "Ended", "Unit", "Container", "ContainerID", "Image", "Policy", "From", "To", "FromID",
    "FromDigest", "ToID", "ToDigest", "Updated", "Error",
)  # fmt: skip
_SHORT = 12


def run(options: Options) -> int:
    """Update containers, or show the updates so far. Return 125 if something failed, as Podman."""
    if options.history:
        return _history(options)
    from podpy.cli.registry_options import access_fields
    from podpy.cli.show import report
    from podpy.cli.show.image_progress import make
    from podpy.libpod.updates.options import Wanted

    wanted = Wanted(
        dry_run=options.dry_run, rollback=options.rollback, try_again=options.try_again, **access_fields(options)
    )
    heading = report.headers(_row(None))
    report.listed(options.format, [_row(None)], heading, default=_COLUMNS)  # a mistake in it is told before any restart
    with _open(options) as runtime:
        outcome = runtime.updates.run(wanted, progress=lambda: make(quiet=False))
    if outcome.reports or report.is_json(options.format):
        rows = [_row(each) for each in outcome.reports]
        sys.stdout.write(report.listed(options.format, rows, heading, default=_COLUMNS, indent="    "))
        sys.stdout.flush()
    for error in outcome.errors:
        complain(error)
    return outcome.errors[0].exit_code if outcome.errors else 0


def _open(options: Options) -> Runtime:
    """Return a Runtime that stays outside the user's namespaces: it asks systemd as the user."""
    from podpy.libpod.access import Helper

    return open_runtime(options, Helper())


def _row(found: Report | None) -> Struct:
    from podpy.go.template.values import Struct

    names = ("Unit", "Container", "ContainerName", "ContainerID", "Image", "Policy", "Updated")
    if found is None:
        return Struct(dict.fromkeys(names, ""))
    short = f"{found.container_id[:_SHORT]} ({found.container})"
    values = (found.unit, short, found.container, found.container_id, found.image, found.policy, found.updated)
    return Struct(dict(zip(names, values, strict=True)))


def _history(options: Options) -> int:
    from podpy.cli.show import report
    from podpy.go.template.values import Struct

    with open_runtime(options) as runtime:
        rows = [_history_row(each) for each in runtime.updates.history()]
    heading = report.headers(Struct(dict.fromkeys(_OF_AN_UPDATE, "")), Error="REASON")
    sys.stdout.write(report.listed(options.format, rows, heading, default=_HISTORY, indent="    "))
    return 0


def _history_row(found: Update) -> Struct:
    from podpy.go.template.values import Struct
    from podpy.go.time import GoTime

    values = (
        GoTime(found.begun).format("2006-01-02 15:04:05"),
        GoTime(found.begun),
        GoTime(found.ended or None),
        found.unit,
        found.container,
        found.container_id,
        found.image,
        found.policy,
        found.former_id[:_SHORT],
        found.new_id[:_SHORT],
        found.former_id,
        found.former_digest,
        found.new_id,
        found.new_digest,
        found.result,
        found.error,
    )
    return Struct(dict(zip(_OF_AN_UPDATE, values, strict=True)))


def rollback(options: Options) -> int:
    """Give a container's unit its former image back, and print which that is."""
    from podpy.cli.registry_options import access_fields
    from podpy.libpod.updates.options import Wanted

    with _open(options) as runtime:
        done = runtime.updates.rollback(options.container, Wanted(**access_fields(options)))
    print(f"{done.container}: {done.image} is image {done.new_id[:_SHORT]} again, no longer {done.former_id[:_SHORT]}")
    return 0


def enable(options: Options) -> int:
    """Let systemd update containers every day. Print the timer, what else was done, and what is still needed."""
    from podpy.cli.show.enabled import tell
    from podpy.libpod.updates.timer import enable

    with open_runtime(options) as runtime:
        done = enable(runtime)
    tell(done)
    return 0


def status(options: Options) -> int:
    """Print when containers are updated next. Return 1 if something is missing."""
    from podpy.cli.show.enabled import tell_missing
    from podpy.libpod.updates.timer import status

    with open_runtime(options) as runtime:
        found = status(runtime)
    print(f"Timer: {found.timer if found.is_enabled else 'not enabled'}")
    print(f"Next: {found.next or 'never'}")
    print(f"Runs without a login: {'yes' if found.lingers else 'no'}")
    return tell_missing(found.missing)


def disable(options: Options) -> int:
    """Let systemd update no containers any more."""
    from podpy.libpod.updates.timer import disable

    with open_runtime(options) as runtime:
        disable(runtime)
    return 0
