"""`-p` → PortMapping (podman-run(1), --publish).

    [[IP:][HOSTPORT]:]CONTAINERPORT[/PROTOCOL]       each port may be a range FIRST-LAST

An IPv6 address needs brackets; an IPv4 address may have them.
"""

from __future__ import annotations

from podpy.errors import EXIT_NOT_EXECUTABLE, NotSupportedError, UsageError
from podpy.numbers import whole
from podpy.spec.container import PortMapping

_PROTOCOLS = ("tcp", "udp")
_HIGHEST = 65535


def parse_publish(text: str) -> list[PortMapping]:
    """Return the mappings of one `-p`. A host port of 0 is ephemeral: each start chooses one.

    Raises UsageError for an invalid text, in Podman's words, and NotSupportedError for sctp.
    """
    rest, *protocols = text.split("/")
    if len(protocols) > 1:
        raise _wrong("invalid port format - protocol can only be specified once", text)
    host_ip, host, container = _split(rest, text)
    if not container:
        raise _wrong("must provide a non-empty container port to publish", text)
    first, count = _range(container, text, "container port")
    protocol = _protocol(protocols[0].lower() if protocols else "tcp", text)
    if host_ip is not None:
        _check_address(host_ip, text)
    if not host:
        return [
            PortMapping(container_port=first + i, host_port=0, host_ip=host_ip or "", protocol=protocol)
            for i in range(count)
        ]
    host_first, host_count = _range(host, text, "host port", lowest=0)
    if host_count != count:
        raise _wrong(f"host and container port ranges have different lengths: {host_count} vs {count}", text)
    return [
        PortMapping(container_port=first, host_port=host_first, host_ip=host_ip or "", protocol=protocol, count=count)
    ]


def merged(ports: list[PortMapping]) -> list[PortMapping]:
    """Return the mappings with each port once, and neighbours as one range (80 to 8080, 81 to 8081), as Podman does."""
    made: list[PortMapping] = []
    for port in ports:
        last = made[-1] if made else None
        if port.host_port and port in made:
            continue
        if (
            last
            and last.host_port
            and port
            == last.replace(
                host_port=last.host_port + last.count, container_port=last.container_port + last.count, count=port.count
            )
        ):
            made[-1] = last.replace(count=last.count + port.count)
        else:
            made.append(port)
    return made


def _wrong(said: str, text: str) -> UsageError:
    return UsageError(said, hint=f"-p {text}: it is [[IP:][HOSTPORT]:]CONTAINERPORT[/PROTOCOL]")


def _protocol(name: str, text: str) -> str:
    if name == "sctp":
        error = NotSupportedError(
            f"-p {text}: sctp can't be forwarded: pasta, slirp4netns and podpy's forwarder know tcp and udp"
        )
        error.exit_code = EXIT_NOT_EXECUTABLE  # Podman's code: there the start fails
        raise error
    if not name:
        raise _wrong("must provide a non-empty protocol to publish", text)
    if name not in _PROTOCOLS:
        raise _wrong(f'unrecognized protocol "{name}" in port mapping', text)
    return name


def _split(rest: str, text: str) -> tuple[str | None, str, str]:
    """Return address (None: any), host port and container port as texts; a port that wasn't given is empty."""
    address, bracket, after = rest.partition("]")
    if not bracket:
        parts = rest.split(":")
        if len(parts) > 3:
            said = "invalid port format - format is [[hostIP:]hostPort:]containerPort"
            raise UsageError(said, hint=f"-p {text}: an IPv6 address is written in brackets: [::1]:80:80")
        *before, container = parts
        if len(before) == 2:
            return before[0] or None, before[1], container
        return None, before[0] if before else "", container
    if "]" in after:
        raise _wrong("invalid port format - at most one IPv6 address can be specified in a --publish", text)
    if not address.startswith("["):
        raise _wrong("invalid port format - IPv6 addresses must be enclosed by []", text)
    if not after.startswith(":"):
        raise _wrong("invalid port format - IPv6 address must be followed by a colon (':')", text)
    ports = after[1:].split(":")
    if len(ports) > 2:
        raise _wrong("invalid port format - when v6 address specified, must be [ipv6]:hostPort:ctrPort", text)
    return address[1:], ports[0] if len(ports) == 2 else "", ports[-1]


def _check_address(address: str, text: str) -> None:
    import _socket as socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address)
    except OSError:
        raise _wrong(f'cannot parse "{address}" as an IP address', text) from None


def _range(part: str, text: str, what: str, *, lowest: int = 1) -> tuple[int, int]:
    """Return the first port and the number of ports of "80" or "80-82"."""
    first, dash, last = part.partition("-")
    if not first or "-" in last or (dash and not last):
        said = "invalid port format - port ranges are formatted as startPort-stopPort"
        if "-" not in last:
            said = "must provide ending number for port range" if first else "port numbers cannot be negative"
        raise _wrong(f"parsing {what}: {said}", text)
    low = _port(first, text, what, lowest)
    high = _port(last, text, what, lowest) if dash else low
    if high < low:
        said = "the end port of a range must be higher than the start port"
        raise _wrong(f"parsing {what}: {said} - {high} is not higher than {low}", text)
    return low, high - low + 1


def _port(digits: str, text: str, what: str, lowest: int) -> int:
    if not (digits.isascii() and digits.isdigit()):
        raise _wrong(f'parsing {what}: invalid port number: strconv.Atoi: parsing "{digits}": invalid syntax', text)
    number = whole(digits, _HIGHEST)
    if number is None or number < lowest:
        said = f"port numbers must be between 1 and {_HIGHEST} (inclusive), got {digits}"
        raise _wrong(f"parsing {what}: {said}", text)
    return number
