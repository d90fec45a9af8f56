"""`linux` of config.json: namespaces, masks, sysctls, limits; and the splicing of the seccomp profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podpy.errors import NotSupportedError, UsageError
from podpy.oci.document import build as oci
from podpy.oci.document.context import thermal_counters
from podpy.rootless.checks.controllers import missing_controllers
from podpy.rootless.checks.mends import one_line
from podpy.spec.container import IdMapping, Resources
from tests.oci.conftest import ConfigOf, namespaces

DELEGATED = {"cgroup_manager": "systemd", "cgroup_path": "user.slice:libpod:x"}
ALL = {"controllers": ["memory", "cpu", "pids", "cpuset", "io"]}


def test_a_container_has_namespaces_of_its_own(config_of: ConfigOf) -> None:
    own = {"pid": "", "ipc": "", "uts": "", "cgroup": "", "network": "", "mount": ""}
    assert namespaces(config_of()) == own


def test_the_hosts_namespaces_are_left_out(config_of: ConfigOf) -> None:
    config = config_of(pid="host", ipc="host", uts="host", cgroupns="host", network="host")
    assert namespaces(config) == {"mount": ""}
    assert "hostname" not in config


def test_namespaces_to_join_have_a_path(config_of: ConfigOf) -> None:
    paths = {"network": "/run/netns", "pid": "/proc/7/ns/pid", "user": "/proc/7/ns/user"}
    config = config_of(pid="container:x", context={"namespaces": paths})
    assert namespaces(config).items() >= paths.items()


def test_id_maps_make_a_user_namespace(config_of: ConfigOf) -> None:
    maps = [IdMapping(container=0, host=1, size=10)]
    config = config_of(uid_maps=maps, gid_maps=maps)
    assert "user" in namespaces(config)
    assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": 1, "size": 10}]
    assert "uidMappings" not in config_of()["linux"]


def test_the_counters_of_throttled_cpus_are_masked_where_there_are_some(config_of: ConfigOf, tmp_path: Path) -> None:
    for name in ("cpu0/thermal_throttle", "cpu11/thermal_throttle", "cpu2", "cpuidle/thermal_throttle", "cpufreq"):
        (tmp_path / name).mkdir(parents=True)
    found = thermal_counters(str(tmp_path))
    assert found == [f"{tmp_path}/cpu0/thermal_throttle", f"{tmp_path}/cpu11/thermal_throttle"]
    host = {"thermal_counters": found}
    assert set(found) <= set(config_of(host=host)["linux"]["maskedPaths"])
    assert not set(found) & set(config_of(host=host, unmask=found)["linux"]["maskedPaths"])
    assert thermal_counters(str(tmp_path / "nosuch")) == []


def test_masked_and_read_only_paths_are_podmans(config_of: ConfigOf) -> None:
    linux = config_of()["linux"]
    assert {"/proc/kcore", "/proc/keys", "/sys/firmware", "/proc/interrupts"} <= set(linux["maskedPaths"])
    assert {"/proc/sys", "/proc/sysrq-trigger", "/proc/bus"} <= set(linux["readonlyPaths"])


def test_mask_and_unmask(config_of: ConfigOf) -> None:
    linux = config_of(mask=["/etc/shadow"], unmask=["/proc/kcore:/proc/s*"])["linux"]
    assert "/etc/shadow" in linux["maskedPaths"] and "/proc/kcore" not in linux["maskedPaths"]
    assert "/proc/scsi" not in linux["maskedPaths"] and "/proc/sys" not in linux["readonlyPaths"]
    linux = config_of(unmask=["ALL"])["linux"]
    assert linux["maskedPaths"] == linux["readonlyPaths"] == []


def test_sysctls_of_the_hosts_namespaces_are_refused(config_of: ConfigOf) -> None:
    conf = {"default_sysctls": ["net.ipv4.ping_group_range=0 0"]}
    assert config_of(conf=conf)["linux"]["sysctl"] == {"net.ipv4.ping_group_range": "0 0"}
    for mode in ("host", "container:x", "ns:/run/netns/x"):
        assert config_of(conf=conf, network=mode)["linux"]["sysctl"] == {}
    maps = [IdMapping(container=0, host=1, size=10)]
    assert config_of(conf=conf, uid_maps=maps, gid_maps=maps)["linux"]["sysctl"] == {}, "root there may not write it"
    assert config_of(conf=conf, userns="keep-id")["linux"]["sysctl"] == {}
    for name, fields in (
        ("net.core.somaxconn", {"network": "host"}),
        ("kernel.shmmax", {"ipc": "host"}),
        ("kernel.domainname", {"uts": "host"}),
    ):
        with pytest.raises(UsageError, match=f"sysctl {name}=1 can't be set"):
            config_of(sysctls={name: "1"}, **fields)


def test_limits_are_the_runtimes_resources(config_of: ConfigOf) -> None:
    asked = Resources(memory=64 << 20, memory_swap=-1, cpus=0.5, pids_limit=10, cpuset_cpus="0-1", blkio_weight=50)
    asked = asked.replace(device_read_iops=["/dev/null:5"], blkio_weight_device=["/dev/null:500"])
    assert config_of(resources=asked, context=DELEGATED, host=ALL)["linux"]["resources"] == {
        "memory": {"limit": 64 << 20, "swap": -1},
        "cpu": {"period": 100000, "quota": 50000, "cpus": "0-1"},
        "pids": {"limit": 10},
        "blockIO": {
            "weight": 50,
            "throttleReadIOPSDevice": [{"major": 1, "minor": 3, "rate": 5}],
            "weightDevice": [{"major": 1, "minor": 3, "weight": 500}],
        },
    }


def test_the_default_pids_limit_is_left_out_where_it_can_not_be_enforced(config_of: ConfigOf) -> None:
    assert config_of()["linux"]["resources"] == {}
    assert config_of(context=DELEGATED, host={"controllers": ["memory"]})["linux"]["resources"] == {}
    assert config_of(context=DELEGATED, host=ALL)["linux"]["resources"] == {"pids": {"limit": 2048}}
    unlimited = Resources(pids_limit=0)
    assert config_of(context=DELEGATED, host=ALL, resources=unlimited)["linux"]["resources"] == {}


@pytest.mark.parametrize(
    ("asked", "option", "controller"),
    [
        (Resources(memory=1 << 26), "--memory", "memory"),
        (Resources(pids_limit=5), "--pids-limit", "pids"),
        (Resources(cpus=1.0), "--cpus", "cpu"),
        (Resources(cpuset_cpus="0"), "--cpuset-cpus", "cpuset"),
        (Resources(blkio_weight=50), "--blkio-weight", "io"),
        (Resources(device_write_iops=["/dev/null:5"]), "--device-write-iops", "io"),
    ],
)
def test_a_limit_that_can_not_be_enforced_says_what_to_delegate(
    config_of: ConfigOf, asked: Resources, option: str, controller: str
) -> None:
    with pytest.raises(NotSupportedError, match=option) as caught:
        config_of(resources=asked)
    assert caught.value.hint == one_line(missing_controllers([controller]))
    others = {"controllers": [name for name in ALL["controllers"] if name != controller]}
    with pytest.raises(NotSupportedError, match=f"{option}.*{controller}"):
        config_of(resources=asked, context=DELEGATED, host=others)
    config_of(resources=asked, context=DELEGATED, host=ALL)


def test_the_seccomp_profile_is_spliced_into_the_text(config_of: ConfigOf) -> None:
    config = config_of()
    assert json.loads(oci.to_text(config, "")) == config
    whole = json.loads(oci.to_text(config, '{"defaultAction":"SCMP_ACT_ERRNO"}'))
    assert whole["linux"].pop("seccomp") == {"defaultAction": "SCMP_ACT_ERRNO"}
    assert whole == config
