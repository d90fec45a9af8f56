"""The options of `update` → Changes."""

from __future__ import annotations

import os

from podpy.cli.specgen.limits import devices
from podpy.spec.changes import Changes
from podpy.spec.text import limits
from podpy.spec.text.environment import environment
from podpy.spec.text.life import restart_policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.spec.container import PortMapping


def changes(options: Options) -> Changes:
    """Return what is to be changed. Raises UsageError, NotSupportedError."""
    health, startup = _health(options)
    return limit_changes(options).replace(
        restart=restart_policy(options.restart, "") if options.given("restart") else None,
        env=environment(options.env, [], os.environ),
        unset_env=list(options.unsetenv),
        ulimits=limits.ulimits(options.ulimit),
        health=health,
        startup=startup,
    )


def ports(texts: list[str]) -> list[PortMapping]:
    """Return the ports of --publish or --unpublish. Raises UsageError, NotSupportedError."""
    if not texts:
        return []
    from podpy.spec.text.ports import parse_publish

    return [port for text in texts for port in parse_publish(text)]


def limit_changes(options: Options) -> Changes:
    """Return which limits are to be changed. Raises UsageError."""
    limits.check_cpus(options.cpus or 0, options.cpu_quota or 0, options.cpu_period or 0)
    values: dict[str, Any] = {
        "memory": limits.memory("--memory", options.memory) or 0,
        "memory_reservation": limits.memory("--memory-reservation", options.memory_reservation),
        "cpu_shares": options.cpu_shares or None,
        "cpu_quota": options.cpu_quota or None,
        "cpu_period": options.cpu_period or None,
        "cpus": options.cpus or None,
        "cpuset_cpus": limits.check_cpuset("--cpuset-cpus", options.cpuset_cpus or ""),
        "cpuset_mems": limits.check_cpuset("--cpuset-mems", options.cpuset_mems or ""),
        "pids_limit": int(options.pids_limit or 0),
        "blkio_weight": limits.blkio_weight(options.blkio_weight),
        **devices(options),
    }
    zero_counts = ("memory", "pids_limit")
    given = {n: value for n, value in values.items() if options.given(n) and (value or n in zero_counts)}
    return Changes(resources=given, memory_swap=options.memory_swap or "")


def _health(options: Options) -> tuple[dict[str, Any], dict[str, Any]]:
    if not options.given("no_healthcheck") and not options.given_of("health_"):
        return {}, {}
    from podpy.cli.specgen.health import changes

    return changes(options)
