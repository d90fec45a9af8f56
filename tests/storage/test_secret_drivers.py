"""Drivers of secrets that other Python packages bring (entry points)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.errors import StorageError, UsageError
from podpy.notice import sending_to
from podpy.storage.secrets import drivers
from podpy.storage.secrets.table import Secrets
from tests.storage.stores import own_store

MODULE = """
class Driver:
    kept = {}
    def __init__(self, options): self.options = options
    def ids(self): return list(self.kept)
    def lookup(self, secret_id): return self.kept[secret_id]
    def store(self, secret_id, data): self.kept[secret_id] = data
    def delete(self, secret_id): self.kept.pop(secret_id, None)
"""


def test_a_package_can_provide_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vaulted.py").write_text(MODULE)
    info = tmp_path / "vaulted-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vaulted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[podpy.secret_drivers]\nvault = vaulted:Driver\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    driver = drivers.find("vault", {"address": "https://vault.example.com"}, {})
    driver.store("0" * 25, b"x")
    assert (driver.ids(), driver.lookup("0" * 25)) == (["0" * 25], b"x")
    with pytest.raises(UsageError, match="invalid driver: 'other'"):
        drivers.find("other", {}, {})


def test_data_stays_when_the_call_is_interrupted_after_its_commit() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with own_store() as store:
        secrets = Secrets(store.paths, store.database, {})
        secrets.create("s", b"old")
        store.database.on_events = interrupt
        with pytest.raises(KeyboardInterrupt):
            secrets.create("s", b"new", replace=True)
        store.database.on_events = None
        assert secrets.data(secrets.find("s")) == b"new"


def test_a_secret_is_replaced_even_if_its_old_data_cannot_be_deleted(tmp_path: Path) -> None:
    commands = {"list": f"ls {tmp_path}", "lookup": f"cat {tmp_path}/$SECRET_ID", "delete": "false"}
    commands["store"] = f"cat > {tmp_path}/$SECRET_ID"
    with own_store() as store:
        secrets = Secrets(store.paths, store.database, {"PATH": os.environ["PATH"]})
        old = secrets.create("s", b"old", driver="shell", options=commands)
        told: list[str] = []
        with sending_to(told.append):
            new = secrets.create("s", b"new", driver="shell", options=commands, replace=True)
        assert secrets.data(secrets.find("s")) == b"new" and new.id != old.id
        assert old.id in told[0]
        with pytest.raises(StorageError, match="delete command"):
            secrets.remove("s")
        assert secrets.find("s") == new
