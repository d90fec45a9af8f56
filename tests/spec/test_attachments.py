"""`--network` with names, and the options that belong to it."""

from __future__ import annotations

from typing import Any

import pytest

from podpy.errors import UsageError
from podpy.spec.container import Attachment, ContainerSpec
from podpy.spec.text.attachments import parse_mac, parse_networks, with_own


def test_networks_in_the_order_of_the_command_line() -> None:
    mode, networks = parse_networks(["web:ip=10.1.0.5,ip=fd00::5,alias=a,alias=b", "data:mac=0A-1b-2c-3d-4e-5f", "x"])
    assert mode == "bridge"
    assert networks == [
        Attachment(network="web", ips=["10.1.0.5", "fd00::5"], aliases=["a", "b"]),
        Attachment(network="data", mac="0a:1b:2c:3d:4e:5f"),
        Attachment(network="x"),
    ]


def test_bridge_is_the_default_network() -> None:
    assert parse_networks(["bridge"]) == ("bridge", [])
    assert parse_networks(["bridge:ip=10.88.0.9"]) == ("bridge", [Attachment(network="", ips=["10.88.0.9"])])
    named = Attachment(network="n", interface="net1", host_interface="v", options={"bogus": "1"})
    assert parse_networks(["bridge", "n:interface_name=net1,host_interface_name=v,bogus=1"])[1] == [named]


def test_a_network_named_twice_counts_once() -> None:
    assert parse_networks(["a", "b", "a:ip=10.1.0.2"])[1] == [
        Attachment(network="a", ips=["10.1.0.2"]),
        Attachment(network="b"),
    ]


@pytest.mark.parametrize(
    "values, message",
    [
        (["host", "n"], "cannot set multiple networks without bridge network mode, selected mode host: invalid arg"),
        (["", "n"], "without bridge network mode, selected mode private"),
        (["n", "host"], "can only set extra network names, selected mode host conflicts with bridge"),
        (["n", ":ip=10.1.1.1"], "network name cannot be empty"),
        (["n:ip=1.2.3"], 'invalid option for network n: invalid ip address "1.2.3"'),
        (["n:mac=1.2.3"], "invalid option for network n: address 1.2.3: invalid MAC address"),
        (["n:alias="], "invalid option for network n: alias cannot be empty"),
        (["n:alias=a b"], "network alias 'a b': no host name: invalid argument"),
        (["n:interface_name"], "interface_name cannot be empty"),
    ],
)
def test_conflicting_networks_are_refused_in_podmans_words(values: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_networks(values)
    assert message in caught.value.message


def test_single_options_belong_to_the_only_network() -> None:
    [own] = with_own("bridge", [Attachment(network="n")], ip="10.1.0.2", ip6="fd00::2", mac="02:00:00:00:00:01")
    assert own == Attachment(network="n", ips=["10.1.0.2", "fd00::2"], mac="02:00:00:00:00:01")
    both = with_own("bridge", [Attachment(network="a"), Attachment(network="b", aliases=["y"])], aliases=["x"])
    assert [each.aliases for each in both] == [["x"], ["y", "x"]]
    assert with_own("", [], ip="10.88.0.2") == [Attachment(network="", ips=["10.88.0.2"])]


@pytest.mark.parametrize(
    "mode, networks, given, message",
    [
        ("host", 1, {"ip": "10.1.1.1"}, "--ip can only be set when the network mode is bridge: invalid argument"),
        ("bridge", 2, {"ip6": "fd00::1"}, "--ip6 can only be set for a single network: invalid argument"),
        ("bridge", 2, {"mac": "02:00:00:00:00:01"}, "--mac-address can only be set for a single network"),
        ("pasta", 0, {"aliases": ["x"]}, "--network-alias can only be set when the network mode is bridge"),
        ("bridge", 1, {"ip": "1.2.3"}, '"1.2.3" is not an ip address'),
        ("bridge", 1, {"mac": "1"}, "address 1: invalid MAC address"),
        ("bridge", 1, {"aliases": ["a", "b,c"]}, "network alias 'b,c': no host name: invalid argument"),
        ("bridge", 1, {"aliases": ["a\nb"]}, "network alias 'a\\nb': no host name: invalid argument"),
    ],
)
def test_single_options_need_a_single_bridge_network(
    mode: str, networks: int, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        with_own(mode, [Attachment(network=str(number)) for number in range(networks)], **given)
    assert message in caught.value.message


def test_hardware_addresses_are_read_as_by_go() -> None:
    assert parse_mac("02-00-00-00-00-0A") == parse_mac("0200.0000.000a") == "02:00:00:00:00:0a"
    for wrong in ("02:00-00:00:00:01", "2:0:0:0:0:1", "02000000000a", "02:00:00:00:00:zz"):
        with pytest.raises(UsageError):
            parse_mac(wrong)


def test_networks_survive_the_database() -> None:
    spec = ContainerSpec(network="bridge", networks=[Attachment(network="n", ips=["10.1.0.2"])])
    assert ContainerSpec.from_dict(spec.as_dict()).networks == spec.networks
