"""The networks of a new container: which ones they are, and the names of its interfaces."""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError
from podpy.network.bridge.members import free_interface
from podpy.network.definitions.network import BRIDGE as DRIVER
from podpy.network.definitions.network import DHCP, wrong_new_interface
from podpy.network.mode import BRIDGE
from podpy.spec.container import Attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.containers_conf import ContainersConf
    from podpy.libpod.engine import Engine
    from podpy.network.definitions.network import Network
    from podpy.spec.container import ContainerSpec


def complete(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Return the spec with its networks by their names, each with an interface; none is the default network.

    Raises NoSuchNetworkError, NotSupportedError as `check_driver`, UsageError; NetworkSetupError for an address that
    the network can't have.
    """
    if spec.network != BRIDGE:
        raise UsageError(
            "invalid config provided: networks and static ip/mac address can only be used with Bridge mode networking",
            hint="--network bridge, or the name of a network",
        )
    definitions = engine.network_folder
    found: dict[str, Attachment] = {}
    for attachment in spec.networks or [Attachment(network="")]:
        network = check_driver(engine, definitions.find(attachment.network or engine.conf.default_network))
        if attachment.ips:
            from podpy.network.bridge.addresses import check_subnets

            check_subnets(network, attachment.ips)
        found[network.name] = named(attachment, network, engine.conf)
    return spec.replace(networks=with_interfaces(list(found.values())))


def check_driver(engine: Engine, network: Network) -> Network:
    """Return the network. Raises NotSupportedError for a driver that can't be used: only root has others than bridge,
    and nobody a DHCP client.
    """
    if network.driver == DRIVER:
        return network
    if engine.paths.rootless:
        raise NotSupportedError(
            f"network {network.name}: only root can use its driver, {network.driver}",
            hint="a bridge is for everybody: podpy network create NAME",
        )
    if network.ipam_driver == DHCP:
        raise NotSupportedError(
            f"network {network.name}: addresses of a DHCP server aren't supported",
            hint=f"podpy network create -d {network.driver} --subnet SUBNET --ip-range RANGE NAME; or "
            "--ipam-driver=none, and a DHCP client in the container (--cap-add=NET_ADMIN,NET_RAW)",
        )
    return network


def check(engine: Engine, spec: ContainerSpec) -> None:
    """Raise NoSuchNetworkError if a network was just removed. Called in the transaction that adds the container: from
    then on it can't be removed.
    """
    for attachment in spec.networks:
        engine.network_folder.named(attachment.network)


def named(attachment: Attachment, network: Network, conf: ContainersConf) -> Attachment:
    """Return the attachment with its network's name; and the interface's, where containers.conf gives it that of the
    network's own device (containers.conf(5), interface_name = "device").
    """
    device = network.interface if conf.interface_name == "device" else ""
    return attachment.replace(network=network.name, interface=attachment.interface or device)


def with_interfaces(attachments: list[Attachment]) -> list[Attachment]:
    """Return them, each with an interface: the first ethN that is free.

    Raises UsageError for a name given twice, or that no interface can have.
    """
    for name in (name for each in attachments for name in (each.interface, each.host_interface)):
        if told := wrong_new_interface(name):
            raise UsageError(f"interface name {name} invalid: {told}: invalid argument")
    taken = [attachment.interface for attachment in attachments if attachment.interface]
    for name in taken:
        if taken.count(name) > 1:
            raise UsageError(f"interface name {name} is used twice: invalid argument")
    made = []
    for attachment in attachments:
        name = attachment.interface or free_interface(taken)
        taken.append(name)
        made.append(attachment.replace(interface=name))
    return made
