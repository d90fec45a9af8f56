"""The cache of builds: which image each step has made, by a digest of everything that the step depends on.

A step's image is an image like others, with a row here and without a name: lists leave it out, and it stays until
`podpy builder prune`. If it goes, its row goes with it, so a hit is always an image that is here.
"""

from __future__ import annotations

from time import time_ns

from podpy import fastjson
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.storage.database.database import Database

_KNOWN_AT_ONCE = 500  # SQLite takes 32,766 values; older ones 999

# Steps' images: they have no name and have never been a build's result.
_STEPS = (
    "SELECT image_id FROM build_cache WHERE NOT EXISTS "
    "(SELECT 1 FROM image_names WHERE image_names.image_id = build_cache.image_id) "
    "GROUP BY image_id HAVING max(result) = 0"
)


class CachedStep(Record):
    """One row. `inputs`: what the key is a digest of, by name. Times: nanoseconds since 1970."""

    key: str
    image_id: str
    place: str = ""
    inputs: dict[str, str] = {}
    result: bool = False
    created: int = 0
    used: int = 0


class BuildCache:
    """The rows of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, keys: Sequence[str]) -> dict[str, CachedStep]:
        """Return the rows of those keys that are known."""
        found: dict[str, CachedStep] = {}
        for start in range(0, len(keys), _KNOWN_AT_ONCE):
            some = keys[start : start + _KNOWN_AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT key, image_id, created, used FROM build_cache WHERE key IN ({marks})"
            for key, image_id, created, used in self._database.query(query, list(some)):
                found[key] = CachedStep(key=key, image_id=image_id, created=created, used=used)
        return found

    def at(self, place: str) -> list[CachedStep]:
        """Return the rows of one step of one file, the newest first: what its text and its inputs were before."""
        query = "SELECT key, image_id, inputs, created FROM build_cache WHERE place = ? ORDER BY created DESC"
        return [
            CachedStep(key=key, image_id=image_id, place=place, inputs=fastjson.loads(inputs), created=created)
            for key, image_id, inputs, created in self._database.query(query, (place,))
        ]

    def put(self, step: CachedStep) -> None:
        """Write down what a step has made; part of the transaction that adds its image."""
        now = time_ns()
        self._database.execute(
            "INSERT INTO build_cache VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
            "image_id = excluded.image_id, place = excluded.place, inputs = excluded.inputs, "
            "result = max(result, excluded.result), created = excluded.created, used = excluded.used",
            (step.key, step.image_id, step.place, fastjson.dumps(step.inputs), int(step.result), now, now),
        )

    def files(self, key: str) -> str:
        """Return the digest of files of a stage that `put_files` wrote down; "": it isn't known."""
        rows = self._database.query("SELECT inputs FROM build_cache WHERE key = ?", (key,))
        return str(fastjson.loads(rows[0][0]).get("files", "")) if rows else ""

    def put_files(self, key: str, image_id: str, digest: str) -> None:
        """Write down the digest of some of a step's image's files: an image never changes. It goes with the image.

        An image that is no step's gets no row: lists would leave it out without a name.
        """
        now = time_ns()
        self._database.execute(
            "INSERT INTO build_cache SELECT ?, ?, '', ?, 0, ?, ? "
            "WHERE EXISTS (SELECT 1 FROM build_cache WHERE image_id = ?) ON CONFLICT (key) DO NOTHING",
            (key, image_id, fastjson.dumps({"files": digest}), now, now, image_id),
        )

    def mark_results(self, image_id: str) -> None:
        """An image is a build's result from now on: lists show it, also without a name."""
        self._database.execute("UPDATE build_cache SET result = 1 WHERE image_id = ? AND result = 0", (image_id,))

    def is_step(self, image_id: str) -> bool:
        """Return whether an image is only a step's, or a name was all that made it more."""
        query = "SELECT max(result) FROM build_cache WHERE image_id = ?"
        return bool(self._database.query(query, (image_id,))[0][0] == 0)

    def steps(self) -> set[str]:
        """Return the ids of the images that are only steps of builds."""
        return {image_id for (image_id,) in self._database.query(_STEPS)}
