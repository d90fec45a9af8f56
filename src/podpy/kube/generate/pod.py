"""A pod (Kubernetes: core/v1, Pod) made of a pod of podpy's, or of containers outside pods."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.kube.generate import container as containers
from podpy.kube.generate import names
from podpy.kube.generate.annotations import of_pod as annotations_of
from podpy.kube.generate.volumes import Volumes
from podpy.kube.generate.words import known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podpy.kube.generate.source import Group, Options, Source

_POLICIES = {"no": "Never", "always": "Always", "on-failure": "OnFailure"}
_ROOTFS = "k8s does not support Rootfs"


def pod(group: Group, options: Options, now: str) -> dict[str, Any]:
    """Return the Pod. `now`: its creation time. Raises UsageError for containers that can't be in a pod."""
    if any(member.spec.rootfs for member in group.members):
        raise UsageError(_ROOTFS)
    unique = names.Unique()
    called = {member.id: unique.take(_own_name(member, group)) for member in group.members}
    name = names.label(group.name) if group.is_pod else names.label(group.members[0].name, "-pod")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": known(
            name=name,
            annotations=annotations_of(group, called, options),
            creationTimestamp=now,
            labels={"app": name, **names.labels(group.labels)},
        ),
        "spec": _spec(group, called, options),
    }


def _own_name(member: Source, group: Group) -> str:
    """Return a container's name, without its pod's name, which `kube play` adds."""
    return names.label(member.name.removeprefix(f"{group.name}-") if group.is_pod else member.name)


def _spec(group: Group, called: dict[str, str], options: Options) -> dict[str, Any]:
    volumes = Volumes(podman_only=options.podman_only)
    made = {m.id: containers.container(m, called[m.id], volumes, options) for m in group.members}
    sidecars = {name for member in group.members for name in member.spec.requires} & made.keys()
    inits = [
        {**made[member.id], **({} if _is_init(member) else {"restartPolicy": "Always"})}
        for member in group.members
        if _is_init(member) or member.id in sidecars
    ]
    others = [made[member.id] for member in group.members if not _is_init(member) and member.id not in sidecars]
    owners = [group.infra] if group.infra else group.members
    if group.infra and "net" in group.share:
        _move_ports(group.infra, [*others, *inits], options)
    has_hosts_pid = all(owner.spec.pid == "host" for owner in owners)
    is_private = any(owner.spec.uid_maps for owner in owners)
    return known(
        initContainers=inits,
        containers=others,
        volumes=volumes.entries,
        hostname=_hostname(group),
        hostNetwork=True if all(owner.spec.network == "host" for owner in owners) else None,
        hostPID=True if has_hosts_pid else None,
        hostIPC=True if all(owner.spec.ipc == "host" for owner in owners) else None,
        hostUsers=False if is_private else None,
        shareProcessNamespace=True if "pid" in group.share and not has_hosts_pid else None,
        hostAliases=_aliases(owners),
        dnsConfig=_dns(owners),
        restartPolicy=_policy(group),
        securityContext=known(sysctls=_sysctls(owners)),
        terminationGracePeriodSeconds=_grace(group.members),
        activeDeadlineSeconds=_deadline(group.members) if options.kind in ("pod", "job") else None,
    )


def _is_init(member: Source) -> bool:
    return bool(member.spec.init_container)


def _move_ports(infra: Source, members: list[dict[str, Any]], options: Options) -> None:
    """Move the pod's ports to its first container, as in Podman: a Pod in Kubernetes has none of its own."""
    for member in members:
        member.pop("ports", None)
    found = [] if infra.spec.network == "host" else containers.ports(infra.ports, options)
    if found and members:
        members[0]["ports"] = found


def _policy(group: Group) -> str:
    """Return the pod's policy, else the first container's; empty if Kubernetes doesn't have it."""
    first = next((m.spec.restart_policy for m in group.members if not _is_init(m)), "")
    return _POLICIES.get(group.restart_policy or first, "")


def _hostname(group: Group) -> str:
    owners = [group.infra, *group.members] if group.infra else group.members
    asked = next((owner.own_hostname for owner in owners if owner.own_hostname not in ("", group.name)), "")
    return asked if names.is_label(asked) else ""


def _grace(members: list[Source]) -> int | None:
    asked = (member.spec.stop_timeout for member in members if member.spec.stop_timeout != member.usual.stop_timeout)
    return next(asked, None)


def _deadline(members: list[Source]) -> int | None:
    """Return the pod's deadline; a cluster refuses it in what must run always."""
    return next((member.spec.deadline for member in members if member.spec.deadline), None)


def _sysctls(owners: Iterable[Source]) -> list[dict[str, str]]:
    found = {
        name: value
        for owner in owners
        for name, value in owner.spec.sysctls.items()
        if owner.usual.sysctls.get(name) != value
    }
    return [{"name": name, "value": value} for name, value in found.items()]


def _dns(owners: list[Source]) -> dict[str, Any]:
    """Return the servers, domains and options of all, each once; "none" and "." mean no entry in Podman."""
    servers = dict.fromkeys(one for owner in owners for one in _own(owner, "dns") if one != "none")
    searches = dict.fromkeys(one for owner in owners for one in _own(owner, "dns_search") if one != ".")
    asked = dict.fromkeys(one for owner in owners for one in _own(owner, "dns_options"))
    pairs = [text.partition(":") for text in asked]
    entries = [known(name=name, value=value) for name, _, value in pairs]
    return known(nameservers=[*servers], searches=[*searches], options=entries)


def _own(owner: Source, field: str) -> list[str]:
    """Return a list, unless it is containers.conf's, which belongs to this machine."""
    asked: list[str] = getattr(owner.spec, field)
    return asked if asked != getattr(owner.usual, field) else []


def _aliases(owners: list[Source]) -> list[dict[str, Any]]:
    """Return the additional lines of /etc/hosts, by address. `host-gateway` is an address that only podpy knows."""
    found: dict[str, list[str]] = {}
    for text in dict.fromkeys(line for owner in owners for line in owner.spec.add_hosts):
        hosts, _, address = text.partition(":")
        address = address.strip("[]")
        if address and address != "host-gateway":
            found.setdefault(address, []).extend(hosts.split(";"))
    return [{"ip": address, "hostnames": hosts} for address, hosts in found.items()]
