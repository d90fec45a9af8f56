"""A container's row in the database, and all queries about containers.

A row is what was last committed. The true state follows from the process (pid, start time, boot id) and conmon's exit
record. `settle` corrects the row; every caller uses the same code, so no state needs a person to repair it.
"""

from __future__ import annotations

from time import time_ns

from podpy import fastjson
from podpy.errors import AmbiguousNameError, NoSpaceError, NoSuchContainerError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podpy.storage.database.database import Database

    # The standard columns of `ps`: id, name, image's name, command, created, status, started, finished, exit code,
    # ports, exposed ports. A plain tuple: for a thousand containers, objects would be too slow.
    Line = tuple[str, str, str, str, int, str, int, int, int, str, str]

CREATED = "created"
INITIALIZED = "initialized"
STARTING = "starting"  # a podpy call is starting it; if its lock is free, that call was killed
RUNNING = "running"
PAUSED = "paused"
STOPPING = "stopping"
EXITED = "exited"
REMOVING = "removing"
RESTARTING = "restarting"  # it has ended, and its monitor is waiting to start it again

NO_PROCESS = {"pid": 0, "pid_start": 0, "conmon_pid": 0, "conmon_start": 0}  # columns of a container that has ended
ALIVE = (RUNNING, PAUSED, STOPPING)
BUSY = (*ALIVE, STARTING, RESTARTING)  # it is running, or its monitor or a call is going to start it
_ENDED_STATES = (CREATED, EXITED, REMOVING)
NO_RESTART = ("", "no", "never")  # restart policies that never restart
# Values of `stopped_by_user`; with each of them nothing but a start runs the container again.
STOPPED_BY_USER = 1
STOPPED_FOR_RESTART = 2  # `podpy restart` is going to start it again
STOPPED_BY_SERVICE = 3  # by the service manager: at the next boot it counts as not stopped


class ContainerRow(Record):
    """One container in the database; `podpy ps` needs nothing else. Times are nanoseconds since 1970."""

    id: str
    name: str
    spec: str
    image_id: str = ""
    image_name: str = ""
    command: str = "[]"
    labels: str = "{}"
    ports: str = "[]"
    exposed: str = "[]"
    log_path: str = ""
    created: int = 0
    status: str = CREATED
    pid: int = 0
    pid_start: int = 0
    conmon_pid: int = 0
    conmon_start: int = 0
    boot_id: str = ""
    started: int = 0
    finished: int = 0
    exit_code: int = 0
    oom_killed: int = 0
    restarts: int = 0
    stopped_by_user: int = 0
    remove_at_exit: int = 0  # --rm
    restart_policy: str = ""
    pod: str = ""  # the id of the pod that it belongs to
    error: str = ""

    def labels_dict(self) -> dict[str, str]:
        """Return the labels."""
        labels: dict[str, str] = fastjson.loads(self.labels)
        return labels

    def line(self) -> Line:
        """Return the data of the standard columns of `ps`."""
        return (
            self.id,
            self.name,
            self.image_name,
            self.command,
            self.created,
            self.status,
            self.started,
            self.finished,
            self.exit_code,
            self.ports,
            self.exposed,
        )


_COLUMNS = ContainerRow._fields
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM containers JOIN container_specs USING (id)"
_SELECT_LINES = """SELECT id, name, image_name, command, created, status, started, finished, exit_code, ports, exposed
    FROM containers"""
_NOT_IN_SUMMARY = (
    "spec", "image_id", "labels", "log_path", "oom_killed", "restarts", "stopped_by_user", "restart_policy", "pod",
    "error",
)  # fmt: skip
_SUMMARY_COLUMNS = tuple(name for name in _COLUMNS if name not in _NOT_IN_SUMMARY)
_SUMMARY_FIELDS = (*_SUMMARY_COLUMNS, "spec")
_SELECT_SUMMARY = f"SELECT {', '.join(_SUMMARY_COLUMNS)}, '' FROM containers"
_MOST_VALUES = 500  # in one statement; SQLite's limit was once 999 (sqlite.org/limits.html, 9)
_OWN_COLUMNS = tuple(name for name in _COLUMNS if name != "spec")
_INSERT = f"INSERT INTO containers ({', '.join(_OWN_COLUMNS)}) VALUES ({', '.join('?' * len(_OWN_COLUMNS))})"


# A container's event, from its row (storage/database/events.py). The events of an end and of a removal have the code.
_EVENT = """INSERT INTO events (time, type, action, id, name, attributes)
    SELECT ?, 'container', ?, id, name, json_patch(json_object('Image', image_name, 'PodID', pod,
        'ContainerExitCode', {code}, 'OOMKilled', {oom}, 'Attributes', json(labels)), ?)
    FROM containers WHERE id = ?"""
_ENDED = _EVENT.format(code="exit_code", oom="iif(oom_killed, json('true'), NULL)")
_GONE = _EVENT.format(code="iif(started, exit_code, NULL)", oom="NULL")
_OTHER = _EVENT.format(code="NULL", oom="NULL")
_STATEMENTS = {"died": _ENDED, "remove": _GONE}


class ContainerTable:
    """The containers in the database. Changing methods are one transaction each unless the caller is in one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def insert(self, row: ContainerRow, relations: Iterable[tuple[str, str]] = ()) -> None:
        """Add a row and its relations. `relations` are pairs: a namespace's kind and the id of the container whose
        namespace it joins, "image" and the id of another image that it mounts, or "network-used" and a network's name.

        Raises InUseError if the name is taken.
        """
        with self.database.transaction():
            self.database.execute("INSERT INTO names VALUES (?, 'container', ?)", (row.name, row.id))
            self.database.execute(_INSERT, tuple(getattr(row, name) for name in _OWN_COLUMNS))
            self.database.execute("INSERT INTO container_specs VALUES (?, ?)", (row.id, row.spec))
            for kind, target in relations:
                self.database.execute("INSERT INTO container_relations VALUES (?, ?, ?)", (row.id, kind, target))
            self._tell(row.id, "create", row.created)

    def update(self, container_id: str, *events: str, **changes: Any) -> None:
        """Change columns of one row; `events` are the actions (podman-events(1)) to write with the change.

        With the status of an end, its addresses in networks are given back, unless it starts again at once.
        """
        spec = changes.pop("spec", None)
        columns = ", ".join(f"{name} = ?" for name in changes)
        change = f"UPDATE containers SET {columns} WHERE id = ?"
        gives_back = changes.get("status") in _ENDED_STATES and self._has_networks(container_id)
        if not events and not gives_back and spec is None:
            self.database.execute(change, (*changes.values(), container_id))
            return
        with self.database.transaction():
            if changes:
                self.database.execute(change, (*changes.values(), container_id))
            if spec is not None:
                self.database.execute("UPDATE container_specs SET spec = ? WHERE id = ?", (spec, container_id))
            if gives_back:
                from podpy.storage.network_rows import NetworkRows

                NetworkRows(self.database).give_back(container_id)
            for action in events:
                self._tell(container_id, action, changes.get("finished") or changes.get("started") or time_ns())

    def _has_networks(self, container_id: str) -> bool:
        return bool(self.database.query("SELECT 1 FROM network_attachments WHERE container_id = ?", (container_id,)))

    def tell(self, container_id: str, action: str, *, at: int = 0, **more: Any) -> None:
        """Write an event without a change, such as "exec"; nothing if the container is gone, or the disk is full.

        `at`: nanoseconds since 1970, 0: now. `more`: see podpy.storage.database.events.
        """
        try:
            with self.database.transaction():
                self._tell(container_id, action, at or time_ns(), fastjson.dumps(more))
        except NoSpaceError:
            pass

    def rename(self, container_id: str, name: str, spec: str) -> None:
        """Give a container another name, and the spec with that name. Raises InUseError if the name is taken."""
        with self.database.transaction():
            self.database.execute("UPDATE names SET name = ? WHERE id = ?", (name, container_id))
            self.update(container_id, "rename", name=name, spec=spec)

    def note(self, container_id: str, *events: str, **changes: Any) -> None:
        """Change columns of one row, unless the disk is full. For changes that a later call would find out again, or
        that matter less than the caller's next step.
        """
        try:
            self.update(container_id, *events, **changes)
        except NoSpaceError:
            pass

    def delete(self, container_id: str) -> None:
        """Remove a row."""
        with self.database.transaction():
            self._tell(container_id, "remove", time_ns())
            self.database.execute("DELETE FROM containers WHERE id = ?", (container_id,))
            self.database.execute("DELETE FROM names WHERE id = ?", (container_id,))

    def _tell(self, container_id: str, action: str, time: int, more: str = "{}") -> None:
        if self.database.begin_event():
            self.database.execute(_STATEMENTS.get(action, _OTHER), (time, action, more, container_id))

    def tell_health(self, container_id: str, time: int, **more: Any) -> None:
        """Write the event of a health change at `time` (nanoseconds since 1970), unless the table has it."""
        query = "SELECT 1 FROM events WHERE time = ? AND id = ? AND action = 'health_status'"
        if not self.database.query(query, (time, container_id)):
            self._tell(container_id, "health_status", time, fastjson.dumps(more))

    def get(self, container_id: str) -> ContainerRow:
        """Return the row with exactly this id. Raises NoSuchContainerError."""
        rows = self._rows(_SELECT + " WHERE id = ?", (container_id,))
        if not rows:
            raise no_such_container(container_id)
        return rows[0]

    def find(self, name_or_id: str) -> ContainerRow:
        """Return the row with this name, id, or beginning of an id. Raises NoSuchContainerError, AmbiguousNameError."""
        rows = self._rows(_SELECT + " WHERE name = ? OR id = ?", (name_or_id, name_or_id))
        if not rows and name_or_id and all(c in "0123456789abcdef" for c in name_or_id):
            # A range instead of LIKE: it uses the primary key's index.
            rows = self._rows(_SELECT + " WHERE id >= ? AND id < ? LIMIT 2", (name_or_id, name_or_id + "g"))
        if len(rows) > 1:
            raise AmbiguousNameError(
                f'more than one result for container "{name_or_id}": container already exists', hint="Give more digits"
            )
        if not rows:
            is_pod = self.database.query("SELECT 1 FROM pods WHERE name = ?", (name_or_id,))
            raise no_such_container(name_or_id, hint="It is a pod's name: podpy pod --help" if is_pod else "")
        return rows[0]

    def all(self) -> list[ContainerRow]:
        """Return every row, oldest first."""
        return self._rows(_SELECT + " ORDER BY created", ())

    def with_status(self, *statuses: str) -> list[ContainerRow]:
        """Return the rows in one of these states, oldest first."""
        marks = ", ".join("?" * len(statuses))
        return self._rows(f"{_SELECT} WHERE status IN ({marks}) ORDER BY created", statuses)

    def of_pod(self, pod_id: str) -> list[ContainerRow]:
        """Return the rows of a pod's containers, oldest first."""
        return self._rows(_SELECT + " WHERE pod = ? AND pod != '' ORDER BY created", (pod_id,))

    def left_by_restarts(self, before: int) -> list[str]:
        """Return the ids of containers that were stopped before this time for a restart that never came."""
        # Literally as in the index containers_left_by_restarts; `+`: not by status, which most containers share.
        where = f"+status = ? AND stopped_by_user = {STOPPED_FOR_RESTART} AND finished < ?"
        return [found for (found,) in self.database.query(f"SELECT id FROM containers WHERE {where}", (EXITED, before))]

    def latest(self) -> ContainerRow | None:
        """Return the newest container, or None."""
        rows = self.newest(1)
        return rows[0] if rows else None

    def newest(self, number: int) -> list[ContainerRow]:
        """Return this many of the newest containers, the newest first."""
        return self._rows(_SELECT + " ORDER BY created DESC LIMIT ?", (number,))

    def summaries(self, *statuses: str) -> list[ContainerRow]:
        """Return rows with the fields for lists and `settle`, oldest first: all, or those in one of these states.

        The other fields have their defaults: specs are nine tenths of a row, and each column costs time.
        """
        if not statuses:
            return sorted(self._rows(_SELECT_SUMMARY, (), _SUMMARY_FIELDS), key=lambda row: row.created)
        marks = ", ".join("?" * len(statuses))
        return self._rows(f"{_SELECT_SUMMARY} WHERE status IN ({marks}) ORDER BY created", statuses, _SUMMARY_FIELDS)

    def summaries_of(self, ids: list[str]) -> list[ContainerRow]:
        """Return such rows of the containers with these ids, as far as they still exist."""
        found: list[ContainerRow] = []
        for start in range(0, len(ids), _MOST_VALUES):
            some = ids[start : start + _MOST_VALUES]
            found += self._rows(f"{_SELECT_SUMMARY} WHERE id IN ({', '.join('?' * len(some))})", some, _SUMMARY_FIELDS)
        return found

    def lines(self) -> list[Line]:
        """Return the data of the standard columns of `ps` for every row, oldest first."""
        return sorted(self.database.query(_SELECT_LINES), key=lambda line: line[4])

    def dependents(self, container_id: str) -> list[str]:
        """Return the ids of the containers that join a namespace of this one."""
        query = "SELECT DISTINCT container_id FROM container_relations WHERE target = ? AND kind != 'network-used'"
        return [found for (found,) in self.database.query(query, (container_id,))]

    def joined_ports(self) -> dict[str, tuple[str, str]]:
        """Return, by the ids of containers that join another one's network, that one's id and its ports as JSON."""
        query = """SELECT container_id, target, ports FROM container_relations JOIN containers ON id = target
            WHERE kind = 'network'"""
        return {joining: (owner, ports) for joining, owner, ports in self.database.query(query)}

    def known(self, ids: list[str]) -> set[str]:
        """Return those of these ids that have a row."""
        return {row.id for row in self.summaries_of(ids)}

    def has(self, container_id: str) -> bool:
        """Return whether there is a row with exactly this id."""
        return bool(self.database.query("SELECT 1 FROM containers WHERE id = ?", (container_id,)))

    def state_of(self, container_id: str) -> tuple[str, int, int] | None:
        """Return a row's status, pid and exit code; None if it is gone."""
        rows = self.database.query("SELECT status, pid, exit_code FROM containers WHERE id = ?", (container_id,))
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    def restarts_of(self, container_id: str) -> int:
        """Return how often its policy has started a container since the user did; 0 if it is gone."""
        rows = self.database.query("SELECT restarts FROM containers WHERE id = ?", (container_id,))
        return int(rows[0][0]) if rows else 0

    def image_users(self) -> dict[str, list[str]]:
        """Return, by image id, the ids of the containers that use the image."""
        users: dict[str, list[str]] = {}
        from podpy.storage.images import USES

        for container, image in self.database.query(USES):
            users.setdefault(image, []).append(container)
        return users

    def name_owner(self, name: str) -> str:
        """Return the id of the container or pod with this name, or an empty text."""
        rows = self.database.query("SELECT id FROM names WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def _rows(
        self, query: str, values: tuple[Any, ...] | list[str], names: tuple[str, ...] = _COLUMNS
    ) -> list[ContainerRow]:
        found = []
        for columns in self.database.query(query, values):
            # Unread fields fall back to the class's defaults, so no dictionary is filled with them: a third of `ps -a`.
            row = ContainerRow.__new__(ContainerRow)
            row.__dict__.update(zip(names, columns, strict=True))
            found.append(row)
        return found


def shown_status(status: str, started: int, restarts: int = 0) -> str:
    """Return the state for people: a container that is being started still shows as created or exited.

    `restarts`: how often its policy has started it; if it has, a container that is being started shows as restarting.
    """
    if status != STARTING:
        return status
    if restarts:
        return RESTARTING
    return EXITED if started else CREATED


def no_such_container(name: str, *, hint: str = "") -> NoSuchContainerError:
    """Return Podman's error text for a container that isn't there."""
    return NoSuchContainerError(f'no container with name or ID "{name}" found: no such container', hint=hint)
