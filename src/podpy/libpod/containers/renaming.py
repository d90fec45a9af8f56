"""Gives a container another name, which counts at once, also on the networks that a running one is on."""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import InUseError, NoSuchContainerError, UsageError
from podpy.libpod.containers import joined_hosts, names
from podpy.libpod.containers.held import find
from podpy.libpod.containers.table import ALIVE, INITIALIZED
from podpy.libpod.locks import BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine

_KNOWN = (*ALIVE, INITIALIZED)


def check(name: str) -> None:
    """Raise UsageError if this can't be a container's name."""
    if not names.is_valid_name(name):
        raise UsageError("names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument", hint=f"{name!r} doesn't")


def rename(container: Held, name: str) -> None:
    """Rename the container. Raises InUseError for a taken name.

    A call that is killed between the two steps leaves the old name on the networks: the next one finishes that.
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
        _tell(container, row)


def finish_renames(engine: Engine, former: dict[str, str]) -> list[str]:
    """Finish what killed calls have left; return a line for each. `former`: ids and names that the networks know."""
    done = []
    for container_id, name in former.items():
        try:
            container = find(engine, container_id)
            with container.locked(wait=False) as row:
                if row.name != name:
                    _tell(container, row.replace(name=name))
                    done.append(f"container {container_id[:12]}: its networks knew it as {name}")
        except (BusyError, NoSuchContainerError):
            continue  # another call is at it
    return done


def _tell(container: Held, before: ContainerRow) -> None:
    """Make the new name known where the container is known. `before`: its row with the name that it had."""
    if before.status not in _KNOWN:
        return
    if container.spec.networks:
        from podpy.libpod.networks.connecting import tell_name

        tell_name(container, before.name)
    joined_hosts.rename(container.engine, container.row, before, fastjson.loads(container.row.spec))
