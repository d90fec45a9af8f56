"""Gives a container another name, which counts at once, also on the networks that a running one is on."""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import InUseError, UsageError
from podpy.libpod.containers import joined_hosts, names
from podpy.libpod.containers.table import ALIVE, INITIALIZED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held

_KNOWN = (*ALIVE, INITIALIZED)


def check(name: str) -> None:
    """Raise UsageError if this can't be a container's name."""
    if not names.is_valid_name(name):
        raise UsageError("names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument", hint=f"{name!r} doesn't")


def rename(container: Held, name: str) -> None:
    """Rename the container. Raises InUseError for a taken name.

    A call that is killed between the two steps leaves the old name on the networks until the next start or `podpy
    network reload`.
    """
    engine = container.engine
    with container.locked() as row:
        with engine.database.transaction():
            owner = engine.table.name_owner(name)
            if owner and owner != container.id:
                raise InUseError(f'the container name "{name}" is already in use by {owner}')
            spec = fastjson.dumps(container.spec.replace(name=name).as_dict())
            engine.table.rename(container.id, name, spec)
        container.row = row.replace(name=name, spec=spec)
        if row.status not in _KNOWN:
            return
        if container.spec.networks:
            from podpy.libpod.networks.connecting import tell_name

            tell_name(container, row.name)
        joined_hosts.rename(engine, container.row, row, fastjson.loads(spec))
