"""Containers: the methods that the command line, the library and the API call.

with Runtime() as runtime:
    container = runtime.containers.create(ContainerSpec(image="hello"))
    for container in runtime.containers.list(["label=mine"], all=True):
        container.remove(force=True)
"""

from __future__ import annotations

from podpy.errors import NoSuchContainerError, PodpyError
from podpy.libpod.containers.container import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import Any, TypeGuard

    from podpy.image.progress import Progress
    from podpy.image.registry.access import PullOptions
    from podpy.libpod.containers.contents.options import CommitOptions, CopyOptions
    from podpy.libpod.containers.contents.stat import PathStat
    from podpy.libpod.containers.rows import Listing
    from podpy.libpod.containers.stats import Sampler
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine
    from podpy.libpod.io.foreground import AttachOptions
    from podpy.libpod.io.log_lines import LogLine, LogOptions
    from podpy.libpod.system.prune import Pruned
    from podpy.spec.changes import Changes
    from podpy.spec.container import ContainerSpec
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.differences import Change
    from podpy.storage.layers.pack import Packed

    Found = Sequence[Container]
    Mounted = list[tuple[str, str, str]]
    Table = list[list[str]]
    Differences = list[Change]
    Chosen = tuple[str, Container | PodpyError]
    Outcome = tuple[str, PodpyError | None]


class Containers:
    """The containers of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self) -> Found:
        """Return all containers, oldest first."""
        return self.list(all=True)

    # Look-ups

    def get(self, name: str) -> Container:
        """Return a container by name, id, or beginning of its id. Raises NoSuchContainerError, AmbiguousNameError."""
        return Container(self._engine, self._engine.table.find(name))

    def latest(self) -> Container:
        """Return the container that was created last. Raises NoSuchContainerError."""
        row = self._engine.table.latest()
        if row is None:
            raise NoSuchContainerError("there is no container: no such container")
        return Container(self._engine, row)

    def exists(self, name: str) -> bool:
        """Return whether there is a container of this name. Raises AmbiguousNameError."""
        try:
            self.get(name)
        except NoSuchContainerError:
            return False
        return True

    def list(self, filters: Sequence[str] = (), *, all: bool = False, last: int = 0) -> Found:
        """Return the running containers (`all`: all; `last`: that many of the newest) that match every filter
        (podman-ps(1)), oldest first. Raises UsageError, NoSuchContainerError (before, since).
        """
        rows = self.listing(filters, all=all, last=last).rows
        return [Container(self._engine, row) for row in rows]

    def listing(self, filters: Sequence[str] = (), **how: Any) -> Listing:
        """Return the rows of `podpy ps`; see `rows.listing`."""
        from podpy.libpod.containers.rows import listing

        if self._engine.is_unfinished:
            from podpy.libpod.system.unfinished import undo_if_killed

            undo_if_killed(self._engine)
        return listing(self._engine, filters, **how)

    def unenforceable(self, spec: ContainerSpec) -> str:
        """Return why this host can't enforce some of the spec's limits; "" if it can."""
        from podpy.libpod.containers.starting.preflight import unenforceable

        return unenforceable(self._engine, spec)

    def committed(self) -> Sequence[ContainerRow]:
        """Return the rows as last committed, without waiting and without settling them."""
        return self._engine.table.summaries()

    def select(
        self,
        names: Sequence[str] = (),
        *,
        every: bool = False,
        latest: bool = False,
        filters: Sequence[str] = (),
        states: Sequence[str] = (),
    ) -> Iterator[Chosen]:
        """Yield a pair for each container that a command acts on: the name that chose it, and the container or error.

        With `every` or `filters`: all containers in one of `states` (empty: any), restricted to `names` if given.
        """
        if latest:
            newest = _or_error(self.latest)
            yield newest.id if isinstance(newest, Container) else "", newest
        elif every or filters:
            named = {found.id for name in names if isinstance(found := self._find(name), Container)}
            for row in self.listing(filters, all=True).rows:
                if not (names and row.id not in named) and (not states or row.status in states):
                    yield row.id, Container(self._engine, row)
        else:
            yield from ((name, self._find(name)) for name in names)

    def _find(self, name: str) -> Container | PodpyError:
        return _or_error(lambda: self.get(name))

    def stats(self, names: Sequence[str] = (), *, every: bool = False) -> Sampler:
        """Return a Sampler of what containers use: those with `names`, else the running ones (`every`: all).

        sampler = runtime.containers.stats()
        for each in sampler.sample():
            print(each.name, each.cpu, each.memory)
        """
        from podpy.libpod.containers.stats import Sampler

        return Sampler(self._engine, names, every=every)

    def top(self, name: str, fields: Sequence[str] = ()) -> Table:
        """Return a heading and a row for each process of a container; see `top.top`. Raises StateError."""
        from podpy.libpod.containers.top import top

        return top(self.get(name), [*fields])

    def diff(self, name: str, base: str = "") -> Differences:
        """Return how a container's files differ from its image's, or from those of `base`. Raises NotFoundError."""
        from podpy.libpod.system.diff import diff

        return diff(self._engine, name, base, kind="container")

    def logs(self, containers: Sequence[Container], options: LogOptions | None = None) -> Iterator[tuple[int, LogLine]]:
        """Yield pairs (index in `containers`, line) of several logs, in the order of time; not with `follow`.

        Raises NotSupportedError (no log).
        """
        from podpy.libpod.io.log_merge import merged

        return merged([container.logs(options) for container in containers])

    def wait_for_first(
        self, containers: Sequence[Container], *, conditions: Collection[str] = (), output: int = -1
    ) -> int:
        """Wait until one of several has ended, or is in one of these states; return its exit code (see Container.wait).

        Raises UsageError for what is no state, BrokenPipeError when nobody reads any more from the descriptor `output`.
        """
        from podpy.libpod.containers.ending.wait import wait_for_first

        def look(container: Container) -> int:
            return container.wait(0, conditions=conditions, output=output)

        return wait_for_first(containers, look, by_row=bool(conditions), output=output)

    # Creating

    def create(
        self,
        spec: ContainerSpec,
        pull: PullOptions | None = None,
        *,
        replace: bool = False,
        progress: Callable[[], Progress] | None = None,
    ) -> Container:
        """Create a container that isn't started.

        `pull`: how to find its image (None, or an empty policy: as containers.conf says). `replace`: first remove a
        container with its name. `progress` is a factory for the pull's reporter. Raises UsageError, NoSuchImageError,
        InUseError, ImageError.
        """
        from podpy.libpod.containers.starting.create import create
        from podpy.libpod.system.repair import repair_if_needed

        engine = self._engine
        with engine.noticing():
            repair_if_needed(engine)
            made = create(engine, spec, pull, replace=replace, progress=progress)
        return Container(engine, made.row, lock=made.lock)

    def run(
        self,
        spec: ContainerSpec,
        pull: PullOptions | None = None,
        options: AttachOptions | None = None,
        *,
        replace: bool = False,
        progress: Callable[[], Progress] | None = None,
        discard: bool = False,
    ) -> tuple[Container, int | None]:
        """Create a container and start it; see `starting.run.run`."""
        from podpy.libpod.containers.starting.run import run

        held, code = run(self._engine, spec, pull, options, replace=replace, progress=progress, discard=discard)
        return Container(self._engine, held.row), code

    def clone(
        self,
        name: str,
        changes: Changes,
        *,
        new_name: str = "",
        image: str = "",
        pod: str = "",
        destroy: bool = False,
        force: bool = False,
    ) -> Container:
        """Create a copy of a container; `destroy` removes the original. See `starting.clone.cloned`.

        Raises StateError if the original is running and must be removed without `force`.
        """
        from podpy.libpod.containers.starting.clone import check_destroyable, cloned

        old = self.get(name)
        if destroy:
            check_destroyable(old, force=force)
        spec = cloned(old, changes, name=new_name, image=image, pod=pod)
        made = self.create(spec)
        if destroy:
            old.remove(force=force)
        return made

    def explain(self, spec: ContainerSpec) -> Sequence[str]:
        """Return a line for each operation of a start; see `starting.explain.explain`."""
        from podpy.libpod.containers.starting.explain import explain

        return self._engine.privileged(lambda: explain(self._engine, spec))

    # Files

    def export(self, name: str, output: str | int) -> Packed:
        """Write a container's root file system, without the mounts in it, as a tar to a path or a descriptor.

        A file appears only when it is complete. Returns its statistics. Raises NoSuchContainerError, StorageError,
        NoSpaceError, ImageError (the file), BrokenPipeError (nobody reads it any more).
        """
        from podpy.libpod.containers.contents.export import export

        container = self.get(name)
        return self._engine.privileged(lambda: export(container, output))

    def commit(
        self, name: str, image: str = "", options: CommitOptions | None = None, *, progress: Progress | None = None
    ) -> ImageRecord:
        """Make an image of a container: its own layer on its image's, and its options as the configuration.

        `image`: the new image's name (a short one is localhost's); empty: none. Raises NoSuchContainerError, UsageError
        (a wrong change), NotSupportedError (it can't be paused), ImageError, StorageError.
        """
        from podpy.libpod.containers.contents.commit import commit
        from podpy.libpod.images.transfer import transfer

        container = self.get(name)
        return transfer(self._engine, lambda reporter: commit(container, image, options, reporter), progress)

    def copy_out(self, name: str, path: str, destination: str | int, options: CopyOptions | None = None) -> None:
        """Copy a path of a container to a path of the caller, or a tar of it to a descriptor (docs/copy-and-commit.md).

        Raises NoSuchContainerError, NotFoundError, UsageError, StorageError, BrokenPipeError.
        """
        from podpy.libpod.containers.contents.copy import copy_out

        container = self._to_copy(name)
        self._engine.privileged(lambda: copy_out(container, path, destination, options))

    def copy_in(self, name: str, source: str | int, path: str, options: CopyOptions | None = None) -> None:
        """Copy a path of the caller, or a tar from a descriptor, to a path in a container; as `copy_out`."""
        from podpy.libpod.containers.contents.copy import copy_in

        container = self._to_copy(name)
        self._engine.privileged(lambda: copy_in(container, source, path, options))

    def copy_between(
        self, source: str, source_path: str, target: str, target_path: str, options: CopyOptions | None = None
    ) -> None:
        """Copy a path of a container to a path of another one, or of the same one; as `copy_out`."""
        from podpy.libpod.containers.contents.copy import copy_between

        found, into = self._to_copy(source), self._to_copy(target)
        self._engine.privileged(lambda: copy_between(found, source_path, into, target_path, options))

    def stat(self, name: str, path: str) -> PathStat:
        """Return what is at a path of a container; a symbolic link at its end isn't followed.

        Raises NoSuchContainerError, NotFoundError, StorageError.
        """
        from podpy.libpod.containers.contents.stat import stat_path

        container = self._to_copy(name)
        return self._engine.privileged(lambda: stat_path(container, path))

    def _to_copy(self, name: str) -> Container:
        try:
            return self.get(name)
        except NoSuchContainerError:
            raise NoSuchContainerError(f'container "{name}" does not exist') from None

    def mount(self, names: Sequence[str], *, every: bool = False) -> Iterator[tuple[str, str | PodpyError]]:
        """Mount containers in the user's mount namespace; yield each name with the path or the error.

        Raises RootlessError outside the user's namespaces (`podpy unshare`).
        """
        from podpy.libpod.containers.contents import mount

        mount.refuse_outside(self._engine)
        for name in mount.all_ids(self._engine) if every else names:
            yield name, self._attempt(lambda name: mount.mount(self.get(name)), name)

    def mounted(self) -> Mounted:
        """Return the id, name and path of each container that is mounted. Raises RootlessError as `mount`."""
        from podpy.libpod.containers.contents import mount

        mount.refuse_outside(self._engine)
        return self._engine.privileged(lambda: mount.mounted(self._engine))

    def unmount(
        self, names: Sequence[str], *, every: bool = False, force: bool = False
    ) -> Iterator[tuple[str, str | PodpyError]]:
        """Unmount containers; yield each name with the id or the error. `every`: all mounted ones."""
        from podpy.libpod.containers.contents import mount

        engine = self._engine
        chosen = [found for found, _, _ in engine.privileged(lambda: mount.mounted(engine))] if every else names
        for name in chosen:
            yield name, self._attempt(lambda name: mount.unmount(engine, name, force=force), name)

    def _attempt(self, work: Callable[[str], str], name: str) -> str | PodpyError:
        try:
            return self._engine.privileged(lambda: work(name))
        except PodpyError as error:
            return error

    # Stopping and removing

    def stop_several(
        self, chosen: Iterable[Chosen], timeout: int | None = None, *, as_service: bool = False
    ) -> Iterator[Outcome]:
        """Stop containers together (signal all, then wait for all); yield each name with its error or None.

        `timeout` and errors: as `Container.stop`. `as_service`: not the user stops them: one whose policy is
        unless-stopped starts at the next boot.
        """
        from podpy.libpod.containers.ending.stop import stop_and_tell

        return self._together(chosen, lambda containers: stop_and_tell(containers, timeout, as_service=as_service))

    def kill_several(self, chosen: Iterable[Chosen], signal: int = 9) -> Iterator[Outcome]:
        """Send a signal to containers together; SIGKILL is waited for when all have it.

        Yields as `stop_several`. Errors: as `Container.kill`.
        """
        from podpy.libpod.containers.ending.stop import kill_together

        return self._together(chosen, lambda containers: kill_together(containers, signal))

    def restart_several(self, chosen: Iterable[Chosen], timeout: int | None = None) -> Iterator[Outcome]:
        """Stop containers together and start them again; those whose namespaces others join come first.

        Yields as `stop_several`. `timeout` and errors: as `Container.restart`.
        """
        from podpy.libpod.containers.ending.restart import restart_together

        return self._together(chosen, lambda containers: restart_together(containers, timeout))

    def _together(
        self, chosen: Iterable[Chosen], work: Callable[[Sequence[Container]], dict[str, PodpyError]]
    ) -> Iterator[Outcome]:
        from podpy.libpod.system.repair import repair_if_needed

        repair_if_needed(self._engine)
        together = [*chosen]
        containers = [found for _, found in together if isinstance(found, Container)]
        errors = self._engine.privileged(lambda: work(containers)) if containers else {}
        for shown, found in together:
            yield shown, errors.get(found.id) if isinstance(found, Container) else found

    def remove_several(
        self,
        chosen: Iterable[Chosen],
        *,
        every: bool = False,
        force: bool = False,
        timeout: int | None = None,
        depend: bool = False,
        **how: Any,
    ) -> Iterator[Outcome]:
        """Remove containers one after the other; yield each name with its error or None.

        With `force`, they are stopped together before. A container named twice is removed once. One that joins the
        namespaces of another doesn't prevent that one's removal if both are removed. With `every`, that all are chosen,
        pods go, too. Other options: `Container.remove`.
        """
        from podpy.libpod.system.repair import repair

        self._engine.privileged(lambda: repair(self._engine))
        together = dict(chosen)
        infra = {shown: found for shown, found in together.items() if every and _is_infra(found)}
        together = {shown: found for shown, found in together.items() if shown not in infra}
        containers = {found.id: found for found in together.values() if isinstance(found, Container)}
        going = None if every else set(containers)
        if force and len(containers) > 1:
            from podpy.libpod.containers.ending.remove import stop_those_that_go

            self._engine.privileged(
                lambda: stop_those_that_go(containers.values(), timeout=timeout, depend=depend, going=going)
            )
        for shown, found in together.items():
            if isinstance(found, Container):
                yield shown, failure(found.remove, going=going, force=force, timeout=timeout, depend=depend, **how)
            elif isinstance(found, NoSuchContainerError):
                # Podman's rm, unlike its other commands, also asks its storage library: this is that one's message.
                text = f'no container with ID or name "{shown}" found: no such container'
                yield shown, NoSuchContainerError(text)
            else:
                yield shown, found
        for shown, found in infra.items():
            yield shown, failure(self._remove_pod, found, force, timeout)

    def _remove_pod(self, infra: Container, force: bool, timeout: int | None) -> None:
        from podpy.libpod.pods.users import remove_user

        self._engine.privileged(lambda: remove_user(infra, force=force, timeout=timeout))

    def prune(self, filters: Sequence[str] = (), *, dry_run: bool = False) -> Pruned:
        """Remove the containers that aren't running and match every filter. Raises UsageError."""
        from podpy.libpod.system import prune

        return prune.containers(self._engine, self.listing(filters, all=True).rows, dry_run=dry_run)


def _is_infra(found: Container | PodpyError) -> TypeGuard[Container]:
    return isinstance(found, Container) and bool(found.row.pod) and found.spec.is_infra


def failure(work: Callable[..., object], *values: object, **named: object) -> PodpyError | None:
    """Call `work` with these values; return its PodpyError, or None."""
    try:
        work(*values, **named)
    except PodpyError as error:
        return error
    return None


def _or_error(find: Callable[[], Container]) -> Container | PodpyError:
    try:
        return find()
    except PodpyError as error:
        return error
