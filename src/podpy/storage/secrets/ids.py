"""Ids of secrets: 25 hexadecimal digits, as Podman's."""

from __future__ import annotations

from podpy.errors import NoSuchSecretError

ID_LENGTH = 25


def is_id(text: str) -> bool:
    """Return whether a text has the form of a secret's id."""
    return len(text) == ID_LENGTH and is_id_start(text)


def is_id_start(text: str) -> bool:
    """Return whether a text can be the beginning of a secret's id."""
    return 0 < len(text) <= ID_LENGTH and all(char in "0123456789abcdef" for char in text)


def no_data(secret_id: str) -> NoSuchSecretError:
    """Return the error of a driver that doesn't keep this id."""
    return NoSuchSecretError(f"{secret_id}: no such secret", hint="Its data is gone: podpy secret create --replace")
