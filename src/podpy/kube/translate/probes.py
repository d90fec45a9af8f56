"""Probes → health checks; lifecycle → hooks. The monitor runs them, without a program in the image."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.kube.translate.environment import expand
from podpy.signals import number_of
from podpy.spec.health import SECOND, Health, ReadinessCheck, StartupCheck
from podpy.spec.probe import GRPC, HTTP, TCP, Probe, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.yaml.places import Mapping

_LEAST = {"periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1, "successThreshold": 1}
_DEFAULTS = {"periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3, "successThreshold": 1}  # Probe v1
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_LONGEST_PORT = 5  # digits
_SHOWN = 40
_NONE: dict[str, Any] = {}


def health(container: Mapping, *, restarts: bool) -> Health | None:
    """Return the health check of a container's probes, or None. `restarts`: restart, not stop, an unhealthy container.

    Raises UsageError.
    """
    if not any(container.get(key) for key in _PROBES):
        return None
    fields: dict[str, Any] = {"test": ["NONE"]}  # the image's own check isn't a probe
    if probe := container.get("livenessProbe"):
        numbers = _numbers(probe)
        fields.update(test=_of_probe(probe, container), retries=numbers["failureThreshold"], **_times(probe, numbers))
    on_failure = "restart" if restarts else "stop"
    if probe := container.get("startupProbe"):
        fields["startup"] = StartupCheck(**_other(probe, container), on_failure=on_failure)
    if probe := container.get("readinessProbe"):
        fields["readiness"] = ReadinessCheck(**_other(probe, container))
    return Health(**fields, on_failure=on_failure)


def hooks(container: Mapping) -> dict[str, Any]:
    """Return the fields of ContainerSpec for a container's lifecycle. Raises UsageError."""
    lifecycle = container.get("lifecycle", _NONE)
    found: dict[str, Any] = {}
    for key, field in (("postStart", "post_start"), ("preStop", "pre_stop")):
        if handler := lifecycle.get(key):
            found[field] = _hook(handler, container)
    if text := lifecycle.get("stopSignal", ""):
        try:
            found["stop_signal"] = number_of(text)
        except UsageError as error:
            raise lifecycle.wrong("stopSignal", error.message, hint=error.hint) from None
    return found


def _other(probe: Mapping, container: Mapping) -> dict[str, Any]:
    numbers = _numbers(probe)
    return {
        "test": _of_probe(probe, container),
        "retries": numbers["failureThreshold"],
        "successes": numbers["successThreshold"],
        **_times(probe, numbers),
    }


def _times(probe: Mapping, numbers: dict[str, int]) -> dict[str, int]:
    return {
        "interval": numbers["periodSeconds"] * SECOND,
        "timeout": numbers["timeoutSeconds"] * SECOND,
        "initial_delay": max(0, probe.get("initialDelaySeconds", 0)) * SECOND,
    }


def _numbers(probe: Mapping) -> dict[str, int]:
    numbers = {key: probe.get(key) or default for key, default in _DEFAULTS.items()}
    for key, least in _LEAST.items():
        if not least <= numbers[key] < 2**31:
            told = "is too large" if numbers[key] > least else f"must be at least {least}"
            raise probe.wrong(key, f"{numbers[key]} {told}")
    if probe.get("initialDelaySeconds", 0) >= 2**31:
        raise probe.wrong("initialDelaySeconds", f"{probe['initialDelaySeconds']} is too large")
    return numbers


def _hook(handler: Mapping, container: Mapping) -> list[str]:
    if "sleep" not in handler:
        return _test(handler, container)
    try:
        return sleep(handler["sleep"].get("seconds", 0))
    except UsageError as error:
        raise handler.wrong("sleep", error.message) from None


def _of_probe(probe: Mapping, container: Mapping) -> list[str]:
    """Return a probe as a test. A kubelet expands $(NAME) in its command to a value in the YAML, but not in a hook's
    command.
    """
    test = _test(probe, container)
    known = {
        each.get("name", ""): each.get("value", "") for each in container.get("env", []) if "valueFrom" not in each
    }
    return [expand(word, known) for word in test] if test[0] == "CMD" else test


def _test(probe: Mapping, container: Mapping) -> list[str]:
    """Return a probe or a hook as a test."""
    kinds = [key for key in ("exec", "httpGet", "tcpSocket", "grpc") if key in probe]
    if len(kinds) != 1:
        raise probe.wrong("", "exactly one of exec, httpGet, tcpSocket and grpc is required")
    action = probe[kinds[0]]
    if kinds[0] == "exec":
        if not action.get("command"):
            raise action.wrong("command", "the command is missing")
        return ["CMD", *action["command"]]
    try:
        return _asked(kinds[0], action, container).words()
    except UsageError as error:
        if error.message.startswith(f"{action.file}:"):
            raise
        raise probe.wrong(kinds[0], error.message, hint=error.hint) from None


def _asked(kind: str, action: Mapping, container: Mapping) -> Probe:
    host, port = action.get("host", ""), _port(action, container)
    if kind == "tcpSocket":
        return Probe(kind=TCP, host=host, port=port)
    if kind == "grpc":
        return Probe(kind=GRPC, port=port, service=action.get("service", ""))
    return Probe(
        kind=HTTP,
        host=host,
        port=port,
        scheme=(action.get("scheme") or "http").lower(),
        path=action.get("path") or "/",
        headers=[(each.get("name", ""), each.get("value", "")) for each in action.get("httpHeaders", [])],
    )


def _port(action: Mapping, container: Mapping) -> int:
    """Return a port's number; a name is one of the container's ports."""
    port = action.get("port", 0)
    if isinstance(port, str) and not (port.isascii() and port.isdigit() and len(port) <= _LONGEST_PORT):
        for each in container.get("ports", []):
            if each.get("name") == port:
                number: int = each.get("containerPort", 0)
                return number
        raise action.wrong("port", f"unknown port: {port[:_SHOWN]}")
    return int(port)
