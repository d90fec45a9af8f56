"""`--restart`, `--log-driver`, `--log-opt`, `--stop-signal` … : how a container lives and ends (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.spec.container import AS_CONFIGURED
from podpy.spec.text.life import log_driver, log_labels, log_options, restart_policy
from podpy.spec.text.values import parse_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options


def life(options: Options) -> dict[str, Any]:
    """Return the spec's fields about restarts, logs and the end. Raises UsageError, NotSupportedError."""
    policy, retries = restart_policy(options.restart or "")
    remove_image = bool(getattr(options, "rmi", False))
    remove = bool(options.rm) or remove_image
    if remove and policy not in ("", "no"):
        raise UsageError('the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"')
    return {
        "remove": remove,
        "remove_image": remove_image,
        "restart_policy": policy,
        "restart_retries": retries,
        "log_driver": log_driver(options.log_driver) if options.log_driver else AS_CONFIGURED,
        "log_options": log_options(options.log_opt),
        "log_labels": log_labels(options.log_opt),
        "stop_signal": parse_signal(options.stop_signal) if options.stop_signal else 0,
        "stop_timeout": options.stop_timeout if options.given("stop_timeout") else AS_CONFIGURED,
        "timeout": options.timeout or 0,
        "sdnotify": options.sdnotify,
    }
