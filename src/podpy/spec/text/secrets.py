"""`--secret`: SECRET[,type=mount|env][,target=…][,uid=,gid=,mode=] (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.spec.container import SecretUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LAST_ID = 0xFFFFFFFE  # 4294967295 means "no change" to the kernel
_EVERY_BIT = 0o7777
_FIELDS = {"source": "name", "target": "target", "type": "type"}
_NUMBERS = {"uid": ("uid", "UID", 10), "gid": ("gid", "GID", 10), "mode": ("mode", "mode", 8)}
_EXAMPLE = "For example: --secret token,target=/etc/token,mode=0400"


def parse_secret(text: str) -> SecretUse:
    """Return the secret of one option. Raises UsageError in Podman's words."""
    name, *options = text.split(",")
    if not options:
        return SecretUse(name=_named(text, text))
    values: dict[str, Any] = {"name": name}
    if "=" in name:
        values, options = {"name": ""}, [name, *options]
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise _error(f"option {option} must be in form option=value")
        if key == "type" and "type" in values:
            raise _error("cannot set more than one secret type")
        if key == "type" and value not in ("mount", "env"):
            raise _error(f"type {value} is invalid")
        if key in _FIELDS:
            values[_FIELDS[key]] = value
        elif key in ("UID", "GID") or key in _NUMBERS:
            field, word, base = _NUMBERS[key.lower()]
            values[field] = _number(word, value, base)
        else:
            raise _error(f"option {option} invalid")
    _named(values["name"], text)
    if values.get("type") == "env" and set(values) & set(_NUMBERS):
        raise _error("UID, GID, Mode options cannot be set with secret type env")
    return SecretUse(**values)


def _named(name: str, text: str) -> str:
    if not name:
        raise _error(f"no source found {text}")
    return name


def _number(word: str, value: str, base: int) -> int:
    digits = "01234567" if base == 8 else "0123456789"
    number = int(value, base) if value and all(char in digits for char in value) else -1
    if not 0 <= number <= (_EVERY_BIT if word == "mode" else _LAST_ID):
        raise _error(f"{word} {value} invalid")
    return number


def _error(text: str) -> UsageError:
    return UsageError(f"{text}: parsing secret", hint=_EXAMPLE)
