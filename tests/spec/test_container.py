"""A specification as it is kept in the database: what is written today, and what b32718e wrote."""

from __future__ import annotations

from podpy.config.containers_conf import ContainersConf
from podpy.spec.container import ContainerSpec
from podpy.spec.defaults import with_defaults

# What the version before there were versions wrote for `Runtime.create(ContainerSpec(image="x", stop_timeout=7))`.
OLD: dict[str, object] = {
    "image": "x", "rootfs": "", "rootfs_overlay": False, "command": [], "entrypoint": None, "env": {},
    "unset_env": [], "unset_env_all": False, "env_merge": {}, "workdir": "", "create_workdir": False, "user": "",
    "groups": [], "hostname": "", "umask": "0022", "timezone": "", "tty": False, "stdin_open": False, "init": False,
    "init_path": "", "stop_signal": 0, "stop_timeout": 7, "sdnotify": "container", "timeout": 0, "passwd": True,
    "preserve_fds": 0, "systemd": "true", "name": "", "labels": {}, "annotations": {}, "mounts": [],
    "image_volume": "", "volumes_from": [], "read_only": False, "read_only_tmpfs": True, "shm_size": None,
    "privileged": False, "cap_add": [], "cap_drop": [], "no_new_privileges": False, "apparmor": "", "seccomp": "",
    "security_labels": [], "mask": [], "unmask": [], "proc_opts": [], "devices": [], "device_cgroup_rules": [],
    "ulimits": [], "sysctls": {}, "pid": "private", "ipc": "shareable", "uts": "private", "cgroupns": "private",
    "userns": "host", "uid_map_lines": [], "gid_map_lines": [], "uid_maps": [], "gid_maps": [],
    "resources": {
        "memory": None, "memory_swap": None, "memory_reservation": None, "cpu_shares": None, "cpu_quota": None,
        "cpu_period": None, "cpus": None, "cpuset_cpus": "", "cpuset_mems": "", "pids_limit": None,
        "blkio_weight": None, "device_read_bps": [], "device_write_bps": [], "cgroup_conf": {}, "devices": [],
    },
    "oom_score_adj": None, "cgroups": "enabled", "cgroup_parent": "", "network": "", "ports": [],
    "publish_all": False, "expose": [], "dns": [], "dns_search": [], "dns_options": [], "add_hosts": [],
    "no_hosts": False, "no_hostname": False, "http_proxy": True, "remove": False, "restart_policy": "",
    "restart_retries": 0, "log_driver": "", "log_options": {}, "detach_keys": "", "pidfile": "",
    "conmon_pidfile": "", "cidfile": "", "create_command": [],
}  # fmt: skip


def test_an_old_row_says_what_a_new_one_says() -> None:
    today = with_defaults(ContainerSpec(image="x", stop_timeout=7), ContainersConf(), {}, rootless=True)
    assert ContainerSpec.from_dict(OLD) == today.replace(log_options={}), "its log has no limit, as when it was made"


def test_an_old_row_keeps_what_it_says() -> None:
    spec = ContainerSpec.from_dict({**OLD, "log_driver": "json-file", "shm_size": 4096})
    assert (spec.log_driver, spec.shm_size) == ("json-file", 4096)


def test_no_field_of_a_completed_spec_is_left_open() -> None:
    spec = with_defaults(ContainerSpec(image="x"), ContainersConf(), {}, rootless=True)
    may_be_none = {"entrypoint", "oom_score_adj"}
    assert {name for name, value in vars(spec).items() if value is None} == may_be_none
    assert spec.resources.cgroup_conf == {}
    assert ContainerSpec.from_dict(spec.as_dict()) == spec
