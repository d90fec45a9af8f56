"""The service itself: ping, version, info."""

from __future__ import annotations

import os

from podpy.api.call import Answer
from podpy.api.versions import NEWEST, OLDEST, words
from podpy.libpod.system.info import API_VERSION as PODMAN_VERSION
from podpy.libpod.system.info import architecture
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call

_NO_CACHE = (
    ("Builder-Version", "2"),
    ("Swarm", "inactive"),
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Pragma", "no-cache"),
)

_OF_NOBODY: dict[str, Any] = {
    "IPv4Forwarding": True,
    "Debug": False,
    "NFd": 0,
    "OomKillDisable": False,
    "NGoroutines": 1,
    "NEventsListener": 0,
    "OSType": "linux",
    "IndexServerAddress": "https://index.docker.io/v1/",
    "RegistryConfig": {"InsecureRegistryCIDRs": [], "IndexConfigs": {}, "Mirrors": None},
    "GenericResources": None,
    "HttpProxy": "",
    "HttpsProxy": "",
    "NoProxy": "",
    "Labels": [],
    "ExperimentalBuild": False,
    "LiveRestoreEnabled": True,
    "Isolation": "",
    "InitBinary": "catatonit",
    "ContainerdCommit": {"ID": ""},
    "RuncCommit": {"ID": ""},
    "InitCommit": {"ID": ""},
    "Warnings": [],
    "Swarm": {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    },
}
"""What dockerd tells of itself, and an engine without a daemon and a swarm hasn't."""


def ping(call: Call) -> Answer:
    """Say that the service is there."""
    body = b"" if call.request.method == "HEAD" else b"OK"
    return Answer(body=body, type="text/plain; charset=utf-8", headers=_NO_CACHE)


def version(call: Call) -> Answer:
    """Return the versions of podpy, of the API, and of the programs that it uses."""
    kernel = os.uname().release
    details = {
        "ApiVersion": words(NEWEST),
        "Arch": architecture(),
        "Experimental": "false",
        "KernelVersion": kernel,
        "MinAPIVersion": words(OLDEST),
        "Os": "linux",
        "APIVersion": PODMAN_VERSION,
    }
    data = {
        "Platform": {"Name": "podpy"},
        "Components": [{"Name": "Podpy Engine", "Version": VERSION, "Details": details}],
        "Version": VERSION,
        **build_facts(kernel),
    }
    return Answer(data)


def build_facts(kernel: str) -> dict[str, str]:
    """Return what a version's answer says on Docker's and on Podman's path."""
    return {
        "ApiVersion": words(NEWEST),
        "MinAPIVersion": words(OLDEST),
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": architecture(),
        "KernelVersion": kernel,
        "BuildTime": "",
    }


def info(call: Call) -> Answer:
    """Describe the host, the store and the settings."""
    from podpy.libpod.system.info import info as read

    return Answer(_info(read(call.runtime)))


def _info(data: dict[str, Any]) -> dict[str, Any]:
    host, store = data["host"], data["store"]
    containers = store["containerStore"]
    controllers = host["cgroupControllers"]
    has_memory, has_cpu = "memory" in controllers, "cpu" in controllers
    security = host.get("security") or {}
    options = ["name=seccomp,profile=builtin"] + (["name=rootless"] if security.get("rootless") else [])
    return {
        **_OF_NOBODY,
        "ID": host["hostname"],
        "Containers": containers["number"],
        "ContainersRunning": containers["running"],
        "ContainersPaused": containers["paused"],
        "ContainersStopped": containers["stopped"],
        "Images": store["imageStore"]["number"],
        "Driver": store["graphDriverName"],
        "DriverStatus": [[str(key), str(value)] for key, value in (store.get("graphStatus") or {}).items()],
        "Plugins": {
            "Volume": ["local"],
            "Network": data["plugins"]["network"],
            "Authorization": None,
            "Log": data["plugins"]["log"],
        },
        "MemoryLimit": has_memory,
        "SwapLimit": has_memory,
        "CpuCfsPeriod": has_cpu,
        "CpuCfsQuota": has_cpu,
        "CPUShares": has_cpu,
        "CPUSet": "cpuset" in controllers,
        "PidsLimit": "pids" in controllers,
        "SystemTime": _now(),
        "LoggingDriver": "json-file" if host["logDriver"] == "k8s-file" else host["logDriver"],
        "CgroupDriver": host["cgroupManager"],
        "CgroupVersion": host["cgroupVersion"].removeprefix("v"),
        "KernelVersion": host["kernel"],
        "OperatingSystem": host["distribution"].get("distribution", "linux"),
        "OSVersion": host["distribution"].get("version", ""),
        "Architecture": os.uname().machine,
        "NCPU": host["cpus"],
        "MemTotal": host["memTotal"],
        "DockerRootDir": store["graphRoot"],
        "Name": host["hostname"],
        "ServerVersion": VERSION,
        "Runtimes": {host["ociRuntime"]["name"]: {"path": host["ociRuntime"]["path"]}},
        "DefaultRuntime": host["ociRuntime"]["name"],
        "SecurityOptions": options,
        "CDISpecDirs": host["cdiSpecDirs"],
    }


def _now() -> str:
    from time import time_ns

    from podpy.times import rfc3339

    return rfc3339(time_ns(), utc=True)
