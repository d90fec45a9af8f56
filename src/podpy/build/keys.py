"""Keys of the cache: a digest of everything that a step's result depends on, and of the step before it.

A key never has a time of a file, a secret's content, or where a file of the context lies on the host.
"""

from __future__ import annotations

from hashlib import sha256

from podpy import fastjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = "1"  # of how steps make layers: another one forgets all that is cached


def first(base: str, stamp: str) -> str:
    """Return the key of a stage's FROM. `base`: the image's id, a stage's last key, or "". `stamp`: see Clock."""
    return _digest(_VERSION, {"base": base, "stamp": stamp})


def following(key: str, inputs: Mapping[str, str]) -> str:
    """Return the key of a step after the one with `key`."""
    return _digest(key, inputs)


def _digest(before: str, inputs: Mapping[str, str]) -> str:
    return sha256(f"{before}\0{fastjson.dumps(dict(inputs))}".encode("utf-8", "surrogateescape")).hexdigest()


def differences(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """Return which inputs differ, in words."""
    found = []
    for name in [*now, *(name for name in before if name not in now)]:
        if now.get(name) == before.get(name):
            continue
        if name in _SHOWN:
            found.append(f"{name}: {before.get(name, '')!r} → {now.get(name, '')!r}")
        elif name not in before:
            found.append(f"{name} is new")
        elif name not in now:
            found.append(f"{name} is gone")
        else:
            found.append(f"{name} changed")
    return found


_SHOWN = ("text", "arguments", "directory")
