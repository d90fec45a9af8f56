"""`--health-cmd`, `--no-healthcheck` … → Health (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.libpod.runtime import working_directory
from podpy.spec.health import Health, StartupCheck
from podpy.spec.text import health as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.cli.parser.options import Options

_READERS: dict[str, Callable[[Any], int]] = {
    "interval": texts.interval,
    "timeout": texts.timeout,
    "retries": texts.retries,
    "start_period": texts.start_period,
    "start_interval": texts.interval,
}


def health(options: Options) -> Health:
    """Return what was asked for; what wasn't is the image's to say. Raises UsageError."""
    if options.no_healthcheck and options.health_cmd:
        raise UsageError("cannot specify both --no-healthcheck and --health-cmd")
    if options.no_healthcheck and options.health_startup_cmd:
        raise UsageError("cannot specify both --no-healthcheck and --health-startup-cmd")
    test = ["NONE"] if options.no_healthcheck else texts.command(options.health_cmd) if options.health_cmd else []
    given = {name: read for name, read in _READERS.items() if options.given(f"health_{name}")}
    return Health(
        test=test,
        **{name: read(getattr(options, f"health_{name}")) for name, read in given.items()},
        startup=_startup(options) if options.health_startup_cmd else None,
        on_failure=texts.on_failure(options.health_on_failure),
        log_destination=texts.log_destination(options.health_log_destination, working_directory),
        log_count=options.health_max_log_count,
        log_size=options.health_max_log_size,
    )


def _startup(options: Options) -> StartupCheck:
    return StartupCheck(
        test=texts.command(options.health_startup_cmd),
        interval=texts.interval(options.health_startup_interval),
        timeout=texts.timeout(options.health_startup_timeout),
        retries=options.health_startup_retries,
        successes=options.health_startup_success,
    )
