"""Puts containers on networks and takes them off, also while they run; makes their networks anew.

A running container's rows tell where it is plugged in (podpy.storage.network_rows), its specification and its relations
where it is meant to be. To connect, it is plugged in before that is committed, and to disconnect it is plugged out
after it: so a row without its relation is what a killed call has left half, and `finish` takes it away.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import AlreadyError, NoSuchContainerError, NoSuchNetworkError, StateError, UsageError
from podpy.libpod.containers.held import Held, find
from podpy.libpod.containers.starting.networks import check_driver, named, with_interfaces
from podpy.libpod.containers.table import ALIVE, INITIALIZED, ContainerRow
from podpy.libpod.locks import BusyError
from podpy.network.bridge import conflicts, members, publishing, running
from podpy.network.bridge.members import Member, Who
from podpy.network.definitions.network import Network
from podpy.network.mode import BRIDGE
from podpy.spec.container import Attachment, PortMapping
from podpy.storage.database.events import tell
from podpy.storage.network_rows import Attached, NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec

_PLUGGED = (*ALIVE, INITIALIZED)


def connect(engine: Engine, network: str, container: str, wanted: Attachment) -> None:
    """Put a container on a network, now if it runs, and at its next starts. `wanted`: how; its name doesn't count.

    Raises NoSuchContainerError, NoSuchNetworkError, NotSupportedError (its driver), UsageError, AlreadyError, and as a
    start.
    """
    held = find(engine, container)
    _check_mode(held)
    found = check_driver(engine, engine.network_folder.find(network))
    with held.locked() as row:
        spec = held.spec
        if any(each.network == found.name for each in spec.networks):
            raise AlreadyError(
                f"container {row.id} is already connected to network {found.name}: network is already connected"
            )
        networks = with_interfaces([*spec.networks, named(wanted, found, engine.conf)])
        spec = spec.replace(networks=networks)
        if row.status not in _PLUGGED:
            _commit(held, spec, "connect", found.name)
            return
        try:
            _plug_in(engine, held, row, networks[-1], found)
            _commit(held, spec, "connect", found.name)
        except BaseException:
            _plug_out(engine, held, row, found.name, spec)
            raise


def disconnect(engine: Engine, network: str, container: str) -> None:
    """Take a container off a network, now if it runs, and for its next starts.

    Raises NoSuchContainerError, NoSuchNetworkError, UsageError (its mode), StateError (it isn't on it).
    """
    held = find(engine, container)
    _check_mode(held)
    with held.locked() as row:
        spec = held.spec
        name = network
        if all(each.network != name for each in spec.networks):  # else its file may have been removed by hand
            name = engine.network_folder.find(network).name
        kept = [each for each in spec.networks if each.network != name]
        if len(kept) == len(spec.networks):
            raise StateError(f"container {container} is not connected to network {name}")
        _commit(held, spec.replace(networks=kept), "disconnect", name)
        if row.status in _PLUGGED:
            _plug_out(engine, held, row, name, spec)


def reload(engine: Engine, container: str) -> str:
    """Make a running container's network anew, of whatever kind: devices, names, rights, ports; return its id.

    Raises NoSuchContainerError, StateError (it doesn't run), InUseError (a port), NetworkSetupError.
    """
    held = find(engine, container)
    with held.locked() as row:
        if row.status not in _PLUGGED:
            raise StateError(
                f"cannot reload network of container {row.id}: it is not running: container state improper",
                hint=f"Its next start finds the host as it is then: podpy start {row.name}",
            )
        if held.spec.network == BRIDGE:
            _reload(engine, held, row)
        else:
            from podpy.libpod.containers.starting.launch import context_of
            from podpy.network.reload import reload as reconnect

            reconnect(context_of(held), row.conmon_pid)
    return row.id


def _reload(engine: Engine, held: Held, row: ContainerRow) -> None:
    there = members_of(engine, held, held.spec)
    for member in there:  # before anything changes: a file may have been removed by hand
        engine.network_folder.named(member.network.name)
    now = _running(engine, held, row)
    for place, member in enumerate(there):
        running.plug_in(now, member, there[:place])
    publishing.restart_forwarder(now, there, now.ports)


def running_on(held: Held) -> tuple[running.Running, list[Member]]:
    """Return a running container, as podpy.network.bridge knows it, and where it is plugged in."""
    return _running(held.engine, held, held.row), members_of(held.engine, held, held.spec)


def tell_name(held: Held, before: str) -> None:
    """Make a running container's new name known on its networks instead of the one that it had before.

    The caller holds the container's lock. Raises OSError.
    """
    now = _running(held.engine, held, held.row)
    running.rename(now, members_of(held.engine, held, held.spec), before)


def finish(engine: Engine) -> list[str]:
    """Finish what killed calls have left half; return a line for each."""
    done = []
    rows = NetworkRows(engine.database)
    for container_id, network in rows.half():
        try:
            held = find(engine, container_id)
            with held.locked(wait=False) as row:
                if (container_id, network) in rows.half(container_id):
                    if row.status in _PLUGGED:
                        _plug_out(engine, held, row, network, held.spec)
                    else:
                        _detach(engine, container_id, network)
                    done.append(f"container {container_id[:12]}: was half connected to network {network}")
        except (BusyError, NoSuchContainerError):
            continue  # another call is at it
    return done


def _check_mode(held: Held) -> None:
    mode = held.spec.network
    if mode != BRIDGE:
        from podpy.libpod.containers.inspect_host import network_mode

        raise UsageError(
            f'"{network_mode(held)}" is not supported: invalid network mode',
            hint="Only containers that were made with --network bridge, or with networks, can be connected",
        )


def _plug_in(engine: Engine, held: Held, row: ContainerRow, attachment: Attachment, network: Network) -> None:
    rows = NetworkRows(engine.database)
    with engine.database.transaction():
        conflicts.refuse(network, rows, engine.network_folder)
        attached = members.give(rows, row.id, attachment, network)
    others = [member for member in members_of(engine, held, held.spec) if member.network.name != network.name]
    member = Member(attachment=attachment, network=network, attached=attached)
    running.plug_in(_running(engine, held, row), member, others)


def _plug_out(engine: Engine, held: Held, row: ContainerRow, name: str, spec: ContainerSpec) -> None:
    """Plug a running container out of a network. `spec`: one that tells how it is connected, if that was committed."""
    there = {each.network: each for each in NetworkRows(engine.database).attached(row.id)}
    if name in there:
        others = [member for member in members_of(engine, held, held.spec) if member.network.name != name]
        running.plug_out(_running(engine, held, row), _member(engine, spec, there[name]), others)
    _detach(engine, row.id, name)


def _detach(engine: Engine, container_id: str, network: str) -> None:
    with engine.database.transaction():
        NetworkRows(engine.database).detach(container_id, network)


def _commit(held: Held, spec: ContainerSpec, action: str, network: str) -> None:
    database = held.engine.database
    text = fastjson.dumps(spec.as_dict())
    with database.transaction():
        if action == "connect":  # from then on it can't be removed
            held.engine.network_folder.named(network)
        held.engine.table.update(held.id, spec=text)
        NetworkRows(database).use(held.id, (each.network for each in spec.networks))
        tell(database, "network", action, held.id, held.name, network=network)
    held.row = held.row.replace(spec=text)


def members_of(engine: Engine, held: Held, spec: ContainerSpec) -> list[Member]:
    """Return where a running container is plugged in; `spec` tells how."""
    return [_member(engine, spec, attached) for attached in NetworkRows(engine.database).attached(held.id)]


def _member(engine: Engine, spec: ContainerSpec, attached: Attached) -> Member:
    attachment = next((each for each in spec.networks if each.network == attached.network), None)
    try:
        network = engine.network_folder.named(attached.network)
    except NoSuchNetworkError:  # its file was removed by hand
        network = Network(name=attached.network, id="")
    return Member(attachment=attachment or Attachment(network=attached.network), network=network, attached=attached)


def _running(engine: Engine, held: Held, row: ContainerRow) -> running.Running:
    return running.Running(
        who=Who.of(row.id, row.name, held.spec),
        pid=row.pid,
        directory=engine.run_directory(row.id),
        paths=engine.paths,
        conf=engine.conf,
        database=engine.database,
        definitions=engine.network_folder,
        ports=_ports(row),
    )


def _ports(row: ContainerRow) -> list[PortMapping]:
    return [PortMapping(**port) for port in fastjson.loads(row.ports)]
