"""The line of a container in the /etc/hosts of another one, whose network it has joined (`--network container:NAME`).

The start writes it (podpy.libpod.containers.starting.files).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine


def leave(engine: Engine, row: ContainerRow, spec: Mapping[str, Any]) -> None:
    """Take the line away, if there is one; `spec`: what is in the row. Raises OSError."""
    from podpy.network.bridge import hosts

    if path := _path(engine, spec):
        hosts.leave(path, [_line(row, spec)])


def rename(engine: Engine, row: ContainerRow, former: ContainerRow, spec: Mapping[str, Any]) -> None:
    """Replace the line of a container that was called as `former` says. Raises OSError."""
    from podpy.network.bridge import hosts

    if path := _path(engine, spec):
        hosts.join(path, [_line(row, spec)])
        hosts.leave(path, [_line(former, spec)])


def _path(engine: Engine, spec: Mapping[str, Any]) -> str:
    kind, _, other = spec.get("network", "").partition(":")
    if kind != "container" or spec.get("no_hosts"):
        return ""
    return os.path.join(engine.run_directory(other), "hosts")


def _line(row: ContainerRow, spec: Mapping[str, Any]) -> str:
    from podpy.network import names

    own = names.own_names(spec.get("hostname", ""), spec.get("uts", ""), row.id, row.name)
    return names.host_line("127.0.0.1", own)
