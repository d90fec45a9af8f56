"""`podpy info`: facts about host, store and settings, in the form of Podman's JSON.

Names and nesting are Podman 5's (libpod/define/info.go), with what 6 added. `buildahVersion` and `networkBackend` tell
programs which behaviour to expect: that of Podman API_VERSION, whose networks are netavark's.
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.errors import NotSupportedError, PodpyError
from podpy.libpod.containers.rows import true_rows
from podpy.libpod.containers.table import ALIVE, PAUSED
from podpy.monitor.start import OWN_CONMON
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.config.origins import Origin
    from podpy.config.paths import Paths
    from podpy.config.registries import Registry
    from podpy.libpod.engine import Engine
    from podpy.rootless.cgroups import CgroupView

API_VERSION = "5.4.2"  # the Podman version whose interface podpy implements
_BUILDAH_VERSION = "1.39.4"  # the version in that Podman
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_FILESYSTEMS = {0xEF53: "extfs", 0x58465342: "xfs", 0x9123683E: "btrfs", 0x01021994: "tmpfs", 0x794C7630: "overlayfs"}


def info(engine: Engine) -> dict[str, Any]:
    """Return the data of `podpy info`. Raises RootlessError, ConfigError."""
    return engine.privileged(lambda: _info(engine))


def configuration(engine: Engine) -> list[Origin]:
    """Return what the files of containers.conf set, with the files, sorted by key. Raises ConfigError."""
    from podpy.config.origins import origins

    return origins(engine.conf)


def _info(engine: Engine) -> dict[str, Any]:
    from podpy.rootless.mounts import private_mounts

    private_mounts()  # storage drivers are tested by mounting
    return {
        "host": _host(engine),
        "store": _store(engine),
        "registries": _registries(engine.paths),
        "plugins": {
            "volume": ["local"],
            "network": ["bridge", "macvlan", "ipvlan"],
            "log": ["k8s-file", "none", "passthrough", "journald", "json-file"],
            "authorization": None,
        },
        "version": version(),
    }


def version() -> dict[str, Any]:
    """Return podpy's version in the form of Podman's (whose fields have no separate JSON names)."""
    return {
        "APIVersion": API_VERSION,
        "Version": VERSION,
        "GoVersion": "",
        "GitCommit": "",
        "BuiltTime": "",
        "Built": 0,
        "OsArch": f"linux/{architecture()}",
        "Os": "linux",
    }


def architecture() -> str:
    """Return this machine's architecture as Go calls it."""
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)


def _host(engine: Engine) -> dict[str, Any]:
    from podpy import rootless

    uname = os.uname()
    conf = engine.conf
    view = rootless.cgroup_view(wanted=engine.settings.cgroup_manager or conf.cgroup_manager)
    memory = _memory()
    uids, gids = rootless.idmaps()
    directories = engine.settings.cdi_spec_dirs or engine.conf.cdi_spec_dirs
    found = {
        "arch": architecture(),
        "buildahVersion": _BUILDAH_VERSION,
        "cgroupManager": view.manager,
        # As in Podman: on a hybrid host version 1 has the controllers, so limits can't use version 2.
        "cgroupVersion": "v2" if view.mode == "v2" else "v1",
        "cgroupControllers": sorted(view.controllers),
        "cdiSpecDirs": [*directories],
        **({"discoveredDevices": devices} if (devices := _cdi_devices(directories)) else {}),
        "conmon": _program(engine.settings.conmon or OWN_CONMON, "path"),
        "cpus": os.cpu_count() or 1,
        "cpuUtilization": _cpu(),
        "databaseBackend": "sqlite",
        "distribution": _distribution(),
        "eventLogger": engine.settings.events_backend or conf.events_logger,
        "hostname": uname.nodename,
        "idMappings": {"gidmap": _idmap(gids), "uidmap": _idmap(uids)} if engine.paths.rootless else _NO_MAPS,
        "kernel": uname.release,
        "logDriver": conf.log_driver,
        "memFree": memory.get("MemFree", 0),
        "memAvailable": memory.get("MemAvailable", 0),
        "memTotal": memory.get("MemTotal", 0),
        "networkBackend": "netavark",
        "networkBackendInfo": {"backend": "netavark", "dns": {}, "defaultNetwork": conf.default_network},
        "ociRuntime": _oci_runtime(engine),
        "os": "linux",
        "remoteSocket": {"path": "", "exists": False},
        "rootlessNetworkCmd": _network_program(engine),
        "serviceIsRemote": False,
        "security": _security(engine),
        "pasta": _program("pasta", "executable"),
        "slirp4netns": _program("slirp4netns", "executable"),
        "swapFree": memory.get("SwapFree", 0),
        "swapTotal": memory.get("SwapTotal", 0),
        "uptime": _uptime(),
        "variant": "",
        "linkmode": "dynamic",
    }
    return {**found, "cgroupReason": _reason(view), "versionNotes": _version_notes(found)}


def _cdi_devices(directories: Sequence[str]) -> list[dict[str, str]]:
    """Return the CDI devices as Podman 6 lists them; a file that is wrong is for those who want a device of it."""
    from podpy.errors import ConfigError
    from podpy.oci import cdi

    try:
        return [{"source": "cdi", "id": name} for name in cdi.device_names(directories)]
    except ConfigError:
        return []


def _version_notes(found: dict[str, Any]) -> list[str]:
    """Return the known defects of this OCI runtime and kernel (not in Podman's info)."""
    from podpy.oci import versions

    name, version = found["ociRuntime"]["name"], found["ociRuntime"]["version"].partition("\n")[0]
    notes = [f"{name}: {lack}" for lack in versions.lacks(name, version)]
    notes += [f"kernel: {lack}" for lack in versions.lacks("kernel", found["kernel"])]
    return [f"{note}, {versions.BACKPORTED}" for note in notes]


def _network_program(engine: Engine) -> str:
    """Return the program that connects a container without --network: pasta, or slirp4netns if pasta is too old."""
    from podpy.network import mode
    from podpy.network.programs import is_old

    try:
        found = mode.parse("", engine.conf)
        if found.kind == mode.PASTA and is_old(found.program, engine.paths.cache):
            found = mode.instead_of_old_pasta("", found, engine.conf)
    except NotSupportedError:
        return engine.conf.default_rootless_network_cmd
    return found.kind


_NO_MAPS = {"gidmap": None, "uidmap": None}


def _reason(view: CgroupView) -> str:
    # Not in Podman's info: why limits can't be enforced.
    if view.reason and view.mode == "hybrid":
        return f"hybrid (containers are in version 2's hierarchy, the controllers in version 1's): {view.reason}"
    return view.reason


def _store(engine: Engine) -> dict[str, Any]:
    from podpy import linux

    paths = engine.paths
    rows = true_rows(engine)
    running = sum(row.status in ALIVE and row.status != PAUSED for row in rows)
    paused = sum(row.status == PAUSED for row in rows)
    space = os.statvfs(paths.graphroot)
    magic = linux.filesystem_type(paths.graphroot)
    return {
        "configFile": "",
        "containerStore": {
            "number": len(rows),
            "paused": paused,
            "running": running,
            "stopped": len(rows) - running - paused,
        },
        "graphDriverName": getattr(engine.store, "driver", "overlay"),
        "graphOptions": {},
        "graphRoot": paths.graphroot,
        "graphRootAllocated": space.f_blocks * space.f_frsize,
        "graphRootUsed": (space.f_blocks - space.f_bfree) * space.f_frsize,
        "graphStatus": {
            "Backing Filesystem": _FILESYSTEMS.get(magic, f"<unknown> ({magic:#x})"),
            "Supports d_type": "true",
        },
        "imageCopyTmpDir": "/var/tmp",
        "imageStore": {"number": len(engine.store.image_summaries())},
        "runRoot": paths.runroot,
        "transientStore": engine.settings.transient_store,
        "volumePath": engine.volume_table.directory,
    }


def _registries(paths: Paths) -> dict[str, Any]:
    from podpy.config import registries

    found = registries.load(home=paths.home, rootless=paths.rootless, uid=paths.uid, cache_directory=paths.runroot)
    shown: dict[str, Any] = {registry.prefix: _registry(registry) for registry in found.registries}
    if found.search:
        shown["search"] = list(found.search)
    return shown


def _registry(registry: Registry) -> dict[str, Any]:
    mirrors = [
        {
            "Location": mirror.location,
            "Insecure": mirror.insecure,
            "PullFromMirror": "" if mirror.pull_from_mirror == "all" else mirror.pull_from_mirror,
        }
        for mirror in registry.mirrors
    ]
    return {
        "Prefix": registry.prefix,
        "Location": registry.location,
        "Insecure": registry.insecure,
        "PullFromMirror": "",
        "Mirrors": mirrors or None,
        "Blocked": registry.blocked,
        "MirrorByDigestOnly": registry.mirror_by_digest_only,
    }


def _security(engine: Engine) -> dict[str, Any]:
    from podpy.oci.document.seccomp import DEFAULT_PATHS

    profile = engine.conf.seccomp_profile or next((path for path in DEFAULT_PATHS if os.path.exists(path)), "")
    return {
        "apparmorEnabled": files.read_small("/sys/module/apparmor/parameters/enabled").strip() == "Y"
        and not engine.paths.rootless,
        "capabilities": ",".join(engine.conf.default_capabilities),
        "rootless": engine.paths.rootless,
        "seccompEnabled": "Seccomp:" in files.read_small("/proc/self/status"),
        "seccompProfilePath": profile,
        "selinuxEnabled": os.path.exists("/sys/fs/selinux/enforce"),
    }


def _oci_runtime(engine: Engine) -> dict[str, str]:
    wanted = engine.settings.runtime or engine.conf.runtime
    for name in dict.fromkeys((wanted, "crun", "runc")):
        found = _program(name, "path")
        if found["path"]:
            return {"name": os.path.basename(name), **found}
    return {"name": wanted, "package": "", "path": "", "version": ""}


def _program(name: str, key: str) -> dict[str, str]:
    try:
        path = process.find(name)
    except PodpyError:
        return {key: "", "package": "", "version": ""}
    return {key: path, "package": _package(path), "version": _output(path, "--version")}


def _package(path: str) -> str:
    """Return a program's package as `name_version_architecture`, or `Unknown`."""
    for real in dict.fromkeys((path, os.path.realpath(path), path.replace("/usr/bin/", "/bin/"))):
        owner = _output("dpkg", "-S", real).partition(":")[0]
        if owner and " " not in owner:
            return _output("dpkg-query", "-f", "${Package}_${Version}_${Architecture}", "-W", owner)
    return _output("rpm", "-q", "-f", path) or "Unknown"


def _output(*command: str) -> str:
    try:
        program = process.find(command[0])
        done = process.run([program, *command[1:]])
    except (PodpyError, OSError):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.code == 0 else ""


def _distribution() -> dict[str, str]:
    fields = {}
    for line in (files.read_small("/etc/os-release") or files.read_small("/usr/lib/os-release")).splitlines():
        key, _, value = line.partition("=")
        fields[key] = value.strip().strip("\"'")
    found = {
        "distribution": fields.get("ID", "unknown"),
        "variant": fields.get("VARIANT_ID", ""),
        "version": fields.get("VERSION_ID", "unknown"),
        "codename": fields.get("VERSION_CODENAME", ""),
    }
    return {key: value for key, value in found.items() if value or key in ("distribution", "version")}


def _memory() -> dict[str, int]:
    """Return /proc/meminfo in bytes."""
    rows = [line.split() for line in files.read_small("/proc/meminfo").splitlines()]
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows if len(row) == 3}


def _cpu() -> dict[str, float]:
    """Return the CPUs' time since boot by use, in percent (proc(5), /proc/stat)."""
    user, nice, system, idle, *rest = [
        int(word) for word in files.read_small("/proc/stat").split("\n", 1)[0].split()[1:]
    ]
    total = user + nice + system + idle + sum(rest[:4]) or 1
    busy = {"userPercent": user + nice, "systemPercent": system, "idlePercent": idle}
    return {name: round(100 * ticks / total, 2) for name, ticks in busy.items()}


def _uptime() -> str:
    """Return the time since boot in Podman's words."""
    seconds = float(files.read_small("/proc/uptime").split()[0])
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{hours}h {minutes}m {rest:.2f}s"
    return f"{text} (Approximately {hours / 24:.2f} days)" if hours > 24 else text


def _idmap(rows: list[tuple[int, int, int]]) -> list[dict[str, int]]:
    return [{"container_id": inside, "host_id": outside, "size": size} for inside, outside, size in rows]
