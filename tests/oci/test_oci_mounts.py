"""`mounts` of config.json: what every container has, and what the options change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.errors import NotSupportedError
from podpy.oci.document.mounts import places
from podpy.oci.root.users import UserIds
from podpy.spec.container import ContainerSpec, Device, IdMapping, Mount
from tests.oci.conftest import ConfigOf, mount_at

EVERYWHERE = ["/proc", "/dev", "/sys", "/dev/pts", "/dev/mqueue", "/dev/shm", "/sys/fs/cgroup"]


def test_every_container_has_podmans_mounts(config_of: ConfigOf) -> None:
    config = config_of()
    assert sorted(mount["destination"] for mount in config["mounts"]) == sorted(EVERYWHERE)
    assert mount_at(config, "/proc")["options"] == ["nosuid", "noexec", "nodev"]
    assert mount_at(config, "/dev")["options"] == ["nosuid", "strictatime", "mode=755", "size=65536k"]
    assert "ro" in mount_at(config, "/sys")["options"] and mount_at(config, "/sys")["type"] == "sysfs"
    assert "ro" in mount_at(config, "/sys/fs/cgroup")["options"]
    assert "size=65536000" in mount_at(config, "/dev/shm")["options"]


def test_a_target_is_looked_up_in_the_image_where_a_tmpfs_may_meet_what_others_write(tmp_path: Path) -> None:
    """A link in the image may lead a tmpfs into a directory that the host, or another container, shares."""
    (tmp_path / "data").mkdir()
    (tmp_path / "tmp").symlink_to("/data")
    alone, beside = Mount(type="tmpfs", target="/tmp"), Mount(type="bind", source="/", target="/data")
    assert places(ContainerSpec(mounts=[alone]), os.fspath(tmp_path)) == {}
    for mount in (beside, Mount(type="volume", source="v", target="/data")):
        spec = ContainerSpec(mounts=[mount], read_only=True, read_only_tmpfs=True)
        found = places(spec, os.fspath(tmp_path))
        assert found["/tmp"] == found["/data"] == "/data"


def test_parents_are_mounted_before_their_children(config_of: ConfigOf) -> None:
    mounts = [
        Mount(type="tmpfs", target="/a/b/c"),
        Mount(type="tmpfs", target="/a"),
        Mount(type="tmpfs", target="/a/b"),
    ]
    order = [mount["destination"] for mount in config_of(mounts=mounts)["mounts"]]
    assert order.index("/a") < order.index("/a/b") < order.index("/a/b/c")
    assert order.index("/dev") < order.index("/dev/pts") and order.index("/sys") < order.index("/sys/fs/cgroup")


def test_the_group_of_terminals_is_named_only_where_it_is_mapped(config_of: ConfigOf) -> None:
    assert "gid=5" in mount_at(config_of(), "/dev/pts")["options"]
    assert "gid=5" not in mount_at(config_of(host={"gids": 1}), "/dev/pts")["options"]
    small = [IdMapping(container=0, host=0, size=1)]
    assert "gid=5" not in mount_at(config_of(uid_maps=small, gid_maps=small), "/dev/pts")["options"]


def test_with_the_hosts_network_sysfs_is_the_hosts_for_users(config_of: ConfigOf) -> None:
    config = config_of(network="host")
    sysfs = mount_at(config, "/sys")
    assert (sysfs["type"], sysfs["source"]) == ("bind", "/sys") and {"rbind", "ro"} <= set(sysfs["options"])
    assert "/sys/kernel" in config["linux"]["maskedPaths"]
    assert mount_at(config_of(network="host", host={"rootless": False}), "/sys")["type"] == "sysfs"


def test_with_the_hosts_processes_proc_is_the_hosts_for_users(config_of: ConfigOf) -> None:
    assert mount_at(config_of(pid="host"), "/proc")["type"] == "bind"
    assert mount_at(config_of(pid="host", host={"rootless": False}), "/proc")["type"] == "proc"


def test_with_the_hosts_ipc_queues_and_shared_memory_are_the_hosts(config_of: ConfigOf) -> None:
    config = config_of(ipc="host")
    assert mount_at(config, "/dev/shm")["source"] == "/dev/shm"
    queues = [mount["type"] for mount in config["mounts"] if mount["destination"] == "/dev/mqueue"]
    assert queues == (["bind"] if Path("/dev/mqueue").is_dir() else [])


def test_shared_memory_has_the_size_that_was_asked_for(config_of: ConfigOf) -> None:
    assert "size=1048576" in mount_at(config_of(shm_size=1 << 20), "/dev/shm")["options"]
    assert not [o for o in mount_at(config_of(shm_size=0), "/dev/shm")["options"] if o.startswith("size")]


def test_privileged_makes_sysfs_and_cgroups_writable_and_masks_nothing(config_of: ConfigOf) -> None:
    config = config_of(privileged=True)
    assert "rw" in mount_at(config, "/sys")["options"] and "rw" in mount_at(config, "/sys/fs/cgroup")["options"]
    assert config["linux"]["maskedPaths"] == config["linux"]["readonlyPaths"] == []


def test_read_only_leaves_tmp_and_run_writable_unless_told(config_of: ConfigOf) -> None:
    config = config_of(read_only=True)
    assert config["root"] == {"path": "/rootfs", "readonly": True}
    for target in ("/tmp", "/var/tmp", "/run"):
        assert "tmpcopyup" in mount_at(config, target)["options"]
    config = config_of(read_only=True, read_only_tmpfs=False)
    assert not [mount for mount in config["mounts"] if mount["destination"] == "/tmp"]
    assert "ro" in mount_at(config, "/dev")["options"] and "ro" in mount_at(config, "/dev/shm")["options"]


def test_a_mount_of_the_users_replaces_podpys(config_of: ConfigOf) -> None:
    config = config_of(
        mounts=[Mount(type="bind", source="/x", target="/etc/hosts"), Mount(type="tmpfs", target="/dev/shm")],
        context={"files": {"/etc/hosts": "/run/h", "/etc/hostname": "/run/n"}},
    )
    assert mount_at(config, "/etc/hosts")["source"] == "/x"
    assert mount_at(config, "/etc/hostname")["source"] == "/run/n"
    mount_at(config, "/dev/shm")
    own_dev = config_of(mounts=[Mount(type="bind", source="/dev", target="/dev")])
    assert not [mount for mount in own_dev["mounts"] if mount["destination"].startswith("/dev/")]


def test_podpys_files_are_read_only_in_a_read_only_container(config_of: ConfigOf) -> None:
    config = config_of(read_only=True, context={"files": {"/etc/hosts": "/run/h"}})
    assert {"ro", "nosuid", "noexec", "nodev"} <= set(mount_at(config, "/etc/hosts")["options"])


def test_a_bind_mount_is_recursive_and_private_unless_told(config_of: ConfigOf) -> None:
    def options(*words: str) -> set[str]:
        mount = Mount(type="bind", source="/nosuch", target="/d", options=list(words))
        return set(mount_at(config_of(mounts=[mount]), "/d")["options"])

    assert options() == {"rbind", "rprivate"}
    assert options("ro", "z", "U", "O", "nocopy") == {"ro", "rbind", "rprivate"}
    assert options("bind") == {"bind", "private"}
    assert options("rshared") == {"rbind", "rshared"}
    assert options("no-dereference") == {"copy-symlink", "rbind", "rprivate"}


def test_a_bind_mount_keeps_the_flags_that_its_source_has(config_of: ConfigOf) -> None:
    guards = {"nosuid", "nodev", "noexec"}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        source, flags = line.split()[1], set(line.split()[3].split(","))
        if source.startswith(("/dev", "/sys", "/proc")) and os.path.exists(source):
            mount = Mount(type="bind", source=source, target="/d")
            options = set(mount_at(config_of(mounts=[mount]), "/d")["options"])
            assert options & guards == flags & guards, line


def test_a_shared_mount_needs_a_shared_root(config_of: ConfigOf) -> None:
    shared = config_of(mounts=[Mount(type="bind", source="/a", target="/d", options=["rshared"])])
    assert shared["linux"]["rootfsPropagation"] == "shared"
    slave = config_of(mounts=[Mount(type="bind", source="/a", target="/d", options=["slave"])])
    assert slave["linux"]["rootfsPropagation"] == "slave"
    assert "rootfsPropagation" not in config_of()["linux"]


def test_a_volume_is_a_bind_mount_of_where_it_lies(config_of: ConfigOf) -> None:
    config = config_of(
        mounts=[Mount(type="volume", source="v", target="/d", options=["nodev"])],
        context={"sources": {"/d": "/vol/_data"}},
    )
    assert (mount_at(config, "/d")["type"], mount_at(config, "/d")["source"]) == ("bind", "/vol/_data")


def test_a_volume_has_no_devices_and_no_setuid_programs_unless_asked_for(config_of: ConfigOf) -> None:
    def options(*words: str) -> set[str]:
        mounts = [Mount(type="volume", source="v", target="/d", options=list(words))]
        return {*mount_at(config_of(mounts=mounts), "/d")["options"]} & {"nosuid", "nodev", "suid", "dev"}

    assert options() == {"nosuid", "nodev"}
    assert options("suid", "dev") == {"suid", "dev"}


def test_a_tmpfs_copies_what_the_image_has_unless_told(config_of: ConfigOf) -> None:
    def options(*words: str) -> list[str]:
        mounts = [Mount(type="tmpfs", target="/t", options=list(words))]
        config = config_of(mounts=mounts, context={"user": UserIds(uid=4, gid=5)})
        return list(mount_at(config, "/t")["options"])

    assert options("size=1m") == ["size=1m", "rprivate", "nosuid", "nodev", "tmpcopyup"]
    assert options("notmpcopyup") == ["rprivate", "nosuid", "nodev"]
    assert options("U", "suid") == ["suid", "uid=4", "gid=5", "rprivate", "nodev", "tmpcopyup"]


def test_idmap_is_refused(config_of: ConfigOf) -> None:
    with pytest.raises(NotSupportedError, match="idmap"):
        config_of(mounts=[Mount(type="bind", source="/a", target="/d", options=["idmap"])])


def test_devices_are_bind_mounts_for_users(config_of: ConfigOf) -> None:
    device = Device(host="/dev/fuse", container="/dev/f", permissions="r")
    mount = mount_at(config_of(context={"devices": [device]}), "/dev/f")
    assert mount["source"] == "/dev/fuse" and {"ro", "rbind", "nosuid", "noexec"} <= set(mount["options"])


def test_systemd_gets_its_tmpfs_mounts_and_a_writable_cgroup(config_of: ConfigOf) -> None:
    for fields in ({"command": ["/sbin/init"]}, {"command": ["/usr/lib/systemd/systemd"]}, {"systemd": "always"}):
        config = config_of(**fields)
        for target in ("/run", "/run/lock", "/tmp", "/var/log/journal"):
            assert mount_at(config, target)["type"] == "tmpfs"
        assert "rw" in mount_at(config, "/sys/fs/cgroup")["options"]
        assert "container_uuid=" + "0123456789abcdef" * 2 in config["process"]["env"]
    assert len(config_of(command=["/sbin/init"], systemd="false")["mounts"]) == len(EVERYWHERE)


def test_the_time_zone_is_the_hosts_file(config_of: ConfigOf) -> None:
    assert mount_at(config_of(timezone="Etc/UTC"), "/etc/localtime")["source"] == "/usr/share/zoneinfo/Etc/UTC"
