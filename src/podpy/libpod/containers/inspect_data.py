"""`inspect`: everything about a container, with the names and types of Podman 5's InspectContainerData.

The result is plain data for JSON. A field that podpy doesn't know or use has the zero value of its Go type, so programs
that read Podman's output find every field. Source: libpod/define/container_inspect.go.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers import inspect_health, inspect_host
from podpy.libpod.containers.table import PAUSED, RESTARTING, RUNNING, STOPPED_BY_SERVICE, shown_status
from podpy.monitor.files import FIRST_PROCESS, MONITOR
from podpy.spec.container import FILTER_ANNOTATION, OCI_VERSION, PROPAGATIONS
from podpy.times import ZERO_TIME, go_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.spec.container import ContainerSpec, Mount

_OF_NETWORK = ("resolv.conf", "hosts")  # files that go with the network
_SIGRTMIN = 34  # in glibc and musl
_SIGNALS = (
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
    "IO", "PWR", "SYS",
)  # fmt: skip


def inspect(container: Held, *, size: bool = False) -> dict[str, Any]:
    """Return Podman's InspectContainerData. `size` adds SizeRw and SizeRootFs (bytes), which walks the files."""
    row = container.refresh()
    spec = container.spec
    path, arguments = _first_process(spec)
    image = _image(container)
    run_directory = container.engine.run_directory(row.id)
    driver = inspect_host.storage_driver(container)
    bundle = inspect_host.bundle_config(container)
    process: dict[str, Any] = bundle.get("process", {})
    annotations = _annotations(bundle, spec)
    data: dict[str, Any] = {
        "Id": row.id,
        "Created": go_time(row.created),
        "Path": path,
        "Args": arguments,
        "State": _state(container, run_directory),
        "Image": row.image_id,
        "ImageDigest": image.podman_digest if image else "",
        "ImageName": row.image_name,
        "Rootfs": spec.rootfs,
        "Pod": row.pod,
        **_files(container, run_directory),
        "OCIRuntime": inspect_host.runtime_name(container),
        "ConmonPidFile": spec.conmon_pidfile or os.path.join(run_directory, MONITOR),
        "PidFile": spec.pidfile or os.path.join(run_directory, FIRST_PROCESS),
        "Name": row.name,
        "RestartCount": row.restarts,
        "Driver": driver,
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        **_capabilities(spec, process),
        "ExecIDs": _exec_ids(container),
        "GraphDriver": {"Name": driver, "Data": _layers(container, image)},
        **(_sizes(container) if size else {}),
        "Mounts": [mount_data(container, mount) for mount in spec.mounts if mount.type in ("bind", "volume", "image")],
        "Dependencies": _dependencies(spec),
        "NetworkSettings": _network(container),
        "Namespace": "",
        "IsInfra": spec.is_infra,
        "IsService": spec.is_service,
        "KubeExitCodePropagation": "invalid",
        "lockNumber": 0,
        "Config": {**_config(container, spec, process), "Annotations": annotations},
        "HostConfig": {**inspect_host.host_config(container, process), "Annotations": annotations},
        "UseImageHosts": spec.no_hosts,
        "UseImageHostname": spec.no_hostname,
    }
    return data


def _annotations(bundle: dict[str, Any], spec: ContainerSpec) -> dict[str, str] | None:
    """Return what a container's start has given the OCI runtime, without the compiled seccomp filter."""
    given: dict[str, str] = bundle.get("annotations") or spec.annotations
    return {name: text for name, text in given.items() if name != FILTER_ANNOTATION or name in spec.annotations} or None


def _first_process(spec: ContainerSpec) -> tuple[str, list[str]]:
    if spec.init:
        from podpy.oci.document.mounts import INIT_TARGET

        return INIT_TARGET, ["--", *spec.command]
    return (spec.command[0] if spec.command else ""), spec.command[1:] or spec.command


def _image(container: Held) -> Any:
    from podpy.errors import NoSuchImageError

    try:
        return container.image
    except NoSuchImageError:  # removed by force: the container still has its name
        return None


def _state(container: Held, run_directory: str) -> dict[str, Any]:
    row = container.row
    status = shown_status(row.status, row.started, row.restarts)
    return {
        "OciVersion": OCI_VERSION,
        "Status": status,
        "Running": row.status == RUNNING,
        "Paused": row.status == PAUSED,
        "Restarting": status == RESTARTING,
        "OOMKilled": bool(row.oom_killed),
        "Dead": False,
        "Pid": row.pid,
        **({"ConmonPid": row.conmon_pid} if row.conmon_pid else {}),
        "ExitCode": row.exit_code,
        "Error": row.error,
        "StartedAt": go_time(row.started),
        "FinishedAt": go_time(row.finished),
        **inspect_health.state(container),
        **({"CgroupPath": path} if (path := inspect_host.cgroup_path(row)) else {}),
        "CheckpointedAt": ZERO_TIME,
        "RestoredAt": ZERO_TIME,
        **({"StoppedByUser": True} if row.stopped_by_user not in (0, STOPPED_BY_SERVICE) else {}),
    }


def _files(container: Held, run_directory: str) -> dict[str, str]:
    directory = container.engine.directory(container.id)
    config = os.path.join(run_directory, "bundle", "config.json")
    owner = _owner_of_network(container)
    shared = [] if owner is None else [container.engine.run_directory(owner.id)]

    def existing(name: str) -> str:
        for place in (run_directory, directory, *(shared if name in _OF_NETWORK else ())):
            path = os.path.join(place, name)
            if os.path.exists(path):
                return path
        return ""

    return {
        "ResolvConfPath": existing("resolv.conf"),
        "HostnamePath": existing("hostname"),
        "HostsPath": existing("hosts"),
        "StaticDir": directory,
        **({"OCIConfigPath": config} if os.path.exists(config) else {}),
    }


def _capabilities(spec: ContainerSpec, process: dict[str, Any]) -> dict[str, Any]:
    held = process.get("capabilities")
    if held is not None:
        return {"EffectiveCaps": held.get("effective"), "BoundingCaps": held.get("bounding")}
    bounding = inspect_host.bounding_capabilities(spec)
    return {"EffectiveCaps": inspect_host.effective_capabilities(spec), "BoundingCaps": bounding}


def _exec_ids(container: Held) -> list[str]:
    from podpy.libpod.io.exec import sessions

    return [session.id for session in sessions(container)]


def _layers(container: Held, image: Any) -> dict[str, str]:
    directory = container.engine.directory(container.id)
    lower = []
    if image is not None:
        lower = [container.engine.store.layer_path(chain_id) for chain_id in reversed(image.layers)]
    return {
        **({"LowerDir": ":".join(lower)} if lower else {}),
        "UpperDir": os.path.join(directory, "upper"),
        "WorkDir": os.path.join(directory, "work"),
    }


def _sizes(container: Held) -> dict[str, int]:
    from podpy.libpod.containers.sizes import container_sizes

    own, everything = container_sizes(container.engine, [container.row]).get(container.id, (0, 0))
    return {"SizeRw": own, "SizeRootFs": everything}


def mount_data(container: Held, mount: Mount) -> dict[str, Any]:
    """Return Podman's InspectMount."""
    if mount.type == "image":
        return {
            "Type": "image",
            "Source": mount.source,
            "Destination": mount.target,
            "Driver": "",
            "Mode": "",
            "Options": None,
            "RW": "rw" in mount.options,
            "Propagation": "",
            **({"SubPath": mount.subpath} if mount.subpath else {}),
        }
    options = inspect_host.whole_options(mount)
    mode = ",".join(option for option in options if option in ("z", "Z"))
    propagation = next(option for option in options if option in PROPAGATIONS)
    source = mount.source
    if mount.type == "volume":
        source = container.engine.volume_table.mountpoint(mount.source)
    hidden = ("ro", "rw", "z", "Z", propagation)
    return {
        "Type": mount.type,
        **({"Name": mount.source} if mount.type == "volume" else {}),
        "Source": source,
        "Destination": mount.target,
        "Driver": "local" if mount.type == "volume" else "",
        "Mode": mode,
        "Options": [option for option in options if option not in hidden],
        "RW": "ro" not in options,
        "Propagation": propagation,
        **({"SubPath": mount.subpath} if mount.subpath else {}),
    }


def _dependencies(spec: ContainerSpec) -> list[str]:
    modes = (spec.network, spec.pid, spec.ipc, spec.uts, spec.cgroupns, spec.userns)
    found = [mode.partition(":")[2] for mode in modes if mode.startswith("container:")]
    found += spec.requires
    found += [name.partition(":")[0] for name in spec.volumes_from]
    return list(dict.fromkeys(found))


def _network(container: Held) -> dict[str, Any]:
    from podpy import fastjson

    owner = _owner_of_network(container)
    if owner is not None:
        return _network(owner)
    spec = container.spec
    bound = inspect_host.port_bindings(fastjson.loads(container.row.ports))
    if spec.network != "host" and not spec.network.startswith("container:"):
        bound = {**dict.fromkeys(spec.expose), **bound}
    if spec.network == "bridge":
        from podpy.libpod.containers.inspect_networks import of_bridge

        networks = of_bridge(container)
    else:
        networks = {**inspect_host.NO_ADDRESSES, "Networks": _networks(inspect_host.network_mode(container))}
    return {
        **networks,
        "Bridge": "",
        "SandboxID": "",
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "Ports": bound,
        "SandboxKey": f"/proc/{container.row.pid}/ns/net" if container.row.pid and spec.network != "host" else "",
        "Networks": networks["Networks"],
    }


def _owner_of_network(container: Held) -> Held | None:
    """Return the container whose network this one joins, as far as it is there: what is said of that one's holds."""
    kind, _, owner = container.spec.network.partition(":")
    if kind != "container":
        return None
    from podpy.libpod.containers.held import find

    try:
        found = find(container.engine, owner)
        found.refresh()
    except NoSuchContainerError:
        return None
    return found


def _networks(mode: str) -> dict[str, Any]:
    """Return Podman's Networks for a container without a bridge network: one entry, named by its mode."""
    if mode.startswith(("container:", "ns:")):
        return {}
    joined = {**inspect_host.NO_ADDRESSES, "NetworkID": mode, "DriverOpts": None, "IPAMConfig": None, "Links": None}
    return {mode: joined}


def _config(container: Held, spec: ContainerSpec, process: dict[str, Any]) -> dict[str, Any]:
    row = container.row
    entrypoint = spec.entrypoint or []
    has_entrypoint = bool(entrypoint) and spec.command[: len(entrypoint)] == entrypoint
    return {
        "Hostname": container.hostname,
        "Domainname": "",
        "User": spec.user,
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "Tty": spec.tty,
        "OpenStdin": spec.stdin_open,
        "StdinOnce": False,
        "Env": _shown_environment(process.get("env") or _environment(container, spec), spec),
        "Cmd": (spec.command[len(entrypoint) :] if has_entrypoint else spec.command) or None,
        "Image": row.image_name,
        "Volumes": None,
        "WorkingDir": spec.workdir or "/",
        "Entrypoint": entrypoint or None,
        "OnBuild": None,
        "Labels": spec.shown_labels or None,
        "Annotations": None,
        "StopSignal": _signal_name(spec.stop_signal),
        **inspect_health.config(spec),
        **({"CreateCommand": spec.create_command} if spec.create_command else {}),
        **({"Timezone": spec.timezone} if spec.timezone else {}),
        **({"ChrootDirs": spec.chroot_dirs} if spec.chroot_dirs else {}),
        **({"SystemdMode": True} if spec.is_for_systemd else {}),
        "Umask": spec.umask,
        "Timeout": spec.timeout,
        "StopTimeout": spec.stop_timeout,
        "Passwd": spec.passwd,
        "sdNotifyMode": spec.sdnotify,
        **({"Secrets": files} if (files := _secrets(spec)) else {}),
        **({"ExposedPorts": exposed} if (exposed := _exposed(spec)) else {}),
    }


def _environment(container: Held, spec: ContainerSpec) -> list[str]:
    """Return the variables of a container that doesn't run; a start sets HOME and the default HOSTNAME, which stay."""
    from podpy.libpod.containers.starting.bundle import USUAL_HOME, home_file
    from podpy.oci.document.env import before_start

    known, row = before_start(spec, {}), container.row
    if row.started:
        known.setdefault("HOME", files.read_small(home_file(container.engine.directory(row.id))) or USUAL_HOME)
    if spec.hostname or (row.started and spec.uts != "host"):
        known.setdefault("HOSTNAME", container.hostname)
    return [f"{name}={value}" for name, value in known.items()]


def _shown_environment(environment: list[str], spec: ContainerSpec) -> list[str]:
    """Return the variables, with secret values hidden."""
    hidden = dict.fromkeys(use.target for use in spec.secrets if use.type == "env")
    if not hidden:
        return environment
    open_ones = [item for item in environment if item.partition("=")[0] not in hidden]
    return [*open_ones, *(f"{name}=*******" for name in hidden)]


def _secrets(spec: ContainerSpec) -> list[dict[str, Any]]:
    """Return Podman's InspectSecret for each secret that is a file."""
    return [
        {"Name": use.name, "ID": use.id, "UID": use.uid, "GID": use.gid, "Mode": use.mode}
        for use in spec.secrets
        if use.type == "mount"
    ]


def _exposed(spec: ContainerSpec) -> dict[str, dict[str, str]]:
    """Return the ports that the image and the options expose, and the published ones."""
    published = (f"{port.container_port + n}/{port.protocol}" for port in spec.ports for n in range(port.count))
    return {port: {} for port in (*spec.expose, *published)}


def _signal_name(number: int) -> str:
    if 0 < number < len(_SIGNALS):
        return "SIG" + _SIGNALS[number]
    return f"SIGRTMIN+{number - _SIGRTMIN}" if number > _SIGRTMIN else "SIGRTMIN" if number == _SIGRTMIN else ""
