"""A pod, or a pod's template → PodSpec."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.kube.translate import annotations as annotated
from podpy.kube.translate import security
from podpy.kube.translate.containers import restart_policy
from podpy.spec.container import Attachment, ContainerSpec, PortMapping
from podpy.spec.pod import PodSpec
from podpy.spec.text.attachments import check_alias
from podpy.spec.text.namespaces import check_userns
from podpy.spec.text.network import check_host, check_name_servers, check_searches, is_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.kube.translate.context import Context
    from podpy.yaml.places import Mapping

NETWORK = "podman-default-kube-network"
_LONGEST_HOSTNAME = 63
_PROTOCOLS = ("tcp", "udp", "sctp")
_DOMAIN = "cluster.local"
_NONE: dict[str, Any] = {}


def pod_spec(pod: Mapping, context: Context, number: int = 0) -> PodSpec:
    """Return the PodSpec of a pod's `spec`. `number`: its index among the created pods (for --ip, --mac-address).

    Raises UsageError.
    """
    share = ["ipc", "net", "uts"]
    if pod.get("shareProcessNamespace"):
        share.append("pid")
    hostname = context.node.name if pod.get("hostNetwork") else _hostname(pod) or context.pod_name
    return PodSpec(
        name=context.pod_name,
        hostname=hostname[:_LONGEST_HOSTNAME],
        labels=context.labels,
        annotations=context.annotations,
        share=share,
        container=ContainerSpec(**_infra(pod, context, number)),
        infra_name=context.annotations.get(annotated.INFRA_NAME, ""),
        exit_policy="stop",
        configmaps=context.references.documents(pod),
        restart_policy=restart_policy(pod, context),
    )


def _hostname(pod: Mapping) -> str:
    hostname: str = pod.get("hostname", "")
    if not hostname.isprintable() or " " in hostname:
        raise pod.wrong("hostname", "it has a blank, a line end or another control character")
    return hostname


def _infra(pod: Mapping, context: Context, number: int) -> dict[str, Any]:
    options = context.options
    fields: dict[str, Any] = {
        "sysctls": security.sysctls(pod),
        "add_hosts": _hosts(pod, context),
        "ports": _ports(pod, context),
        "userns": _userns(pod, context),
        "sdnotify": "ignore",
        "no_hostname": options.no_hostname,
        **_network(pod, context, number),
        **_names(pod),
    }
    if options.no_hosts is not None:
        fields["no_hosts"] = options.no_hosts
    for key, names in (("hostPID", ("pid",)), ("hostIPC", ("ipc",)), ("hostNetwork", ("uts",))):
        fields.update(dict.fromkeys(names, "host") if pod.get(key) else {})
    return fields


def _network(pod: Mapping, context: Context, number: int) -> dict[str, Any]:
    options = context.options
    if pod.get("hostNetwork"):
        return {"network": "host"}
    attachments: Sequence[Attachment] = options.networks
    if not options.network:
        attachments = [Attachment(network=NETWORK)]
    elif options.network != "bridge":
        _refuse_addresses(context, number, "can only be set when the network mode is bridge")
        return {"network": options.network}
    attachments = attachments or [Attachment(network="")]
    if len(attachments) != 1:
        _refuse_addresses(context, number, "can only be set for one network: use NAME:ip=ADDRESS for more")
    names = [each["name"] for each in pod.get("containers", []) if each.get("name")]
    full = [] if options.no_pod_prefix else [f"{context.pod_name}-{name}" for name in names]
    aliases = [*dict.fromkeys([*names, *full, context.pod_name, *_cluster_names(pod, context)])]
    try:
        aliases = [check_alias(alias) for alias in aliases]
    except UsageError as error:
        raise pod.wrong("subdomain" if "subdomain" in pod else "", error.message, hint=error.hint) from None
    found = [each.replace(aliases=[*each.aliases, *aliases]) for each in attachments]
    own: dict[str, Any] = {}
    if number < len(options.ips):
        own["ips"] = [options.ips[number]]
    if number < len(options.macs):
        own["mac"] = options.macs[number]
    return {"network": "bridge", "networks": [found[0].replace(**own), *found[1:]]}


def _cluster_names(pod: Mapping, context: Context) -> list[str]:
    """Return by which names a cluster's DNS has the pod: those of its Services, and HOSTNAME.SUBDOMAIN, also with the
    namespace and the cluster's domain behind.
    """
    names = [*context.names]
    if pod.get("subdomain"):
        names.append(f"{pod.get('hostname') or context.pod_name}.{pod['subdomain']}")
    endings = ("", f".{context.namespace}", f".{context.namespace}.svc", f".{context.namespace}.svc.{_DOMAIN}")
    return [name + ending for name in names for ending in endings]


def _refuse_addresses(context: Context, number: int, why: str) -> None:
    options = context.options
    if number < len(options.ips) or number < len(options.macs):
        raise UsageError(f"static ip and mac addresses {why}: invalid argument")


def _userns(pod: Mapping, context: Context) -> str:
    """Return the pod's user namespace, from the option, an annotation, or `hostUsers: false`."""
    if context.options.userns:
        return _checked_userns(context.options.userns)
    for key in (f"{annotated.USERNS}/{context.pod_name}", annotated.USERNS):
        if found := context.annotations.get(key, ""):
            try:
                return _checked_userns(found)
            except UsageError as error:
                raise UsageError(f"annotation {key}: {error.message}", hint=error.hint) from None
    return "auto" if pod.get("hostUsers") is False else "host"


def _checked_userns(mode: str) -> str:
    return check_userns("auto" if mode == "private" else mode)


def _names(pod: Mapping) -> dict[str, list[str]]:
    """Return the DNS settings of dnsConfig and dnsPolicy."""
    config = pod.get("dnsConfig", _NONE)
    if pod.get("dnsPolicy") == "None" and not config.get("nameservers"):
        raise pod.wrong("dnsPolicy", "None needs servers in dnsConfig", hint="dnsConfig: {nameservers: [IP]}")
    found: dict[str, list[str]] = {}
    try:
        if config.get("nameservers"):
            found["dns"] = check_name_servers(config["nameservers"])
        if config.get("searches"):
            found["dns_search"] = check_searches(config["searches"])
    except UsageError as error:
        raise pod.wrong("dnsConfig", error.message) from None  # the hint is --dns's
    if config.get("options"):
        pairs = ((each.get("name", ""), each.get("value")) for each in config["options"])
        found["dns_options"] = [name if value is None else f"{name}:{value}" for name, value in pairs]
    return found


def _hosts(pod: Mapping, context: Context) -> list[str]:
    aliases = pod.get("hostAliases", [])
    if aliases and context.options.no_hosts:
        raise pod.wrong("hostAliases", "HostAliases in yaml file will not work with --no-hosts")
    found = []
    for alias in aliases:
        for name in alias.get("hostnames", []):
            try:
                found.append(check_host(f"{name}:{alias.get('ip', '')}"))
            except UsageError as error:
                raise alias.wrong("ip", error.message) from None  # the hint is --add-host's
    return found


def _ports(pod: Mapping, context: Context) -> list[PortMapping]:
    """Return the published ports: those of --publish, then those of the containers that it doesn't name."""
    options = context.options
    found = list(options.publish)
    for container in pod.get("containers", []):
        for each in container.get("ports", []):
            host, inside = each.get("hostPort", 0), each.get("containerPort", 0)
            inside = inside or host
            host = host or (inside if options.publish_all else 0)
            if not host:
                continue  # every port can be reached within the pod
            protocol = _protocol(each)
            for key, port in (("hostPort", host), ("containerPort", inside)):
                if not 0 < port < 65536:
                    raise each.wrong(key, f"{port} isn't a port number")
            if each.get("hostIP") and not is_address(each["hostIP"]):
                raise each.wrong("hostIP", f'"{each["hostIP"]}" isn\'t an IP address')
            if not any(_has(port, inside, protocol) for port in options.publish):
                own = PortMapping(
                    container_port=inside, host_port=host, host_ip=each.get("hostIP", ""), protocol=protocol
                )
                _check_free(found, own, each)
                found.append(own)
    return [] if pod.get("hostNetwork") else found


def _check_free(found: list[PortMapping], own: PortMapping, each: Mapping) -> None:
    """Raise UsageError if a port of the host is to lead to two ports."""
    for port in found:
        is_other = port.container_port != own.container_port and port.count == 1
        if is_other and (port.host_port, port.protocol, port.host_ip) == (own.host_port, own.protocol, own.host_ip):
            raise each.wrong("hostPort", f"{own.host_port}/{own.protocol} is there twice")


def _protocol(each: Mapping) -> str:
    protocol: str = (each.get("protocol") or "tcp").lower()
    if protocol not in _PROTOCOLS:
        raise each.wrong("protocol", f'"{protocol}" is none of TCP, UDP and SCTP')
    return protocol


def _has(port: PortMapping, inside: int, protocol: str) -> bool:
    return port.protocol == protocol and port.container_port <= inside < port.container_port + port.count
