"""Rows of containers for lists: settled, filtered and sorted."""

from __future__ import annotations

from podpy.go.units import ago, human_duration
from podpy.libpod.containers.ending.settle import settle
from podpy.libpod.containers.table import (
    BUSY,
    EXITED,
    INITIALIZED,
    RESTARTING,
    RUNNING,
    STARTING,
    STOPPING,
    ContainerRow,
    shown_status,
)
from podpy.monitor.files import health_states
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.libpod.containers.table import Line
    from podpy.libpod.engine import Engine

_SECOND = 1_000_000_000
_MAY_HAVE_CHANGED = (*BUSY, INITIALIZED)


def true_rows(engine: Engine, rows: list[ContainerRow] | None = None) -> list[ContainerRow]:
    """Return all containers' rows (or those given) with their true state, oldest first."""
    found = engine.table.all() if rows is None else rows
    return [_true(engine, row) if row.status in _MAY_HAVE_CHANGED else row for row in found]


def _true(engine: Engine, row: ContainerRow) -> ContainerRow:
    """Return the settled row, for a list: a container that its restart policy starts just now is restarting."""
    settled = settle(engine, row)
    if settled.status != STARTING:
        return settled
    return settled.replace(status=RESTARTING) if engine.table.restarts_of(row.id) else settled


def true_lines(engine: Engine) -> list[Line]:
    """Return a line of `ps` for each container, oldest first; states are compared with the processes."""
    seen = {line[0]: line for line in engine.table.lines()}
    unsure = [identifier for identifier, line in seen.items() if line[5] in _MAY_HAVE_CHANGED]
    if unsure:
        true = {row.id: row.line() for row in true_rows(engine, engine.table.summaries_of(unsure))}
        seen.update(true)
        for identifier in set(unsure).difference(true):  # removed meanwhile
            del seen[identifier]
    for identifier, ports in shared_ports(engine).items():
        if identifier in seen:
            line = seen[identifier]
            seen[identifier] = (*line[:9], ports, line[10])
    return [*seen.values()]


def shared_ports(engine: Engine) -> dict[str, str]:
    """Return, by the ids of containers that join another one's network, the ports that are published for it, as JSON.

    Whoever is reached there is reached by these: members of a pod by its infra container's.
    """
    joined = engine.table.joined_ports()
    return {joining: _at_the_end(joined, owner, ports) for joining, (owner, ports) in joined.items()}


def _at_the_end(joined: dict[str, tuple[str, str]], owner: str, ports: str) -> str:
    """Return the ports of the one that has the network: an owner may itself join another one's."""
    for _ in joined:
        if owner not in joined:
            break
        owner, ports = joined[owner]
    return ports


def with_shared_ports(engine: Engine, rows: list[ContainerRow]) -> list[ContainerRow]:
    """Return the rows; those of containers that join another one's network with that one's ports."""
    shared = shared_ports(engine)
    return [row.replace(ports=shared[row.id]) if row.id in shared else row for row in rows] if shared else rows


class Listing(Record):
    """Sorted rows. `sizes`: by id, the bytes of the container's own layer, and of that with its image."""

    rows: list[ContainerRow]
    sizes: dict[str, tuple[int, int]] | None = None
    health: dict[str, str] = {}  # by id: monitor.files.health_states
    pods: dict[str, str] = {}  # the names of the pods, by their ids; only `whole`, and if there are any


_KEYS: dict[str, Callable[[ContainerRow], object]] = {
    "command": lambda row: row.command,
    "created": lambda row: row.created,
    "id": lambda row: row.id,
    "image": lambda row: row.image_name,
    "names": lambda row: row.name,
    "runningfor": lambda row: row.started,
    "status": lambda row: shown_status(row.status, row.started),
    "size": lambda row: row.created,
}


def listing(
    engine: Engine,
    filters: Sequence[str] = (),
    *,
    all: bool = False,
    last: int = 0,
    sort: str = "created",
    size: bool = False,
    whole: bool = True,
) -> Listing:
    """Return the containers that podman-ps(1) lists with these options; by default the running ones.

    `last`: that many of the newest. `sort`: a key of --sort; "size" only with `size`, which measures each. Without
    `whole`, the rows may be summaries (see ContainerTable.summaries). Raises UsageError, NoSuchContainerError.
    """
    rows = sorted(_chosen(engine, filters, all=all, last=last, whole=whole or size), key=_KEYS[sort])  # type: ignore[arg-type]
    health = health_states(engine.health_directory, (row.id for row in rows))
    pods: dict[str, str] = {}
    if any(row.pod for row in rows):
        from podpy.libpod.pods.table import PodTable

        pods = PodTable(engine.database).names()
    if not size:
        return Listing(rows=rows, health=health, pods=pods)
    from podpy.libpod.containers.sizes import container_sizes

    sizes = container_sizes(engine, rows)
    if sort == "size":
        rows.sort(key=lambda row: sizes.get(row.id, (0, 0))[1])
    return Listing(rows=rows, sizes=sizes, health=health, pods=pods)


def _chosen(engine: Engine, filters: Sequence[str], *, all: bool, last: int, whole: bool) -> list[ContainerRow]:
    """Return the rows to show; read no others, where possible."""
    table = engine.table
    whole = whole or bool(filters)
    if last > 0:
        found = true_rows(engine, table.newest(last))
    elif all or any(text.startswith("status=") for text in filters):
        found = true_rows(engine, table.all() if whole else table.summaries())
    else:
        maybe = (RUNNING, STARTING, STOPPING, RESTARTING)
        found = true_rows(engine, table.with_status(*maybe) if whole else table.summaries(*maybe))
        found = [row for row in found if row.status in (RUNNING, RESTARTING)]
    found = with_shared_ports(engine, found)
    if not filters:
        return found
    from podpy.libpod.filters.containers import matching

    return matching(engine, found, [*filters])


def status_words(status: str, started: int, finished: int, exit_code: int, now: int, health: str = "") -> str:
    """Return "Up 3 seconds (healthy)", "Exited (0) 5 minutes ago", "Created" …, from a row's columns and "now".

    Times are nanoseconds since 1970.
    """
    shown = shown_status(status, started)
    behind = f" ({health})" if health else ""
    if shown == EXITED:
        return f"Exited ({exit_code}) {ago(finished, now)}{behind}"
    if shown == RESTARTING:  # Docker's words
        return f"Restarting ({exit_code}) {ago(finished, now)}"
    if shown == RUNNING:
        return "Up " + human_duration((now - started) / _SECOND) + behind
    return shown.title()
