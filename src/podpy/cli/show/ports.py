"""Published and exposed ports as `ps` prints them."""

from __future__ import annotations

from podpy.libpod.containers.ports import ANYWHERE, exposed_ports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def ports_text(published: list[dict[str, Any]], exposed: list[str]) -> str:
    """Return published ports, then exposed ones that aren't published: "0.0.0.0:8080->80/tcp, 443/tcp".

    `published` are PortMappings as dictionaries, `exposed` are texts such as "80/tcp" or "90-95/udp".
    """
    parts = [_published(port) for port in published]
    covered = {
        (port["container_port"] + place, port["protocol"]) for port in published for place in range(port["count"])
    }
    left = sorted({item for item in exposed_ports(exposed) if item not in covered}, key=lambda item: (item[1], item[0]))
    return ", ".join(parts + _runs(left))


def _published(port: dict[str, Any]) -> str:
    host, inside = port["host_port"], port["container_port"]
    address = port["host_ip"] or ANYWHERE
    if port["count"] > 1:
        last = port["count"] - 1
        return f"{address}:{host}-{host + last}->{inside}-{inside + last}/{port['protocol']}"
    return f"{address}:{host}->{inside}/{port['protocol']}"


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
