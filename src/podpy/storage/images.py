"""Images in the database: records, names, look-ups."""

from __future__ import annotations

from time import time_ns

from podpy.errors import AmbiguousNameError, InUseError, NoSuchImageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.storage.database.database import Database

# Which container uses which image: as its own, or in a mount of type image.
USES = """SELECT id AS container, image_id AS image FROM containers WHERE image_id != ''
    UNION SELECT container_id, target FROM container_relations WHERE kind = 'image'"""
_COLUMNS = "id, images.digest, manifest, config, created, size"
_IMAGES = "images LEFT JOIN image_manifests ON image_manifests.image_id = id AND image_manifests.digest = images.digest"


class ImageRecord(Record):
    """One image, or a manifest list (an image without configuration and layers, with an id of its own).

    `created` is nanoseconds since 1970 (the configuration's time; if it has none, that of its coming), `size` the bytes
    of all its layers. An image has every manifest that it came by: `manifest` is the one whose digest was asked for,
    else the one that came last.
    """

    id: str  # hex of the configuration's sha256
    digest: str = ""  # of the manifest, "sha256:HEX"
    manifest: bytes = b""
    digests: list[str] = []  # of all manifests, also of lists that led to it; the one that came first is the first
    # Podman prints the one asked for; else the newest if the image was found by name, the oldest by id and in lists.
    podman_digest: str = ""
    config: bytes = b""
    layers: list[str] = []  # chain ids ("sha256:HEX"), lowest first
    names: list[str] = []  # the one that was given last is the first
    created: int = 0
    size: int = 0

    @property
    def is_list(self) -> bool:
        """Whether it is a manifest list."""
        return not self.config


class ImageTable:
    """The images that are committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has(self, image_id: str) -> bool:
        """Return whether there is an image with exactly this id."""
        return bool(self._database.query("SELECT 1 FROM images WHERE id = ?", (image_id,)))

    def all(self) -> list[ImageRecord]:
        """Return every image, newest first."""
        layers: dict[str, list[str]] = {}
        query = "SELECT image_id, chain_id FROM image_layers ORDER BY image_id, position"
        for image_id, chain_id in self._database.query(query):
            layers.setdefault(image_id, []).append(chain_id)
        names, digests = self._names(), self._digests()
        return [
            ImageRecord(
                id=image_id,
                digest=digest,
                manifest=bytes(manifest or b""),
                digests=digests.get(image_id, []),
                podman_digest=digests.get(image_id, [""])[0],
                config=bytes(config),
                layers=layers.get(image_id, []),
                names=names.get(image_id, []),
                created=created,
                size=size,
            )
            for image_id, digest, manifest, config, created, size in self._database.query(
                f"SELECT {_COLUMNS} FROM {_IMAGES} ORDER BY created DESC, id"
            )
        ]

    def summaries(self, *, digests: bool = False) -> list[ImageRecord]:
        """Return every image without its manifest, configuration and layers, newest first.

        Those are nearly all of the table, and `podpy images` shows nothing of them; of the digests only if it is asked
        to.
        """
        names = self._names()
        by_image = self._digests() if digests else {}
        template = {**ImageRecord._defaults, "layers": []}
        found = []
        query = "SELECT id, digest, created, size FROM images INDEXED BY images_summary ORDER BY created DESC, id"
        for image_id, digest, created, size in self._database.query(query):
            # As the constructor does it for any record, but once for all.
            record = ImageRecord.__new__(ImageRecord)
            values = {"id": image_id, "digest": digest, "names": names.get(image_id, []), "created": created}
            every = by_image.get(image_id, [])
            record.__dict__.update(
                template, **values, size=size, digests=every, podman_digest=every[0] if every else ""
            )
            found.append(record)
        return found

    def name_history(self) -> dict[str, list[str]]:
        """Return, by image, all names that it has had (and has), the one last given first."""
        history: dict[str, list[str]] = {}
        query = "SELECT image_id, name FROM name_history ORDER BY given DESC, name"
        for image_id, name in self._database.query(query):
            history.setdefault(image_id, []).append(name)
        return history

    def user_counts(self) -> dict[str, int]:
        """Return how many containers use each image; those that none uses aren't in it."""
        query = f"SELECT image, count(*) FROM ({USES}) GROUP BY image"
        return dict(self._database.query(query))

    def find(self, name_or_id: str) -> ImageRecord:
        """Return the image with this full name ("docker.io/library/x:tag", "x@sha256:…"), id, or beginning of an id.

        Raises NoSuchImageError, and AmbiguousNameError if an id's beginning fits several.
        """
        repository, _, digest = name_or_id.rpartition("@")
        query = f"SELECT {_COLUMNS} FROM {_IMAGES} WHERE id = (SELECT image_id FROM image_names WHERE name = ?)"
        named = self._records(query, (name_or_id,))
        if named:
            return self.with_manifest(named[0], digest if repository else named[0].digest)
        if repository:
            for record in self.by_digest(repository, digest):
                return record
        identity = name_or_id.removeprefix("sha256:")
        found = self._by_id(identity)
        if not found:
            raise NoSuchImageError(
                f"{name_or_id}: image not known", hint=f"See podpy images, or podpy pull {name_or_id}"
            )
        if len(found) > 1:
            raise AmbiguousNameError(f"more than one image's id begins with {identity}", hint="Give more digits")
        return found[0]

    def by_digest(self, repository: str, digest: str) -> list[ImageRecord]:
        """Return the images with this manifest of which this repository has a name (whatever the tag).

        Several can have come by the same manifest list, for several platforms. See `with_manifest`.
        """
        query = (
            f"SELECT {_COLUMNS} FROM {_IMAGES} WHERE id IN (SELECT image_id FROM image_manifests WHERE digest = ?) "
            "AND id IN (SELECT image_id FROM image_names WHERE substr(name, 1, ?) IN (?, ?)) ORDER BY created DESC, id"
        )
        values = (digest, len(repository) + 1, repository + ":", repository + "@")
        return [self.with_manifest(record, digest) for record in self._records(query, values)]

    def with_manifest(self, record: ImageRecord, digest: str) -> ImageRecord:
        """Return an image with its manifest of this digest, or with the one that the list of this digest names.

        If the image has neither, it is returned as it is.
        """
        if digest not in record.digests:
            return record
        if digest == record.digest:
            return record.replace(podman_digest=digest)
        from podpy import fastjson

        query = "SELECT digest, manifest FROM image_manifests WHERE image_id = ?"
        manifests = {name: bytes(data) for name, data in self._database.query(query, (record.id,))}
        own = digest
        while True:  # an index may hold another one
            document = fastjson.loads(manifests[own])  # valid, since the image came by it
            entries = [] if document.get("config") else document.get("manifests") or []
            inner = [entry["digest"] for entry in entries if entry.get("digest") in manifests]
            if not inner:
                break
            own = inner[0]
        own = record.digest if entries else own
        return record.replace(digest=own, manifest=manifests[own], podman_digest=digest)

    def manifest(self, digest: str) -> bytes:
        """Return the manifest with this digest that some image has come by; empty: none has."""
        rows = self._database.query("SELECT manifest FROM image_manifests WHERE digest = ? LIMIT 1", (digest,))
        return bytes(rows[0][0]) if rows else b""

    def digest_of(self, image_id: str) -> str:
        """Return the digest of an image's manifest; "" if it has none."""
        rows = self._database.query("SELECT digest FROM images WHERE id = ?", (image_id,))
        return rows[0][0] if rows else ""

    def has_manifest(self, image_id: str) -> bool:
        """Return whether an image has a manifest: one that is only a step of a build has none."""
        return bool(self._database.query("SELECT 1 FROM image_manifests WHERE image_id = ? LIMIT 1", (image_id,)))

    def insert(self, record: ImageRecord, parents: dict[str, bytes] | None = None) -> None:
        """Add an image, or one more manifest to an image that is here. A manifest list gets other contents instead.

        `parents`: what led to its manifest, by digest.
        """
        self._database.execute(
            "INSERT INTO images (id, digest, config, created, size) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET digest = excluded.digest, size = excluded.size",
            (record.id, record.digest, record.config, record.created, record.size),
        )
        if record.is_list:
            self._database.execute("DELETE FROM image_manifests WHERE image_id = ?", (record.id,))
        for digest, manifest in {**(parents or {}), record.digest: record.manifest}.items():
            if manifest:
                self._database.execute(
                    "INSERT OR IGNORE INTO image_manifests SELECT ?, ?, coalesce(max(position) + 1, 0), ? "
                    "FROM image_manifests WHERE image_id = ?",
                    (record.id, digest, manifest, record.id),
                )
        for position, chain_id in enumerate(record.layers):
            values = (record.id, position, chain_id)
            self._database.execute("INSERT OR REPLACE INTO image_layers VALUES (?, ?, ?)", values)

    def all_names(self) -> list[str]:
        """Return the names of all images, sorted."""
        return [name for (name,) in self._database.query("SELECT name FROM image_names ORDER BY name", ())]

    def name_owner(self, name: str) -> str:
        """Return the id of the image or list that has this full name; empty: none has."""
        rows = self._database.query("SELECT image_id FROM image_names WHERE name = ?", (name,))
        return rows[0][0] if rows else ""

    def ids_by_manifest(self, digest: str) -> list[str]:
        """Return the ids of the images that came by a manifest, or by the list, with this digest."""
        rows = self._database.query("SELECT image_id FROM image_manifests WHERE digest = ?", (digest,))
        return [image_id for (image_id,) in rows]

    def names_with_blobs_of(self, image_id: str) -> list[tuple[str, str]]:
        """Return (digest, name) for each blob of an image and each name of an image that has this blob, by name."""
        query = (
            "SELECT image_blobs.digest, image_names.name FROM image_blobs JOIN image_names USING (image_id) "
            "WHERE image_blobs.digest IN (SELECT digest FROM image_blobs WHERE image_id = ?) ORDER BY image_names.name"
        )
        return self._database.query(query, (image_id,))

    def give_name(self, name: str, image_id: str) -> None:
        """Let a name mean this image; it no longer means the one that it meant."""
        self._database.execute("INSERT OR REPLACE INTO name_history VALUES (?, ?, ?)", (image_id, name, time_ns()))
        self._database.execute(
            "INSERT INTO image_names VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET image_id = excluded.image_id",
            (name, image_id),
        )

    def drop_name(self, name: str) -> None:
        """Remove a name; part of a transaction. Raises NoSuchImageError."""
        from podpy.storage.database.events import tell

        rows = self._database.query("SELECT image_id FROM image_names WHERE name = ?", (name,))
        if not rows:
            raise NoSuchImageError(f"{name}: image not known")
        self._database.execute("DELETE FROM image_names WHERE name = ?", (name,))
        tell(self._database, "image", "untag", rows[0][0], name)

    def users(self, image_id: str) -> list[str]:
        """Return the ids of the containers that use an image, oldest first."""
        query = (
            f"SELECT id FROM containers WHERE id IN (SELECT container FROM ({USES}) WHERE image = ?) ORDER BY created"
        )
        rows = self._database.query(query, (image_id,))
        return [container_id for (container_id,) in rows]

    def with_layer(self, chain_id: str) -> list[str]:
        """Return the ids of the images that have a layer, newest first."""
        query = "SELECT id FROM image_layers JOIN images ON id = image_id WHERE chain_id = ? ORDER BY created DESC, id"
        return [image_id for (image_id,) in self._database.query(query, (chain_id,))]

    def delete(self, image_id: str) -> None:
        """Remove an image and its names; part of a transaction.

        Raises InUseError if a container uses it: its layers are mounted there.
        """
        from podpy.storage.database.events import tell

        users = self.users(image_id)
        if users:
            ids = ", ".join(user[:12] for user in users)
            raise InUseError(
                f"image {image_id[:12]} is in use by container {ids}", hint="Remove it first, or podpy rmi --force"
            )
        names = self._names_of(image_id)
        for name in names:
            self.drop_name(name)
        self._database.execute("DELETE FROM images WHERE id = ?", (image_id,))
        tell(self._database, "image", "remove", image_id, names[0] if names else "")

    def _names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for image_id, name in self._database.query("SELECT image_id, name FROM image_names"):
            names.setdefault(image_id, []).append(name)
        for image_id in [image_id for image_id, several in names.items() if len(several) > 1]:
            names[image_id] = self._names_of(image_id)
        return names

    def _names_of(self, image_id: str) -> list[str]:
        # As in Podman, an image is called by the name that it got last. Most have one: only here it is asked for when.
        query = (
            "SELECT name FROM image_names LEFT JOIN name_history USING (image_id, name) WHERE image_id = ? "
            "ORDER BY given DESC, name"
        )
        return [name for (name,) in self._database.query(query, (image_id,))]

    def _digests(self) -> dict[str, list[str]]:
        digests: dict[str, list[str]] = {}
        query = "SELECT image_id, digest FROM image_manifests INDEXED BY image_manifests_by_digest ORDER BY position"
        for image_id, digest in self._database.query(query):
            digests.setdefault(image_id, []).append(digest)
        return digests

    def _by_id(self, beginning: str) -> list[ImageRecord]:
        if not beginning or any(c not in "0123456789abcdef" for c in beginning):
            return []
        query = f"SELECT {_COLUMNS} FROM {_IMAGES} WHERE id >= ? AND id < ? LIMIT 2"
        return self._records(query, (beginning, beginning + "g"))

    def _records(self, query: str, values: tuple[Any, ...]) -> list[ImageRecord]:
        return [self._record(row) for row in self._database.query(query, values)]

    def _record(self, row: tuple[Any, ...]) -> ImageRecord:
        image_id, digest, manifest, config, created, size = row
        layers = self._database.query(
            "SELECT chain_id FROM image_layers WHERE image_id = ? ORDER BY position", (image_id,)
        )
        query = "SELECT digest FROM image_manifests WHERE image_id = ? ORDER BY position"
        digests = [name for (name,) in self._database.query(query, (image_id,))]
        return ImageRecord(
            id=image_id,
            digest=digest,
            manifest=bytes(manifest or b""),
            digests=digests,
            podman_digest=digests[0] if digests else "",
            config=bytes(config),
            layers=[chain_id for (chain_id,) in layers],
            names=self._names_of(image_id),
            created=created,
            size=size,
        )
