"""An older database becomes a newer one with all that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from podpy.libpod.containers.table import ContainerTable
from podpy.storage.database import schema
from podpy.storage.database.database import FILE_NAME, Database
from podpy.storage.images import ImageTable
from tests.storage.stores import paths_under


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_containers_and_their_volumes_are_kept(tmp_path: Path, version: int) -> None:
    (tmp_path / "graph").mkdir()
    old = sqlite3.connect(tmp_path / "graph" / FILE_NAME, isolation_level=None)
    old.executescript("".join(schema.MIGRATIONS[:version]) + f"PRAGMA user_version={version};")
    spec = ("a" * 64, '{"expose":["80/tcp"]}')
    if version < 13:  # then specifications got a table of their own
        columns = "(id, name, created, status, exit_code, spec)"
        old.execute(f"INSERT INTO containers {columns} VALUES (?, 'c', 7, 'exited', 3, ?)", spec)
    else:
        columns = "(id, name, created, status, exit_code)"
        old.execute(f"INSERT INTO containers {columns} VALUES (?, 'c', 7, 'exited', 3)", spec[:1])
        old.execute("INSERT INTO container_specs VALUES (?, ?)", spec)
    if version > 1:
        old.execute("UPDATE containers SET exposed = '[\"80/tcp\"]'")
    old.execute("INSERT INTO volumes (name, created) VALUES ('v', 7)")
    old.execute("INSERT INTO container_volumes VALUES (?, 'v')", ("a" * 64,))
    old.close()

    database = Database.open(paths_under(tmp_path))
    row = ContainerTable(database).get("a" * 64)
    assert (row.name, row.created, row.exit_code, row.exposed) == ("c", 7, 3, '["80/tcp"]')
    assert database.query("SELECT * FROM container_volumes") == [("a" * 64, "v")]
    assert database.query("PRAGMA foreign_key_check") == []
    ContainerTable(database).delete("a" * 64)
    assert database.query("SELECT * FROM container_volumes") == []
    database.close()


@pytest.mark.parametrize(("more", "found"), [("1", [("sha256:diff", "sha256:blob")]), ("NaN", [])])
def test_a_migration_finds_layers_blobs_by_the_manifests(tmp_path: Path, more: str, found: list[str]) -> None:
    """NaN is JSON for Python, and so for the pull of a podpy of that time, but not for SQLite."""
    (tmp_path / "graph").mkdir()
    old = sqlite3.connect(tmp_path / "graph" / FILE_NAME, isolation_level=None)
    old.executescript("".join(schema.MIGRATIONS[:3]) + "PRAGMA user_version=3;")
    old.execute("INSERT INTO layers VALUES (1, 'sha256:chain', NULL, 'sha256:diff', 1, 1, 1)")
    old.execute("INSERT INTO blobs VALUES ('sha256:blob', 1, 1)")
    manifest = f'{{"layers":[{{"digest":"sha256:blob"}}],"more":{more}}}'.encode()
    old.execute("INSERT INTO images VALUES ('a', 'sha256:manifest', ?, x'7b7d', 1, 1)", (manifest,))
    old.execute("INSERT INTO image_layers VALUES ('a', 0, 'sha256:chain')")
    old.close()

    database = Database.open(paths_under(tmp_path))
    assert database.query("SELECT * FROM layer_blobs") == found
    database.close()


@pytest.mark.parametrize("version", range(1, 8))  # in the eighth they have got a table of their own
def test_images_keep_their_manifests(tmp_path: Path, version: int) -> None:
    (tmp_path / "graph").mkdir()
    old = sqlite3.connect(tmp_path / "graph" / FILE_NAME, isolation_level=None)
    old.executescript("".join(schema.MIGRATIONS[:version]) + f"PRAGMA user_version={version};")
    old.execute("INSERT INTO images VALUES (?, 'sha256:m', x'7b7d', x'7b7d', 1, 1)", ("a" * 64,))
    old.execute("INSERT INTO image_names VALUES ('localhost/x:1', ?)", ("a" * 64,))
    old.close()

    database = Database.open(paths_under(tmp_path))
    table = ImageTable(database)
    record = table.find("localhost/x@sha256:m")
    assert (record.manifest, record.digests, record.podman_digest) == (b"{}", ["sha256:m"], "sha256:m")
    assert [found.digests for found in (*table.all(), *table.summaries(digests=True))] == [["sha256:m"]] * 2
    database.execute("DELETE FROM images", ())
    assert database.query("SELECT * FROM image_manifests") == []
    database.close()


def test_a_new_database_and_a_migrated_one_have_the_same_schema(tmp_path: Path) -> None:
    layouts = []
    for version in (1, schema.VERSION):
        base = tmp_path / str(version)
        (base / "graph").mkdir(parents=True)
        if version == 1:
            old = sqlite3.connect(base / "graph" / FILE_NAME, isolation_level=None)
            old.executescript(schema.MIGRATIONS[0] + "PRAGMA user_version=1;")
            old.close()
        database = Database.open(paths_under(base))
        layouts.append(database.query("SELECT name, sql FROM sqlite_schema ORDER BY name"))
        database.close()
    assert layouts[0] == layouts[1]
