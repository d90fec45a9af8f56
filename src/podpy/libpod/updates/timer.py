"""`podpy system auto-update`: systemd updates the containers every day."""

from __future__ import annotations

from podpy.libpod.system.boot import Enabled
from podpy.monitor.exit_command import own_command
from podpy.record import Record
from podpy.systemd import boot, timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


class Status(Record):
    """Whether containers are updated every day."""

    timer: str  # its path
    is_enabled: bool
    next: str  # when it runs next, in systemd's words; empty: it doesn't
    lingers: bool  # the user's systemd runs from boot on; for root always
    missing: list[str]


def enable(engine: Engine) -> Enabled:
    """Let systemd call `auto-update` every day, and then `image prune`. Raises OSError, PodpyError."""
    paths, environ, arguments = engine.paths, engine.caller.environ, engine.settings.arguments
    update, prune = (own_command(paths, [*arguments, *words]) for words in (["auto-update"], ["image", "prune", "-f"]))
    path = timer.enable(paths, environ, update, prune)
    lingers = boot.linger(paths)
    return Enabled(unit=path, has_begun_to_linger=lingers, missing=timer.missing(paths, environ))


def disable(engine: Engine) -> None:
    """Let systemd update nothing any more. Raises OSError, PodpyError."""
    timer.disable(engine.paths, engine.caller.environ)


def status(engine: Engine) -> Status:
    """Return whether containers are updated every day."""
    paths, environ = engine.paths, engine.caller.environ
    return Status(
        timer=timer.timer_path(paths, environ),
        is_enabled=timer.is_enabled(paths, environ),
        next=timer.next_time(paths),
        lingers=not paths.rootless or boot.is_lingering(paths),
        missing=timer.missing(paths, environ),
    )
