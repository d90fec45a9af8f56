"""Published and exposed ports of a container, one by one."""

from __future__ import annotations

from podpy import fastjson
from podpy.libpod.containers.table import ALIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podpy.libpod.containers.table import ContainerRow

ANYWHERE = "0.0.0.0"


def published(row: ContainerRow) -> Iterator[tuple[int, str, str]]:
    """Yield each published port of the container: its number, protocol, and "address:port" on the host.

    Only what runs has any: a port that the host chooses isn't known before.
    """
    if row.status not in ALIVE:
        return
    for port in fastjson.loads(row.ports):
        for place in range(port["count"]):
            address = port["host_ip"] or ANYWHERE  # an IPv6 one without brackets: Podman's form
            yield port["container_port"] + place, port["protocol"], f"{address}:{port['host_port'] + place}"


def exposed_ports(exposed: Sequence[str]) -> list[tuple[int, str]]:
    """Return each port, with its protocol, of texts such as "80/tcp" or "90-95/udp"."""
    found: list[tuple[int, str]] = []
    for text in exposed:
        numbers, _, protocol = text.partition("/")
        first, _, last = numbers.partition("-")
        if first.isdigit() and (last or first).isdigit():
            found.extend((port, protocol or "tcp") for port in range(int(first), int(last or first) + 1))
    return found


def protocols(exposed: Sequence[str]) -> dict[int, list[str]]:
    """Return the protocols of each exposed port."""
    found: dict[int, list[str]] = {}
    for port, protocol in exposed_ports(exposed):
        found.setdefault(port, []).append(protocol)
    return found
