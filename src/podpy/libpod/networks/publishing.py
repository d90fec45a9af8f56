"""Published ports that come and go while a container is there: `podpy update --publish`, `--unpublish`.

A container that runs on user networks: podpy binds the ports and hands them to its forwarder (podpy.network.bridge).
`ports` in its run directory names them until the row has them, or has them no more. So what a killed call has
opened, or not closed yet, is what this file names and the row doesn't: the next repair closes it. Other containers have
their ports from pasta or slirp4netns, which take none after their start.
"""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.errors import NoSuchContainerError, NotSupportedError, StateError, UsageError
from podpy.libpod.containers.held import find
from podpy.libpod.containers.table import ALIVE, INITIALIZED
from podpy.libpod.locks import BusyError
from podpy.libpod.networks.connecting import running_on
from podpy.monitor.files import CHANGING_PORTS
from podpy.network.bridge import publishing
from podpy.network.mode import BRIDGE, HOST, NONE
from podpy.network.ports import refuse_twice
from podpy.spec.container import PortMapping
from podpy.spec.text.ports import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine

_RUNS = (*ALIVE, INITIALIZED)


def publish(container: Held, wanted: list[PortMapping]) -> list[PortMapping]:
    """Publish more ports, now if the container runs, and at its next starts; return them with their host ports.

    Raises InUseError (a port), NetworkSetupError, UsageError (its network publishes none), NotSupportedError (not while
    it runs); then nothing has changed. This process must be in the user's namespaces.
    """
    with container.locked() as row:
        _check_mode(container, row)
        _close_half(container)
        former = _ports(row)
        refuse_twice([*former, *wanted])
        if row.status not in _RUNS:
            _commit(container, [*container.spec.ports, *wanted], [*former, *wanted])
            return wanted
        now, there = running_on(container)
        try:
            bound = publishing.publish(now, there, wanted, lambda ports: _write_down(container, ports))
            _commit(container, [*container.spec.ports, *wanted], [*former, *bound])
        except BaseException:
            _close_half(container)
            raise
        files.unlink(_path(container))
        return bound


def unpublish(container: Held, unwanted: list[PortMapping]) -> None:
    """Publish these ports no longer; connections that are there live on. Without a host port or address: any.

    Raises StateError for one that isn't published, and as `publish`.
    """
    with container.locked() as row:
        _check_mode(container, row)
        _close_half(container)
        former = _singles(_ports(row))
        gone: list[PortMapping] = []
        for wanted in _singles(unwanted):
            found = [port for port in former if _is_meant(port, wanted)]
            if not found:
                raise StateError(
                    f"container {row.name} doesn't publish {_shown(wanted)}", hint=f"podpy port {row.name}"
                )
            gone += found
        asked = [port for port in _singles(container.spec.ports) if not any(_is_meant(one, port) for one in gone)]
        if row.status in _RUNS:
            _write_down(container, gone)
        _commit(container, asked, [port for port in former if port not in gone])
        _close_half(container)


def take_back(engine: Engine, container_id: str) -> bool:
    """Close what a killed call has left open of a container; return whether there was such a call. Waits for nobody.

    This process must be in the user's namespaces.
    """
    try:
        container = find(engine, container_id)
        with container.locked(wait=False):
            return _close_half(container)
    except (BusyError, NoSuchContainerError):
        return False


def _close_half(container: Held) -> bool:
    """Close the ports that are written down as changing and that the row doesn't have; return whether any were."""
    row, text = container.row, files.read_small(_path(container))
    if not text:
        return False
    has = _singles(_ports(row))
    gone = [port for port in _singles(PortMapping(**port) for port in fastjson.loads(text)) if port not in has]
    if gone and row.status in _RUNS:
        publishing.unpublish(*running_on(container), gone)
    files.unlink(_path(container))
    return bool(gone)


def _check_mode(container: Held, row: ContainerRow) -> None:
    """Raise UsageError, NotSupportedError where ports can't change."""
    from podpy.libpod.containers.inspect_host import network_mode

    mode = network_mode(container)
    if mode in (HOST, NONE) or ":" in mode:
        raise UsageError(
            f"container {row.name} publishes no ports: its network is {mode}",
            hint="Only a network of the container's own has some: --network bridge, or a network's name",
        )
    if row.status in _RUNS and container.spec.network != BRIDGE:
        raise NotSupportedError(
            f"the ports of container {row.name} can't change while it runs: {mode} takes them at its start only",
            hint=f"podpy stop {row.name}, update it and start it again; on a user network they can change at any time",
        )


def _is_meant(port: PortMapping, wanted: PortMapping) -> bool:
    return (
        (port.container_port, port.protocol) == (wanted.container_port, wanted.protocol)
        and wanted.host_port in (0, port.host_port)
        and wanted.host_ip in ("", port.host_ip)
    )


def _singles(ports: Iterable[PortMapping]) -> list[PortMapping]:
    """Return ranges as single ports."""
    return [
        port.replace(
            count=1, container_port=port.container_port + i, host_port=port.host_port + i if port.host_port else 0
        )
        for port in ports
        for i in range(port.count)
    ]


def _shown(port: PortMapping) -> str:
    host = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip
    before = [host] if host else []
    before += [str(port.host_port or "")] if host or port.host_port else []
    return ":".join([*before, f"{port.container_port}/{port.protocol}"])


def _ports(row: ContainerRow) -> list[PortMapping]:
    return [PortMapping(**port) for port in fastjson.loads(row.ports)]


def _path(container: Held) -> str:
    return os.path.join(container.engine.run_directory(container.id), CHANGING_PORTS)


def _write_down(container: Held, ports: list[PortMapping]) -> None:
    files.replace(_path(container), _as_json(ports))


def _as_json(ports: list[PortMapping]) -> str:
    return fastjson.dumps([port.as_dict() for port in ports])


def _commit(container: Held, asked: list[PortMapping], bound: list[PortMapping]) -> None:
    spec = fastjson.dumps(container.spec.replace(ports=merged(asked)).as_dict())
    ports = _as_json(merged(bound))
    container.engine.table.update(container.id, "update", spec=spec, ports=ports)
    container.row = container.row.replace(spec=spec, ports=ports)
