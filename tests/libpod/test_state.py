"""What the database knows beside the rows: relations, one space of names, events."""

from __future__ import annotations

import sqlite3

import pytest

from podpy.errors import InUseError
from podpy.libpod.containers.table import ContainerRow, ContainerTable
from podpy.storage.database.database import FILE_NAME, Database
from tests.storage.stores import paths_under
from tests.support.engine import Podpy


def actions(podpy: Podpy, kind: str = "container") -> list[str]:
    """Return the actions of the events of a kind, in order."""
    with sqlite3.connect(podpy.graphroot / FILE_NAME) as connection:
        found = connection.execute("SELECT action FROM events WHERE type = ? ORDER BY number", (kind,)).fetchall()
    return [action for (action,) in found]


def test_a_life_leaves_its_events_in_order(podpy: Podpy) -> None:
    podpy.ok("run", "--rm", "--network=none", "hello")
    assert actions(podpy) == ["create", "init", "start", "died", "remove"]


def test_events_of_what_was_done_to_a_container(podpy: Podpy) -> None:
    podpy.ok("create", "--name", "c", "--network=none", "hello")
    podpy.ok("rename", "c", "d")
    podpy.ok("init", "d")
    podpy.ok("start", "d")
    podpy.ok("wait", "d")
    podpy.ok("rm", "-f", "d")
    assert actions(podpy) == ["create", "rename", "init", "start", "died", "remove"]


def test_an_end_tells_its_code_image_and_labels(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--network=none", "--label", "a=b", "--name", "c", busybox, "sh", "-c", "exit 3").fails(3)
    with sqlite3.connect(podpy.graphroot / FILE_NAME) as connection:
        query = "SELECT name, json_extract(attributes, '$.containerExitCode', '$.image', '$.a') FROM events"
        assert connection.execute(f"{query} WHERE action = 'died'").fetchall() == [("c", f'["3","{busybox}","b"]')]


def test_events_of_images_and_volumes(podpy: Podpy, busybox: str) -> None:
    podpy.ok("tag", busybox, "other")
    podpy.ok("untag", busybox, "localhost/other:latest")
    podpy.ok("rmi", busybox)
    assert actions(podpy, "image") == ["tag", "untag", "untag", "remove"]
    podpy.ok("run", "--rm", "--network=none", "-v", "/anonymous", "hello")
    assert actions(podpy, "volume") == ["create", "remove"]
    podpy.ok("volume", "create", "--label", "a=b", "data")
    podpy.ok("volume", "rename", "data", "other")
    podpy.ok("volume", "prune", "--all", "--force")
    assert actions(podpy, "volume")[2:] == ["create", "rename", "remove", "prune"]
    with sqlite3.connect(podpy.graphroot / FILE_NAME) as connection:
        query = "SELECT name, attributes FROM events WHERE type = 'volume' AND action = 'prune'"
        assert connection.execute(query).fetchall() == [("other", '{"a":"b"}')]


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


def test_old_events_go(database: Database) -> None:
    database.execute("INSERT INTO events (number, time, type, action, id, name) VALUES (1, 1, 'x', 'x', 'x', 'x')")
    database.execute("INSERT INTO events (number, time, type, action, id, name) VALUES (101000, 1, 'x', 'x', 'x', 'x')")
    assert database.query("SELECT number FROM events") == [(101000,)]
