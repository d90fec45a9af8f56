"""`networks`, `network_mode`, `links`, `ports` of a service, and the networks of the file (05, 06)."""

from __future__ import annotations

from podpy.compose.node import external, nearest
from podpy.compose.project import DEFAULT
from podpy.compose.service import LABEL
from podpy.errors import PodpyError
from podpy.quadlet.words import quoted
from podpy.quadlet.writing import literal
from podpy.spec.text.ports import parse_publish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.compose.node import Node
    from podpy.compose.project import Project
    from podpy.compose.service import Service

_KEYS = ("aliases", "ipv4_address", "ipv6_address", "mac_address", "interface_name", "link_local_ips", "driver_opts",
         "gw_priority", "priority")  # fmt: skip
_OPTIONS = {"ipv4_address": "ip", "ipv6_address": "ip6", "mac_address": "mac", "interface_name": "interface_name"}


def attach(service: Service, node: Node) -> None:
    """Put a service on its networks, or on the default one (`node` is null): its name is an alias on each."""
    if "network_mode" in service.keys:
        if not node.is_null:
            node.tell("excludes network_mode")
        return
    if node.is_list:
        wanted: dict[str, Node | None] = {item.text(): item for item in node.items()}
    else:
        wanted = dict(node.entries()) or {DEFAULT: None}
    for name, entry in wanted.items():
        options = [f"alias={service.name}"]
        if entry is not None and entry.is_mapping:
            options += _options(entry)
        if name != DEFAULT and name not in service.project.networks and entry is not None:
            entry.tell(f"no network {name} is there", hint=nearest(name, service.project.networks))
        mac = service.keys.get("mac_address")
        if mac is not None and not any(option.startswith("mac=") for option in options) and len(wanted) == 1:
            options.append(f"mac={mac.text()}")
        service.say("--network", f"{reference(name, service.project)}:{','.join(options)}")


def _options(entry: Node) -> list[str]:
    found = []
    for key, value in entry.known(*_KEYS).items():
        if value.is_null:
            continue
        if key == "aliases":
            found += [f"alias={item.text()}" for item in value.items()]
        elif key in _OPTIONS:
            found.append(f"{_OPTIONS[key]}={value.text()}")
        elif key in ("gw_priority", "priority"):
            value.tell("podpy takes the networks in the order of their names, without priorities", fatal=False)
        else:
            value.tell("podpy's networks have no such option for one container")
    return found


def reference(name: str, project: Project) -> str:
    """Return a network as `Network=` has it: its file, or the name of one that is there already."""
    node = project.networks.get(name)
    keys = node.entries() if node is not None else {}
    return external(keys, name) or f"{project.name}-{name}.network"


def mode(service: Service, node: Node) -> None:
    """Take over network_mode."""
    value = node.text()
    kind, _, name = value.partition(":")
    if kind == "service":
        if name in service.project.services:
            service.say("--network", service.project.unit(name))
            service.after.setdefault(service.project.unit(name), True)
        else:
            service.other(node, name)
    else:
        service.say("--network", value)


def links(service: Service, node: Node) -> None:
    """Take over links: all services of a network find each other by their names, so only other names are missing."""
    for item in node.items():
        name, _, alias = item.text().partition(":")
        service.other(item, name)
        if alias and alias != name:
            hint = f"add it to the aliases of {name} on a network"
            item.tell(f"podpy has no links: {alias} is no name of {name}", hint=hint)


def ports(service: Service, node: Node) -> None:
    """Take over published ports, in their short and long forms."""
    for item in node.items():
        text = _long(item) if item.is_mapping else _short(item)
        if not text:
            continue
        try:
            parse_publish(text)
        except PodpyError as error:
            item.tell(error.message)
            continue
        service.say("--publish", text)


def _short(item: Node) -> str:
    text, slash, protocol = item.text().partition("/")
    *before, container = text.split(":")
    host = before.pop() if before else ""
    address = ":".join(before).strip("[]")
    return _joined(item, address, host, container, f"{slash}{protocol}")


def _long(item: Node) -> str:
    keys = item.known("name", "mode", "host_ip", "target", "published", "protocol", "app_protocol")
    if "target" not in keys:
        item.tell("target is missing: the container's port")
        return ""
    for key in ("name", "app_protocol"):
        if key in keys:
            keys[key].tell("has no meaning for podpy", fatal=False)
    said = {key: value.text() for key, value in keys.items()}
    protocol = f"/{said['protocol']}" if said.get("protocol", "tcp") != "tcp" else ""
    return _joined(item, said.get("host_ip", ""), said.get("published", ""), said["target"], protocol)


def _joined(item: Node, address: str, host: str, container: str, protocol: str) -> str:
    if "-" in host and "-" not in container:
        item.tell(f"podpy can't choose one of the ports {host}", hint=f'"{host.partition("-")[0]}:{container}"')
        return ""
    if address:
        return f"{f'[{address}]' if ':' in address else address}:{host}:{container}{protocol}"
    return f"{host}:{container}{protocol}" if host else f"{container}{protocol}"


def network_file(name: str, project: Project) -> str:
    """Return the text of a network's file, empty for one that is there already (`external`)."""
    node = project.networks.get(name)
    if node is None or node.is_null:
        return _network([f"NetworkName={project.name}_{name}"], name, project)
    keys = node.known(
        "name", "driver", "driver_opts", "ipam", "external", "internal", "enable_ipv4", "enable_ipv6", "attachable",
        "labels",
    )  # fmt: skip
    if external(keys, name):
        return ""
    whole = literal(keys["name"].text() if "name" in keys else f"{project.name}_{name}")
    lines = [f"NetworkName={whole}"]
    if "driver" in keys:
        driver = keys["driver"].text()
        if driver not in ("bridge", "macvlan", "ipvlan", "default"):
            keys["driver"].tell(f"podpy has no network driver {driver}", hint="bridge, macvlan or ipvlan")
        lines += [f"Driver={driver}"] if driver in ("macvlan", "ipvlan") else []
    for key, quadlets in (("internal", "Internal"), ("enable_ipv6", "IPv6")):
        if key in keys and keys[key].flag():
            lines.append(f"{quadlets}=yes")
    if "enable_ipv4" in keys and not keys["enable_ipv4"].flag():
        keys["enable_ipv4"].tell("podpy has no networks without IPv4")
    if "attachable" in keys:
        keys["attachable"].tell("has no meaning for podpy: any container may join", fatal=False)
    lines += _ipam(keys["ipam"]) if "ipam" in keys else []
    lines += _pairs("Options", keys.get("driver_opts")) + _pairs("Label", keys.get("labels"))
    return _network(lines, name, project)


def _network(lines: list[str], name: str, project: Project) -> str:
    labels = [f"Label={LABEL}.project={project.name}", f"Label={LABEL}.network={name}"]
    return "\n".join(["[Network]", *lines, *labels, ""])


def _pairs(key: str, node: Node | None) -> list[str]:
    pairs = node.pairs() if node is not None else {}
    return [f"{key}={quoted(literal(f'{name}={value}' if value else name))}" for name, value in pairs.items()]


def _ipam(node: Node) -> list[str]:
    keys = node.known("driver", "config", "options")
    lines = []
    if "driver" in keys and keys["driver"].text() not in ("default", "host-local", "dhcp", "none"):
        keys["driver"].tell(f"podpy doesn't know {keys['driver'].text()}")
    elif "driver" in keys and keys["driver"].text() != "default":
        lines.append(f"IPAMDriver={keys['driver'].text()}")
    if "options" in keys and not keys["options"].is_null:
        keys["options"].tell("podpy has no such options")
    for item in keys["config"].items() if "config" in keys else []:
        found = item.known("subnet", "ip_range", "gateway", "aux_addresses")
        for key, quadlets in (("subnet", "Subnet"), ("gateway", "Gateway"), ("ip_range", "IPRange")):
            if key in found:
                lines.append(f"{quadlets}={found[key].text()}")
        if "aux_addresses" in found:
            found["aux_addresses"].tell("podpy can't keep addresses free", hint="ip_range: leaves some out")
    return lines
