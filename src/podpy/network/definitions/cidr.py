"""Addresses and subnets as numbers. `ipaddress` does the same and costs a start 4 ms; texts are as Go prints them."""

from __future__ import annotations

import _socket

from podpy.numbers import whole
from podpy.record import Record

_BITS = {4: 32, 6: 128}
_FAMILIES = {4: _socket.AF_INET, 6: _socket.AF_INET6}
_MAPPED = 0xFFFF << 32  # ::ffff:1.2.3.4 is 1.2.3.4, as Go's net.IP has it (RFC 4291, 2.5.5.2)


def parse_address(text: str) -> tuple[int, int]:
    """Return (4 or 6, the address as a number). Raises ValueError."""
    version = 6 if ":" in text else 4
    try:
        number = int.from_bytes(_socket.inet_pton(_FAMILIES[version], text), "big")
    except (OSError, ValueError):  # ValueError: a NUL in it
        raise ValueError(f'cannot parse "{text}" as an IP address') from None
    if version == 6 and number >> 32 == _MAPPED >> 32:
        return 4, number & 0xFFFFFFFF
    return version, number


def is_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address."""
    try:
        parse_address(text)
    except ValueError:
        return False
    return True


def address_text(version: int, number: int) -> str:
    """Return the shortest text of an address (RFC 5952)."""
    return _socket.inet_ntop(_FAMILIES[version], number.to_bytes(_BITS[version] // 8, "big"))


def normal_address(text: str) -> str:
    """Return an address in its shortest form. Raises ValueError."""
    return address_text(*parse_address(text))


class Prefix(Record):
    """A subnet: IP version, its first address as a number, and how many bits are the network's."""

    version: int
    first: int
    length: int

    @classmethod
    def parse(cls, text: str) -> Prefix:
        """Return the subnet that `text` (CIDR, also with a host's address) is in. Raises ValueError, in Go's words."""
        address, slash, bits = text.partition("/")
        try:
            version, number = parse_address(address)
        except ValueError:
            slash = ""
        length = whole(bits, _BITS[version]) if slash else None
        if length is None:
            raise ValueError(f"invalid CIDR address: {text}")
        host = _BITS[version] - length
        return cls(version=version, first=number >> host << host, length=length)

    @property
    def last(self) -> int:
        """The last address: IPv4's broadcast address."""
        return self.first + self.size - 1

    @property
    def size(self) -> int:
        """How many addresses it has."""
        return 1 << (_BITS[self.version] - self.length)

    @property
    def is_one_address(self) -> bool:
        """Whether it is a /32 or /128."""
        return self.length == _BITS[self.version]

    @property
    def is_multicast(self) -> bool:
        """Whether its addresses are those of groups (RFC 5771: 224.0.0.0/4, RFC 4291: ff00::/8)."""
        return self.first >> 28 == 0xE if self.version == 4 else self.first >> 120 == 0xFF

    def address(self, number: int) -> str:
        """Return the text of an address of this version."""
        return address_text(self.version, number)

    def __str__(self) -> str:
        return f"{self.address(self.first)}/{self.length}"

    def contains(self, address: str) -> bool:
        """Return whether an address is in it; a text that is none isn't."""
        try:
            version, number = parse_address(address)
        except ValueError:
            return False
        return version == self.version and self.first <= number <= self.last

    def overlaps(self, other: Prefix) -> bool:
        """Return whether the two share an address."""
        return self.version == other.version and self.first <= other.last and other.first <= self.last

    def following(self) -> Prefix:
        """Return the subnet of the same size behind it. Raises ValueError behind the last one."""
        if self.last + 1 >= 1 << _BITS[self.version]:
            raise ValueError("no more subnets left")
        return self.replace(first=self.last + 1)
