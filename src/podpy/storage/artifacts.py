"""Artifacts: files with a manifest and a name. A store of their own, except that equal blobs are shared with images.

artifacts        one row for each name: the manifest and its digest
artifact_blobs   the blobs that it needs, its configuration's too
"""

from __future__ import annotations

import time

from podpy.errors import InUseError, NoSuchArtifactError, StorageError
from podpy.record import Record
from podpy.storage import collect, commit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.storage.blobs import BlobWriter
    from podpy.storage.shelves import Shelves

_COLUMNS = "name, digest, manifest"


class ArtifactRecord(Record):
    """One artifact: its full name (with a tag or a digest), its manifest's digest and bytes."""

    name: str
    digest: str
    manifest: bytes


class Artifacts:
    """The artifacts of one store."""

    def __init__(self, store: Shelves) -> None:
        self._store = store

    def all(self) -> list[ArtifactRecord]:
        """Return every artifact, oldest first."""
        return self._records(f"SELECT {_COLUMNS} FROM artifacts ORDER BY added, name", ())

    def by_name(self, name: str) -> ArtifactRecord:
        """Return the artifact with this full name. Raises NoSuchArtifactError."""
        found = self._records(f"SELECT {_COLUMNS} FROM artifacts WHERE name = ?", (name,))
        if not found:
            raise NoSuchArtifactError(f"{name}: artifact does not exist", hint="See podpy artifact ls")
        return found[0]

    def by_digest(self, beginning: str) -> list[ArtifactRecord]:
        """Return the artifacts whose manifest's digest ("sha256:HEX") begins so."""
        query = f"SELECT {_COLUMNS} FROM artifacts WHERE digest >= ? AND digest < ? ORDER BY name"
        return self._records(query, (beginning, beginning + "g"))

    def commit(
        self, record: ArtifactRecord, digests: Sequence[str], blobs: Sequence[BlobWriter], *, replace: str | None = ""
    ) -> None:
        """Make an artifact visible. `digests` are all blobs that it needs, `blobs` those that aren't committed yet.

        `replace` is the digest of the artifact that has the name now, and is removed. Empty: the name is free; None:
        whatever has it is removed. Raises InUseError if another call has changed that meanwhile, StorageError.
        """
        database = self._store.database

        def write() -> None:
            found = database.query("SELECT digest FROM artifacts WHERE name = ?", (record.name,))
            if replace is not None and (found[0][0] if found else "") != replace:
                raise InUseError(
                    f"{record.name}: artifact already exists"
                    if not replace
                    else f"{record.name} has just been changed",
                    hint="Add --replace or --append" if not replace else "Try again",
                )
            database.execute("DELETE FROM artifacts WHERE name = ?", (record.name,))
            values = (record.name, record.digest, record.manifest, time.time_ns())
            database.execute("INSERT INTO artifacts VALUES (?, ?, ?, ?)", values)
            for digest in sorted(set(digests)):
                if not database.query("SELECT 1 FROM blobs WHERE digest = ?", (digest,)):
                    raise StorageError(f"{record.name}: blob {digest} is missing", hint="Pull or add it again")
                database.execute("INSERT INTO artifact_blobs VALUES (?, ?)", (record.name, digest))
            self._store.tell_coming("artifact", record.digest)

        commit.commit_blobs(self._store, blobs, write)
        if replace != "":
            collect.collect(self._store)

    def remove(self, name: str) -> None:
        """Remove an artifact and the blobs that nothing else uses. Raises NoSuchArtifactError."""

        def delete() -> None:
            from podpy.storage.database.events import tell

            record = self.by_name(name)
            self._store.database.execute("DELETE FROM artifacts WHERE name = ?", (name,))
            tell(self._store.database, "artifact", "remove", record.digest, record.name)

        collect.remove(self._store, delete)

    def _records(self, query: str, values: tuple[str, ...]) -> list[ArtifactRecord]:
        return [
            ArtifactRecord(name=name, digest=digest, manifest=bytes(manifest))
            for name, digest, manifest in self._store.database.query(query, values)
        ]
