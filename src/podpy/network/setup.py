"""The network of one start: which operations, which files, which ports.

plan(context)           before the start; `operations` come early, `wait_operations` late, just before the container
plan_again(context)     for a running container that is connected anew (podpy.network.reload)
teardown(directory)     after the end; safe to repeat, and enough when nobody did anything before
"""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.network import hostinfo, mode, names, netns, ports
from podpy.network.private import pasta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.libpod.containers.starting.context import StartContext
    from podpy.network.bridge.attach import BridgeNetwork
    from podpy.network.definitions.folder import Folder
    from podpy.network.private.slirp import Addresses, StartSlirp
    from podpy.plan import Operation
    from podpy.spec.container import PortMapping
    from podpy.storage.database.database import Database


class NetworkPlan:
    """What a start does for its network. The texts and ports are final when `wait_operations` have run."""

    def __init__(self, kind: mode.Mode, context: StartContext) -> None:
        self._spec = context.spec
        self._context = context
        self.mode = kind
        self.operations: list[Operation] = []
        self.wait_operations: list[Operation] = []
        self.netns_path = ""
        self.starter: pasta.StartPasta | StartSlirp | None = None
        self.bridge: BridgeNetwork | None = None

    @property
    def ports(self) -> list[PortMapping] | None:
        """The ports that are bound; None if this kind of network has none of its own."""
        if self.bridge is not None:
            return self.bridge.bound
        return self.starter.bound if self.starter is not None else None

    @property
    def hosts(self) -> str | None:
        """The text of /etc/hosts; None if the image's stays. Raises UsageError."""
        spec = self._spec
        if spec.no_hosts or self.mode.kind == mode.CONTAINER:
            return None
        own = [(address, self._own_names()) for address in self._own_addresses()]
        return names.hosts(added=spec.add_hosts, base=self._base_hosts(), host_address=self._host_address(), own=own)

    @property
    def line_in_joined_hosts(self) -> str:
        """The line that this container has in the /etc/hosts of the one whose network it joins; "" if it has none."""
        if self.mode.kind != mode.CONTAINER or self._spec.no_hosts:
            return ""
        return names.host_line("127.0.0.1", self._own_names())

    @property
    def resolv_conf(self) -> str | None:
        """The text of /etc/resolv.conf; None if the image's stays (`--dns none`, or no network)."""
        spec = self._spec
        if spec.dns == ["none"] or self.mode.kind in (mode.CONTAINER, mode.NONE):
            return None
        own_namespace = self.mode.kind not in (mode.HOST, mode.PATH)
        if self.bridge is not None and self.bridge.name_servers:
            return names.network_resolv_conf(
                names.host_resolver(own_namespace=True),
                gateways=self.bridge.name_servers,
                search=spec.dns_search,
                options=spec.dns_options,
            )
        resolver = names.host_resolver(own_namespace=own_namespace)
        has_ipv6 = self.mode.kind != mode.PASTA or not any(":" in each for each in resolver.servers)
        if not (has_ipv6 or hostinfo.ipv6_interface()):  # without it, the container has none either
            resolver.servers = [server for server in resolver.servers if ":" not in server]
        return names.resolv_conf(
            resolver,
            servers=spec.dns,
            search=spec.dns_search,
            options=spec.dns_options,
            forwarder=self._forwarder(),
            own_namespace=own_namespace,
        )

    @property
    def joined_path(self) -> str:
        """The path of the container's own network namespace, which is made; "" if it has none of podpy's."""
        return self.bridge.joined_path if self.bridge is not None else self.netns_path

    @property
    def hold_fd(self) -> int:
        """What the monitor must hold as long as it lives; -1: nothing."""
        return self.bridge.hold_fd if self.bridge is not None else -1

    def end(self) -> None:
        """Let go of what only the start needed."""
        if self.bridge is not None:
            self.bridge.end()

    def connect(self, published: list[PortMapping]) -> pasta.StartPasta | StartSlirp:
        """Return what starts the helper; what waits for it is added to the plan."""
        context = self._context
        if self.mode.kind == mode.PASTA:
            start = pasta.StartPasta(self.mode, context.directory, published, rootful=not context.paths.rootless)
            self.wait_operations = [pasta.WaitForPasta(start)]
            self.starter = start
            return start
        from podpy.network.private.slirp import StartSlirp, WaitForSlirp

        slirp = StartSlirp(self.mode, context.directory, published)
        self.wait_operations = [WaitForSlirp(slirp)]
        self.starter = slirp
        return slirp

    def abandon(self) -> None:
        """End what was started, after a failure."""
        if self.bridge is not None:
            self.bridge.abandon()
        if self.starter is not None:
            self.starter.abandon()
        if self.netns_path:
            netns.EndNetwork(self._context.directory).execute()

    def _own_names(self) -> list[str]:
        spec, context = self._spec, self._context
        return names.own_names(spec.hostname, spec.uts, context.container_id, context.name)

    def _forwarder(self) -> str:
        if self.bridge is not None:
            return "" if self.bridge.shared.is_host else pasta.NAME_SERVER  # of its way out
        if self.mode.kind == mode.PASTA:
            return pasta.name_server(self.mode)
        return self._slirp_addresses().name_server if self.mode.kind == mode.SLIRP4NETNS else ""

    def _slirp_addresses(self) -> Addresses:
        from podpy.network.private.slirp import addresses

        return addresses(self.mode)

    def _own_addresses(self) -> list[str]:
        """Return the container's own addresses, as far as they are known."""
        if not self.mode.is_private:
            return ["127.0.0.1"] if self.mode.kind == mode.NONE else []
        if self.bridge is not None:
            return self.bridge.own_addresses
        if self.mode.kind == mode.SLIRP4NETNS:
            return [self._slirp_addresses().own]
        address = pasta.own_address(self.mode)
        return [address] if address else []

    def _host_address(self) -> str:
        wanted = self._context.conf.host_containers_internal_ip
        if wanted == "none":
            return ""
        if wanted:
            return wanted
        if self.bridge is not None and self.bridge.shared.is_host:
            return self.bridge.gateway or hostinfo.address()
        if self.mode.kind in (mode.PASTA, mode.BRIDGE):
            return pasta.host_address(self.mode)
        if self.mode.kind == mode.SLIRP4NETNS:
            loopback = "allow_host_loopback=true" in self.mode.options
            gateway = self._slirp_addresses().gateway
            return gateway if loopback else hostinfo.address() or gateway
        return "127.0.0.1" if self.mode.kind == mode.HOST else hostinfo.address()

    def _base_hosts(self) -> str:
        wanted = self._spec.hosts_file or "/etc/hosts"
        if wanted == "none":
            return ""
        try:
            if wanted == "image":
                return _read_in_root(self._context.rootfs)
            with open(wanted, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError as error:
            if wanted in ("image", "/etc/hosts"):
                return ""
            raise UsageError(f"can't read the base hosts file {wanted}: {error.strerror}") from error


def plan(context: StartContext, database: Callable[[], Database], definitions: Callable[[], Folder]) -> NetworkPlan:
    """Return the plan of a container's network. `database`, `definitions`: of bridge networks' rows, and of networks.

    Raises UsageError, NotSupportedError, NoSuchNetworkError.
    """
    spec = context.spec
    kind = mode.parse(spec.network, context.conf)
    mode.check(spec, kind)
    published = ports.wanted(spec.ports, spec.publish_all, spec.expose) if kind.is_private else []
    if kind.kind == mode.PASTA:
        kind = _settled(kind, context, published)
    made = NetworkPlan(kind, context)
    if not kind.is_private:
        return made
    made.netns_path = os.path.join(context.directory, netns.NETNS)
    before = _before(published, context.former_ports)
    if kind.kind == mode.BRIDGE:
        from podpy.network.bridge.attach import BridgeNetwork

        made.bridge = bridge = BridgeNetwork(context, database(), definitions(), published, before)
        made.operations, made.wait_operations = bridge.operations, bridge.wait_operations
        return made
    starter = made.connect(published)
    starter.before = before
    by_pasta = mode.is_new_pasta(kind, context.paths.cache)
    made.operations = [
        netns.CreateNetns(made.netns_path, open_to_all=bool(spec.uid_maps), by_pasta=by_pasta),
        starter,
    ]
    return made


def plan_again(context: StartContext) -> NetworkPlan:
    """Return a plan that only connects: the network namespace is there. Its ports are the row's. Raises as `plan`.

    Without a `starter` there is nothing to do: neither pasta nor slirp4netns is the container's own.
    """
    kind = mode.parse(context.spec.network, context.conf)
    if kind.kind not in (mode.PASTA, mode.SLIRP4NETNS):
        return NetworkPlan(kind, context)
    published = _recorded(context.former_ports)
    if kind.kind == mode.PASTA:
        kind = _settled(kind, context, published)
    made = NetworkPlan(kind, context)
    made.connect(published)
    return made


def _settled(kind: mode.Mode, context: StartContext, published: list[PortMapping]) -> mode.Mode:
    """Return what pasta becomes on this host, now: with which addresses, or slirp4netns. Raises UsageError."""
    from podpy.network.programs import is_old

    has_old = is_old(kind.program, context.paths.cache)
    needs_pasta = any(port.protocol == "udp" or ":" in port.host_ip for port in published)
    if has_old and not needs_pasta:
        kind = mode.instead_of_old_pasta(context.spec.network, kind, context.conf)
    return pasta.with_addresses(kind, is_old=has_old) if kind.kind == mode.PASTA else kind


def _before(published: list[PortMapping], row: str) -> list[PortMapping]:
    """Return the ports of the last start, if there are ephemeral ones, which then stay the same."""
    return [] if all(port.host_port for port in published) else _recorded(row)


def _recorded(row: str) -> list[PortMapping]:
    from podpy import fastjson
    from podpy.spec.container import PortMapping

    return [PortMapping(**port) for port in fastjson.loads(row) if port["host_port"]]


def teardown(directory: str, *, ports: bool = True) -> list[Operation]:
    """Return the operations that end the network of the container with this run directory.

    `ports`: it had published ones, which must be free again afterwards.
    """
    return [netns.EndNetwork(directory, wait=ports)]


def _read_in_root(rootfs: str) -> str:
    from podpy import beneath

    descriptor = beneath.open_in_root(rootfs, "etc/hosts", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read(1 << 20)
