"""Which container is on which network now, and with which addresses: rows of the database.

network_attachments  one row for each network that a container is on, from before its links are made until its end is
                     recorded. The one with the network "" says that its monitor holds the namespace of all bridges.
network_addresses    the addresses that are given
network_last         the address of each subnet that was given last: the next one comes after it, over removals, too

What a container is configured for is in its specification, and, to be looked up, in container_relations ("network-used"
and the network's name).
"""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.storage.database.database import Database

USED = "network-used"
"""The kind of relation between a container and the name of a network that it is configured for."""

HOLDER = ""
"""Stands for the name of a network in the row of a container whose monitor holds the namespace of all bridges."""

# STOPPED_FOR_RESTART: it starts again at once, with the same addresses.
_ENDED = "(SELECT id FROM containers WHERE status IN ('created', 'exited', 'removing') AND stopped_by_user != 2{one})"
_HALF = """SELECT container_id, network FROM network_attachments AS plugged WHERE network != '' AND NOT EXISTS
    (SELECT 1 FROM container_relations AS wanted WHERE wanted.container_id = plugged.container_id
    AND wanted.kind = ? AND wanted.target = plugged.network){one}"""
_TABLES = ("network_addresses", "network_attachments")


class Address(Record):
    """An address that a container has: without a length, and the subnet (CIDR) that it is in."""

    address: str
    subnet: str


class Attached(Record):
    """A container on a network: the interface in the container, its hardware address, the name of its other end."""

    container_id: str
    network: str
    interface: str
    mac: str
    host_interface: str
    addresses: list[Address] = []


class NetworkRows:
    """These tables. Changing methods belong into the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def attached(self, container_id: str = "", network: str = "") -> list[Attached]:
        """Return what is attached: a container's, or those of a network, or all; in the order of the interfaces."""
        where, values = ["network != ''"], []
        for column, value in (("container_id", container_id), ("network", network)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        condition = " AND ".join(where)
        rows = self._database.query(
            f"""SELECT container_id, network, interface, mac, host_interface FROM network_attachments
            WHERE {condition} ORDER BY container_id, length(interface), interface""",
            values,
        )
        given = self._database.query(
            f"SELECT container_id, network, address, subnet FROM network_addresses WHERE {condition}", values
        )
        addresses: dict[tuple[str, str], list[Address]] = {}
        for container, name, address, subnet in sorted(given, key=lambda row: ":" in row[2]):
            addresses.setdefault((container, name), []).append(Address(address=address, subnet=subnet))
        return [
            Attached(
                container_id=container,
                network=name,
                interface=interface,
                mac=mac,
                host_interface=host_interface,
                addresses=addresses.get((container, name), []),
            )
            for container, name, interface, mac, host_interface in rows
        ]

    def taken(self, network: str) -> dict[str, str]:
        """Return the given addresses of a network, and the ids of the containers that have them."""
        query = "SELECT address, container_id FROM network_addresses WHERE network = ?"
        return dict(self._database.query(query, (network,)))

    def last(self, network: str) -> dict[str, str]:
        """Return the address of each subnet (CIDR) that was given last."""
        query = "SELECT subnet, address FROM network_last WHERE network = ?"
        return dict(self._database.query(query, (network,)))

    def hold(self, container_id: str) -> None:
        """Note that a container's monitor is going to hold the namespace of all bridges."""
        self._attach(container_id, HOLDER, "", "", "")

    def add(self, attached: Attached, last: dict[str, str]) -> None:
        """Add a row and its addresses. `last`: the subnets whose next address comes after another one now."""
        network, container = attached.network, attached.container_id
        self._attach(container, network, attached.interface, attached.mac, attached.host_interface)
        for given in attached.addresses:
            values = (network, given.address, container, given.subnet)
            self._database.execute("INSERT INTO network_addresses VALUES (?, ?, ?, ?)", values)
        for subnet, address in last.items():
            self._database.execute("INSERT OR REPLACE INTO network_last VALUES (?, ?, ?)", (network, subnet, address))

    def _attach(self, *values: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO network_attachments VALUES (?, ?, ?, ?, ?)", values)

    def detach(self, container_id: str, network: str) -> None:
        """Give back what a container has of one network."""
        for table in _TABLES:
            query = f"DELETE FROM {table} WHERE container_id = ? AND network = ?"
            self._database.execute(query, (container_id, network))

    def give_back(self, container_id: str = "") -> int:
        """Give back all that an ended container has, or that all ended ones have; return how many rows those were."""
        ended = _ENDED.format(one=" AND id = ?" if container_id else "")
        values = (container_id,) if container_id else ()
        return sum(
            self._database.execute(f"DELETE FROM {table} WHERE container_id IN {ended}", values) for table in _TABLES
        )

    def has_ended(self) -> bool:
        """Return whether `give_back` finds something."""
        query = f"SELECT 1 FROM network_attachments WHERE container_id IN {_ENDED.format(one='')} LIMIT 1"
        return bool(self._database.query(query))

    def half(self, container_id: str = "") -> list[tuple[str, str]]:
        """Return (container's id, network's name) of the rows whose containers aren't configured for these networks: a
        killed call has left them. Of all containers, or of one.
        """
        query = _HALF.format(one=" AND plugged.container_id = ?" if container_id else "")
        values = (USED, container_id) if container_id else (USED,)
        return [(found, network) for found, network in self._database.query(query, values)]

    def take_back(self, container_id: str) -> list[Attached]:
        """Return what is attached of a container, and give it back."""
        query = "SELECT 1 FROM network_attachments WHERE container_id = ? LIMIT 1"
        if not self._database.query(query, (container_id,)):  # most starts are first ones
            return []
        found = self.attached(container_id)
        self.clear(container_id)
        return found

    def clear(self, container_id: str) -> None:
        """Give back all that a container has."""
        for table in _TABLES:
            self._database.execute(f"DELETE FROM {table} WHERE container_id = ?", (container_id,))

    def in_use(self, besides: str = "") -> bool:
        """Return whether a container, besides that one, is on a network, or is just getting there."""
        query = "SELECT 1 FROM network_attachments WHERE container_id != ? LIMIT 1"
        return bool(self._database.query(query, (besides,)))

    def networks(self) -> list[str]:
        """Return the names of the networks that containers are on."""
        query = "SELECT DISTINCT network FROM network_attachments WHERE network != ? ORDER BY network"
        return [name for (name,) in self._database.query(query, (HOLDER,))]

    def monitors(self) -> list[int]:
        """Return the pids of the monitors that may hold the namespace of all bridges."""
        query = """SELECT DISTINCT conmon_pid FROM containers JOIN network_attachments ON container_id = id
            WHERE conmon_pid > 0"""
        return [pid for (pid,) in self._database.query(query)]

    def uses(self) -> list[tuple[str, str]]:
        """Return (container's id, network's name) for each network that a container is configured for."""
        query = "SELECT container_id, target FROM container_relations WHERE kind = ?"
        return [(container_id, network) for container_id, network in self._database.query(query, (USED,))]

    def use(self, container_id: str, networks: Iterable[str]) -> None:
        """Note which networks a container is configured for now."""
        self._database.execute(
            "DELETE FROM container_relations WHERE container_id = ? AND kind = ?", (container_id, USED)
        )
        for network in set(networks):
            values = (container_id, USED, network)
            self._database.execute("INSERT INTO container_relations VALUES (?, ?, ?)", values)

    def users(self, network: str) -> list[str]:
        """Return the ids of the containers that are configured for a network."""
        query = "SELECT container_id FROM container_relations WHERE kind = ? AND target = ?"
        return [found for (found,) in self._database.query(query, (USED, network))]

    def forget(self, network: str) -> None:
        """Forget which addresses of a network were given last: it was removed."""
        self._database.execute("DELETE FROM network_last WHERE network = ?", (network,))
