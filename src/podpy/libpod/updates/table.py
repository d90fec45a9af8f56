"""The history of updates: one row for each container that got another image.

A row is there before anything changes. `ended` is 0 until it is known how it went; then `phase` says what the call was
doing, so that after a kill the next one goes on from there:

    pulling        the name may mean the former image still, or the new one already
    restarting     the name means the new image; the unit is being restarted, or watched
    rolling back   the name gets the former image again, and the unit is restarted
"""

from __future__ import annotations

from time import time_ns

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.storage.database.database import Database

PULLING = "pulling"
RESTARTING = "restarting"
ROLLING_BACK = "rolling back"
# Podman's words for how it went (podman-auto-update(1), UPDATED).
UPDATED = "true"
FAILED = "failed"
ROLLED_BACK = "rolled back"
BY_HAND = "rollback"
"""The policy of rows that `podpy rollback` wrote."""


class Update(Record):
    """One update. Times are nanoseconds since 1970, ids those of images in hex, digests "sha256:HEX" of manifests."""

    number: int = 0
    begun: int = 0
    ended: int = 0
    container: str
    container_id: str  # the one that was there before
    unit: str
    manager: str  # user, system: whose unit it is
    image: str  # the full name
    policy: str
    former_id: str
    former_digest: str
    new_id: str = ""
    new_digest: str = ""
    result: str = PULLING  # the phase, until it has ended
    error: str = ""

    @property
    def of_user(self) -> bool:
        """Whether the unit is one of the user's own systemd."""
        return self.manager == "user"


_COLUMNS = Update._fields
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM updates"


class UpdateTable:
    """The rows of `updates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, update: Update) -> Update:
        """Write a row before anything changes, and return it with its number."""
        whole = update.replace(begun=time_ns())
        names = _COLUMNS[1:]
        query = f"INSERT INTO updates ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        return whole.replace(number=self._database.insert(query, tuple(getattr(whole, name) for name in names)))

    def change(self, update: Update, **changes: Any) -> Update:
        """Write some columns, and return the row with them."""
        query = f"UPDATE updates SET {', '.join(f'{name} = ?' for name in changes)} WHERE number = ?"
        self._database.execute(query, (*changes.values(), update.number))
        return update.replace(**changes)

    def end(self, update: Update, result: str, error: str = "") -> Update:
        """Write how it went."""
        return self.change(update, ended=time_ns(), result=result, error=error)

    def forget(self, update: Update) -> None:
        """Remove a row of what hasn't changed anything."""
        self._database.execute("DELETE FROM updates WHERE number = ?", (update.number,))

    def unfinished(self) -> list[Update]:
        """Return what a killed call has left, oldest first."""
        return self._rows("WHERE ended = 0 ORDER BY number")

    def history(self) -> list[Update]:
        """Return all rows, oldest first."""
        return self._rows("ORDER BY number")

    def of(self, container: str) -> list[Update]:
        """Return the rows of a container's name, newest first."""
        return self._rows("WHERE container = ? ORDER BY number DESC", container)

    def given_up(self, image: str, image_id: str) -> Update | None:
        """Return the update by which an image of this name was given up for the former one; None: it wasn't."""
        query = "WHERE image = ? AND ended != 0 AND ? IN (new_id, former_id) ORDER BY number DESC"
        for row in self._rows(query, image, image_id):
            if row.result == UPDATED and image_id == row.new_id:
                return None
            if row.result == ROLLED_BACK and image_id == row.new_id and row.policy != BY_HAND:
                return row
            if row.result == UPDATED and row.policy == BY_HAND:
                return row
        return None

    def kept_images(self) -> set[str]:
        """Return the ids of the images that no prune may remove: those of updates that go on, and the one that each
        container had before its last update.
        """
        query = (
            "SELECT former_id FROM updates WHERE ended = 0 UNION SELECT new_id FROM updates WHERE ended = 0 UNION "
            "SELECT former_id FROM updates JOIN (SELECT max(number) AS newest FROM updates WHERE container IN "
            "(SELECT name FROM containers) AND result IN (?, ?) GROUP BY container, result) ON number = newest"
        )
        return {image_id for (image_id,) in self._database.query(query, (UPDATED, FAILED))}

    def _rows(self, condition: str, *values: Any) -> list[Update]:
        found = self._database.query(f"{_SELECT} {condition}", values)
        return [Update(**dict(zip(_COLUMNS, columns, strict=True))) for columns in found]
