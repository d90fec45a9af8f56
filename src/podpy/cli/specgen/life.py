"""`--restart`, `--log-driver`, `--log-opt`, `--stop-signal` … : how a container lives and ends (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError, UsageError
from podpy.spec.text.values import parse_pairs, parse_signal, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.cli.parser.parse import Options
    from podpy.config.containers_conf import ContainersConf

_POLICIES = ("no", "on-failure", "always", "unless-stopped", "never")
_DRIVERS = ("k8s-file", "json-file", "journald", "none", "passthrough", "passthrough-tty")
_LOG_OPTIONS = ("path", "max-size", "max-file", "tag", "label")


def life(options: Options, conf: ContainersConf) -> dict[str, Any]:
    """Return the spec's fields about restarts, logs and the end. Raises UsageError."""
    policy, retries = restart_policy(options.restart or "")
    remove = bool(options.rm or getattr(options, "rmi", False))
    if remove and policy not in ("", "no"):
        raise UsageError(
            f'the --rm option conflicts with --restart, when the restartPolicy is not "" and "no": {policy}'
        )
    if options.sdnotify == "healthy":
        raise NotSupportedError("--sdnotify=healthy needs health checks, which come with a later version of podpy")
    return {
        "remove": remove,
        "restart_policy": policy,
        "restart_retries": retries,
        "log_driver": log_driver(options.log_driver or conf.log_driver),
        "log_options": log_options(options.log_opt, conf),
        "stop_signal": parse_signal(options.stop_signal) if options.stop_signal else 0,
        "stop_timeout": options.stop_timeout if options.given("stop_timeout") else conf.stop_timeout,
        "timeout": options.timeout or 0,
        "sdnotify": options.sdnotify,
    }


def restart_policy(text: str) -> tuple[str, int]:
    """Return the policy and how often it may restart (0: without end). Raises UsageError."""
    policy, colon, retries = text.partition(":")
    if not text:
        return "", 0
    if policy not in _POLICIES:
        raise UsageError(f'"{text}" is not a valid restart policy', hint=f"One of {', '.join(_POLICIES[:-1])}")
    if not colon:
        return ("no" if policy == "never" else policy), 0
    if policy != "on-failure":
        raise UsageError("restart policy retries can only be specified with on-failure restart policy")
    if not retries.isdigit():
        raise UsageError(f"parsing restart policy retry count: {retries!r} is no number")
    return policy, int(retries)


def log_driver(name: str) -> str:
    """Return the log driver. Raises UsageError for an unknown one."""
    if name not in _DRIVERS:
        raise UsageError(f"running container: invalid log driver {name}", hint=f"One of {', '.join(_DRIVERS)}")
    return name


def log_options(items: Sequence[str], conf: ContainersConf) -> dict[str, str]:
    """Return the log's options by name, `max-size` in bytes. Raises UsageError."""
    result = parse_pairs("--log-opt", items)
    for name in result:
        if name not in _LOG_OPTIONS:
            raise UsageError(f"invalid log option {name!r}", hint=f"One of {', '.join(_LOG_OPTIONS)}")
        if name == "label":
            raise NotSupportedError("--log-opt label= comes with a later version of podpy")
    size = result.pop("max-size", "")
    # Decimal, unlike all other sizes: Podman reads it with go-units' FromHumanSize.
    limit = conf.log_size_max if size in ("", "-1") else parse_size("--log-opt max-size", size, base=1000)
    if limit > 0 and size != "-1":  # 0 and -1: no limit
        result["max-size"] = str(limit)
    if "max-file" in result and not result["max-file"].isdigit():
        raise UsageError(f"invalid value {result['max-file']!r} for --log-opt max-file", hint="It is a number")
    if "path" in result:
        result["path"] = os.path.abspath(result["path"])
    if conf.log_tag:
        result.setdefault("tag", conf.log_tag)
    return result
