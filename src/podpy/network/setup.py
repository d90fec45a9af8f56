"""The network of one start: which operations, which files, which ports.

plan(context)           before the start; `operations` come early, `wait_operations` late, just before the container
teardown(directory)     after the end; safe to repeat, and enough when nobody did anything before
"""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.network import hostinfo, mode, names, netns, ports
from podpy.network.private import pasta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.network.private.slirp import Addresses, StartSlirp
    from podpy.plan import Operation
    from podpy.spec.container import PortMapping


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

    @property
    def ports(self) -> list[PortMapping] | None:
        """The ports that are bound; None if this kind of network has none of its own."""
        return self.starter.bound if self.starter is not None else None

    @property
    def hosts(self) -> str | None:
        """The text of /etc/hosts; None if the image's stays. Raises UsageError."""
        spec = self._spec
        if spec.no_hosts or self.mode.kind == mode.CONTAINER:
            return None
        context = self._context
        own_names = list(dict.fromkeys([spec.hostname or context.container_id[:12], context.name]))
        address = self._own_address() if self.mode.is_private else "127.0.0.1"
        own = [] if spec.uts == "host" and not spec.hostname else [(address, own_names)]
        return names.hosts(
            added=spec.add_hosts, base=self._base_hosts(), host_address=self._host_address(), own=own if address else []
        )

    @property
    def resolv_conf(self) -> str | None:
        """The text of /etc/resolv.conf; None if the image's stays (`--dns none`)."""
        spec = self._spec
        if spec.dns == ["none"] or self.mode.kind == mode.CONTAINER:
            return None
        own_namespace = self.mode.kind not in (mode.HOST, mode.PATH)
        return names.resolv_conf(
            names.host_resolver(own_namespace=own_namespace),
            servers=spec.dns,
            search=spec.dns_search,
            options=spec.dns_options,
            forwarder=self._forwarder(),
            own_namespace=own_namespace,
        )

    def abandon(self) -> None:
        """End what was started, after a failure."""
        if self.starter is not None:
            self.starter.abandon()
        if self.netns_path:
            netns.EndNetwork(self._context.directory).execute()

    def _forwarder(self) -> str:
        if self.mode.kind == mode.PASTA:
            return pasta.option_value(self.mode, "--dns-forward") or pasta.NAME_SERVER
        return self._slirp_addresses().name_server if self.mode.kind == mode.SLIRP4NETNS else ""

    def _slirp_addresses(self) -> Addresses:
        from podpy.network.private.slirp import addresses

        return addresses(self.mode)

    def _own_address(self) -> str:
        if self.mode.kind == mode.SLIRP4NETNS:
            return self._slirp_addresses().own
        if pasta.has_fixed_addresses(self.mode):
            return pasta.ADDRESS
        return pasta.option_value(self.mode, "-a", "--address") or hostinfo.address()

    def _host_address(self) -> str:
        wanted = self._context.conf.host_containers_internal_ip
        if wanted == "none":
            return ""
        if wanted:
            return wanted
        if self.mode.kind == mode.PASTA:
            return pasta.host_address(self.mode)
        if self.mode.kind == mode.SLIRP4NETNS:
            loopback = "allow_host_loopback=true" in self.mode.options
            gateway = self._slirp_addresses().gateway
            return gateway if loopback else hostinfo.address() or gateway
        return "127.0.0.1" if self.mode.kind == mode.HOST else ""

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


def plan(context: StartContext) -> NetworkPlan:
    """Return the plan of a container's network. Raises UsageError, NotSupportedError."""
    spec = context.spec
    kind = mode.parse(spec.network, context.conf)
    mode.check(spec, kind)
    published = ports.wanted(spec.ports, spec.publish_all, spec.expose) if kind.is_private else []
    needs_pasta = any(port.protocol == "udp" or ":" in port.host_ip for port in published)
    if kind.kind == mode.PASTA and not needs_pasta:
        kind = mode.instead_of_old_pasta(spec.network, kind, context.conf, context.paths.cache)
    made = NetworkPlan(kind, context)
    if not kind.is_private:
        return made
    made.netns_path = os.path.join(context.directory, netns.NETNS)
    before = _before(published, context.former_ports)
    made.operations = [netns.CreateNetns(made.netns_path, open_to_all=bool(spec.uid_maps))]
    if kind.kind == mode.PASTA:
        start = pasta.StartPasta(kind, context.directory, published, rootful=not context.paths.rootless)
        start.before = before
        made.starter = start
        made.operations.append(start)
        made.wait_operations = [pasta.WaitForPasta(start)]
    else:
        from podpy.network.private.slirp import StartSlirp, WaitForSlirp

        slirp = StartSlirp(kind, context.directory, published)
        slirp.before = before
        made.starter = slirp
        made.operations.append(slirp)
        made.wait_operations = [WaitForSlirp(slirp)]
    return made


def _before(published: list[PortMapping], row: str) -> list[PortMapping]:
    """Return the ports of the last start, if there are ephemeral ones, which then stay the same."""
    if all(port.host_port for port in published):
        return []
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
