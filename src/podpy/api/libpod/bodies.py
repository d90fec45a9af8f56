"""Types of the JSON bodies of Podman's paths."""

from __future__ import annotations

from podpy.api.compat.bodies import EXEC, EXEC_REMOVE, EXEC_START
from podpy.api.schema import ANY, Either

__all__ = (
    "CONNECT",
    "CREATE",
    "DISCONNECT",
    "EXEC",
    "EXEC_REMOVE",
    "EXEC_START",
    "MANIFEST",
    "NETWORK",
    "NETWORK_UPDATE",
    "POD",
    "UPDATE",
    "VOLUME",
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXTS = [str]
_MAP = {"*": str}
_NAMESPACE = {"nsmode": str, "value": str}
_IDS = {"container_id": int, "host_id": int, "size": int}
_NETWORKS = {"*": {"static_ips": _TEXTS, "aliases": _TEXTS, "static_mac": str, "interface_name": str}}
_PORT = {"host_ip": str, "container_port": int, "host_port": int, "range": int, "protocol": str}
_DEVICE_RULE = {"allow": bool, "type": str, "major": int, "minor": int, "access": str}
_RATES = {"*": {"rate": int, "weight": int}}
_CHECK = {
    "Test": _TEXTS, "Interval": int, "Timeout": int, "Retries": int, "StartPeriod": int, "StartInterval": int,
    "Successes": int,
}  # fmt: skip
_OF_BOTH: dict[str, Any] = {
    "name": str, "hostname": str, "labels": _MAP, "netns": _NAMESPACE, "networks": _NETWORKS, "Networks": _NETWORKS,
    "portmappings": [_PORT], "pidns": _NAMESPACE, "ipcns": _NAMESPACE, "utsns": _NAMESPACE, "userns": _NAMESPACE,
    "dns_server": _TEXTS, "dns_search": _TEXTS, "dns_option": _TEXTS, "hostadd": _TEXTS, "no_hosts": bool,
    "cgroup_parent": str, "sysctl": _MAP, "volumes_from": _TEXTS, "network_options": {"*": _TEXTS},
    "shm_size": int, "restart_policy": str, "restart_tries": int,
    "mounts": [{"destination": str, "type": str, "source": str, "options": _TEXTS}],
    "volumes": [{"Name": str, "Dest": str, "Options": _TEXTS, "IsAnonymous": bool, "SubPath": str}],
    "overlay_volumes": [{"destination": str, "source": str, "options": _TEXTS}],
    "image_volumes": [{"Source": str, "Destination": str, "ReadWrite": bool, "subPath": str}],
    "idmappings": {"HostUIDMapping": bool, "AutoUserNs": bool, "UIDMap": [_IDS], "GIDMap": [_IDS]},
    "resource_limits": {
        "memory": {"limit": int, "reservation": int, "swap": int},
        "cpu": {"shares": int, "quota": int, "period": int, "cpus": str, "mems": str},
        "pids": {"limit": int},
        "blockIO": {"weight": int},
        "unified": _MAP,
    },
    "throttleReadBpsDevice": _RATES,
}  # fmt: skip
CREATE: dict[str, Any] = {
    **_OF_BOTH,
    "image": str, "rootfs": str, "rootfs_overlay": bool, "command": _TEXTS, "entrypoint": _TEXTS, "env": _MAP,
    "env_host": bool, "httpproxy": bool, "unsetenv": _TEXTS, "unsetenvall": bool, "terminal": bool, "stdin": bool,
    "user": str, "groups": _TEXTS, "umask": str, "work_dir": str, "create_working_dir": bool,
    "stop_signal": Either(int, str), "stop_timeout": int, "timeout": int, "pod": str, "sdnotifyMode": str,
    "systemd": str, "cgroups_mode": str, "cgroupns": _NAMESPACE, "conmon_pid_file": str,
    "containerCreateCommand": _TEXTS, "init": bool, "init_path": str, "init_container_type": str,
    "dependencyContainers": _TEXTS, "use_image_hosts": bool, "base_hosts_file": str, "publish_image_ports": bool,
    "expose": _MAP, "oom_score_adj": int, "timezone": str, "image_volume_mode": str, "passwd_entry": str,
    "group_entry": str, "hostusers": _TEXTS, "personality": {"domain": str}, "unified": _MAP, "remove": bool,
    "removeImage": bool, "privileged": bool, "read_only_filesystem": bool, "cap_add": _TEXTS, "cap_drop": _TEXTS,
    "no_new_privileges": bool, "seccomp_profile_path": str, "apparmor_profile": str, "selinux_opts": _TEXTS,
    "mask": _TEXTS, "unmask": _TEXTS, "procfs_opts": _TEXTS, "devices": [{"path": str}],
    "device_cgroup_rule": [_DEVICE_RULE], "weightDevice": _RATES, "throttleWriteBpsDevice": _RATES,
    "throttleReadIOPSDevice": _RATES, "throttleWriteIOPSDevice": _RATES, "annotations": _MAP,
    "chroot_directories": _TEXTS, "no_hostname": bool, "secret_env": _MAP,
    "secrets": [{"Source": str, "Target": str, "UID": int, "GID": int, "Mode": int}],
    "r_limits": [{"type": str, "soft": ANY, "hard": ANY}],
    "log_configuration": {"driver": str, "path": str, "size": int, "options": _MAP},
    "healthconfig": _CHECK, "startupHealthConfig": _CHECK, "health_check_on_failure_action": int,
}  # fmt: skip

POD: dict[str, Any] = {
    **_OF_BOTH,
    "infra_image": str, "infra_command": _TEXTS, "infra_name": str, "no_infra": bool, "infra_conmon_pid_file": str,
    "pod_create_command": _TEXTS, "shared_namespaces": _TEXTS, "share_parent": bool, "exit_policy": str,
    "security_opt": _TEXTS, "pod_devices": _TEXTS, "cpu_period": int, "cpu_quota": int,
}  # fmt: skip
UPDATE: dict[str, Any] = {
    **_OF_BOTH["resource_limits"],
    "Env": _TEXTS, "UnsetEnv": _TEXTS, "r_limits": [{"type": str, "soft": ANY, "hard": ANY}],
}  # fmt: skip
MANIFEST = {
    "operation": str, "images": _TEXTS, "all": bool, "annotation": _TEXTS, "annotations": _MAP, "arch": str,
    "features": _TEXTS, "os": str, "os_features": _TEXTS, "osfeatures": _TEXTS, "os_version": str, "osversion": str,
    "variant": str, "index_annotations": _MAP, "subject": str,
}  # fmt: skip
NETWORK: dict[str, Any] = {
    "name": str, "driver": str, "network_interface": str, "ipv6_enabled": bool, "internal": bool, "dns_enabled": bool,
    "labels": _MAP, "options": _MAP, "ipam_options": _MAP, "network_dns_servers": _TEXTS,
    "subnets": [{"subnet": str, "gateway": str, "lease_range": {"start_ip": str, "end_ip": str}}],
    "routes": [{"destination": str, "gateway": str, "metric": int}],
}  # fmt: skip
NETWORK_UPDATE = {"addDNSServers": _TEXTS, "removeDNSServers": _TEXTS, "adddnsservers": _TEXTS,
                  "removednsservers": _TEXTS}  # fmt: skip
CONNECT = {"container": str, "static_ips": _TEXTS, "aliases": _TEXTS, "static_mac": str, "interface_name": str}
DISCONNECT = {"Container": str, "Force": bool}
VOLUME = {
    "Name": str, "Driver": str, "Label": _MAP, "Labels": _MAP, "Options": _MAP, "UID": int, "GID": int,
    "IgnoreIfExists": bool,
}  # fmt: skip
