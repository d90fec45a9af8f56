"""The published ports of a running container on bridge networks: more of them, fewer, and all of them again."""

from __future__ import annotations

import os

from podpy.network.bridge import forwarder, listeners, members
from podpy.network.bridge.place import bridges
from podpy.plan import perform
from podpy.rootless.mounts import Privately
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.network.bridge.listeners import BindPorts
    from podpy.network.bridge.members import Member
    from podpy.network.bridge.running import Running
    from podpy.spec.container import PortMapping


def publish(
    container: Running, there: list[Member], wanted: list[PortMapping], note: Callable[[list[PortMapping]], None]
) -> list[PortMapping]:
    """Publish more ports, and return them with their host ports; `note` gets these before a client can come.

    `there`: where the container is. Raises InUseError, NetworkSetupError, UsageError; ports that `note` was told may be
    open then.
    """
    binding = _binding(container, wanted)
    perform(binding)
    try:
        note(binding.bound)
        restart_forwarder(container, there, container.ports)
        if forwarder.is_alive(container.directory):
            forwarder.publish(container.directory, binding.listeners)
        else:
            _start_forwarder(container, there, binding)
    finally:
        binding.close()
    _tell_firewall(container, there, binding.bound, gone=False)
    return binding.bound


def unpublish(container: Running, there: list[Member], gone: list[PortMapping]) -> None:
    """Publish these bound ports no longer; one that isn't published is no error. Raises OSError, NetworkSetupError."""
    _tell_firewall(container, there, gone, gone=True)
    if forwarder.is_alive(container.directory):
        forwarder.unpublish(container.directory, gone)


def restart_forwarder(container: Running, there: list[Member], published: list[PortMapping]) -> None:
    """Start the forwarder of the published ports again, if it has died. Raises InUseError, NetworkSetupError."""
    if published and not forwarder.is_alive(container.directory):
        binding = _binding(container, published)
        perform(binding)
        try:
            _start_forwarder(container, there, binding)
        finally:
            binding.close()


def _binding(container: Running, ports: list[PortMapping]) -> BindPorts:
    return listeners.BindPorts(ports, rootful=bridges(container.paths, container.conf).is_host)


def _start_forwarder(container: Running, there: list[Member], binding: BindPorts) -> None:
    start = forwarder.StartForwarder(container.directory, binding)
    shared = bridges(container.paths, container.conf)
    with Privately(), shared:
        start.shared = shared.open(NetworkRows(container.database).monitors())
    start.target = members.target_of(there, container.answers_by(there), keeps=shared.has_transparent_sockets)
    try:
        perform(start)
        perform(forwarder.WaitForForwarder(start))
    except BaseException:
        start.abandon()
        raise
    finally:
        os.close(start.shared)


def _tell_firewall(container: Running, there: list[Member], ports: list[PortMapping], *, gone: bool) -> None:
    """Let the host's firewall send clients of these ports to the container, or no longer: podpy as root."""
    shared = bridges(container.paths, container.conf)
    if not shared.is_host:
        return
    with shared:
        descriptor = shared.open()
        try:
            change = shared.unpublish if gone else shared.publish
            change(descriptor, members.published(ports, there, container.answers_by(there)))
        finally:
            os.close(descriptor)
