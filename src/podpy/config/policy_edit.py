"""Changing policy.json: `podpy image trust set`."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.config import policy
from podpy.config.rewriting import Rewriting
from podpy.errors import ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.config.paths import Paths

TYPES = ("accept", "reject", policy.SIGNED_BY, policy.SIGSTORE_SIGNED)
DEFAULT_SCOPE = "default"


def set_requirements(paths: Paths, scope: str, kind: str, keys: list[str], *, given: str = "") -> None:
    """Make policy.json demand `kind` (one of TYPES) of what `scope` names; `default` is everything else.

    Each of the key files is a requirement of its own: all must be satisfied. `given` is the file to change, else the
    one that counts for this user, but the distribution's stays: its content begins the user's own. Raises UsageError,
    ConfigError.
    """
    requirements = _requirements(kind, keys)
    _check_scope(scope)
    found = policy.find_file(paths.home, given)
    file = Rewriting(found if found not in ("", policy.VENDORS_FILE) else f"{paths.config_dirs[0]}/policy.json")
    try:
        with file:
            data = _text(_changed(_document(file.path if os.path.exists(file.path) else found), scope, requirements))
            policy.parse(data, file.path)
            file.replace(data, _mode(file.path))
    except OSError as error:
        raise ConfigError(
            f"{file.path}: {error.strerror}",
            hint="Change a copy of your own: podpy image trust set --signature-policy ~/.config/containers/policy.json",
        ) from None


def _requirements(kind: str, keys: list[str]) -> list[dict[str, str]]:
    if kind not in (*TYPES, policy.ACCEPT):
        choices = ", ".join(f"'{name}'" for name in TYPES)
        raise UsageError(f"invalid choice: {kind} (choose from {choices})")
    if kind in ("accept", policy.ACCEPT, policy.REJECT):
        if keys:
            raise UsageError(f"{len(keys)} public keys unexpectedly provided for trust type {kind}")
        return [{"type": policy.REJECT if kind == policy.REJECT else policy.ACCEPT}]
    if not keys:
        raise UsageError(
            f"at least one public key must be defined for type '{kind}'", hint="Name its file: --pubkeysfile FILE"
        )
    missing = next((key for key in keys if not os.path.exists(key)), "")
    if missing:
        raise UsageError(f"{missing}: no such file")
    extra = {"keyType": policy.GPG_KEYS} if kind == policy.SIGNED_BY else {}
    return [{"type": kind, **extra, "keyPath": os.path.abspath(key)} for key in keys]


def _check_scope(scope: str) -> None:
    # A transport decides what its scopes may be; this finds only slips of the keyboard.
    if not scope or not scope.isprintable() or " " in scope or "://" in scope:
        raise UsageError(f'invalid image uri: "{scope}"', hint="Name a registry, as quay.io/fedora, or: default")


def _document(path: str) -> dict[str, Any]:
    if not os.path.exists(path):
        return {}
    data = policy.read(path)
    policy.parse(data, path)  # a file that isn't understood is left alone
    document: dict[str, Any] = fastjson.loads_strict(data)
    return document


def _changed(document: dict[str, Any], scope: str, requirements: list[dict[str, str]]) -> dict[str, Any]:
    if scope == DEFAULT_SCOPE:
        return {**document, "default": requirements}
    if "default" not in document:
        raise ConfigError(
            "default trust policy must be set", hint="First, for example: podpy image trust set -t accept default"
        )
    transports = document.setdefault("transports", {})
    holder = next((scopes for scopes in transports.values() if scope in scopes), None)
    if holder is None:
        holder = transports.setdefault("docker", {})
    holder[scope] = requirements
    ordered = {name: dict(sorted(scopes.items())) for name, scopes in sorted(transports.items())}
    return {**document, "transports": ordered}


def _text(document: dict[str, Any]) -> bytes:
    import json

    return (json.dumps(document, indent=4, ensure_ascii=False) + "\n").encode()


def _mode(path: str) -> int:
    return os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644
