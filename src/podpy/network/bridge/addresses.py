"""Which addresses a container gets on a network: the next ones after those that were given last, as Podman chooses.

A subnet's next address comes after the last one that was given, even if that one is free again; at the end of the range
it goes on at its beginning. The gateway's and those of other containers are left out. The addresses are written down in
the same transaction as they are chosen (podpy.storage.network_rows), so no two containers get the same one.
"""

from __future__ import annotations

from podpy.errors import NetworkSetupError
from podpy.network.definitions.cidr import parse_address
from podpy.network.definitions.network import NO_IPAM
from podpy.record import Record
from podpy.storage.network_rows import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.network.definitions.network import Network, Subnet

_LOCAL_MAC = 0x02 << 40  # locally administered, of one device (IEEE 802)
_LARGE_PRIME = (1 << 40) - 87  # so that near addresses and equal parts of addresses have different remainders
_SMALLEST_WITH_BROADCAST = 4  # addresses of a subnet: a /31 has only hosts (RFC 3021)


class Chosen(Record):
    """The addresses, in the order of the network's subnets. `last`: the subnets whose next address comes after it."""

    addresses: list[Address]
    last: dict[str, str] = {}


def choose(network: Network, wanted: list[str], taken: Mapping[str, str], last: Mapping[str, str]) -> Chosen:
    """Return one address for each subnet: that of `wanted` which is in it, else the next free one.

    `taken`: the addresses of other containers, and their ids; `last`: the subnets' last ones. Raises NetworkSetupError,
    in Podman's words.
    """
    texts = check_subnets(network, wanted)
    subnets = _subnets(network)
    found, moved = [], {}
    for subnet in subnets:
        own = next((text for text in texts if subnet.prefix.contains(text)), "")
        if own:
            _check(own, subnet, network, taken)
        else:
            own = moved[subnet.subnet] = _next(subnet, taken, last.get(subnet.subnet, ""))
        found.append(Address(address=own, subnet=subnet.subnet))
    return Chosen(addresses=found, last=moved)


def check_subnets(network: Network, wanted: list[str]) -> list[str]:
    """Return the fixed addresses, in one form. Raises NetworkSetupError, in Podman's words, for one that is in none of
    the network's subnets.
    """
    texts = [_text(address) for address in wanted]
    for text in texts:
        if not any(subnet.prefix.contains(text) for subnet in _subnets(network)):
            raise NetworkSetupError(f"requested static ip {text} not in any subnet on network {network.name}")
    return texts


def _subnets(network: Network) -> list[Subnet]:
    return [] if network.ipam_driver == NO_IPAM else network.subnets


def mac_of(network: Network, given: list[Address]) -> str:
    """Return the hardware address of who has these addresses, "" without any: always the same one.

    The neighbours of a container that is replaced by another with its address still know the first one's hardware
    address, for 15 to 45 s (arp(7), base_reachable_time): they would speak to nobody.
    """
    if not given:
        return ""
    number = int.from_bytes(f"{network.id} {given[0].address}".encode(), "big")
    return (_LOCAL_MAC | number % _LARGE_PRIME).to_bytes(6, "big").hex(":")


def _text(address: str) -> str:
    """Return an address in the form in which it is compared. Raises NetworkSetupError."""
    from podpy.network.definitions.cidr import normal_address

    try:
        return normal_address(address)
    except ValueError as error:
        raise NetworkSetupError(str(error)) from None


def _check(address: str, subnet: Subnet, network: Network, taken: Mapping[str, str]) -> None:
    if address in taken:
        raise NetworkSetupError(
            f"IPAM error: requested ip address {address} is already allocated to container ID {taken[address]}"
        )
    if address == subnet.gateway:
        raise NetworkSetupError(
            f"IPAM error: requested ip address {address} is the gateway of network {network.name}",
            hint="Its bridge has it: choose another one",
        )
    number, first, last = parse_address(address)[1], subnet.prefix.first, subnet.prefix.last
    if subnet.prefix.size >= _SMALLEST_WITH_BROADCAST and (number == first or (number == last and ":" not in address)):
        what = "subnet's own address" if number == first else "broadcast address"
        raise NetworkSetupError(
            f"IPAM error: requested ip address {address} is the {what} of network {network.name}",
            hint=f"An address of {subnet.subnet} between the first and the last one",
        )


def _next(subnet: Subnet, taken: Mapping[str, str], last: str) -> str:
    """Return the next free address. Raises NetworkSetupError."""
    prefix = subnet.prefix
    first, end = prefix.first, prefix.last
    if prefix.size >= _SMALLEST_WITH_BROADCAST:
        first, end = first + 1, end - (prefix.version == 4)
    low = max(first, parse_address(subnet.range_start)[1]) if subnet.range_start else first
    high = min(end, parse_address(subnet.range_end)[1]) if subnet.range_end else end
    busy = {parse_address(address)[1] for address in taken if prefix.contains(address)}
    if subnet.gateway:
        busy.add(parse_address(subnet.gateway)[1])
    begin = parse_address(last)[1] + 1 if last else low
    if not low <= begin <= high:
        begin = low
    # One more than there are busy ones is enough: among so many in a row, one is free.
    for step in range(min(high - low + 1, len(busy) + 1)):
        number = low + (begin - low + step) % (high - low + 1)
        if number not in busy:
            return prefix.address(number)
    raise NetworkSetupError(
        f"IPAM error: failed to find free IP in range: {prefix.address(low)} - {prefix.address(high)}",
        hint="Remove containers, or make a network with a larger --subnet or --ip-range",
    )
