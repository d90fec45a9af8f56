"""`podpy system boot`: containers whose restart policy is always or unless-stopped start again after a reboot."""

from __future__ import annotations

from podpy.monitor.exit_command import own_command
from podpy.record import Record
from podpy.systemd import boot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

_TOLD = "boot_told"  # key in the database: the warning was printed
_TO_START = "should-start-on-boot=true"
_START = ("start", "--all", "--filter", _TO_START)
_STOP = ("stop", "--service", "--all", "--filter", _TO_START)


class Enabled(Record):
    """What `enable` has done; that of the timer of auto-update, too."""

    unit: str  # its path
    has_begun_to_linger: bool  # this call has switched it on
    missing: list[str]  # commands without which it doesn't start at boot, or every day


class Status(Record):
    """What happens after a reboot."""

    unit: str  # its path
    is_enabled: bool
    lingers: bool  # the user's systemd runs from boot on; for root always
    containers: list[str]  # names of those that would be started
    missing: list[str]


def enable(engine: Engine) -> Enabled:
    """Let systemd start the containers at boot, and the user's systemd run from boot on. Raises OSError."""
    start, stop = (own_command(engine.paths, [*engine.settings.arguments, *words]) for words in (_START, _STOP))
    paths, environ = engine.paths, engine.caller.environ
    unit = boot.enable(paths, environ, start, stop)
    lingers = boot.linger(paths)
    return Enabled(unit=unit, has_begun_to_linger=lingers, missing=boot.missing(paths, environ))


def disable(engine: Engine) -> None:
    """Stop systemd from starting containers at boot."""
    boot.disable(engine.paths, engine.caller.environ)


def status(engine: Engine) -> Status:
    """Return what happens after a reboot."""
    from podpy.libpod.containers.rows import listing

    paths, environ = engine.paths, engine.caller.environ
    found = listing(engine, [_TO_START], all=True).rows
    return Status(
        unit=boot.unit_path(paths, environ),
        is_enabled=boot.is_enabled(paths, environ),
        lingers=not paths.rootless or boot.is_lingering(paths),
        containers=[each.name for each in found],
        missing=boot.missing(paths, environ),
    )


def tell_once(engine: Engine, name: str) -> None:
    """Warn, once, that something is missing for a container that must start after a reboot."""
    environ = engine.caller.environ
    # Inside a user's own unit, that unit starts it at boot (systemd.exec(5), INVOCATION_ID).
    if not boot.is_there() or "INVOCATION_ID" in environ or engine.database.get_meta(_TOLD):
        return
    commands = boot.missing(engine.paths, environ)
    if not commands:
        return
    from podpy.notice import warn

    engine.database.set_meta(_TOLD, "1")
    warn(f"nothing starts {name} after a reboot yet. What is missing: {' && '.join(commands)}")
