"""Which networks containers of Podman's use: podpy and Podman share a user's definitions, but not their containers.

Podman's database isn't read as one: it has two formats, of which SQLite's may not be opened without making files beside
it, and BoltDB's is Go's. Its bytes are searched for what both write for a container's network, {"NAME":{…}} in the
container's JSON and NAME{…} in a bucket. What was deleted there may still be found: then a network is kept that
`network rm` removes.
"""

from __future__ import annotations

import os

from podpy.config.storage_conf import graphroot_of_podman

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.libpod.engine import Engine

_DATABASES = ("db.sql", "db.sql-wal", "libpod/bolt_state.db")


def used(engine: Engine, names: Iterable[str]) -> set[str]:
    """Return those of these networks that a container of Podman's is on, or was; none where Podman has other files.

    Raises ConfigError (storage.conf).
    """
    if engine.network_folder.path.startswith(engine.paths.graphroot + "/"):
        return set()
    graphroot = graphroot_of_podman(engine.paths, engine.caller.environ)
    found: set[str] = set()
    for name in _DATABASES:
        found |= _mentioned(os.path.join(graphroot, name), [name for name in names if name not in found])
    return found


def _mentioned(path: str, names: list[str]) -> set[str]:
    import mmap

    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return {name for name in names if any(content.find(text) >= 0 for text in _forms(name))}
    except (OSError, ValueError):  # there is none, or it is empty
        return set()


def _forms(name: str) -> tuple[bytes, ...]:
    return f'"{name}":{{'.encode(), f'"name":"{name}"'.encode(), f'{name}{{"'.encode()
