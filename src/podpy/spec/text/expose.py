"""`--expose` and an image's EXPOSE (OCI image-spec, config.md, ExposedPorts)."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.numbers import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_HIGHEST_PORT = 65535
_MOST_NAMED, _MOST_SHOWN = 3, 40  # texts, and characters of each


def parse_expose(text: str) -> list[str]:
    """Return "80/tcp" for each port of "80", "80/udp", "80-82". Raises UsageError."""
    start, end, protocol = _parse(text)
    return [f"{number}/{protocol}" for number in range(start, end + 1)]


def _parse(text: str) -> tuple[int, int, str]:
    ports, _, protocol = text.partition("/")
    first, dash, last = ports.partition("-")
    protocol = (protocol or "tcp").lower()
    start, end = _port(first, text), _port(last if dash else first, text)
    if end < start:
        raise _wrong(text, f"Invalid range specified for the Port: {ports}")
    if protocol not in ("tcp", "udp", "sctp"):
        said = f'validating protocols for exposed port {start}: unrecognized protocol "{protocol}" in port mapping'
        raise UsageError(said, hint=f"--expose {text}: it is tcp or udp")
    return start, end, protocol


def _port(digits: str, text: str) -> int:
    number = whole(digits, _HIGHEST_PORT)
    if number:
        return number
    is_number = digits.isascii() and digits.isdigit()
    why = "value out of range" if is_number else "invalid syntax"
    raise _wrong(text, f'strconv.ParseUint: parsing "{digits}": {why}')


def _wrong(text: str, why: str) -> UsageError:
    return UsageError(
        f"invalid range format for --expose: {text}: {why}", hint="It is PORT[-PORT][/PROTOCOL], from 1 to 65535"
    )


def of_image(texts: Iterable[str]) -> list[str]:
    """Return an image's exposed ports as written ("80", "80/tcp", "90-95/udp"); warn of invalid ones and omit them."""
    ports: list[str] = []
    others: list[str] = []
    for text in texts:
        (ports if _is_port(text) else others).append(text)
    if others:
        from podpy.notice import warn

        shown = ", ".join(ascii(text[:_MOST_SHOWN]) for text in others[:_MOST_NAMED])
        warn(f"The image exposes what is no port, which is left out: {shown}{', …' if others[_MOST_NAMED:] else ''}")
    return ports


def _is_port(text: str) -> bool:
    try:
        _parse(text)
    except UsageError:
        return False
    return True
