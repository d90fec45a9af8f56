"""Data encrypted for one user of one machine, by systemd's credentials service (systemd-creds(1), from systemd 256 on).

The service is asked by varlink: a JSON object and a NUL each way, base64 in it. It takes the caller's uid from the
socket, so it works without a session, and inside podpy's user namespace, where `systemd-creds --user` takes its own 0
for root's. The key is the machine's: in its TPM, or in /var/lib/systemd/credential.secret, which root alone can read.
"""

from __future__ import annotations

import os
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64

from podpy import fastjson
from podpy.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SOCKET = "/run/systemd/io.systemd.Credentials"
_SECONDS = 60  # a TPM takes its time
_MOST = 4 << 20  # bytes of an answer
_CHUNK = 1 << 16
_HINTS = {
    "io.systemd.Credentials.BadFormat": "It was encrypted on another machine, by another user, or it is damaged",
    "io.systemd.Credentials.NameMismatch": "It was encrypted for another secret's id",
}


def encrypt(secret_id: str, data: bytes) -> bytes:
    """Return data as only this user on this machine can decrypt it, under this id. Raises StorageError."""
    blob = _call("Encrypt", secret_id, data=b2a_base64(data, newline=False).decode()).get("blob")
    if not isinstance(blob, str) or not blob.isascii():
        raise StorageError("encrypt the secret: systemd's credentials service gave no blob")
    return blob.encode() + b"\n"


def decrypt(secret_id: str, blob: bytes) -> bytes:
    """Return the data. Raises StorageError, also for what another user, machine or id was meant by."""
    data = _call("Decrypt", secret_id, blob=blob.decode("ascii", "replace").strip()).get("data")
    try:
        return a2b_base64(data if isinstance(data, str) else "!", strict_mode=True)
    except (Base64Error, ValueError):
        raise StorageError("decrypt the secret: systemd's credentials service gave no data") from None


def _call(method: str, name: str, **parameters: str) -> dict[str, Any]:
    what = f"{method.lower()} the secret"
    # Never interactive: nobody may be there.
    asked = {"name": name, "scope": "user", **parameters}
    call = fastjson.dumps({"method": f"io.systemd.Credentials.{method}", "parameters": asked})
    try:
        answer = fastjson.loads(_exchange(call.encode()).decode())
    except FileNotFoundError:
        raise StorageError(
            f"{what}: there is no {SOCKET}: systemd 256 or newer has it",
            hint="Leave out encrypt=systemd-creds, or use the driver pass or shell: docs/secrets.md",
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it gave no answer that can be read"
        raise StorageError(f"{what}: systemd's credentials service: {why}") from None
    failed = str(answer.get("error", "")) if isinstance(answer, dict) else "no object"
    if failed:
        raise StorageError(f"{what}: systemd's credentials service: {failed}", hint=_HINTS.get(failed, ""))
    result = answer.get("parameters")
    return result if isinstance(result, dict) else {}


def _exchange(call: bytes) -> bytes:
    """Send one call, return its answer. Raises OSError, ValueError for one without an end."""
    import socket

    answer = bytearray()
    with socket.socket(socket.AF_UNIX) as service:
        service.settimeout(_SECONDS)
        service.connect(os.fsencode(SOCKET))
        service.sendall(call + b"\0")
        while not answer.endswith(b"\0"):
            part = service.recv(_CHUNK)
            if not part or len(answer) > _MOST:
                raise ValueError("no end")
            answer += part
    return bytes(answer[:-1])
