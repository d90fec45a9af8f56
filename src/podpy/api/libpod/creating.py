"""The body of `POST /libpod/containers/create`, Podman's SpecGenerator → a ContainerSpec (pkg/specgen/specgen.go)."""

from __future__ import annotations

from podpy.api.errors import HttpError
from podpy.api.libpod import creating_host
from podpy.spec.container import AS_CONFIGURED, Attachment, ContainerSpec, PortMapping
from podpy.spec.health import ACTIONS, Health, StartupCheck
from podpy.spec.text.attachments import check_alias, parse_mac, parse_networks
from podpy.spec.text.expose import parse_expose
from podpy.spec.text.life import log_driver, log_options, restart_policy
from podpy.spec.text.namespaces import check_mode, check_userns
from podpy.spec.text.network import check_host, check_name_servers, check_searches
from podpy.spec.text.process import check_workdir
from podpy.spec.text.values import parse_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_REFUSED = ("storage_opts", "intelRdt", "rootfs_mapping", "rootfs_propagation", "secret_mode")
_ON_FAILURE = ("none", "none", "kill", "restart", "stop")
"""Podman's numbers of --health-on-failure's actions (libpod/define/healthchecks.go): 0 none, 1 invalid."""
_AS_THEY_ARE = {
    "name": "name",
    "image": "image",
    "rootfs": "rootfs",
    "rootfs_overlay": "rootfs_overlay",
    "hostname": "hostname",
    "user": "user",
    "env": "env",
    "unset_env": "unsetenv",
    "unset_env_all": "unsetenvall",
    "tty": "terminal",
    "stdin_open": "stdin",
    "create_workdir": "create_working_dir",
    "groups": "groups",
    "labels": "labels",
    "annotations": "annotations",
    "requires": "dependencyContainers",
    "init_container": "init_container_type",
    "volumes_from": "volumes_from",
    "chroot_dirs": "chroot_directories",
    "passwd_entry": "passwd_entry",
    "group_entry": "group_entry",
    "host_users": "hostusers",
    "no_hostname": "no_hostname",
    "cgroup_parent": "cgroup_parent",
    "publish_all": "publish_image_ports",
    "remove": "remove",
    "remove_image": "removeImage",
    "timeout": "timeout",
    "create_command": "containerCreateCommand",
    "conmon_pidfile": "conmon_pid_file",
    "oom_score_adj": "oom_score_adj",
}
"""Field of ContainerSpec: the SpecGenerator's, where both mean the same and empty is the default."""
_AS_CONFIGURED = {
    "umask": "umask",
    "timezone": "timezone",
    "init_path": "init_path",
    "shm_size": "shm_size",
    "stop_timeout": "stop_timeout",
    "read_only": "read_only_filesystem",
    "cgroups": "cgroups_mode",
    "hosts_file": "base_hosts_file",
    "env_host": "env_host",
    "http_proxy": "httpproxy",
    "init": "init",
    "no_hosts": "use_image_hosts",
    "dns_options": "dns_option",
}
"""The same where what isn't given is containers.conf's."""


def spec_of(body: Mapping[str, Any], *, rootless: bool) -> ContainerSpec:
    """Return what a client asks for. Raises HttpError, UsageError, NotSupportedError."""
    for name in _REFUSED:
        if body.get(name):
            raise HttpError(501, f"{name} isn't supported")
    if not body.get("image") and not body.get("rootfs"):
        raise HttpError(400, "must set root filesystem source to either image or rootfs: invalid argument")
    fields = options_of(body, rootless=rootless)
    return ContainerSpec(pod=body.get("pod") or "", **fields)


def options_of(body: Mapping[str, Any], *, rootless: bool) -> dict[str, Any]:
    """Return the ContainerSpec's fields that a body gives a value. Raises as `spec_of`."""
    given = dict(body)
    fields = {field: given[name] for field, name in _AS_THEY_ARE.items() if given.get(name)}
    fields |= {field: given[name] for field, name in _AS_CONFIGURED.items() if given.get(name) is not None}
    fields = {field: value for field, value in fields.items() if value != "" or field in _AS_THEY_ARE}
    for field in ("shm_size", "dns_options"):
        if not fields.get(field):
            fields.pop(field, None)
    if given.get("init") is False:
        fields.pop("init", None)
    return {
        **fields,
        **_process(given),
        **_life(given),
        **_namespaces(given),
        **_network(given),
        **creating_host.rights(given, rootless=rootless),
        "mounts": creating_host.mounts(given, rootless=rootless),
        "secrets": creating_host.secrets(given),
        "ulimits": creating_host.ulimits(given.get("r_limits")),
        "resources": creating_host.resources(given, rootless=rootless),
        "image_volume": _image_volume(given.get("image_volume_mode") or ""),
    }


def _image_volume(mode: str) -> str:
    if mode not in ("", "anonymous", "bind", "tmpfs", "ignore"):
        raise HttpError(400, f"invalid image volume mode {mode!r}: it must be anonymous, tmpfs or ignore")
    return AS_CONFIGURED if not mode else "" if mode in ("anonymous", "bind") else mode


def _process(given: dict[str, Any]) -> dict[str, Any]:
    personality = (given.get("personality") or {}).get("domain") or ""
    return {
        "command": given.get("command") or [],
        "entrypoint": given.get("entrypoint"),
        "workdir": check_workdir(given.get("work_dir") or ""),
        "personality": personality,
        "systemd": given.get("systemd") or "true",
        "sdnotify": given.get("sdnotifyMode") or "container",
        "stop_signal": _signal(given.get("stop_signal")),
    }


def _signal(given: int | str | None) -> int:
    return parse_signal(str(given)) if given else 0


def _life(given: dict[str, Any]) -> dict[str, Any]:
    policy, retries = given.get("restart_policy") or "", given.get("restart_tries") or 0
    if policy:
        policy, retries = restart_policy(f"{policy}:{retries}" if retries else policy)
    log = given.get("log_configuration") or {}
    options = [f"{key}={value}" for key, value in (log.get("options") or {}).items()]
    options += [f"path={log['path']}"] if log.get("path") else []
    options += [f"max-size={log['size']}"] if (log.get("size") or 0) > 0 else []
    return {
        "restart_policy": policy,
        "restart_retries": retries,
        "log_driver": log_driver(log["driver"]) if log.get("driver") else AS_CONFIGURED,
        "log_options": log_options(options),
        "health": _health(given),
    }


def _health(given: dict[str, Any]) -> Health | None:
    check: dict[str, Any] = given.get("healthconfig") or {}
    startup: dict[str, Any] = given.get("startupHealthConfig") or {}
    action = given.get("health_check_on_failure_action") or 0
    if not 0 <= action < len(_ON_FAILURE):
        raise HttpError(400, f"health_check_on_failure_action must be 0 (none) to {len(_ON_FAILURE) - 1} (stop)")
    if not check and not startup:
        return None
    names = {"interval": "Interval", "timeout": "Timeout", "retries": "Retries", "start_period": "StartPeriod"}
    fields = {field: check[name] for field, name in names.items() if check.get(name) is not None}
    assert _ON_FAILURE[action] in ACTIONS
    first = None
    if startup.get("Test"):
        of_startup = {"interval": "Interval", "timeout": "Timeout", "retries": "Retries", "successes": "Successes"}
        chosen = {field: startup[name] for field, name in of_startup.items() if startup.get(name)}
        first = StartupCheck(test=startup["Test"], **chosen)
    return Health(test=check.get("Test") or [], **fields, startup=first, on_failure=_ON_FAILURE[action])


def _mode(given: dict[str, Any] | None) -> str:
    """Return a namespace's mode as an option's text; "" for the default."""
    kind, value = (given or {}).get("nsmode") or "", (given or {}).get("value") or ""
    if kind in ("", "default", "pod"):
        return ""
    kind = {"path": "ns", "no-map": "nomap"}.get(kind, kind)
    return f"{kind}:{value}" if value else kind


def _namespaces(given: dict[str, Any]) -> dict[str, Any]:
    names = {"pid": "pidns", "ipc": "ipcns", "uts": "utsns", "cgroupns": "cgroupns"}
    found: dict[str, Any] = {}
    for field, name in names.items():
        mode = _mode(given.get(name))
        found[field] = check_mode(field, mode) if mode else AS_CONFIGURED
    userns, maps = _mode(given.get("userns")), given.get("idmappings") or {}
    found["userns"] = check_userns(userns) if userns else AS_CONFIGURED
    if not maps.get("HostUIDMapping") and not maps.get("AutoUserNs"):
        found["uid_map_lines"] = _lines(maps.get("UIDMap"))
        found["gid_map_lines"] = _lines(maps.get("GIDMap"))
    return found


def _lines(maps: list[dict[str, int]] | None) -> list[str]:
    names = ("container_id", "host_id", "size")
    return [":".join(str(each.get(name) or 0) for name in names) for each in maps or ()]


def _network(given: dict[str, Any]) -> dict[str, Any]:
    return {
        **_networks(given),
        "ports": [port for each in given.get("portmappings") or () for port in _ports(each)],
        "expose": [port for number, kind in (given.get("expose") or {}).items() for port in _exposed(number, kind)],
        "dns": check_name_servers(given["dns_server"]) if given.get("dns_server") else AS_CONFIGURED,
        "dns_search": check_searches(given["dns_search"]) if given.get("dns_search") else AS_CONFIGURED,
        "add_hosts": [check_host(text) for text in given.get("hostadd") or ()],
    }


def _networks(given: dict[str, Any]) -> dict[str, Any]:
    mode = _mode(given.get("netns"))
    named: dict[str, Any] = given.get("networks") or given.get("Networks") or {}
    if named:
        if mode not in ("", "bridge", "private"):
            raise HttpError(400, f"networks and the network mode {mode} exclude each other")
        return {"network": "bridge", "networks": [_attachment(name, each or {}) for name, each in named.items()]}
    if mode in ("", "private"):
        return {"network": mode or AS_CONFIGURED}
    options = (given.get("network_options") or {}).get(mode) or []
    network, networks = parse_networks([":".join([mode, ",".join(options)]) if options else mode])
    return {"network": network, "networks": networks}


def _attachment(name: str, given: dict[str, Any]) -> Attachment:
    return Attachment(
        network="" if name == "default" else name,
        ips=given.get("static_ips") or [],
        mac=parse_mac(given["static_mac"]) if given.get("static_mac") else "",
        aliases=[check_alias(alias) for alias in given.get("aliases") or ()],
        interface=given.get("interface_name") or "",
    )


def _ports(given: dict[str, Any]) -> list[PortMapping]:
    numbers = [given.get("container_port") or 0, given.get("host_port") or 0]
    count = given.get("range") or 1
    if not 0 < numbers[0] <= 65535 or not 0 <= numbers[1] <= 65535 or max(numbers) + count - 1 > 65535 or count < 1:
        raise HttpError(400, f"invalid port mapping {given}: ports must be from 1 to 65535")
    return [
        PortMapping(
            container_port=numbers[0],
            host_port=numbers[1],
            host_ip=given.get("host_ip") or "",
            protocol=_protocol(protocol),
            count=count,
        )
        for protocol in (given.get("protocol") or "tcp").split(",")
    ]


def _protocol(text: str) -> str:
    if text not in ("tcp", "udp", "sctp"):
        raise HttpError(400, f"invalid port protocol {text!r}: it must be tcp, udp or sctp")
    return text


def _exposed(number: str, kinds: str) -> list[str]:
    return [port for kind in (kinds or "tcp").split(",") for port in parse_expose(f"{number}/{kind}")]
