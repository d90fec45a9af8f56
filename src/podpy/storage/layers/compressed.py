"""What layers were compressed to for a push. The files aren't kept, but a registry may have them.

So if an image's layers came uncompressed, a second push needn't compress them to find out that all is there. `form` is
the compression and its level: "gzip", "zstd:9".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.database.database import Database


def find(database: Database, diff_id: str, form: str) -> tuple[str, int] | None:
    """Return the digest and size that a layer once had in this form, or None if that isn't known."""
    query = "SELECT digest, size FROM compressed_layers WHERE diff_id = ? AND form = ?"
    rows = database.query(query, (diff_id, form))
    return rows[0] if rows else None


def remember(database: Database, diff_id: str, form: str, digest: str, size: int) -> None:
    """Remember a layer's digest and size in this form, as long as there is the layer."""
    database.execute("INSERT OR REPLACE INTO compressed_layers VALUES (?, ?, ?, ?)", (diff_id, form, digest, size))


def forget_unused(database: Database) -> None:
    """Forget what is known about layers that are gone."""
    database.execute("DELETE FROM compressed_layers WHERE diff_id NOT IN (SELECT diff_id FROM layers)")
