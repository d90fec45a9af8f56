"""Which addresses a container gets."""

from __future__ import annotations

import pytest

from podpy.errors import NetworkSetupError
from podpy.network.bridge.addresses import choose, mac_of
from podpy.network.definitions.network import Network, Subnet
from podpy.storage.network_rows import Address


def network(*subnets: Subnet, driver: str = "host-local") -> Network:
    return Network(name="n", id="0" * 64, subnets=list(subnets), ipam_options={"driver": driver})


USUAL = network(Subnet(subnet="10.89.0.0/24", gateway="10.89.0.1"))
SMALL = network(Subnet(subnet="10.1.3.0/30", gateway="10.1.3.1"))
BOTH = network(
    Subnet(subnet="10.5.0.0/24", gateway="10.5.0.1"), Subnet(subnet="fd00:1::/64", gateway="fd00:1::1")
)  # fmt: skip
RANGE = network(
    Subnet(subnet="10.1.2.0/24", gateway="10.1.2.254", range_start="10.1.2.129", range_end="10.1.2.255")
)  # fmt: skip


def given(on: Network, *wanted: str, taken: tuple[str, ...] = (), last: str = "") -> list[str]:
    chosen = choose(on, list(wanted), dict.fromkeys(taken, "c" * 64), {on.subnets[0].subnet: last} if last else {})
    return [address.address for address in chosen.addresses]


def test_the_next_one_after_the_last_even_if_that_is_free_again() -> None:
    assert given(USUAL) == ["10.89.0.2"]
    assert given(USUAL, last="10.89.0.9") == ["10.89.0.10"]
    assert given(USUAL, taken=("10.89.0.10", "10.89.0.11"), last="10.89.0.9") == ["10.89.0.12"]


def test_it_goes_on_at_the_beginning_without_gateway_and_broadcast() -> None:
    assert given(USUAL, last="10.89.0.253") == ["10.89.0.254"]
    assert given(USUAL, last="10.89.0.254") == ["10.89.0.2"]
    assert given(RANGE) == ["10.1.2.129"]
    assert given(RANGE, last="10.1.2.253") == ["10.1.2.129"]  # .254 is the gateway, .255 for all
    assert given(RANGE, last="10.1.2.7") == ["10.1.2.129"]  # of an earlier range


def test_each_subnet_has_its_own() -> None:
    chosen = choose(BOTH, [], {}, {"fd00:1::/64": "fd00:1::ff"})
    assert [(address.address, address.subnet) for address in chosen.addresses] == [
        ("10.5.0.2", "10.5.0.0/24"),
        ("fd00:1::100", "fd00:1::/64"),
    ]
    assert chosen.last == {"10.5.0.0/24": "10.5.0.2", "fd00:1::/64": "fd00:1::100"}


def test_a_wanted_one_doesnt_move_the_next_one_on() -> None:
    chosen = choose(BOTH, ["FD00:1:0::77"], {}, {})
    assert [address.address for address in chosen.addresses] == ["10.5.0.2", "fd00:1::77"]
    assert chosen.last == {"10.5.0.0/24": "10.5.0.2"}
    assert given(RANGE, "10.1.2.5") == ["10.1.2.5"]  # outside the range is fine


def test_subnets_of_one_and_two_addresses() -> None:
    assert given(network(Subnet(subnet="10.1.1.4/31", gateway="10.1.1.4"))) == ["10.1.1.5"]
    assert given(network(Subnet(subnet="10.1.1.4/32"))) == ["10.1.1.4"]
    assert given(SMALL) == ["10.1.3.2"]


def test_a_network_without_addresses_gives_none() -> None:
    assert choose(network(Subnet(subnet="10.1.1.0/24"), driver="none"), [], {}, {}).addresses == []
    assert choose(network(), [], {}, {}).addresses == []


@pytest.mark.parametrize(
    "on, wanted, taken, message",
    [
        (USUAL, ["10.9.2.5"], (), "requested static ip 10.9.2.5 not in any subnet on network n"),
        (
            USUAL,
            ["10.89.0.9"],
            ("10.89.0.9",),
            f"IPAM error: requested ip address 10.89.0.9 is already allocated to container ID {'c' * 64}",
        ),
        (SMALL, [], ("10.1.3.2",), "IPAM error: failed to find free IP in range: 10.1.3.1 - 10.1.3.2"),
        (USUAL, ["10.89.0.1"], (), "IPAM error: requested ip address 10.89.0.1 is the gateway of network n"),
    ],
)
def test_errors_in_podmans_words(on: Network, wanted: list[str], taken: tuple[str, ...], message: str) -> None:
    with pytest.raises(NetworkSetupError) as caught:
        given(on, *wanted, taken=taken)
    assert caught.value.message == message


def test_a_full_range_of_ipv6_is_found_at_once() -> None:
    full = network(Subnet(subnet="fd00::/64", gateway="fd00::1", range_start="fd00::10", range_end="fd00::11"))
    assert given(full, taken=("fd00::10",)) == ["fd00::11"]
    with pytest.raises(NetworkSetupError, match="fd00::10 - fd00::11"):
        given(full, taken=("fd00::10", "fd00::11"))


def test_an_address_has_always_the_same_hardware_address_and_no_other_one_has_it() -> None:
    def mac(number: int, network_id: str) -> str:
        network = Network(name="net", id=network_id, interface="podman1")
        return mac_of(network, [Address(address=f"fd00::{number:x}", subnet="fd00::/64")])

    macs = [mac(number, network_id) for number in range(2000) for network_id in ("a" * 64, "a" * 63 + "b")]
    assert len(set(macs)) == 4000 and {each[:3] for each in macs} == {"02:"}
    assert mac(7, "a" * 64) == macs[14]
    assert mac_of(Network(name="net", id="a" * 64, interface="podman1"), []) == ""
