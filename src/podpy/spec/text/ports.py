"""`-p` → PortMapping (podman-run(1), --publish).

    [[IP:][HOSTPORT]:]CONTAINERPORT[/PROTOCOL]       each port may be a range FIRST-LAST

An IPv6 address stands in brackets; an IPv4 one may.
"""

from __future__ import annotations

from podpy.errors import EXIT_NOT_EXECUTABLE, NotSupportedError, UsageError
from podpy.numbers import whole
from podpy.spec.container import PortMapping

_PROTOCOLS = ("tcp", "udp")
_HIGHEST = 65535


def parse_publish(text: str) -> list[PortMapping]:
    """Return what one `-p` asks for. A host port of 0 is an ephemeral one, chosen at each start.

    Raises UsageError for what makes no sense, NotSupportedError for sctp.
    """
    rest, slash, protocol = text.partition("/")
    protocol = _protocol(protocol.lower() if slash else "tcp", text)
    host_ip, host, container = _split(rest, text)
    first, count = _range(container, text, "container port")
    if not host:
        return [
            PortMapping(container_port=first + i, host_port=0, host_ip=host_ip, protocol=protocol) for i in range(count)
        ]
    host_first, host_count = _range(host, text, "host port", lowest=0)
    if host_count != count:
        raise UsageError(f"-p {text}: host and container port ranges have different lengths: {host_count} vs {count}")
    return [
        PortMapping(container_port=first, host_port=host_first, host_ip=host_ip, protocol=protocol, count=count),
    ]


def _protocol(name: str, text: str) -> str:
    if name == "sctp":
        error = NotSupportedError(f"-p {text}: neither pasta nor slirp4netns can forward sctp")
        error.exit_code = EXIT_NOT_EXECUTABLE  # Podman's: there the start fails
        raise error
    if name not in _PROTOCOLS:
        raise UsageError(f'-p {text}: unknown protocol "{name}"', hint="It is tcp or udp")
    return name


def _split(rest: str, text: str) -> tuple[str, str, str]:
    """Return address, host port and container port as texts, empty where they weren't given."""
    if rest.startswith("["):
        address, bracket, after = rest[1:].partition("]")
        parts = after.split(":")
        if not bracket or parts[0] or len(parts) not in (2, 3):
            raise UsageError(f"-p {text}: malformed address", hint="[IPv6]:hostPort:containerPort")
        return _address(address, text), parts[1] if len(parts) == 3 else "", parts[-1]
    parts = rest.split(":")
    if len(parts) > 3:
        raise UsageError(
            "invalid port format - format is [[hostIP:]hostPort:]containerPort",
            hint=f"-p {text}: an IPv6 address is written in brackets: [::1]:80:80",
        )
    *before, container = parts
    if len(before) == 2:
        return _address(before[0], text) if before[0] else "", before[1], container
    return "", before[0] if before else "", container


def _address(address: str, text: str) -> str:
    import _socket as socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address)
    except OSError:
        raise UsageError(f'-p {text}: "{address}" is not an IP address') from None
    return address


def _range(part: str, text: str, what: str, *, lowest: int = 1) -> tuple[int, int]:
    first, dash, last = part.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()) or not part.isascii():
        raise UsageError(
            f'parsing {what}: invalid port number: strconv.Atoi: parsing "{part}": invalid syntax',
            hint=f"-p {text}: it is a number or a range",
        )
    low, high = whole(first, _HIGHEST), whole(last if dash else first, _HIGHEST)
    if low is None or high is None or low < lowest:
        raise UsageError(
            f"parsing {what}: port numbers must be between 1 and {_HIGHEST} (inclusive), got {part}", hint=f"-p {text}"
        )
    if high < low:
        raise UsageError(f"-p {text}: {what} {part}: the range's end is before its start")
    return low, high - low + 1
