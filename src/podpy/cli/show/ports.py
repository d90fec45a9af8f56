"""Published and exposed ports as `ps` prints them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ANYWHERE = "0.0.0.0"


def ports_text(published: list[dict[str, Any]], exposed: list[str]) -> str:
    """Return published ports, then exposed ones that aren't published: "0.0.0.0:8080->80/tcp, 443/tcp".

    `published` are PortMappings as dictionaries, `exposed` are texts such as "80/tcp" or "90-95/udp".
    """
    parts = [_published(port) for port in published]
    covered = {
        (port["container_port"] + place, port["protocol"]) for port in published for place in range(port["count"])
    }
    left = sorted({item for item in _expanded(exposed) if item not in covered}, key=lambda item: (item[1], item[0]))
    return ", ".join(parts + _runs(left))


def _published(port: dict[str, Any]) -> str:
    host, inside = port["host_port"], port["container_port"]
    address = port["host_ip"] or _ANYWHERE
    if port["count"] > 1:
        last = port["count"] - 1
        return f"{address}:{host}-{host + last}->{inside}-{inside + last}/{port['protocol']}"
    return f"{address}:{host}->{inside}/{port['protocol']}"


def expanded(exposed: list[str]) -> dict[int, list[str]]:
    """Return the protocols of each exposed port."""
    found: dict[int, list[str]] = {}
    for port, protocol in _expanded(exposed):
        found.setdefault(port, []).append(protocol)
    return found


def _expanded(exposed: list[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for text in exposed:
        numbers, _, protocol = text.partition("/")
        first, _, last = numbers.partition("-")
        if first.isdigit() and (last or first).isdigit():
            found.extend((port, protocol or "tcp") for port in range(int(first), int(last or first) + 1))
    return found


def _runs(ports: list[tuple[int, str]]) -> list[str]:
    """Join neighbours: 80/tcp, 81/tcp → 80-81/tcp."""
    parts: list[str] = []
    place = 0
    while place < len(ports):
        first, protocol = ports[place]
        last = first
        while place + 1 < len(ports) and ports[place + 1] == (last + 1, protocol):
            place += 1
            last += 1
        parts.append(f"{first}-{last}/{protocol}" if last > first else f"{first}/{protocol}")
        place += 1
    return parts
