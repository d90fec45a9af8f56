"""The texts of /etc/hosts and /etc/resolv.conf."""

from __future__ import annotations

import os

import pytest

from podpy.errors import UsageError
from podpy.network.names import Resolver, hosts, network_resolv_conf, own_names, resolv_conf


def test_hosts_of_a_plain_container() -> None:
    text = hosts(added=[], base="", host_address="192.0.2.2", own=[("10.0.2.100", ["abc", "web"])])
    assert text == (
        "127.0.0.1\tlocalhost\n::1\tlocalhost\n192.0.2.2\thost.containers.internal host.docker.internal\n"
        "10.0.2.100\tabc web\n"
    )


def test_own_names() -> None:
    identifier = "0123456789ab" * 5
    assert own_names("", "private", identifier, "web") == ["0123456789ab", "web"]
    assert own_names("web", "private", identifier, "web") == ["web"]
    assert own_names("", "host", identifier, "web") == [os.uname().nodename, "web"]
    assert own_names("", f"container:{identifier}", identifier, "web") == ["web"]


def test_added_hosts_come_first_and_win() -> None:
    text = hosts(added=["web:1.2.3.4", "a;b:::1"], base="", host_address="", own=[("10.0.2.100", ["web"])])
    assert text.startswith("1.2.3.4\tweb\n::1\ta b\n")
    assert "10.0.2.100" not in text


def test_the_base_file_loses_its_comments_and_keeps_its_names() -> None:
    text = hosts(added=[], base="# x\n127.0.0.1 localhost vm # here\n\n9.9.9.9\n", host_address="", own=[])
    assert text == "127.0.0.1\tlocalhost vm\n"


def test_host_gateway_is_the_host() -> None:
    assert "10.0.2.2\tdb\n" in hosts(added=["db:host-gateway"], base="", host_address="10.0.2.2", own=[])
    with pytest.raises(UsageError, match="no address"):
        hosts(added=["db:host-gateway"], base="", host_address="", own=[])


@pytest.mark.parametrize("text", ["db", "db:", ":1.2.3.4", "db:nowhere", "db:1.2.3"])
def test_a_malformed_added_host(text: str) -> None:
    with pytest.raises(UsageError, match="add-host"):
        hosts(added=[text], base="", host_address="", own=[])


HOST = """# made
search example.org
nameserver 192.0.2.53
nameserver 127.0.0.1
nameserver fe80::1%eth0
options ndots:2
"""


def conf(host: str = HOST, **changes: object) -> str:
    values: dict[str, object] = {"servers": [], "search": [], "options": [], **changes}
    return resolv_conf(Resolver(host), **values)  # type: ignore[arg-type]


def test_the_forwarder_comes_first_and_servers_of_the_host_alone_are_left_out() -> None:
    expected = "search example.org\nnameserver 10.0.2.3\nnameserver 192.0.2.53\noptions ndots:2\n"
    assert conf(forwarder="10.0.2.3") == expected


def test_asked_for_values_replace_the_hosts_each_for_itself() -> None:
    assert conf(servers=["9.9.9.9"], forwarder="10.0.2.3") == (
        "search example.org\nnameserver 9.9.9.9\noptions ndots:2\n"
    )
    assert "search a b\n" in conf(search=["a", "b"])
    assert "options rotate\n" in conf(options=["rotate"])
    assert "search" not in conf(search=["."])


def test_the_hosts_network_keeps_all_servers() -> None:
    assert "nameserver 127.0.0.1\n" in conf(own_namespace=False)


def test_a_host_without_name_servers() -> None:
    assert conf("", forwarder="10.0.2.3") == "nameserver 10.0.2.3\n"
    assert conf("") == ""


def network_conf(*gateways: str, **changes: list[str]) -> str:
    values = {"search": [], "options": [], **changes}
    return network_resolv_conf(Resolver(HOST), gateways=list(gateways), **values)


def test_user_networks_have_one_search_line_and_their_gateways_in_order() -> None:
    expected = "search dns.podman\nnameserver 10.89.1.1\nnameserver 10.89.0.1\noptions ndots:2\n"
    assert network_conf("10.89.1.1", "10.89.0.1", "10.89.1.1") == expected


def test_asked_for_values_replace_those_of_user_networks() -> None:
    assert network_conf("10.89.0.1", search=["foo.bar"], options=["ndots:3"]) == (
        "search foo.bar\nnameserver 10.89.0.1\noptions ndots:3\n"
    )
    assert "search" not in network_conf("10.89.0.1", search=["."])


def test_a_container_on_two_networks_has_a_line_for_each() -> None:
    own = [("10.89.0.5", ["abc", "web"]), ("10.89.1.3", ["abc", "web"])]
    text = hosts(added=[], base="", host_address="", own=own)
    assert text.endswith("10.89.0.5\tabc web\n10.89.1.3\tabc web\n")
