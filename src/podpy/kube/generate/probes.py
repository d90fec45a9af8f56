"""A health check as Kubernetes' probes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.spec.health import Health, StartupCheck

_SECOND = 1_000_000_000


def probes(health: Health | None) -> dict[str, Any]:
    """Return livenessProbe and startupProbe for a check; nothing for a container without one.

    Times are whole seconds there, and at least one. A check that only `healthcheck run` starts has no interval, so it
    is no probe.
    """
    if health is None or not health.is_checked or health.interval == 0:
        return {}
    found = {"livenessProbe": _liveness(health)}
    if health.startup is not None:
        found["startupProbe"] = _startup(health.startup)
    return found


def _liveness(health: Health) -> dict[str, Any]:
    return {
        **_action(health.test),
        **_times(health.interval, health.timeout),
        **_counted("failureThreshold", health.retries),
        **_counted("initialDelaySeconds", _seconds(health.start_period)),
    }


def _startup(check: StartupCheck) -> dict[str, Any]:
    """A startup probe's successThreshold is always 1."""
    return {
        **_action(check.test),
        **_times(check.interval, check.timeout),
        **_counted("failureThreshold", check.retries),
    }


def _action(test: list[str]) -> dict[str, Any]:
    from podpy.kube.generate.words import literal
    from podpy.spec.health import words_of

    return {"exec": {"command": [literal(word) for word in words_of(test)]}}


def _times(interval: int | None, timeout: int | None) -> dict[str, int]:
    return {"periodSeconds": max(1, _seconds(interval)), "timeoutSeconds": max(1, _seconds(timeout))}


def _seconds(nanoseconds: int | None) -> int:
    return -(-(nanoseconds or 0) // _SECOND)


def _counted(name: str, value: int | None) -> dict[str, int]:
    return {name: value} if value else {}
