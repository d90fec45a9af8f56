"""`podpy generate spec`: a container as the body of Podman's API call that creates one (SpecGenerator, JSON)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.spec.container import ContainerSpec, Mount

_NAMESPACES = {"pid": "pidns", "ipc": "ipcns", "uts": "utsns", "cgroupns": "cgroupns", "userns": "userns"}


def generated(container: Held, *, name: str = "") -> dict[str, Any]:
    """Return SpecGenerator's fields for the container's spec; empty ones are left out.

    `name`: the new container's name; empty: this one's with "-clone" appended. Source: pkg/specgen/specgen.go.
    """
    from podpy.libpod.containers.starting.clone import free_name

    spec = container.spec
    entrypoint = spec.entrypoint or []
    arguments = spec.command[len(entrypoint) :] if spec.command[: len(entrypoint)] == entrypoint else spec.command
    fields: dict[str, Any] = {
        "name": name or free_name(container.engine, container.name),
        "entrypoint": entrypoint,
        "command": arguments,
        "env": spec.env,
        "env_host": spec.env_host,
        "httpproxy": spec.http_proxy,
        "terminal": spec.tty,
        "stdin": spec.stdin_open,
        "labels": spec.shown_labels,
        "annotations": spec.annotations,
        "stop_signal": spec.stop_signal,
        "stop_timeout": spec.stop_timeout,
        "timeout": spec.timeout,
        "timezone": spec.timezone,
        "restart_policy": spec.restart_policy,
        "restart_tries": spec.restart_retries,
        "remove": spec.remove,
        "init": spec.init,
        "systemd": spec.systemd,
        "sdnotifyMode": spec.sdnotify,
        "hostname": spec.hostname,
        "image": spec.image,
        "rootfs": spec.rootfs,
        "rootfs_overlay": spec.rootfs_overlay,
        "log_configuration": {"driver": spec.log_driver, **({"options": spec.log_options} if spec.log_options else {})},
        "raw_image_name": spec.image,
        "work_dir": spec.workdir,
        "user": spec.user,
        "groups": spec.groups,
        "umask": spec.umask,
        "oom_score_adj": spec.oom_score_adj,
        **_rights(spec),
        **_files(spec),
        **_network(spec),
        **{field: _namespace(getattr(spec, kind)) for kind, field in _NAMESPACES.items()},
        "cgroups_mode": spec.cgroups,
        "cgroup_parent": spec.cgroup_parent,
        "resource_limits": _limits(spec),
    }
    return {key: value for key, value in fields.items() if value not in (None, "", 0, False, [], {})}


def _rights(spec: ContainerSpec) -> dict[str, Any]:
    return {
        "privileged": spec.privileged,
        "cap_add": _whole_names(spec.cap_add),
        "cap_drop": _whole_names(spec.cap_drop),
        "no_new_privileges": spec.no_new_privileges,
        "read_only_filesystem": spec.read_only,
        "read_write_tmpfs": spec.read_only_tmpfs,
        "seccomp_profile_path": spec.seccomp,
        "apparmor_profile": spec.apparmor,
        "mask": spec.mask,
        "unmask": spec.unmask,
        "sysctl": spec.sysctls,
        "devices": [{"path": f"{d.host}:{d.container}:{d.permissions}"} for d in spec.devices]
        + [{"path": name} for name in spec.cdi_devices],
        "r_limits": [
            {"type": f"RLIMIT_{limit.name.upper()}", "soft": limit.soft, "hard": limit.hard} for limit in spec.ulimits
        ],
    }


def _whole_names(names: list[str]) -> list[str]:
    upper = (name.upper() for name in names)
    return [name if name.startswith("CAP_") or name == "ALL" else f"CAP_{name}" for name in upper]


def _files(spec: ContainerSpec) -> dict[str, Any]:
    plain = [mount for mount in spec.mounts if mount.type in ("bind", "tmpfs", "ramfs", "devpts")]
    volumes = [mount for mount in spec.mounts if mount.type == "volume" and not mount.from_image]
    files = [use for use in spec.secrets if use.type == "mount"]
    return {
        "mounts": [_mount(mount) for mount in plain],
        "volumes": [{"Name": mount.source, "Dest": mount.target, "Options": mount.options} for mount in volumes],
        "volumes_from": spec.volumes_from,
        "shm_size": spec.shm_size,
        "secrets": [
            {"Source": use.name, "Target": use.target, "UID": use.uid, "GID": use.gid, "Mode": use.mode}
            for use in files
        ],
        "secret_env": {use.target: use.name for use in spec.secrets if use.type == "env"},
    }


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "destination": mount.target,
        "type": mount.type,
        "source": mount.source or mount.type,
        "options": mount.options,
    }


def _network(spec: ContainerSpec) -> dict[str, Any]:
    ports = [
        {
            "host_ip": port.host_ip,
            "container_port": port.container_port,
            "host_port": port.host_port,
            "range": port.count,
            "protocol": port.protocol,
        }
        for port in spec.ports
    ]
    networks = {
        each.network: {"static_ips": each.ips, "aliases": each.aliases, "interface_name": each.interface}
        for each in spec.networks
    }
    return {
        "netns": _namespace(spec.network),
        **({"Networks": networks} if networks else {}),
        "portmappings": ports,
        "publish_image_ports": spec.publish_all,
        "dns_server": spec.dns,
        "dns_search": spec.dns_search,
        "dns_option": spec.dns_options,
        "hostadd": spec.add_hosts,
        "use_image_hosts": spec.no_hosts,
    }


def _namespace(mode: str) -> dict[str, str]:
    kind, _, value = mode.partition(":")
    names = {"container": "container", "ns": "path"}
    if not mode:
        return {}
    return {"nsmode": names.get(kind, kind), **({"value": value} if value else {})}


def _limits(spec: ContainerSpec) -> dict[str, Any]:
    from podpy.oci.document.resources import for_update

    return for_update(spec.resources, spec.resources)
