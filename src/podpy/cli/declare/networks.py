"""The commands about networks."""

from __future__ import annotations

from podpy.cli.declare.common import latest, template_format
from podpy.cli.declare.model import CONTAINERS, NETWORKS, Argument, Command, count, flag, listed, many, text

GROUPS = {"network": "Networks that containers share"}

_ONE = Argument(name="network", metavar="NETWORK", complete=NETWORKS)
_SOME = Argument(name="networks", metavar="NETWORK", many=True, complete=NETWORKS)
_CONTAINER = Argument(name="container", metavar="CONTAINER", complete=CONTAINERS)
_FILTER = "Only networks for which this is true (repeatable)"

COMMANDS: tuple[Command, ...] = (
    Command(
        path="network create",
        handler="podpy.cli.commands.networks.network:create",
        help="Make a network",
        description=(
            "Without a name it gets the first free one of podman1, podman2 …; without a subnet the first one of "
            "default_subnet_pools (containers.conf) that no other network has and no route of the host leads to."
        ),
        examples=(
            "podpy network create shop",
            "podpy network create --subnet 10.5.0.0/24 --gateway 10.5.0.254 --ip-range 10.5.0.128/25 shop",
            "podpy network create --ipv6 --label app=shop --opt mtu=1400 shop",
            "podpy network create --internal --ignore backend",
            "podpy network create --subnet 10.5.0.0/24 --route 10.9.0.0/16,10.5.0.9 --route 10.8.0.0/16,blackhole shop",
        ),
        options=(
            flag("--disable-dns", "Containers don't find each other by name"),
            listed("--dns", "IP", "Name server that its containers' questions go to (repeatable)"),
            text(
                "--driver -d",
                "NAME",
                "bridge, or (root only) macvlan, ipvlan",
                default="bridge",
                complete="bridge|macvlan|ipvlan",
            ),
            listed("--gateway", "IP", "The host's address in the subnet (repeatable)"),
            flag("--ignore", "A network that has the name already is no error"),
            text("--interface-name", "NAME", "Name of the bridge; macvlan, ipvlan: the host's interface"),
            flag("--internal", "Without a way out of the network"),
            many("--ip-range", "RANGE", "Give addresses from here only: CIDR, or FIRST-LAST (repeatable)"),
            text(
                "--ipam-driver",
                "NAME",
                "Who gives addresses: host-local, none; macvlan: dhcp",
                complete="host-local|none|dhcp",
            ),
            flag("--ipv6", "With an IPv6 subnet beside the IPv4 one"),
            many("--label", "KEY=VALUE", "Label (repeatable)"),
            many(
                "--opt -o",
                "KEY=VALUE",
                "Option of the driver: mtu, metric, no_default_route, isolate, vlan, vrf, mode, outbound_addr4, "
                "outbound_addr6, com.docker.network.driver.mtu, com.docker.network.bridge.name; parent, bclim "
                "(repeatable)",
                complete="mtu=|metric=|no_default_route=|isolate=|vlan=|vrf=|mode=|outbound_addr4=|outbound_addr6=|parent=|"
                "bclim=|com.docker.network.driver.mtu=|com.docker.network.bridge.name=",
            ),
            many(
                "--route",
                "ROUTE",
                "Route of its containers: DESTINATION,GATEWAY[,METRIC]; instead of the gateway blackhole, unreachable, "
                "prohibit (repeatable)",
            ),
            many("--subnet", "CIDR", "Subnet; --gateway and --ip-range belong to it by their order (repeatable)"),
        ),
        arguments=(Argument(name="name", metavar="NAME", required=False),),
    ),
    Command(
        path="network exists",
        handler="podpy.cli.commands.networks.network:exists",
        help="Tell by the exit code whether a network exists",
        examples=("podpy network exists shop && echo yes",),
        arguments=(_ONE,),
    ),
    Command(
        path="network inspect",
        handler="podpy.cli.commands.networks.network:inspect",
        help="Print everything about networks",
        examples=(
            "podpy network inspect shop",
            "podpy network inspect --format '{{range .Subnets}}{{.Subnet}} {{end}}' shop",
        ),
        arguments=(_SOME,),
        options=(template_format(what="each network"),),
    ),
    Command(
        path="network ls",
        aliases=("network list",),
        handler="podpy.cli.commands.networks.network_list:ls",
        help="List networks",
        description="Podman's networks are among them: both engines have the same definitions.",
        examples=(
            "podpy network ls",
            "podpy network ls --filter dangling=true --filter label=app=shop",
            "podpy network ls --format '{{.Name}} {{.NetworkInterface}}'",
        ),
        rule="none",
        options=(
            many("--filter -f", "KEY=VALUE", f"{_FILTER}: name, id, driver, label, label!, dangling, until"),
            text("--format", "TEMPLATE", "Print each network as a Go template says, or all as json"),
            flag("--no-trunc", "Whole ids"),
            flag("--noheading -n", "Leave the heading out"),
            flag("--quiet -q", "Only names"),
        ),
    ),
    Command(
        path="network prune",
        handler="podpy.cli.commands.networks.network_list:prune",
        help="Remove networks that no container uses",
        description="Networks that a container of Podman's is on stay, too.",
        examples=(
            "podpy network prune",
            "podpy network prune --force --filter until=24h",
        ),
        rule="none",
        options=(
            flag("--dry-run", "Remove nothing: print what would go"),
            many("--filter", "KEY=VALUE", f"{_FILTER}: label, label!, until"),
            flag("--force -f", "Don't ask"),
        ),
    ),
    Command(
        path="network rm",
        aliases=("network remove",),
        handler="podpy.cli.commands.networks.network:rm",
        help="Remove networks",
        description="Exit code 1: no such network; 2: a container uses it.",
        examples=("podpy network rm shop", "podpy network rm --force --time 5 shop"),
        options=(
            flag("--force -f", "Stop and remove containers that use it"),
            flag("--ignore -i", "A network that doesn't exist is no error"),
            count("--time -t", "SECONDS", "With --force: how long a container may take to stop (default: it's killed)"),
        ),
        arguments=(_SOME,),
    ),
    Command(
        path="network update",
        handler="podpy.cli.commands.networks.network:update",
        help="Change a network's name servers",
        examples=("podpy network update --dns-add 9.9.9.9 --dns-drop 1.1.1.1 shop",),
        options=(
            listed("--dns-add", "IP", "Name server to add (repeatable)"),
            listed("--dns-drop", "IP", "Name server to leave out (repeatable)"),
        ),
        arguments=(_ONE,),
    ),
    Command(
        path="network connect",
        handler="podpy.cli.commands.networks.network:connect",
        help="Put a container on a network",
        examples=(
            "podpy network connect shop web",
            "podpy network connect --ip 10.5.0.7 --alias front shop web",
        ),
        options=(
            listed("--alias", "NAME", "Additional name of the container in the network (repeatable)"),
            text("--ip", "IP", "IPv4 address"),
            text("--ip6", "IP", "IPv6 address"),
            text("--mac-address", "MAC", "Hardware address"),
        ),
        arguments=(_ONE, _CONTAINER),
    ),
    Command(
        path="network disconnect",
        handler="podpy.cli.commands.networks.network:disconnect",
        help="Take a container off a network",
        examples=("podpy network disconnect shop web",),
        options=(flag("--force -f", "Whatever the container's state"),),
        arguments=(_ONE, _CONTAINER),
    ),
    Command(
        path="network reload",
        handler="podpy.cli.commands.networks.network:reload",
        help="Make the network of running containers anew",
        examples=("podpy network reload web", "podpy network reload --all"),
        rule="ids",
        options=(flag("--all -a", "All running containers"), latest()),
        arguments=(Argument(name="containers", metavar="CONTAINER", required=False, many=True, complete=CONTAINERS),),
    ),
)
