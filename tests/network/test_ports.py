"""What `-p` means."""

from __future__ import annotations

import socket

import pytest

from podpy.errors import InUseError, NetworkSetupError, NotSupportedError, PodpyError, UsageError
from podpy.network import ports
from podpy.spec.container import PortMapping
from podpy.spec.text.ports import parse_publish


def mapping(container: int, host: int = 0, ip: str = "", protocol: str = "tcp", count: int = 1) -> PortMapping:
    return PortMapping(container_port=container, host_port=host, host_ip=ip, protocol=protocol, count=count)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", mapping(80)),
        ("8080:80", mapping(80, 8080)),
        ("8080:80/tcp", mapping(80, 8080)),
        ("5353:53/udp", mapping(53, 5353, protocol="udp")),
        ("5353:53/UDP", mapping(53, 5353, protocol="udp")),
        ("127.0.0.1:8080:80", mapping(80, 8080, "127.0.0.1")),
        ("127.0.0.1::80", mapping(80, 0, "127.0.0.1")),
        (":8080:80", mapping(80, 8080)),
        (":80", mapping(80)),
        ("[::1]:8080:80", mapping(80, 8080, "::1")),
        ("[::1]::80/udp", mapping(80, 0, "::1", "udp")),
        ("[::1]:80", mapping(80, 0, "::1")),
        ("[127.0.0.1]:5001:80", mapping(80, 5001, "127.0.0.1")),
        ("0:80", mapping(80)),
        ("8000-8009:9000-9009", mapping(9000, 8000, count=10)),
        ("65535:65535", mapping(65535, 65535)),
        ("1-1:1-1", mapping(1, 1)),
    ],
)
def test_a_mapping(text: str, expected: PortMapping) -> None:
    assert parse_publish(text) == [expected]


def test_a_range_without_host_ports_is_one_ephemeral_port_for_each() -> None:
    assert parse_publish("90-92/udp") == [mapping(90 + i, protocol="udp") for i in range(3)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must provide a non-empty container port to publish"),
        ("80:", "must provide a non-empty container port to publish"),
        ("x", 'parsing container port: invalid port number: strconv.Atoi: parsing "x": invalid syntax'),
        ("80:x", 'parsing container port: invalid port number: strconv.Atoi: parsing "x": invalid syntax'),
        ("x:80", 'parsing host port: invalid port number: strconv.Atoi: parsing "x": invalid syntax'),
        ("80:-1", "parsing container port: port numbers cannot be negative"),
        ("-80", "parsing container port: port numbers cannot be negative"),
        ("\u0664:80", "parsing host port: invalid port number: strconv.Atoi: parsing"),
        ("80-\u0664", "parsing container port: invalid port number: strconv.Atoi: parsing"),
        ("80-", "parsing container port: must provide ending number for port range"),
        ("80-x", 'parsing container port: invalid port number: strconv.Atoi: parsing "x": invalid syntax'),
        ("1-2-3", "invalid port format - port ranges are formatted as startPort-stopPort"),
        ("0", "port numbers must be between 1 and 65535 (inclusive), got 0"),
        ("80:0", "parsing container port: port numbers must be between 1 and 65535 (inclusive), got 0"),
        ("65536:80", "parsing host port: port numbers must be between 1 and 65535 (inclusive), got 65536"),
        ("80:65536", "parsing container port: port numbers must be between 1 and 65535 (inclusive), got 65536"),
        ("81-80", "the end port of a range must be higher than the start port - 80 is not higher than 81"),
        ("1-3:1-4", "host and container port ranges have different lengths: 3 vs 4"),
        ("8000-8001:80", "host and container port ranges have different lengths: 2 vs 1"),
        ("1:2:3:4", "invalid port format - format is [[hostIP:]hostPort:]containerPort"),
        ("1.2.3:80:80", 'cannot parse "1.2.3" as an IP address'),
        ("::1:80:80", "invalid port format - format is [[hostIP:]hostPort:]containerPort"),
        ("[::1:80:80", "invalid port format - format is [[hostIP:]hostPort:]containerPort"),
        ("::1]:80:80", "invalid port format - IPv6 addresses must be enclosed by []"),
        ("[::1]80", "invalid port format - IPv6 address must be followed by a colon (':')"),
        ("[::1]x:80", "invalid port format - IPv6 address must be followed by a colon (':')"),
        ("[::1]:1:2:3", "invalid port format - when v6 address specified, must be [ipv6]:hostPort:ctrPort"),
        ("[::1]:[::2]:3", "invalid port format - at most one IPv6 address can be specified in a --publish"),
        ("[127.0.0]:80:80", 'cannot parse "127.0.0" as an IP address'),
        ("80:80/icmp", 'unrecognized protocol "icmp" in port mapping'),
        ("80:80/", "must provide a non-empty protocol to publish"),
        ("80:80/tcp/udp", "invalid port format - protocol can only be specified once"),
    ],
)
def test_nonsense_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_publish(text)
    assert why in str(caught.value)
    assert f"-p {text}" in str(caught.value)


def test_sctp_is_not_supported() -> None:
    with pytest.raises(NotSupportedError, match="sctp"):
        parse_publish("80:80/sctp")


def test_publish_all_leaves_out_what_is_published_already() -> None:
    found = ports.wanted([mapping(80, 8080)], True, ["80/tcp", "443", "53/udp"])
    assert found == [mapping(80, 8080), mapping(443), mapping(53, protocol="udp")]
    assert ports.wanted([mapping(80, 8080)], False, ["443"]) == [mapping(80, 8080)]


def test_ephemeral_ports_are_free_and_different() -> None:
    found = ports.resolve([mapping(1), mapping(2), mapping(3, protocol="udp")])
    assert all(port.host_port > 0 for port in found)
    assert found[0].host_port != found[1].host_port


def test_an_ephemeral_port_stays_the_same_at_the_next_start() -> None:
    first = ports.resolve([mapping(80)])
    assert ports.resolve([mapping(80)], before=first) == first


def test_a_taken_port_is_named_with_its_owner() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(InUseError) as caught:
            ports.resolve([mapping(80, number)])
    assert f"0.0.0.0:{number}/tcp: address already in use by pid" in str(caught.value)


def test_a_taken_udp_port_is_named_too() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        with pytest.raises(InUseError, match=f"{number}/udp"):
            ports.resolve([mapping(80, number, "127.0.0.1", "udp")])


@pytest.mark.parametrize("second", [mapping(2, 8080), mapping(2, 8080, "127.0.0.1"), mapping(2, 8079, count=3)])
def test_a_host_port_is_published_once(second: PortMapping) -> None:
    with pytest.raises(PodpyError, match="8080/tcp"):
        ports.resolve([mapping(1, 8080), second])


def test_an_address_that_this_host_lacks() -> None:
    with pytest.raises(NetworkSetupError, match=r"no address 203\.0\.113\.77"):
        ports.resolve([mapping(80, 18080, "203.0.113.77")])
