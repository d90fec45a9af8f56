"""`inspect`: health checks and hooks, as they were asked for and what they have found."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.spec.container import ContainerSpec
    from podpy.spec.health import ReadinessCheck, StartupCheck

_NO_HEALTH_CHECK = {
    "HealthcheckOnFailureAction": "none", "HealthLogDestination": "local", "HealthcheckMaxLogCount": 5,
    "HealthcheckMaxLogSize": 500,
}  # fmt: skip


def state(container: Held) -> dict[str, Any]:
    """Return Podman's Health; and podpy's own Readiness and Hook, in the same form, where there is such a thing."""
    health, spec = container.spec.health, container.spec
    found: dict[str, Any] = {}
    if health is None and not spec.post_start and not spec.pre_stop:
        return found
    from podpy.libpod.containers.health import results
    from podpy.monitor.files import HOOK, READINESS

    if health is not None and (health.is_checked or health.startup is not None):
        found["Health"] = results(container.engine, container.id)
    if health is not None and health.readiness is not None:
        found["Readiness"] = results(container.engine, container.id, READINESS)
    if spec.post_start or spec.pre_stop:
        found["Hook"] = results(container.engine, container.id, HOOK)
    return found


def config(spec: ContainerSpec) -> dict[str, Any]:
    """Return the health check in the form of Podman's InspectContainerConfig, and podpy's own fields if they are used.

    Those are ReadinessHealthCheck, PostStart, PreStop, and InitialDelay of a check.
    """
    hooks = {"PostStart": spec.post_start, "PreStop": spec.pre_stop}
    own = {name: words for name, words in hooks.items() if words}
    health = spec.health
    if health is None:
        return {**_NO_HEALTH_CHECK, **own}
    check = {
        "Test": health.test,
        "StartPeriod": health.start_period,
        "StartInterval": health.start_interval,
        "Interval": health.interval,
        "Timeout": health.timeout,
        "Retries": health.retries,
        "InitialDelay": health.initial_delay,
    }
    return {
        **({"Healthcheck": _given(check)} if health.test else {}),
        **({"StartupHealthCheck": _fields(health.startup)} if health.startup else {}),
        **({"ReadinessHealthCheck": _fields(health.readiness)} if health.readiness else {}),
        "HealthcheckOnFailureAction": health.on_failure,
        "HealthLogDestination": health.log_destination,
        "HealthcheckMaxLogCount": health.log_count,
        "HealthcheckMaxLogSize": health.log_size,
        **own,
    }


def _fields(check: StartupCheck | ReadinessCheck) -> dict[str, Any]:
    return _given(
        {
            "Test": check.test,
            "Interval": check.interval,
            "Timeout": check.timeout,
            "Retries": check.retries,
            "Successes": check.successes,
            "InitialDelay": check.initial_delay,
        }
    )


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
