"""Manifest lists of the store: `podpy manifest`."""

from __future__ import annotations

from podpy.errors import NoSuchImageError, UsageError
from podpy.libpod.images.transfer import patient, transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.image.options import EntryChanges, ListAddOptions, ListArtifactOptions, ListPushOptions
    from podpy.image.progress import Progress
    from podpy.image.registry.access import Access
    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord


class ManifestLists:
    """The manifest lists of one store. Methods take a list's name or id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str) -> ImageRecord:
        """Return a list. Raises NoSuchImageError, NotAListError (it is an image)."""
        from podpy.image.lists.manifest_list import find_list

        return find_list(self._engine.store, self._engine.paths, name)

    def exists(self, name: str) -> bool:
        """Return whether there is a list of this name. Raises NotAListError."""
        try:
            self.get(name)
        except NoSuchImageError:
            return False
        return True

    def create(
        self,
        name: str,
        images: Sequence[str] = (),
        options: ListAddOptions | None = None,
        *,
        amend: bool = False,
        annotations: dict[str, str] | None = None,
    ) -> str:
        """Create a list (`amend`: or change the one with this name), and return its id.

        Raises StorageError (the name is taken), and as `add`; then no list was created.
        """
        from podpy.image.lists import manifest_list
        from podpy.image.options import ListAddOptions

        engine = self._engine
        wanted = patient(engine, options or ListAddOptions())
        return engine.privileged(
            lambda: manifest_list.create(
                engine.store, engine.paths, name, [*images], wanted, amend=amend, annotations=annotations
            )
        )

    def replace(self, names: Sequence[str], images: Sequence[str]) -> str:
        """Make a list of images (ids) that has these full names, whatever had them before, and return its id.

        A list that has them and the same images stays. Raises NoSuchImageError, StorageError.
        """
        from podpy.image.lists import manifest_list

        engine = self._engine
        return engine.privileged(lambda: manifest_list.replace(engine.store, engine.paths, [*names], [*images]))

    def add(self, name: str, images: Sequence[str], options: ListAddOptions | None = None) -> str:
        """Add images (of the store, a registry, an archive) to a list, and return its id.

        Raises NoSuchImageError, NotAListError, ImageError, RegistryError; then the list hasn't changed.
        """
        from podpy.image.lists import manifest_list
        from podpy.image.options import ListAddOptions

        engine = self._engine
        wanted = patient(engine, options or ListAddOptions())
        return engine.privileged(lambda: manifest_list.add(engine.store, engine.paths, name, [*images], wanted))

    def add_artifact(self, name: str, files: Sequence[str], options: ListArtifactOptions, changes: EntryChanges) -> str:
        """Make an artifact of files, add it to a list, and return the list's id. The files are copied.

        Raises NoSuchImageError, NotAListError, ImageError (a file can't be read), StorageError.
        """
        from podpy.image.lists.add_artifact import add_files

        engine = self._engine
        return engine.privileged(lambda: add_files(engine.store, engine.paths, name, [*files], options, changes))

    def annotate(self, name: str, entry: str, changes: EntryChanges) -> str:
        """Change a list's data about an entry (a digest, an artifact's file, an image's name); return the list's id.

        Raises NoSuchImageError, NotAListError, ImageError.
        """
        from podpy.image.lists import manifest_list

        engine = self._engine

        def work() -> str:
            record = self.get(name)
            digest = manifest_list.member(engine.store, engine.paths, record, entry)
            return manifest_list.annotate(engine.store, record, digest, changes)

        return engine.privileged(work)

    def annotate_index(self, name: str, annotations: dict[str, str], *, subject: str = "") -> str:
        """Set annotations of the list itself, and its subject (an image's name); return its id."""
        from podpy.image.lists import manifest_list

        engine = self._engine
        return engine.privileged(
            lambda: manifest_list.annotate_index(
                engine.store, engine.paths, self.get(name), annotations, subject=subject
            )
        )

    def inspect(self, name: str, access: Access | None = None) -> dict[str, object]:
        """Return the document of a list in the store, or else in a registry. Raises NoSuchImageError, RegistryError."""
        from podpy.image.lists import manifest_list
        from podpy.image.registry.access import Access

        engine = self._engine  # staging a compressed archive is privileged
        wanted = patient(engine, access or Access())
        return engine.privileged(lambda: manifest_list.inspect(engine.store, engine.paths, name, wanted))

    def push(
        self,
        name: str,
        destination: str = "",
        options: ListPushOptions | None = None,
        *,
        remove: bool = False,
        progress: Progress | None = None,
    ) -> str:
        """Push a list (and its images) to a registry or another transport, and return its digest there.

        `remove`: remove it afterwards. Raises NoSuchImageError, NotAListError, UsageError, NotSupportedError,
        RegistryError, AuthenticationError, TrustError.
        """
        from podpy.image.lists.manifest_list import find_named_list
        from podpy.image.lists.push import push_list
        from podpy.image.options import ListPushOptions
        from podpy.image.outgoing.push import own_destination
        from podpy.storage.database.events import tell_if_possible

        engine = self._engine
        record, found = find_named_list(engine.store, engine.paths, name)
        where = destination or own_destination(name, found)
        wanted = patient(engine, options or ListPushOptions())

        def work(reporter: Progress) -> str:
            pushed = push_list(engine.store, engine.paths, record, where, wanted, progress=reporter)
            tell_if_possible(engine.database, "image", "push", record.id, where)
            if remove:
                engine.store.remove_image(record.id, force=True)
            return pushed.digest

        return transfer(engine, work, progress)

    def remove_entry(self, name: str, digest: str) -> str:
        """Remove an entry from a list, and return the list's id. Raises NoSuchImageError, NotAListError, ImageError."""
        from podpy.image.lists import manifest_list

        record = self.get(name)
        return self._engine.privileged(lambda: manifest_list.remove(self._engine.store, record, digest))

    def remove(self, name: str) -> list[str]:
        """Remove a list (of several names only the given one) and return Podman's lines about it.

        Raises NoSuchImageError, NotAListError, InUseError.
        """
        from podpy.image.lists.manifest_list import find_named_list

        def work() -> list[str]:
            store = self._engine.store
            record, found = find_named_list(store, self._engine.paths, name)
            return store.remove_image(found if found in record.names else record.id).lines

        return self._engine.privileged(work)


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """Parse `--annotation KEY=VALUE` options. Raises UsageError."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f'expected --annotation "{text}" to be in key=value format')
        found[key] = value
    return found
