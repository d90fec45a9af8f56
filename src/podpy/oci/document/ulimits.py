"""process.rlimits: `--ulimit`, and Podman's defaults for open files and processes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.oci.document.context import HostFacts, Limit
    from podpy.spec.container import Ulimit

DEFAULT = 1048576  # Podman's default for NOFILE and NPROC, clipped to the host's limits
_UNLIMITED = (1 << 64) - 1  # RLIM_INFINITY as the OCI runtime spec's uint64


def build(ulimits: list[Ulimit], host: HostFacts) -> list[dict[str, Any]]:
    """Return process.rlimits. `--ulimit host` ("host" as a name) keeps every limit of podpy's own process."""
    if any(limit.name == "host" for limit in ulimits):
        return []
    asked = {limit.name.upper(): limit for limit in ulimits}
    result = []
    for name in ("NOFILE", "NPROC"):
        if name not in asked:
            own = host.limits.get(name)
            result.append(_entry(name, *_defaults(name, own)) if own else _entry(name))
    result += [_entry(name, *_clipped(limit, host)) for name, limit in asked.items()]
    return result


def _defaults(name: str, own: Limit) -> tuple[int, int]:
    """Return soft and hard. A Go program raises its soft limit of open files to the hard one at its start, so Podman's
    containers inherit that, and servers in them expect more than the usual 1024.
    """
    hard = _default(own.hard)
    return (hard if name == "NOFILE" else _default(own.soft)), hard


def _default(value: int) -> int:
    return DEFAULT if value < 0 else min(value, DEFAULT)


def _clipped(limit: Ulimit, host: HostFacts) -> tuple[int, int]:
    """Return soft and hard: an unprivileged user can't raise a hard limit, so -1 means the present hard limit."""
    own = host.limits.get(limit.name.upper())
    if own is None or own.hard < 0 or not host.rootless:
        return limit.soft, limit.hard
    return _at_most(limit.soft, own.hard), _at_most(limit.hard, own.hard)


def _at_most(value: int, ceiling: int) -> int:
    return ceiling if value < 0 or value > ceiling else value


def _entry(name: str, soft: int = DEFAULT, hard: int = DEFAULT) -> dict[str, Any]:
    return {"type": "RLIMIT_" + name, "hard": hard if hard >= 0 else _UNLIMITED, "soft": _unsigned(soft)}


def _unsigned(value: int) -> int:
    return value if value >= 0 else _UNLIMITED
