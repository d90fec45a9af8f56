"""`podpy system boot`: containers whose restart policy is always or unless-stopped start again after a reboot."""

from __future__ import annotations

from podpy.monitor.exit_command import own_command
from podpy.systemd import boot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

_TOLD = "boot_told"  # key in the database: the warning was printed
_WORDS = ("start", "--all", "--filter", "should-start-on-boot=true")


def enable(engine: Engine) -> tuple[str, list[str]]:
    """Let systemd start the containers at boot; return the unit's path, and the commands that are still needed."""
    program = own_command(engine.paths, [*engine.settings.arguments, *_WORDS])
    unit = boot.enable(engine.paths, engine.caller.environ, program)
    return unit, boot.missing(engine.paths, engine.caller.environ)


def disable(engine: Engine) -> None:
    """Stop systemd from starting containers at boot."""
    boot.disable(engine.paths, engine.caller.environ)


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
