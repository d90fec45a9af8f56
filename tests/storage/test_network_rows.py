"""Rows of who is on which network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from podpy.libpod.containers.table import ContainerRow, ContainerTable
from podpy.storage.database.database import Database
from podpy.storage.network_rows import Address, Attached, NetworkRows
from tests.storage.stores import paths_under

A, B = "a" * 64, "b" * 64


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database.open(paths_under(tmp_path))
    table = ContainerTable(made)
    for number, container in enumerate((A, B)):
        table.insert(ContainerRow(id=container, name=container[:4], spec="{}", status="starting", created=number))
    yield made
    made.close()


def on(container: str, network: str, interface: str, *addresses: str) -> Attached:
    return Attached(
        container_id=container,
        network=network,
        interface=interface,
        mac="02:00:00:00:00:01",
        host_interface="veth1",
        addresses=[Address(address=address, subnet="10.1.0.0/24") for address in addresses],
    )


def test_networks_are_returned_in_the_order_of_their_interfaces(database: Database) -> None:
    rows = NetworkRows(database)
    for number in (10, 2, 0):
        rows.add(on(A, f"n{number}", f"eth{number}", f"10.1.{number}.2"), {})
    rows.add(on(B, "n2", "eth0", "fd00::9", "10.1.2.3"), {"10.1.0.0/24": "10.1.2.3"})
    assert [each.interface for each in rows.attached(A)] == ["eth0", "eth2", "eth10"]
    assert [each.container_id for each in rows.attached(network="n2")] == [A, B]
    assert [each.address for each in rows.attached(B)[0].addresses] == ["10.1.2.3", "fd00::9"]
    assert rows.taken("n2") == {"10.1.2.2": A, "10.1.2.3": B, "fd00::9": B}
    assert rows.last("n2") == {"10.1.0.0/24": "10.1.2.3"}


def test_a_containers_addresses_are_released_with_the_commit_of_its_end(database: Database) -> None:
    rows, table = NetworkRows(database), ContainerTable(database)
    for container, address in ((A, "10.1.0.2"), (B, "10.1.0.3")):
        rows.hold(container)
        rows.add(on(container, "n", "eth0", address), {"10.1.0.0/24": address})
    table.update(A, status="exited")
    assert rows.taken("n") == {"10.1.0.3": B} and rows.in_use()
    assert rows.last("n") == {"10.1.0.0/24": "10.1.0.3"}
    table.update(B, status="exited", stopped_by_user=2)  # for a restart
    assert rows.taken("n") == {"10.1.0.3": B}
    table.update(B, stopped_by_user=1)
    assert rows.give_back() == 3 and not rows.in_use()


def test_a_removed_container_leaves_nothing(database: Database) -> None:
    rows = NetworkRows(database)
    rows.add(on(A, "n", "eth0", "10.1.0.2"), {})
    rows.use(A, ["n", "m"])
    assert rows.users("n") == [A]
    rows.use(A, ["m"])
    assert rows.users("n") == [] and rows.users("m") == [A]
    ContainerTable(database).delete(A)
    assert not rows.in_use() and not rows.taken("n") and not rows.users("m")


def test_a_container_can_leave_one_network(database: Database) -> None:
    rows = NetworkRows(database)
    rows.add(on(A, "n", "eth0", "10.1.0.2"), {})
    rows.add(on(A, "m", "eth1", "10.2.0.2"), {})
    rows.detach(A, "n")
    assert [each.network for each in rows.attached(A)] == ["m"] and not rows.taken("n")
