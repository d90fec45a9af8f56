"""Networks: the methods that the command line, the library and the API call.

with Runtime() as runtime:
    network = runtime.networks.create("shop", subnets=["10.5.0.0/24"], labels={"app": "shop"})
    print(network.interface, network.subnets[0].gateway)
    for network in runtime.networks.list(["label=app=shop"]):
        runtime.networks.remove(network.name)

A network is in use while a container is configured for it (container_relations, kind "network-used"), running or not.
Whoever creates such a container looks for the network's file in the transaction that writes the row: a removal looks
for rows and unlinks the file in one, too, so neither can miss the other.
"""

from __future__ import annotations

from podpy.errors import InUseError, NoSuchContainerError, NoSuchNetworkError, PodpyError, UsageError
from podpy.libpod.networks import living
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.libpod.system.prune import Pruned
    from podpy.network.definitions.network import Network
    from podpy.network.definitions.request import Request
    from podpy.rootless.checks.check import Check

    Found = list[Network]
    Checks = list[Check]
    Outcome = tuple[str, PodpyError | None]


class Networks:
    """The networks of one user."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Look-ups

    def get(self, name_or_id: str) -> Network:
        """Return a network by its name, its id or the beginning of its id.

        Raises NoSuchNetworkError, AmbiguousNameError, ConfigError.
        """
        return self._engine.network_folder.find(name_or_id)

    def exists(self, name_or_id: str) -> bool:
        """Return whether `get` finds a network. Raises AmbiguousNameError, ConfigError."""
        return self._engine.network_folder.exists(name_or_id)

    def list(self, filters: Sequence[str] = ()) -> Found:
        """Return the networks that match every filter (podman-network-ls(1)), by name. Raises UsageError, ConfigError.

        Warns of files that can't be understood.
        """
        from podpy.libpod.filters import networks

        return networks.matching(self._engine, filters)

    def inspect(self, name_or_id: str) -> dict[str, Any]:
        """Return everything about a network, with Podman's keys in their order. Raises as get."""
        from podpy.libpod.networks.inspect import inspect

        try:
            return inspect(self._engine, self.get(name_or_id))
        except NoSuchNetworkError as error:
            raise NoSuchNetworkError(f"network {name_or_id}: {error.message}", hint=error.hint) from None

    # Creating

    def create(
        self,
        name: str = "",
        *,
        driver: str = "bridge",
        subnets: Sequence[str] = (),
        gateways: Sequence[str] = (),
        ip_ranges: Sequence[str] = (),
        routes: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        internal: bool = False,
        ipv6: bool = False,
        dns: bool = True,
        dns_servers: Sequence[str] = (),
        interface: str = "",
        ipam_driver: str = "",
        ignore: bool = False,
    ) -> Network:
        """Create a network and return it; without a name it gets the first free podmanN.

        `subnets`, `gateways` and `ip_ranges` belong together by their places; all texts are those of
        podman-network-create(1). `ignore`: return an existing network of this name unchanged. Raises InUseError (name,
        subnet, interface), UsageError, NotSupportedError (driver), ConfigError.
        """
        from podpy.network.definitions import request

        return self._create(
            request.Request(
                name=name,
                driver=driver or "bridge",
                subnets=request.subnets(subnets, gateways, ip_ranges),
                routes=[request.route(text) for text in routes],
                options=dict(options or {}),
                labels=dict(labels or {}),
                internal=internal,
                ipv6=ipv6,
                dns=dns,
                dns_servers=list(dns_servers),
                interface=interface,
                ipam_driver=ipam_driver,
            ),
            ignore=ignore,
        )

    def _create(self, request: Request, *, ignore: bool) -> Network:
        from podpy.network.definitions import host
        from podpy.network.definitions.create import Existing, new

        folder = self._engine.network_folder
        with folder.locked():
            if ignore and request.name and (there := folder.get(request.name)) is not None:
                return there
            if request.name and folder.has_file(request.name):
                folder.get(request.name)  # a file that can't be understood is no free name: ConfigError
            routes = host.routes(rootless=self._engine.paths.rootless)
            existing = Existing(networks=folder.all(), host=routes, interfaces=host.interfaces())
            network = new(request, existing, self._engine.conf)
            folder.write(network)
        self._tell("create", network)
        return network

    def update(self, name_or_id: str, *, dns_add: Sequence[str] = (), dns_drop: Sequence[str] = ()) -> Network:
        """Change the name servers that a network's containers are sent to, and return the network.

        Raises NoSuchNetworkError, UsageError (no address).
        """
        from podpy.network.definitions.cidr import is_address

        for servers, what in ((dns_add, "AddDNSServer"), (dns_drop, "RemoveDNSServer")):
            for server in servers:
                if not is_address(server):
                    raise UsageError(f"unable to parse ip {server} specified in {what}: invalid argument")
        folder = self._engine.network_folder
        with folder.locked():
            network = folder.find(name_or_id)
            kept = [server for server in network.dns_servers if server not in dns_drop]
            servers = list(dict.fromkeys([*kept, *dns_add]))
            if servers != network.dns_servers:
                network = network.replace(dns_servers=servers)
                folder.write(network)
                living.tell_servers(self._engine, network)
        return network

    # Containers

    def connect(
        self,
        name_or_id: str,
        container: str,
        *,
        ips: Sequence[str] = (),
        mac: str = "",
        aliases: Sequence[str] = (),
        interface: str = "",
    ) -> None:
        """Put a container on a network, now if it runs, and for its next starts.

        `ips`: its addresses there; `mac`: its hardware address; `aliases`: more names; `interface`: its device. What is
        left out podpy chooses. Raises NoSuchContainerError, NoSuchNetworkError, AlreadyError, UsageError,
        NetworkSetupError (an address).
        """
        from podpy.libpod.networks import connecting
        from podpy.network.definitions.cidr import is_address
        from podpy.spec.container import Attachment
        from podpy.spec.text.attachments import check_alias, parse_mac

        for address in ips:
            if not is_address(address):
                raise UsageError(f'failed to parse IP: "{address}"')
        wanted = Attachment(
            network=name_or_id,
            ips=list(ips),
            mac=parse_mac(mac) if mac else "",
            aliases=[check_alias(alias) for alias in aliases],
            interface=interface,
        )
        self._engine.privileged(lambda: connecting.connect(self._engine, name_or_id, container, wanted))

    def disconnect(self, name_or_id: str, container: str, *, force: bool = False) -> None:
        """Take a container off a network, now if it runs, and for its next starts. `force` is Podman's.

        Raises NoSuchContainerError, NoSuchNetworkError, StateError (it isn't on it), UsageError (its network mode).
        """
        from podpy.libpod.networks import connecting

        self._engine.privileged(lambda: connecting.disconnect(self._engine, name_or_id, container))

    def reload(self, container: str) -> str:
        """Make a running container's devices on its networks, names and rights anew, and return the container's id.

        Raises NoSuchContainerError, StateError (it doesn't run), NetworkSetupError.
        """
        from podpy.libpod.networks import connecting

        return self._engine.privileged(lambda: connecting.reload(self._engine, container))

    def diagnose(self, name_or_id: str) -> Checks:
        """Return a check of each hop between the network's running containers, their names, ports and the outside.

        Raises NoSuchNetworkError.
        """
        from podpy.libpod.networks.doctor import checks

        return self._engine.privileged(lambda: checks(self._engine, self.get(name_or_id)))

    # Removing

    def remove(self, name_or_id: str, *, force: bool = False, timeout: int | None = None) -> str:
        """Remove a network, and return its name.

        `force`: first stop (within `timeout` seconds; None: at once) and remove the containers that use it. Raises
        NoSuchNetworkError, UsageError (the default network); without `force` InUseError if a container uses it.
        """
        network = self._removable(name_or_id)
        if self._users(network.name):
            if not force:
                raise _in_use(name_or_id, network)
            self._engine.privileged(lambda: self._remove_users(network.name, timeout))
        if network.interface and self._engine.has_bridges:
            self._engine.privileged(lambda: living.remove_bridge(self._engine, network))
        self._remove(network.name, name_or_id)
        return network.name

    def _removable(self, name_or_id: str) -> Network:
        network = self.get(name_or_id)
        if network.name == self._engine.conf.default_network:
            raise UsageError(f"default network {network.name} cannot be removed")
        return network

    def _remove(self, name: str, called: str) -> None:
        folder, database = self._engine.network_folder, self._engine.database
        database.make_room()
        with folder.locked(), database.transaction():
            network = folder.find(name)  # another call may have removed it
            if self._users(name):
                raise _in_use(called, network)
            self._tell("remove", network)
            NetworkRows(database).forget(name)
            folder.remove(name)

    def _users(self, name: str) -> Sequence[str]:
        return NetworkRows(self._engine.database).users(name)

    def _remove_users(self, name: str, timeout: int | None) -> None:
        from podpy.libpod.containers.held import find
        from podpy.libpod.pods.users import remove_user

        for container_id in self._users(name):
            try:
                found = find(self._engine, container_id)
                remove_user(found, volumes=True, timeout=timeout or 0, depend=True)
            except NoSuchContainerError:
                pass

    def remove_several(
        self, names: Sequence[str], *, force: bool = False, timeout: int | None = None
    ) -> Iterator[Outcome]:
        """Remove networks, each as `remove` does; yield each name with its error or None."""
        for name in names:
            try:
                self.remove(name, force=force, timeout=timeout)
            except PodpyError as error:
                yield name, error
            else:
                yield name, None

    def prune(self, filters: Sequence[str] = (), *, dry_run: bool = False) -> Pruned:
        """Remove the networks that no container uses, Podman's included, and that match every filter.

        The default network stays. `dry_run`: remove nothing. Raises UsageError, ConfigError.
        """
        return self.remove_unused([network.name for network in self.prunable(filters)], dry_run=dry_run)

    def prunable(self, filters: Sequence[str] = ()) -> Found:
        """Return the networks that `prune` would remove. Raises UsageError, ConfigError."""
        from podpy.libpod.filters import networks

        return networks.unused(self._engine, filters)

    def remove_unused(self, names: Sequence[str], *, dry_run: bool = False) -> Pruned:
        """Remove those of these networks that no container uses by now."""
        from podpy.libpod.system.prune import Pruned

        removed, errors = [], []
        for name in names:
            try:
                removed.append(name if dry_run else self.remove(name))
            except (InUseError, NoSuchNetworkError):
                continue  # somebody uses it now, or was faster
            except PodpyError as error:
                errors.append(error)
        return Pruned(removed=removed, errors=errors)

    def _tell(self, action: str, network: Network) -> None:
        from podpy.storage.database.events import tell_if_possible

        attributes = {"driver": network.driver}
        tell_if_possible(self._engine.database, "network", action, network.id, network.name, Attributes=attributes)


def _in_use(called: str, network: Network) -> InUseError:
    return InUseError(
        f'"{called}" has associated containers with it. Use -f to forcibly delete containers and pods: '
        "network is being used",
        hint=f"podpy ps -a --filter network={network.name}",
    )
