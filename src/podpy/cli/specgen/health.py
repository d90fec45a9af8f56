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

_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "interval": ("health_interval", texts.interval),
    "timeout": ("health_timeout", texts.timeout),
    "retries": ("health_retries", texts.retries),
    "start_period": ("health_start_period", texts.start_period),
    "start_interval": ("health_start_interval", texts.interval),
    "on_failure": ("health_on_failure", texts.on_failure),
    "log_destination": ("health_log_destination", lambda text: texts.log_destination(text, working_directory)),
    "log_count": ("health_max_log_count", int),
    "log_size": ("health_max_log_size", int),
}
"""Field of Health: the option's attribute, and what reads it."""

_STARTUP_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "test": ("health_startup_cmd", texts.command),
    "interval": ("health_startup_interval", texts.interval),
    "timeout": ("health_startup_timeout", texts.timeout),
    "retries": ("health_startup_retries", int),
    "successes": ("health_startup_success", int),
}


def health(options: Options) -> Health:
    """Return the health check that the options describe; the image decides the rest. Raises UsageError."""
    if options.no_healthcheck and options.health_cmd:
        raise UsageError("cannot specify both --no-healthcheck and --health-cmd")
    if options.no_healthcheck and options.health_startup_cmd:
        raise UsageError("cannot specify both --no-healthcheck and --health-startup-cmd")
    startup = StartupCheck(**_given(options, _STARTUP_READERS)) if options.health_startup_cmd else None
    return Health(**_test(options), **_given(options, _READERS), startup=startup)


def changes(options: Options) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of Health that `podpy update` changes, and those of the startup check. Raises UsageError."""
    fields, startup = _given(options, _READERS), _given(options, _STARTUP_READERS)
    if options.no_healthcheck and (fields or startup or options.health_cmd):
        raise UsageError("cannot specify both --no-healthcheck and other HealthCheck flags")
    return {**_test(options), **fields}, startup


def _test(options: Options) -> dict[str, Any]:
    if options.no_healthcheck:
        return {"test": ["NONE"]}
    return {"test": texts.command(options.health_cmd)} if options.health_cmd else {}


def _given(options: Options, readers: dict[str, tuple[str, Callable[[Any], Any]]]) -> dict[str, Any]:
    return {field: read(getattr(options, name)) for field, (name, read) in readers.items() if options.given(name)}
