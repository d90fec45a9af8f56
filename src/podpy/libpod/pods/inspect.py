"""`pod inspect`: everything about a pod, with the names and types of Podman 5's InspectPodData.

Source: libpod/define/pod_inspect.go. The result is plain data, without the fields that Podman's JSON omits when empty.
"""

from __future__ import annotations

from podpy.libpod.containers import inspect_host
from podpy.libpod.containers.table import shown_status
from podpy.libpod.pods.cgroup import view_of
from podpy.libpod.pods.states import state_of
from podpy.oci.cgroups import shown_pod_path
from podpy.times import go_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.pods.held import HeldPod
    from podpy.libpod.pods.table import Member
    from podpy.spec.container import ContainerSpec, Mount
    from podpy.spec.pod import PodSpec


def inspect(pod: HeldPod) -> dict[str, Any]:
    """Return Podman's InspectPodData."""
    row, spec = pod.refresh(), pod.spec
    members = pod.members()
    infra = next((each for each in pod.held() if each.id == row.infra_id), None)
    data: dict[str, Any] = {
        "Id": row.id,
        "Name": row.name,
        "Created": go_time(row.created),
        "CreateCommand": spec.create_command,
        "ExitPolicy": row.exit_policy,
        "State": state_of(members),
        "Hostname": spec.hostname,
        "Labels": row.labels_dict(),
        "CreateCgroup": spec.share_parent,
        **_cgroup(pod, spec),
        "CreateInfra": bool(row.infra_id),
        "InfraContainerID": row.infra_id,
        "InfraConfig": _infra_config(infra.spec, spec, infra.row.ports) if infra else None,
        "SharedNamespaces": spec.share if row.infra_id else [],
        "NumContainers": len(members),
        "Containers": [_member(each) for each in members],
        **_limits(spec),
        "mounts": [_mount(mount) for mount in spec.container.mounts],
        "devices": [
            {"PathOnHost": each.host, "PathInContainer": each.container, "CgroupPermissions": each.permissions}
            for each in spec.container.devices
        ],
        "volumes_from": spec.container.volumes_from,
        "security_opt": _security(spec.container),
        "RestartPolicy": spec.restart_policy,
    }
    always = ("State", "Hostname", "CreateCgroup", "CreateInfra", "NumContainers")
    return {**{name: value for name, value in data.items() if value or name in always}, "LockNumber": 0}


def _member(member: Member) -> dict[str, str]:
    return {"Id": member.id, "Name": member.name, "State": shown_status(member.status, member.started, member.restarts)}


def _cgroup(pod: HeldPod, spec: PodSpec) -> dict[str, str]:
    view = view_of(pod.engine)
    if not spec.share_parent or view.manager == "none":
        return {"CgroupParent": spec.cgroup_parent}
    return {
        "CgroupParent": spec.cgroup_parent or view.parent,
        "CgroupPath": shown_pod_path(pod.id, spec.cgroup_parent, view, pod.engine.paths.uid),
    }


def _infra_config(infra: ContainerSpec, pod: PodSpec, ports: str) -> dict[str, Any]:
    from podpy import fastjson

    asked = pod.container
    ips = [address for each in asked.networks for address in each.ips]
    networks = [each.network for each in infra.networks]
    data: dict[str, Any] = {
        "PortBindings": inspect_host.port_bindings(fastjson.loads(ports)),
        "HostNetwork": infra.network == "host",
        "StaticIP": ips[0] if ips else "",
        "StaticMAC": next((each.mac for each in asked.networks if each.mac), ""),
        "NoManageResolvConf": False,
        "DNSServer": infra.dns or None,
        "DNSSearch": infra.dns_search or None,
        "DNSOption": infra.dns_options or None,
        "NoManageHostname": infra.no_hostname,
        "NoManageHosts": infra.no_hosts,
        "HostAdd": infra.add_hosts or None,
        "HostsFile": infra.hosts_file,
        "Networks": networks or None,
        "NetworkOptions": None,
        "pid_ns": infra.pid,
        "userns": infra.userns or "host",
        "uts_ns": infra.uts,
    }
    return data


def _limits(spec: PodSpec) -> dict[str, Any]:
    limits = spec.resources
    period = limits.cpu_period
    quota = limits.cpu_quota
    if limits.cpus:
        period = 100_000
        quota = int(limits.cpus * period)
    return {
        "cpu_period": period,
        "cpu_quota": quota,
        "cpu_shares": limits.cpu_shares,
        "cpuset_cpus": limits.cpuset_cpus,
        "cpuset_mems": limits.cpuset_mems,
        "memory_limit": limits.memory,
        "memory_swap": limits.memory_swap,
        "blkio_weight": limits.blkio_weight,
    }


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": mount.type,
        "Source": mount.source,
        "Destination": mount.target,
        "Driver": "",
        "Mode": "",
        "Options": mount.options,
        "RW": "ro" not in mount.options,
        "Propagation": "",
    }


def _security(spec: ContainerSpec) -> list[str]:
    found = [f"label={label}" for label in spec.security_labels]
    found += [f"mask={path}" for path in spec.mask] + [f"unmask={path}" for path in spec.unmask]
    found += ["no-new-privileges"] if spec.no_new_privileges else []
    found += [f"seccomp={spec.seccomp}"] if spec.seccomp else []
    return found
