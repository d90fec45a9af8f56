"""What the database knows beside the rows: relations, one space of names."""

from __future__ import annotations

import os

import pytest

from podpy.errors import InUseError
from podpy.libpod.containers.table import ContainerRow, ContainerTable
from podpy.storage.database.database import Database
from tests.storage.stores import paths_under

WAL_HEADER, WAL_FRAME_HEADER, PAGE = 32, 24, 4096  # bytes (sqlite.org/fileformat2.html, 4.1)


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """An empty database."""
    return Database.open(paths_under(tmp_path_factory.mktemp("state")))


def row(character: str, name: str) -> ContainerRow:
    return ContainerRow(id=character * 64, name=name, spec="{}", created=1)


def test_a_pod_and_a_container_cant_have_one_name(database: Database) -> None:
    table = ContainerTable(database)
    database.execute("INSERT INTO names VALUES ('taken', 'pod', 'p')")
    assert table.name_owner("taken") == "p"
    with pytest.raises(InUseError):
        table.insert(row("a", "taken"))
    table.insert(row("a", "free"))
    with pytest.raises(InUseError):
        table.rename("a" * 64, "taken", "{}")
    assert [found.name for found in table.all()] == ["free"]


def test_a_name_is_free_when_its_container_is_gone(database: Database) -> None:
    table = ContainerTable(database)
    table.insert(row("a", "x"))
    table.delete("a" * 64)
    table.insert(row("b", "x"))
    assert table.name_owner("x") == "b" * 64


def test_who_joins_a_namespace_is_a_relation(database: Database) -> None:
    table = ContainerTable(database)
    table.insert(row("a", "owner"))
    table.insert(row("b", "joins"), [("network", "a" * 64), ("pid", "a" * 64)])
    assert table.dependents("a" * 64) == ["b" * 64]
    table.delete("b" * 64)
    assert table.dependents("a" * 64) == []


def test_a_change_of_state_writes_few_pages_however_long_specifications_are(database: Database) -> None:
    """The row, the index by status, the event, the index of events by time; one of them may be split."""
    table = ContainerTable(database)
    for number in range(100):
        identifier = f"{number:064x}"
        table.insert(ContainerRow(id=identifier, name=f"c{number}", spec=f'"{"x" * 3000}"', created=number))
    database.query("PRAGMA wal_checkpoint(TRUNCATE)")
    table.update(f"{50:064x}", "start", status="running", started=7)
    written = os.stat(f"{database.path}-wal").st_size
    assert (written - WAL_HEADER) // (WAL_FRAME_HEADER + PAGE) <= 6
    assert len(table.get(f"{50:064x}").spec) == 3002
