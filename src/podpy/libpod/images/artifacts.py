"""Artifacts of the store (files with a manifest): `podpy artifact`."""

from __future__ import annotations

from podpy.errors import NoSuchArtifactError
from podpy.libpod.images.transfer import patient, transfer
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from podpy.image.options import ArtifactOptions
    from podpy.image.progress import Progress
    from podpy.image.registry.access import Access
    from podpy.libpod.engine import Engine
    from podpy.storage.artifacts import ArtifactRecord


class Artifact(Record):
    """One artifact: its full name, repository and tag, its manifest with its digest, and the bytes of its files.

    `created` is nanoseconds since 1970, or 0 if the manifest doesn't have it.
    """

    name: str
    repository: str
    tag: str
    digest: str
    manifest: dict[str, Any]
    size: int
    created: int


class Artifacts:
    """The artifacts of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str) -> Artifact:
        """Return an artifact by its name, its digest or the beginning of its digest. Raises NoSuchArtifactError."""
        from podpy.image.lists.artifact import find

        return _artifact(find(self._engine.store, name))

    def list(self) -> Sequence[Artifact]:
        """Return every artifact, oldest first."""
        from podpy.storage.artifacts import Artifacts as Table

        return [_artifact(record) for record in Table(self._engine.store).all()]

    def names(self) -> Sequence[str]:
        """Return the full name of every artifact."""
        from podpy.storage.artifacts import Artifacts as Table

        return [record.name for record in Table(self._engine.store).all()]

    def add(self, name: str, files: Sequence[str], options: ArtifactOptions | None = None) -> str:
        """Make an artifact of files, or add them to an existing one, and return its digest.

        Raises UsageError, NoSuchArtifactError (append), InUseError (it exists, or a file's title does), ImageError.
        """
        from podpy.image.lists import artifact
        from podpy.image.options import ArtifactOptions

        def work() -> str:
            store = self._engine.store
            with store.coming_by("create", name, kind="artifact"):
                return artifact.add(store, name, [*files], options or ArtifactOptions())

        return self._engine.privileged(work)

    def extract(self, name: str, target: str, *, digest: str = "", title: str = "") -> None:
        """Write an artifact's files into a directory, or the chosen one to a file.

        Raises UsageError, NoSuchArtifactError, ImageError.
        """
        from podpy.image.lists import artifact

        def work() -> None:
            store = self._engine.store
            artifact.extract(store, artifact.find(store, name), target, digest=digest, title=title)

        self._engine.privileged(work)

    def pull(self, name: str, access: Access | None = None, *, progress: Progress | None = None) -> str:
        """Pull an artifact from its registry, and return its digest. Raises ImageError, RegistryError, TrustError."""
        from podpy.image.lists.artifact import pull
        from podpy.image.registry.access import Access

        engine = self._engine
        wanted = patient(engine, access or Access())

        def work(reporter: Progress) -> str:
            with engine.store.coming_by("pull", name, kind="artifact"):
                return pull(engine.store, engine.paths, name, wanted, progress=reporter)

        return transfer(engine, work, progress)

    def push(self, name: str, access: Access | None = None, *, progress: Progress | None = None) -> str:
        """Push an artifact to its name's registry, and return its digest. Raises NoSuchArtifactError, RegistryError."""
        from podpy.image.lists.artifact_push import push
        from podpy.image.registry.access import Access
        from podpy.storage.database.events import tell_if_possible

        engine = self._engine
        wanted = patient(engine, access or Access())

        def work(reporter: Progress) -> str:
            digest = push(engine.store, engine.paths, name, wanted, progress=reporter)
            tell_if_possible(engine.database, "artifact", "push", digest, name)
            return digest

        return transfer(engine, work, progress)

    def remove(self, names: Sequence[str] = (), *, every: bool = False, ignore: bool = False) -> Iterator[str]:
        """Remove artifacts (`every`: all), and yield each one's digest. Raises NoSuchArtifactError."""
        for name in self.names() if every else names:
            try:
                yield self._engine.privileged(lambda name=name: self._remove(name))  # type: ignore[misc]
            except NoSuchArtifactError:
                if not ignore and not every:
                    raise

    def _remove(self, name: str) -> str:
        from podpy.image.lists.artifact import find
        from podpy.storage.artifacts import Artifacts as Table

        record = find(self._engine.store, name)
        Table(self._engine.store).remove(record.name)
        return record.digest


def _artifact(record: ArtifactRecord) -> Artifact:
    from podpy.image.documents import schema
    from podpy.image.lists import artifact
    from podpy.image.names.reference import parse

    reference = parse(record.name)
    return Artifact(
        name=record.name,
        repository=reference.name,
        tag=reference.tag,
        digest=record.digest,
        manifest=schema.load_object(record.manifest, "the artifact's manifest", schema.MANIFEST_LIMIT),
        size=artifact.size(record),
        created=artifact.created(record),
    )
