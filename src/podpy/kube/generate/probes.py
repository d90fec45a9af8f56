"""A container's checks and hooks as Kubernetes' probes and lifecycle."""

from __future__ import annotations

from podpy.kube.generate.words import known, literal
from podpy.spec.health import is_check, words_of
from podpy.spec.probe import GRPC, HTTP, SLEEP, probe_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.spec.container import ContainerSpec
    from podpy.spec.health import Health, ReadinessCheck, StartupCheck
    from podpy.spec.probe import Probe

_SECOND = 1_000_000_000
_NEVER = 2**31 - 1  # a probe in Kubernetes always has a failureThreshold


def probes(health: Health | None) -> dict[str, Any]:
    """Return livenessProbe, startupProbe and readinessProbe; nothing for a container without checks.

    Kubernetes' times are whole seconds, at least one. A check that only `healthcheck run` runs has no interval, so it
    can't be a probe.
    """
    if health is None:
        return {}
    found: dict[str, Any] = {}
    if health.is_checked and health.interval != 0:
        found["livenessProbe"] = {
            **_action(health.test),
            **_times(health.interval, health.timeout, health.initial_delay or health.start_period),
            **known(failureThreshold=health.retries or None),
        }
    if health.startup is not None and is_check(health.startup.test):
        found["startupProbe"] = _check(health.startup)  # its successThreshold must be 1
    if health.readiness is not None:
        successes = health.readiness.successes
        found["readinessProbe"] = {**_check(health.readiness), **known(successThreshold=successes or None)}
    return found


def lifecycle(spec: ContainerSpec) -> dict[str, Any]:
    """Return the hooks postStart and preStop. A kubelet expands $(NAME) in a probe's command, but not in a hook's."""
    hooks = {"postStart": spec.post_start, "preStop": spec.pre_stop}
    return {name: _action(test, str) for name, test in hooks.items() if test}


def _check(check: StartupCheck | ReadinessCheck) -> dict[str, Any]:
    return {
        **_action(check.test),
        **_times(check.interval, check.timeout, check.initial_delay),
        "failureThreshold": check.retries or _NEVER,
    }


def _action(test: list[str], written: Callable[[str], str] = literal) -> dict[str, Any]:
    if test[0] == SLEEP:
        return {"sleep": {"seconds": int(test[1])}}
    probe = probe_of(test)
    if probe is None:
        return {"exec": {"command": [written(word) for word in words_of(test)]}}
    if probe.kind == HTTP:
        return {"httpGet": _http(probe)}
    if probe.kind == GRPC:  # Kubernetes has no host here: it is always the container itself
        return {"grpc": known(port=probe.port, service=probe.service)}
    return {"tcpSocket": known(port=probe.port, host=probe.host)}


def _http(probe: Probe) -> dict[str, Any]:
    return known(
        port=probe.port,
        host=probe.host,
        path=probe.path,
        scheme="HTTPS" if probe.scheme == "https" else None,
        httpHeaders=[{"name": name, "value": value} for name, value in probe.headers],
    )


def _times(interval: int | None, timeout: int | None, delay: int | None) -> dict[str, Any]:
    return known(
        periodSeconds=max(1, _seconds(interval)),
        timeoutSeconds=max(1, _seconds(timeout)),
        initialDelaySeconds=_seconds(delay) or None,
    )


def _seconds(nanoseconds: int | None) -> int:
    return -(-(nanoseconds or 0) // _SECOND)
