"""The driver `file` with encrypt=systemd-creds, against a service that speaks as systemd 257's does."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podpy.errors import StorageError, UsageError
from podpy.storage.secrets import system_credentials
from podpy.storage.secrets.drivers import find

ID = "0123456789abcdef012345678"
SERVICE = "io.systemd.Credentials."


class Service:
    """Answers calls as systemd does: a blob holds the name that it was made for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.calls: list[dict[str, Any]] = []
        self.answer: bytes | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(os.fspath(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                asked = b""
                while not asked.endswith(b"\0"):
                    asked += connection.recv(65536)
                connection.sendall(self._answer(json.loads(asked[:-1])) if self.answer is None else self.answer)

    def _answer(self, call: dict[str, Any]) -> bytes:
        self.calls.append(call)
        parameters, answer = call["parameters"], {}
        if call["method"] == SERVICE + "Encrypt":
            sealed = parameters["name"].encode() + base64.b64decode(parameters["data"])[::-1]
            answer = {"parameters": {"blob": base64.b64encode(sealed).decode()}}
        else:
            sealed = base64.b64decode(parameters["blob"])
            name = parameters["name"].encode()
            answer = {"error": SERVICE + "NameMismatch", "parameters": {}}
            if sealed.startswith(name):
                answer = {"parameters": {"data": base64.b64encode(sealed[len(name) :][::-1]).decode()}}
        return json.dumps(answer).encode() + b"\0"

    def close(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service at a place of its own."""
    made = Service(tmp_path / "service")
    monkeypatch.setattr(system_credentials, "SOCKET", os.fspath(made.path))
    yield made
    made.close()


def test_data_is_encrypted_for_its_id_and_decrypted_again(tmp_path: Path, service: Service) -> None:
    driver = find("file", {"path": f"{tmp_path}/kept", "encrypt": "systemd-creds"}, {})
    data = os.urandom(511_999)
    driver.store(ID, data)
    kept = tmp_path / "kept" / ID
    assert driver.lookup(ID) == data and data not in kept.read_bytes() and kept.stat().st_mode & 0o777 == 0o600
    assert [call["parameters"]["scope"] for call in service.calls] == ["user", "user"]
    os.rename(kept, tmp_path / "kept" / ID.replace("0", "1"))
    with pytest.raises(StorageError, match="NameMismatch"):
        driver.lookup(ID.replace("0", "1"))
    driver.delete(ID.replace("0", "1"))
    assert driver.ids() == []


@pytest.mark.parametrize(
    "answer", [b"", b"\0", b"[]\0", b'{"parameters": 7}\0', b'{"parameters": {"data": "\\u00e9"}}\0']
)
def test_an_invalid_answer_is_an_error(tmp_path: Path, service: Service, answer: bytes) -> None:
    driver = find("file", {"path": f"{tmp_path}/kept", "encrypt": "systemd-creds"}, {})
    driver.store(ID, b"data")
    service.answer = answer
    with pytest.raises(StorageError, match="decrypt the secret: systemd's credentials service"):
        driver.lookup(ID)
    with pytest.raises(StorageError, match="encrypt the secret: systemd's credentials service"):
        driver.store(ID, b"data")


def test_without_the_service_nothing_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_credentials, "SOCKET", f"{tmp_path}/none")
    driver = find("file", {"path": f"{tmp_path}/kept", "encrypt": "systemd-creds"}, {})
    with pytest.raises(StorageError, match=r"there is no .*: systemd 256 or newer has it"):
        driver.store(ID, b"data")
    assert driver.ids() == []
    with pytest.raises(UsageError, match="encrypt=rot13: invalid file driver option"):
        find("file", {"path": "/x", "encrypt": "rot13"}, {})
