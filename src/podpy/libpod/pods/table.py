"""A pod's row, and all queries about pods.

No column has a pod's state: it follows from its containers' (podpy.libpod.pods.states).
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import AmbiguousNameError, InUseError, NoSuchPodError
from podpy.record import Record
from podpy.storage.database.events import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.spec.pod import PodSpec
    from podpy.storage.database.database import Database


class PodRow(Record):
    """One pod in the database. `created`: nanoseconds since 1970."""

    id: str
    name: str
    created: int
    infra_id: str = ""  # the container that owns the shared namespaces; "": none
    exit_policy: str = "continue"
    removing: int = 0  # 1: its removal has begun; the next call that changes anything finishes it
    labels: str = "{}"
    spec: str = "{}"

    def labels_dict(self) -> dict[str, str]:
        """Return the labels."""
        labels: dict[str, str] = fastjson.loads(self.labels)
        return labels

    def parsed(self) -> PodSpec:
        """Return the spec."""
        from podpy.spec.pod import PodSpec

        return PodSpec.from_dict(fastjson.loads(self.spec))


class Member(Record):
    """A container's data for lists and states of pods."""

    id: str
    name: str
    pod: str
    status: str
    created: int
    started: int
    finished: int
    restarts: int
    exit_code: int


class PodLine(Record):
    """A pod's data for lists (podpy.libpod.pods.rows)."""

    row: PodRow
    members: list[Member]
    state: str
    cgroup: str = ""  # its cgroup's parent; only with `whole`
    networks: list[str] = []  # likewise


_COLUMNS = PodRow._fields
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM pods"
_MEMBERS = f"SELECT {', '.join(Member._fields)} FROM containers"


class PodTable:
    """The pods in the database. Each changing method is a transaction, unless the caller has begun one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def insert(self, row: PodRow) -> None:
        """Add a row and its name. Raises InUseError if the name is taken."""
        with self.database.transaction():
            owner = self.database.query("SELECT kind FROM names WHERE name = ?", (row.name,))
            if owner:
                raise name_is_taken(row.name, owner[0][0])
            self.database.execute("INSERT INTO names VALUES (?, 'pod', ?)", (row.name, row.id))
            marks = ", ".join("?" * len(_COLUMNS))
            values = tuple(getattr(row, name) for name in _COLUMNS)
            self.database.execute(f"INSERT INTO pods ({', '.join(_COLUMNS)}) VALUES ({marks})", values)
            self.tell(row, "create")

    def set_infra(self, pod_id: str, infra_id: str) -> None:
        """Record which container owns the pod's namespaces."""
        self.database.execute("UPDATE pods SET infra_id = ? WHERE id = ?", (infra_id, pod_id))

    def begin_removal(self, pod_id: str) -> None:
        """Record that the pod is being removed, with all its containers."""
        self.database.execute("UPDATE pods SET removing = 1 WHERE id = ?", (pod_id,))

    def delete(self, row: PodRow) -> None:
        """Remove a row and its name, if it still exists."""
        with self.database.transaction():
            if self.database.execute("DELETE FROM pods WHERE id = ?", (row.id,)):
                self.database.execute("DELETE FROM names WHERE id = ?", (row.id,))
                self.tell(row, "remove")

    def tell(self, row: PodRow, action: str) -> None:
        """Write an event (podman-events(1)), in the transaction of the change."""
        with self.database.transaction():
            tell(self.database, "pod", action, row.id, row.name, row.labels_dict())

    def find(self, name_or_id: str) -> PodRow:
        """Return the pod with this name, id, or beginning of an id. Raises NoSuchPodError, AmbiguousNameError."""
        rows = self._rows("WHERE name = ? OR id = ?", name_or_id, name_or_id)
        if not rows and name_or_id and not name_or_id.strip("0123456789abcdef"):
            rows = self._rows("WHERE id >= ? AND id < ? LIMIT 2", name_or_id, name_or_id + "g")
        if len(rows) > 1:
            raise AmbiguousNameError(
                f'more than one result for pod "{name_or_id}": pod already exists', hint="Give more digits"
            )
        if not rows:
            raise no_such_pod(name_or_id)
        return rows[0]

    def get(self, pod_id: str) -> PodRow:
        """Return the pod with exactly this id. Raises NoSuchPodError."""
        rows = self._rows("WHERE id = ?", pod_id)
        if not rows:
            raise no_such_pod(pod_id)
        return rows[0]

    def all(self) -> list[PodRow]:
        """Return every pod, oldest first."""
        return self._rows("ORDER BY created")

    def going(self) -> list[PodRow]:
        """Return the pods whose removal has begun."""
        return self._rows("WHERE removing")

    def members(self, pod_id: str = "") -> list[Member]:
        """Return the containers of a pod, or of all pods, oldest first."""
        where = "pod = ? AND pod != ''" if pod_id else "pod != ''"  # lets SQLite use containers_by_pod
        values = (pod_id,) if pod_id else ()
        found = self.database.query(f"{_MEMBERS} WHERE {where} ORDER BY created", values)
        return [Member(**dict(zip(Member._fields, columns, strict=True))) for columns in found]

    def names(self) -> dict[str, str]:
        """Return the pods' names, by their ids."""
        return dict(self.database.query("SELECT id, name FROM pods"))

    def infra_ids(self) -> set[str]:
        """Return the ids of the containers that own pods' namespaces."""
        return {found for (found,) in self.database.query("SELECT infra_id FROM pods WHERE infra_id != ''")}

    def is_infra(self, container_id: str) -> bool:
        """Return whether a container owns a pod's namespaces."""
        return bool(self.database.query("SELECT 1 FROM pods WHERE infra_id = ?", (container_id,)))

    def _rows(self, condition: str, *values: Any) -> list[PodRow]:
        found = self.database.query(f"{_SELECT} {condition}", values)
        return [PodRow(**dict(zip(_COLUMNS, columns, strict=True))) for columns in found]


def no_such_pod(name: str) -> NoSuchPodError:
    """Return Podman's error for a pod that doesn't exist."""
    return NoSuchPodError(f"no pod with name or ID {name} found: no such pod", hint="See: podpy pod ps")


def name_is_taken(name: str, kind: str) -> InUseError:
    """Return Podman's error for a name that a pod or a container has."""
    hint = f"podpy pod rm {name}" if kind == "pod" else f"A container has it: podpy rm {name}"
    exists = "pod already exists" if kind == "pod" else "container already exists"
    return InUseError(f'adding pod to state: name "{name}" is in use: {exists}', hint=hint)
