"""HostConfig of a create → fields of a ContainerSpec. What podpy hasn't is refused by its name."""

from __future__ import annotations

import os

from podpy.api.errors import HttpError
from podpy.spec.container import AS_CONFIGURED, Device, Mount, PortMapping, Resources, Ulimit
from podpy.spec.text import limits
from podpy.spec.text.life import log_driver, log_options
from podpy.spec.text.namespaces import check_mode, check_userns
from podpy.spec.text.network import check_host, check_name_servers, check_searches
from podpy.spec.text.security import (
    check_capabilities,
    parse_device_rule,
    parse_sysctls,
    security_options,
)
from podpy.spec.text.volumes import parse_tmpfs, parse_volume, target_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BILLION = 1_000_000_000
_REFUSED = {
    "Links": "connect both to a network instead",
    "StorageOpt": "",
    "Isolation": "",
    "CpuRealtimePeriod": "",
    "CpuRealtimeRuntime": "",
    "CpuCount": "",
    "CpuPercent": "",
    "IOMaximumIOps": "",
    "IOMaximumBandwidth": "",
    "KernelMemoryTCP": "",
    "OomKillDisable": "",
    "Cgroup": "",
}
"""Fields that podpy hasn't, with what helps. Each is refused if a client gives it a value."""
_HARMLESS = {"Isolation": ("default",)}
_RUNTIMES = ("", "crun", "runc", "oci", "io.containerd.runc.v2")
_POLICIES = ("no", "always", "unless-stopped", "on-failure")
_LOGS = {"": AS_CONFIGURED, "local": "k8s-file"}
_LEAST_MEMORY = 6 << 20


def fields(config: dict[str, Any], *, rootless: bool) -> dict[str, Any]:
    """Return a ContainerSpec's fields. Raises HttpError, UsageError, NotSupportedError."""
    _refuse(config)
    return {
        **_mounts(config, rootless=rootless),
        **_rights(config, rootless=rootless),
        **_namespaces(config),
        **_network(config),
        **_life(config),
        "resources": resources(config, rootless=rootless),
        "limits_if_possible": True,
        "ulimits": [ulimit(each) for each in config.get("Ulimits") or ()],
        "oom_score_adj": config.get("OomScoreAdj") or None,
        "cgroup_parent": config.get("CgroupParent") or "",
    }


def _refuse(config: dict[str, Any]) -> None:
    for name, hint in _REFUSED.items():
        value = config.get(name)
        if value and value not in _HARMLESS.get(name, ()):
            raise HttpError(501, f"HostConfig.{name} isn't supported" + (f": {hint}" if hint else ""))
    if config.get("VolumeDriver") not in (None, "", "local"):
        raise HttpError(404, f'plugin "{config["VolumeDriver"]}" not found')
    if (config.get("Runtime") or "") not in _RUNTIMES:
        raise HttpError(400, f"unknown or invalid runtime name: {config['Runtime']}")


# Files


def _mounts(config: dict[str, Any], *, rootless: bool) -> dict[str, Any]:
    mounts = [_bind(text, rootless=rootless) for text in config.get("Binds") or ()]
    mounts += [_mount(each, rootless=rootless) for each in config.get("Mounts") or ()]
    tmpfs: dict[str, str] = config.get("Tmpfs") or {}
    mounts += [parse_tmpfs(f"{path}:{options}", rootless=rootless) for path, options in tmpfs.items()]
    size = config.get("ShmSize") or 0
    return {
        "mounts": mounts,
        "volumes_from": config.get("VolumesFrom") or [],
        "read_only": bool(config.get("ReadonlyRootfs")),
        "read_only_tmpfs": False,  # Docker mounts none
        "shm_size": size or AS_CONFIGURED,
    }


def _bind(text: str, *, rootless: bool) -> Mount:
    """Return the mount of SOURCE:TARGET[:OPTIONS]. A directory that isn't there is made, as dockerd does it."""
    mount = parse_volume(text, rootless=rootless)
    if mount.type == "bind" and not os.path.lexists(mount.source):
        os.makedirs(mount.source, exist_ok=True)
    return mount


def _mount(given: dict[str, Any], *, rootless: bool) -> Mount:
    kind = given.get("Type") or ""
    maker = {"bind": _bind_mount, "volume": _volume_mount, "tmpfs": _tmpfs_mount, "image": _image_mount}.get(kind)
    if maker is None:
        raise HttpError(400, f'invalid mount config for type "{kind}": mount type unknown')
    options = ["ro"] if given.get("ReadOnly") else []
    target = target_path(given.get("Target") or "")
    return maker(given, target, options, rootless=rootless)


def _bind_mount(given: dict[str, Any], target: str, options: list[str], *, rootless: bool) -> Mount:
    source, more = given.get("Source") or "", given.get("BindOptions") or {}
    if not source.startswith("/"):
        raise HttpError(
            400, f"invalid mount config for type \"bind\": invalid mount path: '{source}' mount path must be absolute"
        )
    if not os.path.lexists(source):
        if not more.get("CreateMountpoint"):
            raise HttpError(400, f'invalid mount config for type "bind": bind source path does not exist: {source}')
        os.makedirs(source, exist_ok=True)
    if more.get("Propagation"):
        options.append(more["Propagation"])
    if more.get("NonRecursive"):
        options.append("bind")
    return Mount(type="bind", source=source, target=target, options=options)


def _volume_mount(given: dict[str, Any], target: str, options: list[str], *, rootless: bool) -> Mount:
    more = given.get("VolumeOptions") or {}
    driver = more.get("DriverConfig") or {}
    if driver.get("Name") not in (None, "", "local"):
        raise HttpError(404, f'plugin "{driver["Name"]}" not found')
    options += ["nocopy"] if more.get("NoCopy") else []
    options += [f"volume-opt={key}={value}" for key, value in (driver.get("Options") or {}).items()]
    source, subpath = given.get("Source") or "", more.get("Subpath") or ""
    return Mount(type="volume", source=source, target=target, options=options, subpath=subpath)


def _tmpfs_mount(given: dict[str, Any], target: str, options: list[str], *, rootless: bool) -> Mount:
    more = given.get("TmpfsOptions") or {}
    options += [f"size={more['SizeBytes']}"] if more.get("SizeBytes") else []
    options += [f"mode={more['Mode']:o}"] if more.get("Mode") else []
    return Mount(type="tmpfs", target=target, options=options)


def _image_mount(given: dict[str, Any], target: str, options: list[str], *, rootless: bool) -> Mount:
    subpath = (given.get("ImageOptions") or {}).get("Subpath") or ""
    return Mount(type="image", source=given.get("Source") or "", target=target, options=options, subpath=subpath)


# Rights


def _rights(config: dict[str, Any], *, rootless: bool) -> dict[str, Any]:
    add, drop = config.get("CapAdd") or [], config.get("CapDrop") or []
    check_capabilities(add, drop)
    found = {
        "privileged": bool(config.get("Privileged")),
        "cap_add": add,
        "cap_drop": drop,
        "groups": [str(group) for group in config.get("GroupAdd") or ()],
        "sysctls": parse_sysctls([f"{key}={value}" for key, value in (config.get("Sysctls") or {}).items()]),
        "annotations": config.get("Annotations") or {},
        "device_cgroup_rules": config.get("DeviceCgroupRules") or [],
        "devices": [_device(each) for each in config.get("Devices") or ()],
        **_requested(config.get("DeviceRequests") or []),
        **security_options([_security(text) for text in config.get("SecurityOpt") or ()]),
    }
    if config.get("MaskedPaths") == []:  # --security-opt systempaths=unconfined
        found["unmask"] = ["ALL"]
    return found


def _security(text: str) -> str:
    name, separator, value = text.partition("=")
    if not separator and ":" in text:  # the older form of a client: name:value
        name, _, value = text.partition(":")
    if name == "seccomp" and value.lstrip().startswith("{"):
        raise HttpError(501, "SecurityOpt seccomp: a filter's text isn't supported, only a file's path or unconfined")
    return f"{name}={value}" if value else text


def _device(given: dict[str, Any]) -> Device:
    host = given.get("PathOnHost") or ""
    return Device(
        host=host,
        container=given.get("PathInContainer") or host,
        permissions=given.get("CgroupPermissions") or "rwm",
    )


def _requested(requests: list[dict[str, Any]]) -> dict[str, Any]:
    """Return CDI devices and GPUs: `--device VENDOR/CLASS=NAME` and `--gpus` of Docker's command line."""
    cdi: list[str] = []
    gpus: list[str] = []
    for each in requests:
        ids = each.get("DeviceIDs") or []
        if each.get("Driver") == "cdi":
            cdi += ids
        elif any("gpu" in capabilities for capabilities in each.get("Capabilities") or ()):
            gpus += ids or ["all"]
        else:
            raise HttpError(400, f"could not select device driver {each.get('Driver', '')!r}")
    return {"cdi_devices": cdi, "gpus": gpus}


def ulimit(given: dict[str, Any]) -> Ulimit:
    """Return the limit of {Name, Soft, Hard}. Raises UsageError."""
    name, soft = given.get("Name") or "", given.get("Soft", 0)
    return limits.parse_ulimit(f"{name}={soft}:{given.get('Hard', soft)}")


def _namespaces(config: dict[str, Any]) -> dict[str, Any]:
    given = {
        "pid": config.get("PidMode"),
        "ipc": config.get("IpcMode"),
        "uts": config.get("UTSMode"),
        "cgroupns": config.get("CgroupnsMode"),
    }
    found: dict[str, Any] = {name: check_mode(name, mode) if mode else AS_CONFIGURED for name, mode in given.items()}
    userns = config.get("UsernsMode")
    found["userns"] = check_userns(userns) if userns else AS_CONFIGURED
    return found


# Network, life


def _network(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "ports": [port for key, bound in (config.get("PortBindings") or {}).items() for port in _ports(key, bound)],
        "publish_all": bool(config.get("PublishAllPorts")),
        "dns": check_name_servers(config["Dns"]) if config.get("Dns") else AS_CONFIGURED,
        "dns_search": check_searches(config["DnsSearch"]) if config.get("DnsSearch") else AS_CONFIGURED,
        "dns_options": config.get("DnsOptions") or AS_CONFIGURED,
        "add_hosts": [check_host(text) for text in config.get("ExtraHosts") or ()],
    }


def _ports(key: str, bindings: list[dict[str, str]] | None) -> list[PortMapping]:
    from podpy.spec.text.ports import parse_publish

    found = []
    for each in bindings or [{}]:
        address, host = each.get("HostIp") or "", each.get("HostPort") or ""
        shown = f"[{address}]" if ":" in address else address
        found += parse_publish(f"{shown}:{host}:{key}" if shown else f"{host}:{key}" if host else key)
    return found


def _life(config: dict[str, Any]) -> dict[str, Any]:
    policy = config.get("RestartPolicy") or {}
    log = config.get("LogConfig") or {}
    remove = bool(config.get("AutoRemove"))
    name = policy.get("Name") or ""
    retries = policy.get("MaximumRetryCount") or 0
    if name and name not in _POLICIES:
        raise HttpError(
            400,
            f"invalid restart policy: unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or "
            "'unless-stopped'",
        )
    if retries and name != "on-failure":
        raise HttpError(400, "invalid restart policy: maximum retry count can only be used with 'on-failure'")
    if remove and name not in ("", "no"):
        raise HttpError(400, "can't create 'AutoRemove' container with restart policy")
    kind = log.get("Type") or ""
    options = [f"{key}={value}" for key, value in (log.get("Config") or {}).items()]
    return {
        "remove": remove,
        "restart_policy": name,
        "restart_retries": retries,
        "log_driver": _LOGS[kind] if kind in _LOGS else log_driver(kind),
        "log_options": log_options(options),
        "init": AS_CONFIGURED if config.get("Init") is None else bool(config["Init"]),
        "cidfile": "",
    }


# Limits


def resources(config: dict[str, Any], *, rootless: bool) -> Resources:
    """Return the limits of a HostConfig, or of the body of an update. Raises HttpError, UsageError."""
    cpus = (config.get("NanoCpus") or 0) / _BILLION
    quota, period = config.get("CpuQuota") or 0, config.get("CpuPeriod") or 0
    memory = config.get("Memory") or None
    if memory is not None and memory < _LEAST_MEMORY:
        raise HttpError(400, "Minimum memory limit allowed is 6MB")
    _check_cpus(cpus)
    limits.check_cpus(cpus, quota, period)
    pids = config.get("PidsLimit")
    return Resources(
        memory=memory,
        memory_swap=_swap(config.get("MemorySwap") or 0, memory),
        memory_reservation=config.get("MemoryReservation") or None,
        cpu_shares=config.get("CpuShares") or None,
        cpu_quota=quota or None,
        cpu_period=period or None,
        cpus=cpus or None,
        cpuset_cpus=limits.check_cpuset("--cpuset-cpus", config.get("CpusetCpus") or ""),
        cpuset_mems=limits.check_cpuset("--cpuset-mems", config.get("CpusetMems") or ""),
        pids_limit=pids or None,
        blkio_weight=config.get("BlkioWeight") or None,
        blkio_weight_device=_rates(config.get("BlkioWeightDevice"), "Weight"),
        device_read_bps=_rates(config.get("BlkioDeviceReadBps")),
        device_write_bps=_rates(config.get("BlkioDeviceWriteBps")),
        device_read_iops=_rates(config.get("BlkioDeviceReadIOps")),
        device_write_iops=_rates(config.get("BlkioDeviceWriteIOps")),
        devices=[parse_device_rule(text, rootless=rootless) for text in config.get("DeviceCgroupRules") or ()],
        cgroup_conf=AS_CONFIGURED,
    )


def _check_cpus(cpus: float) -> None:
    most = os.cpu_count() or 1
    if cpus and not 0.01 <= cpus <= most:
        raise HttpError(400, f"range of CPUs is from 0.01 to {most:.2f}, as there are only {most} CPUs available")


def _swap(swap: int, memory: int | None) -> int | None:
    if swap == 0 or (swap < 0 and memory is None):  # Docker's command line always sends -1
        return None if memory is None else 2 * memory
    if memory is None:
        raise HttpError(400, "You should always set the Memory limit when using Memoryswap limit, see usage")
    if 0 < swap < memory:
        raise HttpError(400, "Minimum memoryswap limit should be larger than memory limit, see usage")
    return swap


def _rates(given: list[dict[str, Any]] | None, name: str = "Rate") -> list[str]:
    return [f"{each.get('Path', '')}:{each.get(name, 0)}" for each in given or ()]
