"""The types of the bodies that clients of Docker send (podpy.api.schema)."""

from __future__ import annotations

from podpy.api.schema import ANY, Either

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WORDS = Either([str], str)
_TEXTS = {"*": str}
_RATE = [{"Path": str, "Rate": int, "Weight": int}]

LIMITS: dict[str, Any] = {
    "Memory": int, "MemorySwap": int, "MemoryReservation": int, "MemorySwappiness": int, "KernelMemory": int,
    "NanoCpus": int, "CpuShares": int, "CpuQuota": int, "CpuPeriod": int, "CpuRealtimePeriod": int,
    "CpuRealtimeRuntime": int, "CpusetCpus": str, "CpusetMems": str, "PidsLimit": int, "BlkioWeight": int,
    "BlkioWeightDevice": _RATE, "BlkioDeviceReadBps": _RATE, "BlkioDeviceWriteBps": _RATE,
    "BlkioDeviceReadIOps": _RATE, "BlkioDeviceWriteIOps": _RATE, "DeviceCgroupRules": [str], "CgroupParent": str,
    "Ulimits": [{"Name": str, "Soft": int, "Hard": int}],
}  # fmt: skip
_RESTART = {"Name": str, "MaximumRetryCount": int}
UPDATE: dict[str, Any] = {**LIMITS, "RestartPolicy": _RESTART}

_MOUNT = {
    "Type": str, "Source": str, "Target": str, "ReadOnly": bool, "Consistency": str,
    "BindOptions": {"Propagation": str, "NonRecursive": bool, "CreateMountpoint": bool},
    "VolumeOptions": {
        "NoCopy": bool, "Labels": _TEXTS, "Subpath": str, "DriverConfig": {"Name": str, "Options": _TEXTS},
    },
    "TmpfsOptions": {"SizeBytes": int, "Mode": int},
    "ImageOptions": {"Subpath": str},
}  # fmt: skip
HOST_CONFIG: dict[str, Any] = {
    **UPDATE,
    "Binds": [str], "Mounts": [_MOUNT], "Tmpfs": _TEXTS, "VolumesFrom": [str], "VolumeDriver": str,
    "ReadonlyRootfs": bool, "ShmSize": int, "StorageOpt": _TEXTS, "MaskedPaths": [str], "ReadonlyPaths": [str],
    "Privileged": bool, "CapAdd": [str], "CapDrop": [str], "GroupAdd": [Either(str, int)], "SecurityOpt": [str],
    "Sysctls": _TEXTS, "Annotations": _TEXTS,
    "Devices": [{"PathOnHost": str, "PathInContainer": str, "CgroupPermissions": str}],
    "DeviceRequests": [{"Driver": str, "Count": int, "DeviceIDs": [str], "Capabilities": [[str]]}],
    "PidMode": str, "IpcMode": str, "UTSMode": str, "CgroupnsMode": str, "UsernsMode": str,
    "NetworkMode": str, "PortBindings": {"*": [{"HostIp": str, "HostPort": str}]}, "PublishAllPorts": bool,
    "Dns": [str], "DnsSearch": [str], "DnsOptions": [str], "ExtraHosts": [str], "Links": [str],
    "AutoRemove": bool, "LogConfig": {"Type": str, "Config": _TEXTS}, "Init": bool, "OomScoreAdj": int,
    "Runtime": str, "ConsoleSize": [int],
}  # fmt: skip

ENDPOINT: dict[str, Any] = {
    "IPAMConfig": {"IPv4Address": str, "IPv6Address": str, "LinkLocalIPs": [str]},
    "Aliases": [str], "Links": [str], "MacAddress": str, "DriverOpts": _TEXTS,
}  # fmt: skip

CREATE: dict[str, Any] = {
    "Image": str, "Cmd": _WORDS, "Entrypoint": _WORDS, "Env": [str], "User": str, "WorkingDir": str,
    "Hostname": str, "Domainname": str, "Tty": bool, "OpenStdin": bool, "StdinOnce": bool, "AttachStdin": bool,
    "AttachStdout": bool, "AttachStderr": bool, "Labels": _TEXTS, "ExposedPorts": {"*": ANY}, "Volumes": {"*": ANY},
    "Healthcheck": {
        "Test": [str], "Interval": int, "Timeout": int, "Retries": int, "StartPeriod": int, "StartInterval": int,
    },
    "StopSignal": str, "StopTimeout": int, "NetworkDisabled": bool, "MacAddress": str,
    "HostConfig": HOST_CONFIG, "NetworkingConfig": {"EndpointsConfig": {"*": ENDPOINT}},
}  # fmt: skip

EXEC: dict[str, Any] = {
    "Cmd": _WORDS, "Env": [str], "User": str, "WorkingDir": str, "Tty": bool, "Privileged": bool, "DetachKeys": str,
    "AttachStdin": bool, "AttachStdout": bool, "AttachStderr": bool, "ConsoleSize": [int],
}  # fmt: skip
EXEC_START: dict[str, Any] = {"Detach": bool, "Tty": bool, "ConsoleSize": [int]}
EXEC_REMOVE: dict[str, Any] = {"Force": bool}
