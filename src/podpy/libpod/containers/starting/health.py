"""Prepares a container's health checks and hooks for its monitor, which runs them: files that say what and how."""

from __future__ import annotations

import os
import sys
from time import time_ns

from podpy import files, process
from podpy.monitor import health as monitor
from podpy.monitor.files import HOOK, READINESS
from podpy.oci.document.exec import build_exec_process
from podpy.plan import Operation
from podpy.spec.health import EVENTS_LOGGER, LOCAL, LOG_COUNT, LOG_SIZE, SECOND, is_check, words_of
from podpy.spec.probe import SLEEP, probe_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.starting.bundle import BuildConfig
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec
    from podpy.spec.health import Health, ReadinessCheck, StartupCheck

_BEGINNING = '{{"Status":"{}","FailingStreak":0,"Log":null}}\n'
_MILLISECOND = SECOND // 1000
_PROGRAM = process.own_program("probe")
_HTTPS = os.path.join(process.PACKAGE, "monitor", "https_probe.py")


def is_needed(spec: ContainerSpec) -> bool:
    """Return whether the monitor has checks or hooks to run, or a deadline to keep."""
    has_checks = spec.health is not None and spec.health.has_checks
    return bool(has_checks or spec.post_start or spec.pre_stop or spec.deadline)


class WriteHealthCheck(Operation):
    """Write the monitor's input for checks and hooks; from here on the container's health is `starting`."""

    def __init__(self, container: Held, built: BuildConfig) -> None:
        self._container = container
        self._built = built

    def describe(self) -> str:
        """Return what is written."""
        return "write what the monitor must know of health checks and hooks"

    def execute(self) -> None:
        """Write. Raises OSError."""
        engine = self._container.engine
        spec = self._container.spec
        _begin(engine, self._container.id, spec.health, anew=True)
        _write(self._container, spec, self._built.config["process"])
        if engine.settings.conmon:
            from podpy.notice import warn

            warn(f"{engine.settings.conmon} runs no health checks: leave out --conmon, and podpy's own does")


def follow(container: Held, spec: ContainerSpec) -> None:
    """Make a running container's monitor follow the health check of the new spec. Raises OSError."""
    from podpy.libpod.containers.health import forget
    from podpy.libpod.io.exec import bundle_config

    engine = container.engine
    run_directory = engine.run_directory(container.id)
    if spec.health is None or not spec.health.has_checks:
        forget(engine, container.id)
    if is_needed(spec):
        _begin(engine, container.id, spec.health)
        _write(container, spec, bundle_config(container)["process"])
    else:
        monitor.forget(run_directory)
    monitor.tell_changed(run_directory)


def _begin(engine: Engine, container_id: str, health: Health | None, *, anew: bool = False) -> None:
    """Write empty results, unless there are some."""
    for directory in (engine.health_directory, engine.health_events_directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    result = f"{engine.health_directory}/{container_id}"
    for path, status, is_wanted in (
        (result, "starting", _has_own(health)),
        (result + READINESS, "unready", health is not None and health.readiness is not None),
        (result + HOOK, "", False),
    ):
        if is_wanted and (anew or not os.path.exists(path)):
            files.replace(path, _BEGINNING.format(status))
        elif anew:
            files.unlink(path)


def _has_own(health: Health | None) -> bool:
    """Return whether the container is healthy or unhealthy, and not only ready or not."""
    return health is not None and (health.is_checked or health.startup is not None)


def _write(container: Held, spec: ContainerSpec, base: dict[str, Any]) -> None:
    """Write what the monitor needs. `base`: the container's own process."""
    engine, health = container.engine, spec.health
    tests = {monitor.POST_START: spec.post_start, monitor.PRE_STOP: spec.pre_stop}
    if health is not None:
        tests[monitor.PROCESS] = health.test
        for name, check in ((monitor.STARTUP, health.startup), (monitor.READINESS, health.readiness)):
            tests[name] = check.test if check is not None else []

    def run_of(test: list[str]) -> dict[str, Any] | list[str]:
        # As the container's own user: its ids are in `process`, so nothing is looked up.
        words = [] if test[0] == SLEEP else words_of(test)
        return build_exec_process(base, spec, rootfs="/", command=words, env={}) if words else _program(test)

    runs = {name: run_of(test) for name, test in tests.items() if is_check(test)}
    monitor.write(engine.run_directory(container.id), _config(container, spec), runs)


def _program(test: list[str]) -> list[str]:
    """Return the command line of the program that runs a probe or a hook from outside the container."""
    probe = probe_of(test)
    if probe is not None and probe.scheme == "https":
        return [_PROGRAM, "EXEC", sys.executable, "-I", "-S", _HTTPS, *test[1:]]
    return [_PROGRAM, *test]


def _config(container: Held, spec: ContainerSpec) -> dict[str, int | str]:
    identifier, engine = container.id, container.engine
    result = f"{engine.health_directory}/{identifier}"
    values: dict[str, int | str] = {
        "stop_signal": spec.stop_signal,
        "stop_timeout": spec.stop_timeout * 1000,
        "hook_result": result + HOOK,
        "post_start": int(is_check(spec.post_start)),
        "pre_stop": int(is_check(spec.pre_stop)),
        "log_count": LOG_COUNT,
        "log_size": LOG_SIZE,
    }
    if engine.conf.healthcheck_events:
        values["events"] = engine.health_events_directory
    if spec.health is not None and spec.health.has_checks:
        values.update(_of_checks(spec.health, result, engine, identifier))
    if spec.deadline:
        values["deadline"] = max(1, left_until_deadline(engine, spec, container.row.pod))
    manager = engine.caller.environ.get("NOTIFY_SOCKET", "") if spec.sdnotify == "healthy" else ""
    if manager:
        values["notify"] = manager
    return {key: value for key, value in values.items() if "\n" not in str(value)}


def left_until_deadline(engine: Engine, spec: ContainerSpec, pod: str) -> int:
    """Return how many milliseconds a container of a pod may still run; only for one that has a deadline.

    They count from the pod's start, which is that of its infra container (activeDeadlineSeconds, PodSpec v1).
    """
    from podpy.libpod.pods.table import PodTable

    infra = PodTable(engine.database).get(pod).infra_id if pod else ""
    started = engine.table.get(infra).started if infra else 0
    return spec.deadline * 1000 - (time_ns() - (started or time_ns())) // 1_000_000


def _of_checks(health: Health, result: str, engine: Engine, identifier: str) -> dict[str, int | str]:
    values: dict[str, int | str] = {
        "result": result,
        "interval": _milliseconds(health.interval),
        "timeout": _milliseconds(health.timeout),
        "retries": health.retries or 1,
        "initial_delay": _milliseconds(health.initial_delay),
        "start_period": _milliseconds(health.start_period),
        "start_interval": _milliseconds(health.start_interval),
        "without_check": int(not health.is_checked),
        "log_count": health.log_count,
        "log_size": health.log_size,
        "on_failure": health.on_failure,
    }
    values.update(_of_check("startup", health.startup))
    if health.startup is not None and health.startup.on_failure == "stop":
        values["startup_stops"] = 1
    values.update(_of_check("readiness", health.readiness))
    if health.readiness is not None:
        values["readiness_result"] = result + READINESS
    if health.log_destination not in (LOCAL, EVENTS_LOGGER):
        values["log"] = f"{health.log_destination}/{identifier}-healthcheck.log"
    if engine.conf.healthcheck_events:
        values["log_in_events"] = int(health.log_destination == EVENTS_LOGGER)
    return values


def _of_check(name: str, check: StartupCheck | ReadinessCheck | None) -> dict[str, int | str]:
    if check is None:
        return {}
    return {
        name: 1,
        f"{name}_interval": _milliseconds(check.interval),
        f"{name}_timeout": _milliseconds(check.timeout),
        f"{name}_retries": check.retries,
        f"{name}_success": check.successes,
        f"{name}_initial_delay": _milliseconds(check.initial_delay),
    }


def _milliseconds(nanoseconds: int | None) -> int:
    """Return milliseconds, at least 1: 0 would mean none."""
    return -(-(nanoseconds or 0) // _MILLISECOND)
