"""Events as they are read again, and as Podman prints one on a line."""

from __future__ import annotations

from time import localtime, strftime

from podpy import fastjson
from podpy.record import Record
from podpy.times import SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from podpy.storage.database.database import Database

    Row = tuple[Any, ...]

_SHORT = 12
_PAGE = 2000
_COLUMNS = "number, time, type, action, id, name, attributes"


class Event(Record):
    """One event. `time` is nanoseconds since 1970; `type` and `status` are podman-events(1)'s words.

    What doesn't belong to this kind of event is empty, or None.
    """

    number: int  # they grow in the order in which events were committed
    time: int
    type: str
    status: str
    id: str = ""
    name: str = ""
    image: str = ""
    pod_id: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    network: str = ""
    health_status: str = ""
    health_failing_streak: int = 0
    health_log: str = ""
    error: str = ""
    exec_id: str = ""
    attributes: dict[str, str] | None = None  # a container's labels; a network's driver

    def line(self, *, cut: bool = False) -> str:
        """Return the event on one line, as Podman prints it; `cut`: only the first 12 digits of ids."""
        return _line(self, self.id[:_SHORT] if cut else self.id)


_DEFAULTS = Event._defaults
_FIELDS = {
    "Image": "image", "PodID": "pod_id", "ContainerExitCode": "exit_code", "OOMKilled": "oom_killed",
    "network": "network", "health_status": "health_status", "health_failing_streak": "health_failing_streak",
    "health_log": "health_log", "Error": "error", "ExecID": "exec_id", "Attributes": "attributes",
}  # fmt: skip


class Wanted(Record):
    """Which events: SQL conditions (all must be true) with their values, and label tests, of which one must be true."""

    conditions: list[str] = []
    values: list[Any] = []
    labels: list[str] = []


def newest(database: Database) -> int:
    """Return the number of the last event, 0 if there is none."""
    return int(database.query("SELECT coalesce(max(number), 0) FROM events")[0][0])


def until(database: Database, last: int, wanted: Wanted) -> Iterator[list[Row]]:
    """Yield the rows of the events up to the number `last` in order of time, some at a time.

    (An end that nobody saw at once is written late, with its own time.)
    """
    where = "".join(f" AND {condition}" for condition in wanted.conditions)
    query = f"SELECT {_COLUMNS} FROM events WHERE (time, number) > (?, ?) AND number <= ?{where}"
    at, number = 0, 0
    while rows := database.query(f"{query} ORDER BY time, number LIMIT {_PAGE}", (at, number, last, *wanted.values)):
        number, at = rows[-1][:2]
        yield _labelled(rows, wanted.labels)


def between(database: Database, after: int, last: int, wanted: Wanted) -> list[Row]:
    """Return the rows of the events with numbers above `after`, up to `last`, as they were committed."""
    where = "".join(f" AND {condition}" for condition in wanted.conditions)
    query = f"SELECT {_COLUMNS} FROM events WHERE number > ? AND number <= ?{where} ORDER BY number"
    return _labelled(database.query(query, (after, last, *wanted.values)), wanted.labels)


def _labelled(rows: list[Row], labels: Sequence[str]) -> list[Row]:
    if not labels:
        return rows
    return [row for row in rows if _has_one(event_of(row).attributes or {}, labels)]


def _has_one(found: dict[str, str], labels: Sequence[str]) -> bool:
    for text in labels:
        key, equals, value = text.partition("=")
        if key in found and (not equals or found[key] == value):
            return True
    return False


def event_of(row: Row) -> Event:
    """Return the event that a row tells."""
    number, time, kind, action, identifier, name, more = row
    # As the constructor does it for any record, but once for all: there may be 100,000.
    event = Event.__new__(Event)
    values = event.__dict__
    values.update(_DEFAULTS, number=number, time=time, type=kind, status=action, id=identifier, name=name)
    if more != "{}":
        told = fastjson.loads(more)
        for key in told:
            field = _FIELDS.get(key)
            if field is not None and told[key] is not None:
                values[field] = told[key]
    if kind == "volume":  # its name is all that identifies it
        values["id"] = ""
    elif kind == "network" and not event.network:
        values["network"], values["name"] = name, ""
    return event


_second = [-1, "", ""]  # the last second that was written: its number, the text before the fraction, and after it


def _time_text(nanoseconds: int) -> str:
    """Return a time as Go's String does: 2026-12-01 08:51:09.434359586 +0000 UTC."""
    seconds, rest = divmod(nanoseconds, SECOND)
    if seconds != _second[0]:
        fields = localtime(seconds)
        _second[:] = [seconds, strftime("%Y-%m-%d %H:%M:%S", fields), strftime(" %z %Z", fields)]
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{_second[1]}{fraction}{_second[2]}"


def text_of(rows: list[Row], *, cut: bool = False) -> str:
    """Return the events' lines, as `Event.line`, each with a line end: 100,000 of them are a matter of half a second.

    What is in the rows' JSON many events have in common: those of a container, and of an image's containers.
    """
    parts: list[str] = []
    known: dict[str, tuple[str, str]] = {}
    width = _SHORT if cut else None
    for row in rows:
        _, at, kind, action, identifier, name, more = row
        if kind != "container" or action == "health_status":
            parts.append(event_of(row).line(cut=cut))
            continue
        ends = known.get(more)
        if ends is None:
            event = event_of(row)
            facts = _facts(event)
            ends = known[more] = event.image, "".join(f", {fact}" for fact in facts[2:])
        parts.append(
            f"{_time_text(at)} container {action} {identifier[:width]} (image={ends[0]}, name={name}{ends[1]})"
        )
    return "\n".join(parts) + "\n" if parts else ""


def _line(event: Event, identifier: str) -> str:
    beginning = f"{_time_text(event.time)} {event.type} {event.status}"
    kind = event.type
    if kind in ("container", "pod"):
        return f"{beginning} {identifier} ({', '.join(_facts(event))})"
    if kind == "network":
        if event.status in ("create", "remove"):
            driver = (event.attributes or {}).get("driver", "")
            return f"{beginning} {event.id} (name={event.network}, type={driver})"
        return f"{beginning} {identifier} (container={identifier}, name={event.network})"
    if kind in ("image", "artifact"):
        return f"{beginning} {identifier} {event.name}{' ' + event.error if event.error else ''}"
    if kind == "secret":
        return f"{beginning} {identifier}"
    return f"{beginning} {event.name}" if event.name else beginning


def _facts(event: Event) -> list[str]:
    facts = [f"image={event.image}", f"name={event.name}"]
    if event.pod_id:
        facts.append(f"pod_id={event.pod_id}")
    if event.status == "health_status":
        facts.append(f"health_status={event.health_status}")
        facts.append(f"health_failing_streak={event.health_failing_streak}")
        facts.append(f"health_log={event.health_log}")
    labels = event.attributes
    if labels:  # Podman's order is that of Go's maps: another one each time
        facts += [f"{key}={labels[key]}" for key in sorted(labels)]
    return facts
