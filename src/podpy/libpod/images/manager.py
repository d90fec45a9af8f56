"""Images: the methods that the command line, the library and the API call.

with Runtime() as runtime:
    image = runtime.images.pull("docker.io/library/alpine", progress=MyProgress())[0]
    runtime.images.tag(image.id, ["localhost/mine"])
    runtime.images.remove("localhost/mine")
"""

from __future__ import annotations

from podpy.errors import ImageError, NoSuchImageError, NotANameError, PodpyError, RootlessError
from podpy.image.names.lookup import find_image, find_named
from podpy.libpod.images.transfer import patient, transfer
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from podpy.image.documents.describe import LayerLine, Step
    from podpy.image.options import ImportOptions, PushOptions, SaveOptions
    from podpy.image.progress import Progress
    from podpy.image.registry.access import PullOptions
    from podpy.libpod.engine import Engine
    from podpy.libpod.images.rows import ImageRow, Usage
    from podpy.libpod.system.prune import Pruned
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.differences import Change

    Records = list[ImageRecord]
    Texts = list[str]
    Rows = list[ImageRow]
    Steps = list[Step]
    Layers = list[LayerLine]
    Changes = list[Change]
    Mounted = list[tuple[ImageRecord, str]]


class Removal(Record):
    """The result of removing one name: Podman's lines, or the error."""

    name: str
    lines: list[str] = []
    error: PodpyError | None = None


class Images:
    """The images of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Look-ups

    def get(self, name: str) -> ImageRecord:
        """Return an image by name, digest, id or beginning of an id; for a manifest list, its image for this machine.

        Raises NoSuchImageError.
        """
        return find_image(self._engine.store, self._engine.paths, name)

    def exists(self, name: str) -> bool:
        """Return whether there is an image of this name. Raises NotANameError for an impossible name."""
        try:
            self.get(name)
        except NotANameError:
            raise
        except NoSuchImageError:
            return False
        return True

    def list(
        self, filters: Sequence[str] = (), *, whole: bool = True, digests: bool = True, steps: bool = False
    ) -> Records:
        """Return the images that match every filter (podman-images(1)), newest first. `steps`: those of builds, too.

        Without `whole`, they may lack manifest, configuration and layers; without `digests`, digests too.
        Raises UsageError, NoSuchImageError (before, since).
        """
        from podpy.libpod.images.rows import chosen

        return chosen(self._engine, filters, whole=whole, digests=digests, steps=steps)

    def rows(self, filters: Sequence[str] = (), **how: Any) -> Rows:
        """Return the lines of `podpy images`; see `rows.rows`."""
        from podpy.libpod.images.rows import rows

        return rows(self._engine, filters, **how)

    def usage(self) -> Usage:
        """Return data that isn't in images' own rows: how many containers use them, and their former names."""
        from podpy.libpod.images.rows import Usage

        table = self._engine.store.images_table
        return Usage(containers=table.user_counts(), names=table.name_history())

    def inspect(self, name: str) -> dict[str, Any]:
        """Return everything about an image, with Podman's fields in their order. Raises NoSuchImageError."""
        from podpy.image.documents.describe import inspect

        return inspect(self._engine.store, self.get(name))

    def history(self, name: str) -> Steps:
        """Return the steps by which an image was made, the last one first. Raises NoSuchImageError."""
        from podpy.image.documents.describe import history

        return history(self._engine.store, self.get(name))

    def tree(self, name: str, *, children: bool = False) -> tuple[ImageRecord, Layers]:
        """Return an image and its layers, lowest first; with `children`: its topmost layer and the layers above it."""
        from podpy.image.documents import describe

        record = self.get(name)
        show = describe.built_on if children else describe.tree
        return record, show(self._engine.store, record)

    def diff(self, name: str, base: str = "") -> Changes:
        """Return the differences between an image and `base` (a container or image), by default the layer below."""
        from podpy.libpod.system.diff import diff

        return diff(self._engine, name, base, kind="image")

    # Pulling and loading

    def pull(self, name: str, options: PullOptions | None = None, *, progress: Progress | None = None) -> Records:
        """Return the image with this name, pulled by `options.policy`.

        A docker-archive (`docker-archive:FILE`) may hold several. Warns if the image is for another platform. Raises
        NoSuchImageError (policy never), ImageError, RegistryError, AuthenticationError, TrustError, StorageError.
        """
        from podpy.image.incoming import pull
        from podpy.image.names.transports import is_transport
        from podpy.image.registry.access import PullOptions

        wanted = patient(self._engine, options or PullOptions())

        def work(reporter: Progress) -> Records:
            store = self._engine.store
            if is_transport(name):
                records = pull.pull_from_transport(store, name, wanted, progress=reporter)
            else:
                records = [pull.pull(store, self._engine.paths, name, wanted, progress=reporter)]
            for record in records:
                pull.warn_of_platform(record, wanted)
            return records

        return transfer(self._engine, work, progress)

    def all_tags(self, name: str, options: PullOptions | None = None) -> Texts:
        """Return the full name of each tag in the repository `name`. Raises ImageError, RegistryError."""
        from podpy.image.incoming.pull import all_tags
        from podpy.image.registry.access import PullOptions

        return all_tags(self._engine.paths, name, patient(self._engine, options or PullOptions()))

    def load(self, source: str | int, *, signature_policy: str = "", progress: Progress | None = None) -> Texts:
        """Load every image of an archive (a path or a descriptor); return a name for each, or `sha256:ID`.

        Raises ImageError, DigestMismatchError, TrustError, StorageError.
        """
        from podpy.image.archive.read import load

        def work(reporter: Progress) -> Texts:
            store = self._engine.store
            with store.coming_by("loadfromarchive", _shown(source)):
                return load(store, source, policy_file=signature_policy, progress=reporter)

        return transfer(self._engine, work, progress)

    def import_(
        self,
        source: str | int,
        name: str = "",
        options: ImportOptions | None = None,
        *,
        progress: Progress | None = None,
    ) -> ImageRecord:
        """Make an image of the tar of a root file system (a path, an address or a descriptor).

        Raises UsageError (a wrong change), TrustError, ImageError, RegistryError, StorageError.
        """
        from podpy.image.incoming.import_tar import import_tar

        def work(reporter: Progress) -> ImageRecord:
            store = self._engine.store
            with store.coming_by("import", _shown(source)):
                return import_tar(store, source, name, options, progress=reporter)

        return transfer(self._engine, work, progress)

    def download(self, address: str, most: int) -> bytes:
        """Return a file of at most `most` bytes from a web server, by the transport for registries.

        Raises ImageError (no such file, too large), RegistryError (no answer).
        """
        from podpy.image.incoming.download import download

        data = bytearray()
        for piece in download(address):
            data += piece
            if len(data) > most:
                raise ImageError(f"downloading {address}: it has more than {most} bytes")
        return bytes(data)

    # Pushing and saving

    def push(
        self, name: str, destination: str = "", options: PushOptions | None = None, *, progress: Progress | None = None
    ) -> str:
        """Push an image or a list to a registry or another transport; return its manifest's digest there.

        Raises NoSuchImageError, UsageError, NotSupportedError, RegistryError, AuthenticationError, StorageError.
        """
        from podpy.image.options import PushOptions
        from podpy.image.outgoing.push import push

        wanted = patient(self._engine, options or PushOptions())

        def work(reporter: Progress) -> str:
            engine = self._engine
            digest = push(engine.store, engine.paths, name, destination, wanted, progress=reporter)
            self._tell("push", [name], destination or name)
            return digest

        return transfer(self._engine, work, progress)

    def save(
        self, names: Sequence[str], output: str, options: SaveOptions | None = None, *, progress: Progress | None = None
    ) -> None:
        """Write images to an archive or a directory. `options.multiple` None: as containers.conf says.

        Raises UsageError, NoSuchImageError, ImageError, StorageError.
        """
        from podpy.image.archive.save import save
        from podpy.image.options import SaveOptions

        engine = self._engine
        wanted = options or SaveOptions()
        if wanted.multiple is None:
            wanted = wanted.replace(multiple=engine.conf.multi_image_archive)

        def work(reporter: Progress) -> None:
            save(engine.store, engine.paths, names, output, wanted, progress=reporter)
            self._tell("save", names if wanted.multiple else names[:1], output)

        transfer(engine, work, progress)

    def scp(self, source: str, destination: str = "", *, progress: Progress | None = None) -> Texts:
        """Copy an image to or from another machine, or between two (podman-image-scp(1)); return what was loaded here.

        Raises UsageError, NoSuchImageError, ImageError (also what ssh or the other engine says), NotFoundError.
        """
        from podpy.libpod.images import scp
        from podpy.libpod.system.connections import Connections

        begin, end = scp.places(source, destination, Connections(self._engine).find)
        loaded: Texts = []
        if begin.host and end.host:
            scp.between(begin.host, begin.image, end.host)
        elif begin.host:
            scp.fetch(
                lambda descriptor: loaded.extend(self.load(descriptor, progress=progress)), begin.host, begin.image
            )
        elif end.host:
            scp.send(lambda path: self.save([begin.image], path, progress=progress), end.host)
        return loaded

    def _tell(self, action: str, names: Iterable[str], place: str = "") -> None:
        """Write events of actions that changed nothing in the store."""
        from podpy.storage.database.events import tell_if_possible

        engine = self._engine
        for name in names:
            try:
                record, _ = find_named(engine.store, engine.paths, name)
            except PodpyError:
                continue  # removed meanwhile
            tell_if_possible(engine.database, "image", action, record.id, place)

    # Names

    def tag(self, name: str, names: Sequence[str]) -> None:
        """Give an image or a list more names (short ones are localhost's). Raises NoSuchImageError, ImageError."""
        from podpy.image.names.reference import for_new_image

        record, _ = find_named(self._engine.store, self._engine.paths, name)
        full = [for_new_image(text) for text in names]

        def work() -> None:
            for one in full:
                self._engine.store.tag(record.id, one)

        self._engine.privileged(work)

    def untag(self, name: str, names: Sequence[str] = ()) -> None:
        """Remove names from an image (default: all that it has). Raises NoSuchImageError."""
        record, _ = find_named(self._engine.store, self._engine.paths, name)
        own = [_own_name(record, text) for text in names] or record.names

        def work() -> None:
            for one in own:
                self._engine.store.untag(one)

        self._engine.privileged(work)

    # Removing

    def remove(self, name: str, *, force: bool = False, containers: bool = False) -> Texts:
        """Remove a name, and the image with its last name or if given by its id; return Podman's lines about it.

        `force`: also remove an image with several names by its id. `containers`: first remove the containers that use
        it, and unmount it. Raises NoSuchImageError, InUseError, SeveralNamesError, ImageError.
        """
        return self._engine.privileged(lambda: self._remove(name, force, containers))

    def remove_several(
        self, names: Iterable[str], *, every: bool = False, force: bool = False, ignore: bool = False
    ) -> Iterator[Removal]:
        """Remove images one after the other, as podman-rmi(1) does; a failure doesn't stop the others.

        `every`: all images. `force`: also remove the containers that use them. An unknown name is an error unless
        `ignore`, `force` or `every` is set.
        """
        if every:
            names = [record.id for record in self._engine.store.image_summaries()]
        for name in dict.fromkeys(names):  # a name given twice, as in a list of ids, is removed once
            try:
                yield Removal(name=name, lines=self.remove(name, force=force or every, containers=force))
            except PodpyError as error:
                unknown = isinstance(error, NoSuchImageError) and not isinstance(error, NotANameError)
                if not (unknown and (ignore or force or every)):
                    yield Removal(name=name, error=error)

    def _remove(self, text: str, force: bool, containers: bool) -> Texts:
        from podpy.libpod.containers.ending.remove import stop_those_that_go
        from podpy.libpod.containers.held import find as find_container
        from podpy.libpod.pods.users import remove_user
        from podpy.storage.mounts import image_mounts

        store = self._engine.store
        record, name = find_named(store, self._engine.paths, text)
        if name and name not in record.names:
            _refuse_digest(record, text)
            name = record.names[0]
        if containers and not (name and len(record.names) > 1):
            users = [find_container(self._engine, user) for user in store.image_users(record.id)]
            stop_those_that_go(users)
            for user in users:
                remove_user(user)
            if record.id in image_mounts.mounted(store):
                image_mounts.unmount(store, record.id, force=True)
        return store.remove_image(name or record.id, force=force).lines

    def prune(
        self,
        filters: Sequence[str] = (),
        *,
        every: bool = False,
        dry_run: bool = False,
        gone: Sequence[str] = (),
        build_cache: bool = False,
    ) -> Pruned:
        """Remove images that no container uses: those without a name and in no list that has one, or (`every`) all.

        The image that a container had before its last update stays, for `rollback`. `gone` are containers that count
        as removed. `build_cache`: the steps of builds, too, which go with `every`, as well. Raises UsageError (a
        filter).
        """
        from podpy.libpod.system import prune
        from podpy.libpod.updates.table import UpdateTable
        from podpy.storage.lists import members

        used = prune.images_after(self._engine, gone) | UpdateTable(self._engine.database).kept_images()
        if not every:
            used |= members(self._engine.store)
        chosen = [
            record
            for record in self.list(filters, whole=False, digests=False, steps=every or build_cache)
            if record.id not in used and (every or not record.names)
        ]
        # Data of interrupted pulls has neither labels nor an age, so no filter can match it.
        return prune.images(
            self._engine,
            chosen,
            dry_run=dry_run,
            unfinished=every and not filters,
            caches=(every or build_cache) and not filters,
        )

    def prune_build_cache(self, *, dry_run: bool = False) -> Pruned:
        """Remove the images that are only steps of builds and that no container uses, and the directories that
        RUN --mount=type=cache keeps.
        """
        from podpy.libpod.system import prune

        used = prune.images_after(self._engine, ())
        steps = self._engine.store.build_steps() - used
        chosen = [record for record in self.list(whole=False, digests=False, steps=True) if record.id in steps]
        return prune.images(self._engine, chosen, dry_run=dry_run, caches=True)

    def clear_up(self, *, dry_run: bool = False) -> Pruned:
        """Remove files that belong to no image any more: killed calls leave them."""
        from podpy.libpod.system import prune

        return prune.images(self._engine, [], dry_run=dry_run)

    # Mounting

    def mount(self, names: Sequence[str] = (), *, every: bool = False) -> Mounted:
        """Mount images read-only (`every`: all); return each with its path. Raises NoSuchImageError, RootlessError
        (outside the user's namespaces), NotSupportedError, StorageError.
        """
        from podpy.storage.mounts import image_mounts

        self._refuse_outside()

        def work() -> Mounted:
            store = self._engine.store
            records = [record for record in store.images() if not record.is_list] if every else map(self.get, names)
            found = [(record, image_mounts.mount(store, record)) for record in records]
            self._tell("mount", (record.id for record, _ in found))
            return found

        return self._engine.privileged(work)

    def mounted(self) -> Mounted:
        """Return the mounted images (summaries) with their paths. Raises RootlessError."""
        from podpy.storage.mounts import image_mounts

        self._refuse_outside()

        def work() -> Mounted:
            paths = image_mounts.mounted(self._engine.store)
            return [(record, paths[record.id]) for record in self.list(whole=False) if record.id in paths]

        return self._engine.privileged(work)

    def unmount(self, names: Sequence[str] = (), *, every: bool = False, force: bool = False) -> Iterator[Removal]:
        """Unmount images; yield a Removal for each mounted one, with its id as a line, or the error."""
        from podpy.storage.mounts import image_mounts

        def one(name: str) -> Texts:
            # A removed image can still be mounted, under the id that `mounted` returns.
            image_id = name if every else self.get(name).id
            if not image_mounts.unmount(self._engine.store, image_id, force=force):
                return []
            self._tell("unmount", [image_id])
            return [image_id]

        privileged = self._engine.privileged
        for name in privileged(lambda: image_mounts.mounted(self._engine.store)) if every else names:
            try:
                yield Removal(name=name, lines=privileged(lambda name=name: one(name)))  # type: ignore[misc]
            except PodpyError as error:
                yield Removal(name=name, error=error)

    def _refuse_outside(self) -> None:
        import os

        if self._engine.paths.rootless and os.getuid():
            # Outside the user's mount namespace nobody would see the mount.
            raise RootlessError(
                'cannot run command "podpy image mount" in rootless mode, must execute `podpy unshare` first'
            )


def _shown(source: str | int) -> str:
    return source if isinstance(source, str) else "-"


def _refuse_digest(record: ImageRecord, text: str) -> None:
    # As in Podman: an image's digests can't be untagged. If it has only one name, that name is removed.
    if len(record.names) > 1:
        names = ", ".join(record.names)
        raise ImageError(f"{text}: tag not known", hint=f"The image has that digest; its names are {names}")


def _own_name(record: ImageRecord, text: str) -> str:
    from podpy.image.names.reference import parse

    wanted = parse(text).with_default_tag()
    for name in record.names:
        if name == str(wanted) or (wanted.is_short and name.endswith(f"/{wanted}")):
            return name
    raise NoSuchImageError(f"{text}: tag not known")
