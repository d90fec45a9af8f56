"""A specification as it is kept in the database: what is written today, and what b32718e wrote."""

from __future__ import annotations

import pytest

from podpy.config.containers_conf import ContainersConf
from podpy.errors import ConfigError, UsageError
from podpy.spec.container import ContainerSpec, PortMapping, Resources
from podpy.spec.defaults import named, with_defaults

# What the version before there were versions wrote for `Runtime.create(ContainerSpec(image="x", stop_timeout=7))`.
OLD: dict[str, object] = {
    "image": "x", "rootfs": "", "rootfs_overlay": False, "command": [], "entrypoint": None, "env": {},
    "unset_env": [], "unset_env_all": False, "env_merge": {}, "workdir": "", "create_workdir": False, "user": "",
    "groups": [], "hostname": "", "umask": "0022", "timezone": "", "tty": False, "stdin_open": False, "init": False,
    "init_path": "", "stop_signal": 0, "stop_timeout": 7, "sdnotify": "container", "timeout": 0, "passwd": True,
    "preserve_fds": 0, "preserve_fd": [], "systemd": "true", "name": "", "labels": {}, "annotations": {}, "mounts": [],
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


def test_an_old_row_gets_the_values_of_a_new_one() -> None:
    today = with_defaults(ContainerSpec(image="x", stop_timeout=7), ContainersConf(), {}, rootless=True)
    assert ContainerSpec.from_dict(OLD) == today.replace(log_options={}), "its log has no limit, as when it was made"


def test_an_old_row_keeps_its_own_values() -> None:
    spec = ContainerSpec.from_dict({**OLD, "log_driver": "json-file", "shm_size": 4096})
    assert (spec.log_driver, spec.shm_size) == ("json-file", 4096)


def test_no_field_of_a_completed_spec_is_left_open() -> None:
    spec = with_defaults(ContainerSpec(image="x"), ContainersConf(), {}, rootless=True)
    may_be_none = {"entrypoint", "oom_score_adj", "health"}
    assert {name for name, value in vars(spec).items() if value is None} == may_be_none
    assert spec.resources.cgroup_conf == {}
    assert ContainerSpec.from_dict(spec.as_dict()) == spec


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("pid", "moon", "unrecognized namespace mode moon passed"),
        ("uts", "shareable", "unrecognized namespace mode shareable passed"),
        ("userns", "keepid", "unrecognized namespace mode keepid passed"),
        ("umask", "9", "invalid umask string 9"),
        ("timezone", "Moon/Base", "unknown time zone"),
        ("log_driver", "syslog", "invalid log driver"),
        ("add_hosts", ["a:b"], "invalid IP address in add-host"),
        ("dns", ["none", "192.0.2.1"], "none is not allowed to be specified"),
        ("dns_search", ["a b"], "a b is not a valid domain"),
        ("resources", Resources(cpuset_mems="x"), "--cpuset-mems"),
    ],
)
def test_a_librarys_texts_are_checked_like_the_command_lines(field: str, value: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        with_defaults(ContainerSpec(image="x").replace(**{field: value}), ContainersConf(), {}, rootless=True)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("umask", "9", "umask in containers.conf: .*invalid umask string 9"),
        ("shm_size", "big", "shm_size in containers.conf: .*invalid size"),
        ("log_driver", "syslog", "log_driver in containers.conf: .*invalid log driver"),
        ("userns", "mine", "userns in containers.conf"),
        ("pidns", "mine", "pidns in containers.conf"),
        ("cgroups", "some", "cgroups in containers.conf: invalid value 'some'"),
        ("image_volume_mode", "x", "image_volume_mode in containers.conf: invalid value"),
        ("dns_servers", ["x"], "dns_servers in containers.conf: x is not an ip address"),
        ("dns_searches", ["a b"], "dns_searches in containers.conf: a b is not a valid domain"),
        ("default_ulimits", ["nofile"], "default_ulimits in containers.conf: ulimit option"),
        ("default_sysctls", ["vm.swappiness=1"], "default_sysctls in containers.conf: sysctl 'vm.swappiness'"),
        ("devices", ["x:y:z:w"], "devices in containers.conf: invalid device"),
        ("volumes", ["a:b:c:d"], "volumes in containers.conf"),
        ("mounts", ["type=x,target=/y"], "mounts in containers.conf: invalid filesystem type"),
        ("annotations", ["x"], "annotations in containers.conf"),
        ("cgroup_conf", ["x"], "cgroup_conf in containers.conf"),
        ("oom_score_adj", 5000, "oom_score_adj in containers.conf"),
        ("log_size_max", 5, "log_size_max in containers.conf: 5 is too small"),
        ("seccomp_profile", "/no/such.json", "seccomp_profile in containers.conf: opening seccomp profile"),
    ],
)
def test_a_wrong_value_of_containers_conf_names_its_key(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_defaults(ContainerSpec(image="x"), ContainersConf({key: value}), {}, rootless=True)


def test_ports_use_the_addresses_of_containers_conf_unless_they_have_one() -> None:
    ports = [PortMapping(container_port=80, host_port=8080), PortMapping(container_port=81, host_ip="127.0.0.9")]
    conf = ContainersConf({"default_host_ips": ["127.0.0.1", "::1"]})
    spec = with_defaults(ContainerSpec(image="x", ports=ports), conf, {}, rootless=True)
    assert [(port.container_port, port.host_ip) for port in spec.ports] == [
        (80, "127.0.0.1"), (80, "::1"), (81, "127.0.0.9"),
    ]  # fmt: skip


def test_a_joined_network_has_no_name_servers_of_its_own() -> None:
    """What containers.conf says for others is no conflict."""
    conf = ContainersConf({"dns_servers": ["192.0.2.1"], "dns_searches": ["example.org"]})
    spec = with_defaults(ContainerSpec(image="x", network="container:other"), conf, {}, rootless=True)
    assert (spec.dns, spec.dns_search) == ([], [])


def test_containers_conf_can_make_the_name_the_host_name() -> None:
    conf = ContainersConf({"container_name_as_hostname": True})
    spec = with_defaults(ContainerSpec(image="x"), conf, {}, rootless=True)
    assert named(spec, "my_web.1", conf).hostname == "myweb.1"
    assert named(spec.replace(uts="host"), "web", conf).hostname == ""
    assert named(spec.replace(hostname="said"), "web", conf).hostname == "said"
