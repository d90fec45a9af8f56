"""The half of `inspect` about the host: HostConfig, and fields from config.json."""

from __future__ import annotations

import os

from podpy import files
from podpy.spec.container import PROPAGATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.table import ContainerRow
    from podpy.spec.container import ContainerSpec, Mount, Resources

NO_ADDRESSES = {
    "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "", "GlobalIPv6Address": "",
    "GlobalIPv6PrefixLen": 0, "MacAddress": "",
}  # fmt: skip
"""Podman's InspectBasicNetworkConfig."""

_ANYWHERE = "0.0.0.0"
_CPU_PERIOD = 100000  # microseconds: the period for --cpus
_BILLION = 1_000_000_000


def runtime_name(container: Held) -> str:
    """Return the name of the OCI runtime that the next start would use; crun if there is none now."""
    from podpy.errors import ConfigError

    try:
        return container.engine.oci_runtime.name
    except ConfigError:
        return "crun"


def storage_driver(container: Held) -> str:
    """Return the storage driver that was found to work here (see storage.driver), without testing it now."""
    return container.engine.database.get_meta("driver") or "overlay"


def bundle_config(container: Held) -> dict[str, Any]:
    """Return the bundle's config.json; empty for a container that doesn't run."""
    from podpy import fastjson

    path = os.path.join(container.engine.run_directory(container.id), "bundle", "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            config: dict[str, Any] = fastjson.loads(file.read())
    except (OSError, ValueError):
        return {}
    return config


def port_bindings(ports: list[dict[str, Any]]) -> dict[str, Any]:
    """Return "80/tcp" → [{HostIp, HostPort}] for PortMappings as dictionaries."""
    bound: dict[str, Any] = {}
    for port in ports:
        for place in range(port["count"]):
            key = f"{port['container_port'] + place}/{port['protocol']}"
            host = str(port["host_port"] + place) if port["host_port"] else ""
            bound.setdefault(key, []).append({"HostIp": port["host_ip"] or _ANYWHERE, "HostPort": host})
    return bound


def host_config(container: Held, process: dict[str, Any]) -> dict[str, Any]:
    """Return Podman's InspectContainerHostConfig; `process` is config.json's section."""
    from podpy import fastjson

    spec = container.spec
    row = container.row
    return {
        "Binds": [_bind(mount) for mount in spec.mounts if mount.type in ("bind", "volume")],
        "CgroupManager": _cgroup_manager(container),
        "CgroupMode": spec.cgroupns,
        "ContainerIDFile": spec.cidfile,
        "LogConfig": _log(container, spec),
        "NetworkMode": network_mode(container),
        "PortBindings": port_bindings(fastjson.loads(row.ports)),
        "RestartPolicy": {
            "Name": spec.restart_policy or "no",
            "MaximumRetryCount": spec.restart_retries,
            **({"Backoff": spec.restart_backoff} if spec.restart_backoff else {}),
        },
        "AutoRemove": spec.remove,
        "AutoRemoveImage": spec.remove_image,
        "Annotations": None,
        "VolumeDriver": "",
        "VolumesFrom": spec.volumes_from or None,
        **_capability_changes(spec),
        "Dns": spec.dns,
        "DnsOptions": spec.dns_options,
        "DnsSearch": spec.dns_search,
        "ExtraHosts": spec.add_hosts,
        "HostsFile": "",
        "GroupAdd": spec.groups,
        "IpcMode": spec.ipc,
        "Cgroup": "",
        "Cgroups": "default" if spec.cgroups == "enabled" else spec.cgroups,
        "Links": None,
        "OomScoreAdj": spec.oom_score_adj or 0,
        "PidMode": spec.pid,
        "Privileged": spec.privileged,
        "PublishAllPorts": spec.publish_all,
        "ReadonlyRootfs": spec.read_only,
        "SecurityOpt": _security(spec),
        "Tmpfs": {mount.target: _tmpfs_options(mount) for mount in spec.mounts if mount.type == "tmpfs"},
        "UTSMode": spec.uts,
        "UsernsMode": "" if spec.userns == "host" else "private",
        **_id_maps(spec),
        "ShmSize": spec.shm_size,
        "Runtime": "oci",
        "ConsoleSize": [0, 0],
        "Isolation": "",
        **_limits(spec, spec.resources, _cgroup_parent(container)),
        "Ulimits": _ulimits(spec, process),
    }


def _bind(mount: Mount) -> str:
    return f"{mount.source}:{mount.target}:{','.join(whole_options(mount))}"


def _tmpfs_options(mount: Mount) -> str:
    """Return the options of a tmpfs with those that it has anyway."""
    whole = list(mount.options)
    for pair in (("rw", "ro"), ("rprivate", *PROPAGATIONS), ("nosuid", "suid"), ("nodev", "dev")):
        if not set(pair).intersection(whole):
            whole.append(pair[0])
    if not {"tmpcopyup", "notmpcopyup"}.intersection(whole):
        whole.append("tmpcopyup")
    return ",".join(whole)


def whole_options(mount: Mount) -> list[str]:
    """Return the options of a bind mount or a volume, defaults included, in Podman's order."""
    whole = list(mount.options)
    if not {"ro", "rw"}.intersection(whole):
        whole.append("rw")
    if not PROPAGATIONS.intersection(whole):
        whole.append("private" if "bind" in whole else "rprivate")
    for flag in ("nosuid", "nodev") if mount.type == "volume" else ():
        if not {flag, flag.removeprefix("no")}.intersection(whole):
            whole.append(flag)
    if not {"bind", "rbind"}.intersection(whole):
        whole.append("rbind")
    return whole


def _log(container: Held, spec: ContainerSpec) -> dict[str, Any]:
    driver = spec.log_driver
    has_file = driver in ("k8s-file", "json-file")
    return {
        "Type": driver,
        "Config": None,
        "Path": container.row.log_path if has_file else "",
        "Tag": spec.log_options.get("tag", ""),
        "Size": _log_size(spec.log_options.get("max-size", "")),
    }


def _log_size(text: str) -> str:
    """Return --log-opt max-size (bytes) as Podman prints it: "10MB", in decimal units of four digits."""
    from podpy.go.units import human_size

    return human_size(int(text)) if text.isdigit() else text or "0B"


def network_mode(container: Held) -> str:
    """Return the network mode as Podman names it: none, host, pasta, container:NAME …"""
    spec = container.spec
    if spec.network and spec.network != "private":
        return spec.network.partition(":")[0] if not spec.network.startswith(("container:", "ns:")) else spec.network
    return container.engine.conf.default_rootless_network_cmd


def _cgroup_manager(container: Held) -> str:
    """Return the cgroup manager: a running container's path shows it (systemd makes scopes); else the next start's."""
    from podpy.rootless.cgroups import CGROUPFS, SYSTEMD, systemd_is_running, user_manager_answers

    engine = container.engine
    path = cgroup_path(container.row)
    if path:
        return SYSTEMD if ".scope" in path else CGROUPFS
    if wanted := engine.settings.cgroup_manager or engine.conf.cgroup_manager:
        return wanted
    uid = engine.paths.uid
    return SYSTEMD if (user_manager_answers(uid) if engine.paths.rootless else systemd_is_running()) else CGROUPFS


def _cgroup_parent(container: Held) -> str:
    """Return --cgroup-parent, or systemd's slice where that is the manager; in a pod the pod's cgroup."""
    if container.spec.in_pod_cgroup:
        from podpy.libpod.pods.cgroup import view_of
        from podpy.oci.cgroups import shown_pod_path

        engine = container.engine
        return shown_pod_path(container.spec.pod, container.spec.cgroup_parent, view_of(engine), engine.paths.uid)
    if container.spec.cgroup_parent or _cgroup_manager(container) != "systemd":
        return container.spec.cgroup_parent
    return "user.slice" if container.engine.paths.rootless else "machine.slice"


def cgroup_path(row: ContainerRow) -> str:
    """Return a running container's cgroup v2 path, or an empty text."""
    if not row.pid:
        return ""
    lines = files.read_small(f"/proc/{row.pid}/cgroup").splitlines()  # none if the container has just ended
    unified = [line.partition("::")[2] for line in lines if line.startswith("0::")]
    return unified[0] if unified and unified[0] != "/" else ""


def bounding_capabilities(spec: ContainerSpec) -> list[str]:
    """Return the capabilities that the options give a container, whether or not the host still has them."""
    from podpy.spec import capabilities

    if spec.privileged:
        return sorted(capabilities.NAMES)
    return capabilities.merge(spec.capabilities, spec.cap_add, spec.cap_drop, capabilities.NAMES)


def effective_capabilities(spec: ContainerSpec) -> list[str]:
    """Return the capabilities that the first process holds; as far as a user's name tells who is root."""
    from podpy.spec import capabilities

    if spec.privileged or spec.user.partition(":")[0] in ("", "0", "root"):
        return bounding_capabilities(spec)
    return capabilities.merge([], spec.cap_add, [], capabilities.NAMES)


def _capability_changes(spec: ContainerSpec) -> dict[str, list[str]]:
    """Return the capabilities added to and dropped from the default set; Podman, too, computes them from the result."""
    from podpy.spec import capabilities

    held = bounding_capabilities(spec)
    usual = capabilities.NAMES if spec.privileged else capabilities.DEFAULT
    return {
        "CapAdd": [name for name in held if name not in usual],
        "CapDrop": sorted(name for name in usual if name not in held),
    }


def _security(spec: ContainerSpec) -> list[str]:
    options = ["no-new-privileges"] if spec.no_new_privileges else []
    options += [f"label={label}" for label in spec.security_labels]
    if spec.seccomp:
        options.append(f"seccomp={spec.seccomp}")
    allowed = sorted(spec.seccomp_allow)
    options += [f"seccomp-allow={','.join(allowed)}"] if allowed and not (spec.seccomp or spec.privileged) else []
    options += [f"mask={':'.join(spec.mask)}"] if spec.mask else []
    options += [f"unmask={':'.join(spec.unmask)}"] if spec.unmask else []
    return options


def _id_maps(spec: ContainerSpec) -> dict[str, Any]:
    if not spec.uid_maps:
        return {}
    return {
        "IDMappings": {
            "UidMap": [f"{line.container}:{line.host}:{line.size}" for line in spec.uid_maps],
            "GidMap": [f"{line.container}:{line.host}:{line.size}" for line in spec.gid_maps],
        }
    }


def _limits(spec: ContainerSpec, limits: Resources, parent: str) -> dict[str, Any]:
    return {
        "CpuShares": limits.cpu_shares or 0,
        "Memory": limits.memory or 0,
        "NanoCpus": int((limits.cpus or 0) * _BILLION),
        "CgroupParent": parent,
        "BlkioWeight": limits.blkio_weight or 0,
        **_block_limits(limits),
        "CpuPeriod": limits.cpu_period or (_CPU_PERIOD if limits.cpus else 0),
        "CpuQuota": limits.cpu_quota or round((limits.cpus or 0) * _CPU_PERIOD),
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "CpusetCpus": limits.cpuset_cpus,
        "CpusetMems": limits.cpuset_mems,
        "Devices": [
            {"PathOnHost": device.host, "PathInContainer": device.container, "CgroupPermissions": device.permissions}
            for device in spec.devices
        ],
        "DiskQuota": 0,
        "KernelMemory": 0,
        "MemoryReservation": limits.memory_reservation or 0,
        "MemorySwap": limits.memory_swap or 0,
        "MemorySwappiness": None,  # as Podman 6; before, 0 or -1
        "OomKillDisable": False,
        **({"Init": True} if spec.init else {}),
        "PidsLimit": limits.pids_limit or 0,
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
        "CgroupConf": limits.cgroup_conf or None,
    }


def _block_limits(limits: Resources) -> dict[str, list[dict[str, Any]] | None]:
    """Return the limits per device: one limit of any kind makes lists of all, as in Podman."""
    found = {
        "BlkioWeightDevice": _rates(limits.blkio_weight_device, "Weight"),
        "BlkioDeviceReadBps": _rates(limits.device_read_bps),
        "BlkioDeviceWriteBps": _rates(limits.device_write_bps),
        "BlkioDeviceReadIOps": _rates(limits.device_read_iops),
        "BlkioDeviceWriteIOps": _rates(limits.device_write_iops),
    }
    is_limited = bool(limits.blkio_weight) or any(found.values())
    return {name: rates if is_limited else None for name, rates in found.items()}


def _ulimits(spec: ContainerSpec, process: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the limits: after a start the container's real ones, else those of the options."""
    started: list[dict[str, Any]] | None = process.get("rlimits")
    if started is None:
        asked = ((limit.name.upper().removeprefix("RLIMIT_"), limit.soft, limit.hard) for limit in spec.ulimits)
        return [{"Name": f"RLIMIT_{name}", "Soft": soft, "Hard": hard} for name, soft, hard in asked]
    return [
        {"Name": limit["type"], "Soft": _signed(limit["soft"]), "Hard": _signed(limit["hard"])} for limit in started
    ]


def _signed(value: int) -> int:
    """Return a limit as Go's int64: RLIM_INFINITY is -1."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _rates(texts: list[str], name: str = "Rate") -> list[dict[str, Any]]:
    pairs = [text.rpartition(":") for text in texts]
    return [{"Path": path, name: int(rate)} for path, _, rate in pairs if rate.isdigit()]
