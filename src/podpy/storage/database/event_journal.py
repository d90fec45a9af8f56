"""Events in the journal, for events_logger="journald": sent right after the commit, with Podman's fields.

The database stays the one truth, and what `podpy events` reads. `meta` says which event was sent last, so that what a
killed call hasn't sent the next one does: nothing is lost, and only an event that was sent in a killed call's last
moment comes twice. A journal that doesn't take more at the moment isn't waited for.
"""

from __future__ import annotations

from errno import EMSGSIZE

from podpy import fastjson
from podpy.errors import StorageError
from podpy.notice import note
from podpy.storage.database import event_rows
from podpy.storage.database.event_rows import Event, Wanted
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.database.database import Database

SOCKET = "/run/systemd/journal/socket"
_SENT = "event in the journal"
_MOST = 1000  # in one go
_INFO, _NOTICE = 6, 5  # syslog(3)


def hand_on(database: Database, told: int) -> None:
    """Send what isn't in the journal yet; `told` events were committed just now. Never raises."""
    try:
        with database.transaction():  # two calls don't send the same
            newest = event_rows.newest(database)
            sent = database.get_meta(_SENT)
            before = max(int(sent) if sent else newest - told, newest - _MOST)
            rows = event_rows.between(database, before, newest, Wanted())
            last = _send([event_rows.event_of(row) for row in rows], before)
            if str(last) != sent:
                database.set_meta(_SENT, str(last))
    except StorageError:
        pass  # the next call sends them


def _send(events: list[Event], before: int) -> int:
    """Send events, and return the number of the last one that the journal took."""
    import _socket

    last = before
    socket = None
    try:  # what was done is committed: a process without a free descriptor hasn't failed at it
        socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK)
        for event in events:
            try:
                socket.sendto(datagram(event), SOCKET)
            except OSError as error:
                if error.errno != EMSGSIZE:
                    raise
                socket.sendto(datagram(event.replace(attributes=None, health_log="")), SOCKET)
            last = event.number
    except OSError as error:
        note(f"events_logger is journald, but the journal takes no event now: {error.strerror}")
    finally:
        if socket is not None:
            socket.close()
    return last


def datagram(event: Event) -> bytes:
    """Return an event in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), fields as in Podman's
    podman-events(1), JOURNALD IDENTIFIERS.
    """
    fields = {
        "MESSAGE": event.line(),
        "PRIORITY": str(_NOTICE if event.health_status else _INFO),
        "SYSLOG_IDENTIFIER": "podman",
        "PODMAN_EVENT": event.status,
        "PODMAN_TYPE": event.type,
        "PODMAN_TIME": rfc3339(event.time),
        "PODMAN_NAME": event.name,
        "PODMAN_ID": event.id,
        "PODMAN_IMAGE": event.image,
        "PODMAN_POD_ID": event.pod_id,
        "PODMAN_NETWORK_NAME": event.network,
        "PODMAN_EXIT_CODE": "" if event.exit_code is None else str(event.exit_code),
        "PODMAN_OOM_KILLED": "true" if event.oom_killed else "",
        "PODMAN_LABELS": fastjson.dumps(event.attributes) if event.attributes else "",
        "PODMAN_HEALTH_STATUS": event.health_status,
        "PODMAN_HEALTH_LOG": event.health_log,
        "PODMAN_HEALTH_FAILING_STREAK": str(event.health_failing_streak) if event.health_status else "",
        "ERROR": event.error,
    }
    return b"".join(_field(name, value) for name, value in fields.items() if value)


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode(), data)
    return b"%s\n%s%s\n" % (name.encode(), len(data).to_bytes(8, "little"), data)
