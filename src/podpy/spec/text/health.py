"""`--health-cmd`, `--health-interval` …: texts of health checks, with Podman's errors (podman-run(1)). Pure."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import UsageError
from podpy.go.values import nanoseconds
from podpy.spec.health import ACTIONS, EVENTS_LOGGER, LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SHORTEST = 1  # nanosecond: Podman's real limit, whatever its message says; the monitor's is a second


def command(text: str) -> list[str]:
    """Return the test of a command: a JSON list, a text for the container's shell, or `none`. Raises UsageError."""
    words = _json_list(text)
    is_list = words is not None
    if words is None:
        words = text.split(" ", 1)
    if not words:
        raise UsageError("must define a healthcheck command for all healthchecks")
    keyword = words[0].upper()
    if keyword == "NONE":
        return ["NONE"]
    if keyword == "CMD":
        return ["CMD", *(words if is_list else text.split())[1:]]
    if keyword == "CMD-SHELL":
        return ["CMD-SHELL", *words[1:]]
    if is_list and len(words) > 1:
        return ["CMD", *words]
    return ["CMD-SHELL", words[0] if is_list else text]


def _json_list(text: str) -> list[str] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        words = fastjson.loads(text)
    except ValueError:
        return None
    is_texts = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return words if is_texts else None


def interval(text: str) -> int:
    """Return nanoseconds, 0 for `disable`. Raises UsageError."""
    value = _duration("interval", "0" if text == "disable" else text)
    return max(0, value)


def timeout(text: str) -> int:
    """Return nanoseconds. Raises UsageError."""
    value = _duration("timeout", text)
    if value < _SHORTEST:
        raise UsageError("healthcheck-timeout must be at least 1 second")
    return value


def start_period(text: str) -> int:
    """Return nanoseconds. Raises UsageError."""
    value = _duration("start-period", text)
    if value < 0:
        raise UsageError("healthcheck-start-period must be 0 seconds or greater")
    return value


def retries(number: int) -> int:
    """Return how many failures in a row make a container unhealthy. Raises UsageError."""
    if number < 1:
        raise UsageError("healthcheck-retries must be greater than 0")
    return number


def on_failure(text: str) -> str:
    """Return the action for an unhealthy container. Raises UsageError."""
    if (text or ACTIONS[0]) not in ACTIONS:
        raise UsageError(
            f'invalid on-failure action "{text}" for health check: supported actions are {",".join(ACTIONS)}'
        )
    return text or ACTIONS[0]


def log_destination(text: str, directory: Callable[[], str]) -> str:
    """Return `local`, `events_logger`, or the absolute path of a directory. Raises UsageError.

    `directory` returns the base of a relative path.
    """
    if text in ("", LOCAL):
        return LOCAL
    if text == EVENTS_LOGGER:
        return text
    path = os.path.join(directory(), text)
    if not os.path.isdir(path):
        why = "must be directory" if os.path.exists(path) else f"error: stat {text}: no such file or directory"
        raise UsageError(
            f"running container create option: HealthCheck Log '{text}' destination {why}",
            hint="--health-log-destination takes local, events_logger, or an existing directory",
        )
    return os.path.normpath(path)


def _duration(option: str, text: str) -> int:
    try:
        return nanoseconds(text)
    except ValueError as error:
        raise UsageError(f"invalid healthcheck-{option}: {error}") from None
