"""Definitions of networks: the files that Podman reads and writes, too."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from podpy.config.containers_conf import ContainersConf
from podpy.config.paths import Paths
from podpy.errors import AmbiguousNameError, ConfigError, NoSuchNetworkError
from podpy.network.definitions.folder import Folder, file_text, folder
from podpy.network.definitions.network import DEFAULT_ID, Network
from podpy.notice import sending_to

# As Podman 5.4.2 wrote them.
PODMAN1 = """{
     "name": "podman1",
     "id": "339433f66e74d25a44cf484ab8a088ffd6254ae9521c902b86018f72449e1afe",
     "driver": "bridge",
     "network_interface": "podman1",
     "created": "2026-12-01T08:44:49.289982284Z",
     "subnets": [
          {
               "subnet": "10.89.0.0/24",
               "gateway": "10.89.0.1"
          }
     ],
     "ipv6_enabled": false,
     "internal": false,
     "dns_enabled": true,
     "ipam_options": {
          "driver": "host-local"
     }
}
"""
FULL = """{
     "name": "full",
     "id": "8f3b433f66e74d25a44cf484ab8a088ffd6254ae9521c902b86018f72449e1af",
     "driver": "bridge",
     "network_interface": "podman3",
     "created": "2026-12-01T18:14:59.408539987+09:00",
     "subnets": [
          {
               "subnet": "10.5.0.0/24",
               "gateway": "10.5.0.1",
               "lease_range": {
                    "start_ip": "10.5.0.1",
                    "end_ip": "10.5.0.127"
               }
          },
          {
               "subnet": "fd00:1::/64",
               "gateway": "fd00:1::1"
          }
     ],
     "routes": [
          {
               "destination": "10.9.0.0/16",
               "gateway": "10.5.0.9",
               "metric": 100
          }
     ],
     "ipv6_enabled": true,
     "internal": false,
     "dns_enabled": true,
     "network_dns_servers": [
          "1.1.1.1"
     ],
     "labels": {
          "a": "b \\u003c c \\u0026 \\"d\\"",
          "ä": "ö"
     },
     "options": {
          "isolate": "true",
          "mtu": "1400"
     },
     "ipam_options": {
          "driver": "host-local"
     }
}
"""


@pytest.fixture
def networks(tmp_path: Path) -> Folder:
    """An empty directory of definitions."""
    (tmp_path / "networks").mkdir()
    return Folder(os.fspath(tmp_path / "networks"), ContainersConf())


def put(networks: Folder, text: str, name: str) -> Path:
    """Write a definition as somebody else would."""
    path = Path(networks.path, f"{name}.json")
    path.write_text(text)
    return path


@pytest.mark.parametrize(("name", "text"), [("podman1", PODMAN1), ("full", FULL)])
def test_a_file_of_podmans_is_written_again_byte_for_byte(networks: Folder, name: str, text: str) -> None:
    path = put(networks, text, name)
    network = networks.find(name)
    assert file_text(network) == text
    path.unlink()
    with networks.locked():
        networks.write(network)
    assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(os.listdir(networks.path)) == sorted([path.name, "netavark.lock"])


def test_what_a_file_says_is_what_the_network_has(networks: Folder) -> None:
    put(networks, FULL, "full")
    network = networks.find("full")
    assert (network.driver, network.interface, network.mtu, network.metric) == ("bridge", "podman3", 1400, 100)
    assert [subnet.gateway for subnet in network.subnets] == ["10.5.0.1", "fd00:1::1"]
    assert (network.subnets[0].range_start, network.subnets[0].range_end) == ("10.5.0.1", "10.5.0.127")
    assert network.routes[0].destination == "10.9.0.0/16"
    assert network.labels == {"a": 'b < c & "d"', "ä": "ö"}
    assert network.isolation == "true"
    assert Network(name="x", id="1").isolation == "strict"


def test_keys_that_podpy_does_not_know_stay(networks: Folder) -> None:
    text = PODMAN1.replace('"driver": "bridge",', '"driver": "bridge",\n"shape": {"z": [1], "a": null},', 1)
    put(networks, text.replace('"gateway"', '"color": "red", "gateway"'), "podman1")
    network = networks.find("podman1").replace(dns_servers=["9.9.9.9"])
    networks.write(network)
    again = networks.find("podman1")
    assert again == network
    assert again.other == {"shape": {"z": [1], "a": None}}
    assert again.subnets[0].other == {"color": "red"}


def test_a_network_has_a_name_an_id_and_the_beginning_of_an_id(networks: Folder) -> None:
    put(networks, PODMAN1, "podman1")
    put(networks, FULL.replace('"8f3', '"33f'), "full")
    assert networks.find("podman1").name == "podman1"
    assert networks.find("3394").name == "podman1"
    assert networks.find("2f259b").id == DEFAULT_ID
    with pytest.raises(AmbiguousNameError, match="more than one result for network ID 33"):
        networks.find("33")
    for missing in ("nosuch", "", "../networks/podman1", "339433f" + "0" * 57):
        with pytest.raises(NoSuchNetworkError, match=r"unable to find network with name or ID .*: network not found"):
            networks.find(missing)


def test_the_default_network_needs_no_file(networks: Folder) -> None:
    assert [network.name for network in networks.all()] == ["podman"]
    network = networks.find("podman")
    assert (network.id, network.interface, network.dns_enabled) == (DEFAULT_ID, "podman0", False)
    assert [(subnet.subnet, subnet.gateway) for subnet in network.subnets] == [("10.88.0.0/16", "10.88.0.1")]
    networks.write(network.replace(dns_enabled=True))
    assert networks.find("podman").dns_enabled


def test_containers_conf_names_another_default_network(networks: Folder) -> None:
    own = Folder(networks.path, ContainersConf({"default_network": "mine", "default_subnet": "10.200.7.0/24"}))
    assert [network.name for network in own.all()] == ["mine"]
    assert own.find("mine").subnets[0].gateway == "10.200.7.1"
    with pytest.raises(ConfigError, match="failed to parse default subnet: invalid CIDR address: nonsense"):
        Folder(networks.path, ContainersConf({"default_subnet": "nonsense"})).all()


def with_route(words: str) -> str:
    return PODMAN1.replace('"ipv6_enabled"', f'"routes": [{{"destination": "10.9.0.0/16", {words}}}], "ipv6_enabled"')


def test_numbers_that_are_too_big_are_left_to_the_kernel(networks: Folder) -> None:
    options = '"options": {"mtu": "9999999999", "metric": "9999999999", "vlan": "70000"}, "ipam_options"'
    put(networks, PODMAN1.replace('"ipam_options"', options), "podman1")
    found = networks.find("podman1")
    assert (found.mtu, found.metric, found.vlan) == (4294967295, 4294967295, 65535)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "it isn't a JSON object"),
        ("[" * 50_000, "not JSON" if sys.version_info >= (3, 14) else "nested too deeply"),  # json's own limits
        (PODMAN1.replace('"podman1"', '"other"'), 'it defines "other"'),
        (PODMAN1.replace("339433", ""), "invalid network ID"),
        (PODMAN1.replace("10.89.0.0/24", "10.89.0/24"), "invalid CIDR address: 10.89.0/24"),
        (PODMAN1.replace("10.89.0.1", "10.90.0.1"), "gateway 10.90.0.1 not in subnet 10.89.0.0/24"),
        (PODMAN1.replace("true", '"yes"'), "dns_enabled has the wrong type"),
        (PODMAN1.replace('face": "podman1"', 'face": "../x"'), "network_interface: interface name contains / or :"),
        (with_route('"gateway": "10.89.0"'), 'invalid route gateway "10.89.0"'),
        (with_route('"route_type": "throw"'), 'invalid route type "throw"'),
        (with_route('"gateway": "10.89.0.9", "metric": 4294967296'), "metric has the wrong type"),
    ],
)
def test_a_file_that_makes_no_sense_is_named_in_one_line(networks: Folder, wrong: str, reason: str) -> None:
    path = put(networks, wrong, "podman1")
    put(networks, FULL, "full")
    with pytest.raises(ConfigError) as caught:
        networks.find("podman1")
    assert os.fspath(path) in caught.value.message
    assert reason in caught.value.message
    assert "\n" not in str(caught.value)
    told: list[str] = []
    with sending_to(told.append):
        assert [network.name for network in networks.all()] == ["full", "podman"]
    assert told == [caught.value.message]


def test_a_fifo_of_the_name_is_not_waited_for(networks: Folder) -> None:
    os.mkfifo(f"{networks.path}/podman1.json")
    with pytest.raises(ConfigError, match=r"podman1\.json can't be understood: it isn't a regular file"):
        networks.find("podman1")
    with sending_to(lambda told: None):
        assert [network.name for network in networks.all()] == ["podman"]


def test_other_files_beside_the_definitions_do_not_matter(networks: Folder) -> None:
    put(networks, PODMAN1, "podman1")
    Path(networks.path, "podman1.json.new").write_text("half a")
    Path(networks.path, "notes.txt").write_text("x")
    Path(networks.path, "-odd name.json").write_text("x")
    assert [network.name for network in networks.all()] == ["podman", "podman1"]
    with networks.locked():
        networks.write(networks.find("podman1"))
    assert not Path(networks.path, "podman1.json.new").exists()


def test_the_lock_is_podmans(networks: Folder) -> None:
    """Podman takes it by fcntl(2) F_SETLKW on the whole file: another process can't while podpy has it."""
    try_it = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    path = f"{networks.path}/netavark.lock"
    command = [sys.executable, "-c", try_it, path]
    with networks.locked():
        assert b"BlockingIOError" in subprocess.run(command, capture_output=True).stderr
    assert subprocess.run(command, capture_output=True).returncode == 0
    held = os.open(path, os.O_RDWR)
    try:
        fcntl.lockf(held, fcntl.LOCK_EX)
        query = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
        other = os.open(path, os.O_RDWR)
        assert struct.unpack("hhqqi4x", fcntl.fcntl(other, fcntl.F_OFD_GETLK, query))[0] == fcntl.F_WRLCK
        os.close(other)
    finally:
        os.close(held)


@pytest.mark.parametrize(
    ("graphroot", "where"),
    [
        ("/home/u/.local/share/containers/podpy", "/home/u/.local/share/containers/storage/networks"),
        ("/data/containers/podpy", "/data/containers/storage/networks"),
        ("/var/lib/containers/podpy", "/etc/containers/networks"),
        ("/srv/other", "/srv/other/networks"),
    ],
)
def test_where_the_definitions_are(graphroot: str, where: str) -> None:
    paths = user_paths(graphroot)
    assert folder(paths, ContainersConf()).path == where
    assert folder(paths, ContainersConf({"network_config_dir": "/etc/nets/"})).path == "/etc/nets"


def user_paths(graphroot: str, config: str = "/nonexistent") -> Paths:
    """Return the directories of an ordinary user with this graph root and directory of configuration files."""
    return Paths(
        graphroot=graphroot,
        runroot="",
        rootless=True,
        uid=4242,
        gid=4242,
        home="/home/u",
        config_dirs=(config,),
        boot_id="",
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[storage]\ngraphroot = "$HOME/podman"\n', "/home/u/podman/networks"),
        ('[storage]\nrootless_storage_path = "/data/$UID"\n', "/data/4242/networks"),
        ('[storage]\n# graphroot = "/data"\ndriver = "overlay"\n', "/home/u/.local/share/containers/storage/networks"),
    ],
)
def test_podmans_own_directory_moves_with_its_store(tmp_path: Path, text: str, where: str) -> None:
    config = tmp_path / "containers"
    config.mkdir()
    (config / "storage.conf").write_text(text)
    paths = user_paths("/home/u/.local/share/containers/podpy", os.fspath(config))
    assert folder(paths, ContainersConf()).path == where
