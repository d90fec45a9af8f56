"""`--restart`, `--log-driver`, `--log-opt`: how a container restarts and where its output goes (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.numbers import whole
from podpy.spec.text.values import parse_pairs, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_POLICIES = ("no", "on-failure", "always", "unless-stopped", "never")
_DRIVERS = ("k8s-file", "json-file", "journald", "none", "passthrough", "passthrough-tty")
_LOG_OPTIONS = ("path", "max-size", "max-file", "tag", "label")
_FIELD_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")  # of the journal
_HIGHEST = (1 << 31) - 1  # the largest C int


def restart_policy(text: str, where: str = "running container create option: ") -> tuple[str, int]:
    """Return the policy and its most restarts (0: no limit). Raises UsageError, whose text begins with `where`."""
    policy, colon, retries = text.partition(":")
    if not text:
        return "", 0
    if policy not in _POLICIES:
        raise UsageError(
            f'{where}"{text}" is not a valid restart policy: invalid argument',
            hint=f"One of {', '.join(_POLICIES[:-1])}",
        )
    if not colon:
        return ("no" if policy == "never" else policy), 0
    if policy != "on-failure":
        raise UsageError("restart policy retries can only be specified with on-failure restart policy")
    count = whole(retries, _HIGHEST)
    if count is None:
        raise UsageError(f'parsing restart policy retry count: strconv.Atoi: parsing "{retries}": invalid syntax')
    return policy, count


def log_driver(name: str) -> str:
    """Return the log driver. Raises UsageError for an unknown one."""
    if name not in _DRIVERS:
        raise UsageError(
            "running container create option: invalid log driver: invalid argument",
            hint=f"One of {', '.join(_DRIVERS)}",
        )
    return name


def log_options(items: Sequence[str]) -> dict[str, str]:
    """Return the log's options by name, `max-size` in bytes (0: no limit). Raises UsageError."""
    result = parse_pairs("--log-opt", items)
    for name in result:
        if name not in _LOG_OPTIONS:
            raise UsageError(f'invalid log option "{name}"', hint=f"One of {', '.join(_LOG_OPTIONS)}")
    result.pop("label", None)
    if "max-size" in result:
        size = result["max-size"]
        # Decimal, unlike all other sizes: Podman reads it with go-units' FromHumanSize.
        result["max-size"] = "0" if size == "-1" else str(parse_size("--log-opt max-size", size, base=1000))
    if "max-file" in result and whole(result["max-file"], _HIGHEST) is None:
        raise UsageError(f"invalid value {result['max-file']!r} for --log-opt max-file", hint="It is a number")
    if "path" in result:
        result["path"] = os.path.abspath(result["path"])
    return result


def log_labels(items: Sequence[str]) -> dict[str, str]:
    """Return the journal fields that `--log-opt label=NAME=VALUE` adds. Raises UsageError."""
    result = {}
    for item in items:
        option, _, label = item.partition("=")
        if option != "label":
            continue
        name, equals, value = label.partition("=")
        if not equals or not name or name.startswith("_") or not set(name) <= _FIELD_LETTERS:
            raise UsageError(
                f'log label "{label}" contains invalid characters, only uppercase letters, digits, and underscores are '
                "allowed",
                hint="It is label=NAME=VALUE, and NAME doesn't begin with an underscore (systemd.journal-fields(7))",
            )
        result[name] = value
    return result
