"""`GET /containers/{id}/json`: libpod's inspect in Docker's form."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.compat.listing import mount_data, network_mode, networks, state_of
from podpy.times import ZERO_TIME, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.libpod.containers.container import Container
    from podpy.spec.container import ContainerSpec

_NOT_DOCKERS = (
    "CgroupManager", "CgroupMode", "AutoRemoveImage", "HostsFile", "Cgroups", "IDMappings", "CgroupConf",
    "KernelMemory",
)  # fmt: skip
"""Fields of Podman's HostConfig that Docker hasn't."""
_MASKED = [
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
]  # fmt: skip
_READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def inspect(call: Call) -> Answer:
    """Return everything about a container."""
    container = call.runtime.container(call.path["id"].removeprefix("/"))
    data = container.inspect(size=call.query["size"])
    return Answer(describe(container, data))


def describe(container: Container, data: dict[str, Any]) -> dict[str, Any]:
    """Return Docker's form of a container's data as libpod gives it."""
    spec, row = container.spec, container.row
    words = spec.command
    return {
        "Id": row.id,
        "Created": _time(row.created),
        "Path": words[0] if words else "",
        "Args": words[1:],
        "State": _state(container, data["State"]),
        "Image": f"sha256:{row.image_id}" if row.image_id else "",
        "ResolvConfPath": data["ResolvConfPath"],
        "HostnamePath": data["HostnamePath"],
        "HostsPath": data["HostsPath"],
        "LogPath": row.log_path,
        "Name": f"/{row.name}",
        "RestartCount": row.restarts,
        "Driver": data["Driver"],
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": data["AppArmorProfile"],
        "ExecIDs": data["ExecIDs"] or None,
        "HostConfig": _host_config(container, data["HostConfig"]),
        "GraphDriver": data["GraphDriver"],
        **{name: data[name] for name in ("SizeRw", "SizeRootFs") if name in data},
        "Mounts": [mount for each in spec.mounts if (mount := mount_data(container, each))],
        "Config": _config(container, data["Config"]),
        "NetworkSettings": _network_settings(container, data["NetworkSettings"]),
    }


def _time(nanoseconds: int) -> str:
    return rfc3339(nanoseconds, utc=True) if nanoseconds else ZERO_TIME


def _state(container: Container, state: dict[str, Any]) -> dict[str, Any]:
    row = container.row
    shown = state_of(row)
    health = {"Health": _health(state["Health"])} if "Health" in state else {}
    return {
        "Status": shown,
        "Running": shown in ("running", "paused", "restarting"),
        "Paused": shown == "paused",
        "Restarting": shown == "restarting",
        "OOMKilled": bool(row.oom_killed),
        "Dead": False,
        "Pid": row.pid,
        "ExitCode": row.exit_code,
        "Error": row.error,
        "StartedAt": _time(row.started),
        "FinishedAt": _time(row.finished),
        **health,
    }


def _health(health: dict[str, Any]) -> dict[str, Any]:
    return {
        "Status": health.get("Status") or "starting",
        "FailingStreak": health.get("FailingStreak") or 0,
        "Log": health.get("Log") or [],
    }


def _host_config(container: Container, config: dict[str, Any]) -> dict[str, Any]:
    spec = container.spec
    kept = {name: value for name, value in config.items() if name not in _NOT_DOCKERS}
    return {
        **kept,
        "Binds": [
            _bind(mount) for mount in spec.mounts if mount.type == "bind" or (mount.type == "volume" and mount.source)
        ]
        or None,
        "NetworkMode": network_mode(container),
        "LogConfig": {"Type": _log_driver(spec), "Config": spec.log_options},
        "CgroupnsMode": spec.cgroupns or "private",
        "CgroupParent": spec.cgroup_parent,
        "UTSMode": "host" if spec.uts == "host" else "",
        "PidMode": "" if spec.pid == "private" else spec.pid,
        "UsernsMode": "" if spec.userns in ("host", "private") else spec.userns,
        "Runtime": "runc",
        "Sysctls": spec.sysctls or None,
        "Tmpfs": config["Tmpfs"] or None,
        "MaskedPaths": [] if "ALL" in spec.unmask else _MASKED,
        "ReadonlyPaths": [] if "ALL" in spec.unmask else _READ_ONLY,
        "CapAdd": spec.cap_add or None,
        "CapDrop": spec.cap_drop or None,
        "DeviceCgroupRules": spec.device_cgroup_rules or None,
        "DeviceRequests": None,
        "PidsLimit": spec.resources.pids_limit,
        "Init": spec.init or None,
        "Ulimits": [{"Name": each.name, "Hard": each.hard, "Soft": each.soft} for each in spec.ulimits] or None,
        "ExtraHosts": spec.add_hosts or None,
        "GroupAdd": spec.groups or None,
        "SecurityOpt": config["SecurityOpt"] or None,
        "OomKillDisable": False,
        "Annotations": spec.annotations or None,
    }


def _bind(mount: Any) -> str:
    options = ",".join(mount.options)
    return f"{mount.source}:{mount.target}" + (f":{options}" if options else "")


def _log_driver(spec: ContainerSpec) -> str:
    return "json-file" if spec.log_driver == "k8s-file" else spec.log_driver


def _config(container: Container, config: dict[str, Any]) -> dict[str, Any]:
    spec = container.spec
    volumes: dict[str, Any] = {mount.target: {} for mount in spec.mounts if mount.type == "volume" and mount.from_image}
    return {
        "Hostname": config["Hostname"],
        "Domainname": "",
        "User": spec.user,
        "AttachStdin": False,
        "AttachStdout": True,
        "AttachStderr": True,
        **({"ExposedPorts": config["ExposedPorts"]} if "ExposedPorts" in config else {}),
        "Tty": spec.tty,
        "OpenStdin": spec.stdin_open,
        "StdinOnce": False,
        "Env": config["Env"] or None,
        "Cmd": config["Cmd"],
        **({"Healthcheck": config["Healthcheck"]} if "Healthcheck" in config else {}),
        "Image": spec.image or container.row.image_name,
        "Volumes": volumes or None,
        "WorkingDir": spec.workdir,
        "Entrypoint": config["Entrypoint"],
        "OnBuild": None,
        "Labels": spec.shown_labels,
        "StopSignal": config["StopSignal"],
        "StopTimeout": spec.stop_timeout,
    }


def _network_settings(container: Container, settings: dict[str, Any]) -> dict[str, Any]:
    shown = networks(container)
    keys = (
        "EndpointID", "Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPAddress", "IPPrefixLen", "IPv6Gateway",
        "MacAddress",
    )  # fmt: skip
    first = shown.get("bridge") or dict.fromkeys(keys, "") | {"GlobalIPv6PrefixLen": 0, "IPPrefixLen": 0}
    return {
        "Bridge": "",
        "SandboxID": container.id if container.row.pid else "",
        "SandboxKey": settings["SandboxKey"],
        "Ports": settings["Ports"] or {},
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **{key: first[key] for key in keys},
        "Networks": shown,
    }
