"""Prepares a container's health check for its monitor, which runs it: configuration and processes as files."""

from __future__ import annotations

import os

from podpy import files
from podpy.monitor import health as monitor
from podpy.oci.document.exec import build_exec_process
from podpy.plan import Operation
from podpy.spec.health import EVENTS_LOGGER, LOCAL, SECOND, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.starting.bundle import BuildConfig
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec
    from podpy.spec.health import Health

_BEGINNING = '{"Status":"starting","FailingStreak":0,"Log":null}\n'
_MILLISECOND = SECOND // 1000


class WriteHealthCheck(Operation):
    """Write the monitor's input for the health check; from here on the container's health is `starting`."""

    def __init__(self, container: Held, built: BuildConfig) -> None:
        self._container = container
        self._built = built

    def describe(self) -> str:
        """Return what is written."""
        return "write the health check's configuration and process"

    def execute(self) -> None:
        """Write. Raises OSError."""
        engine = self._container.engine
        spec = self._container.spec
        assert spec.health is not None
        _begin(engine, self._container.id, anew=True)
        _write(self._container, spec, spec.health, self._built.config["process"])
        if engine.settings.conmon:
            from podpy.notice import warn

            warn(f"{engine.settings.conmon} runs no health checks: leave out --conmon, and podpy's own does")


def follow(container: Held, spec: ContainerSpec) -> None:
    """Make a running container's monitor follow the health check of the new spec. Raises OSError."""
    from podpy.libpod.io.exec import bundle_config

    engine = container.engine
    run_directory = engine.run_directory(container.id)
    if spec.health is not None and spec.health.is_checked:
        _begin(engine, container.id)
        _write(container, spec, spec.health, bundle_config(container)["process"])
    else:
        from podpy.libpod.containers.health import forget

        monitor.forget(run_directory)
        forget(engine, container.id)
    monitor.tell_changed(run_directory)


def _begin(engine: Engine, container_id: str, *, anew: bool = False) -> None:
    """Write empty results, unless there are some."""
    for directory in (engine.health_directory, engine.health_events_directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    result = f"{engine.health_directory}/{container_id}"
    if anew or not os.path.exists(result):
        files.replace(result, _BEGINNING)


def _write(container: Held, spec: ContainerSpec, health: Health, process: dict[str, Any]) -> None:
    engine = container.engine

    def process_of(test: list[str]) -> dict[str, Any]:
        # As the container's own user: its ids are in `process`, so nothing is looked up.
        return build_exec_process(process, spec, rootfs="/", command=words_of(test), env={})

    processes = {monitor.PROCESS: process_of(health.test)}
    if health.startup is not None:
        processes[monitor.STARTUP] = process_of(health.startup.test)
    monitor.write(engine.run_directory(container.id), _config(container.id, engine, spec, health), processes)


def _config(identifier: str, engine: Engine, spec: ContainerSpec, health: Health) -> dict[str, int | str]:
    values: dict[str, int | str] = {
        "result": f"{engine.health_directory}/{identifier}",
        "interval": _milliseconds(health.interval),
        "timeout": _milliseconds(health.timeout),
        "retries": health.retries or 1,
        "start_period": _milliseconds(health.start_period),
        "start_interval": _milliseconds(health.start_interval),
        "log_count": health.log_count,
        "log_size": health.log_size,
        "on_failure": health.on_failure,
        "stop_signal": spec.stop_signal,
        "stop_timeout": spec.stop_timeout * 1000,
    }
    if health.startup is not None:
        startup = health.startup
        values.update(
            startup=1,
            startup_interval=_milliseconds(startup.interval),
            startup_timeout=_milliseconds(startup.timeout),
            startup_retries=startup.retries,
            startup_success=startup.successes,
        )
    if health.log_destination not in (LOCAL, EVENTS_LOGGER):
        values["log"] = f"{health.log_destination}/{identifier}-healthcheck.log"
    if engine.conf.healthcheck_events:
        values["events"] = engine.health_events_directory
        values["log_in_events"] = int(health.log_destination == EVENTS_LOGGER)
    manager = engine.caller.environ.get("NOTIFY_SOCKET", "") if spec.sdnotify == "healthy" else ""
    if manager:
        values["notify"] = manager
    return {key: value for key, value in values.items() if "\n" not in str(value)}


def _milliseconds(nanoseconds: int | None) -> int:
    """Return milliseconds, at least 1: 0 would mean none."""
    return -(-(nanoseconds or 0) // _MILLISECOND)
