"""Runtime: the engine as a caller sees it.

    from podpy import Runtime

    with Runtime() as runtime:
        container = runtime.create(ContainerSpec(image="hello"))
        container.start()
        print(container.wait())

What libpod's own functions take is the part without these methods, podpy.libpod.engine. One Runtime is for one thread.
"""

from __future__ import annotations

import os

from podpy.config.paths import Paths
from podpy.errors import NoSuchContainerError, NotFoundError
from podpy.libpod.access import Helper
from podpy.libpod.caller import Caller, without_service
from podpy.libpod.engine import Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podpy.errors import PodpyError
    from podpy.image.options import PushOptions, SaveOptions
    from podpy.image.progress import Progress
    from podpy.image.registry.access import PullOptions
    from podpy.libpod.access import Access
    from podpy.libpod.containers.container import Container
    from podpy.libpod.containers.manager import Containers
    from podpy.libpod.containers.table import ContainerRow, Line
    from podpy.libpod.images.artifacts import Artifacts
    from podpy.libpod.images.lists import ManifestLists
    from podpy.libpod.images.manager import Images
    from podpy.libpod.images.registries import Registries
    from podpy.libpod.secrets import Secrets
    from podpy.libpod.settings import Settings
    from podpy.libpod.system.events import EventStream
    from podpy.libpod.system.prune import Pruned
    from podpy.libpod.volumes.manager import Volumes
    from podpy.libpod.why.answer import Answer
    from podpy.plan import Trace
    from podpy.spec.container import ContainerSpec
    from podpy.storage.images import ImageRecord


class Runtime(Engine):
    """The public face of the engine: containers, volumes and images."""

    def __init__(
        self,
        paths: Paths | None = None,
        *,
        caller: Caller | None = None,
        settings: Settings | None = None,
        access: Access | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Find the user's directories (unless `paths` says them). Raises RootlessError or ConfigError.

        `caller`: what containers may get of the caller; by default this process's environment and directory, without
        what a service manager gave it, and no streams. `access`: where privileged work happens; by default in a helper.
        """
        super().__init__(
            paths or Paths.find(),
            caller or Caller(without_service(os.environ), working_directory()),
            settings=settings,
            access=access or Helper(),
            trace=trace,
        )

    def __repr__(self) -> str:
        return f"<Runtime of {self.paths.graphroot}, run directory {self.paths.runroot}>"

    # Containers

    def create(
        self,
        spec: ContainerSpec,
        pull: PullOptions | None = None,
        *,
        replace: bool = False,
        progress: Callable[[], Progress] | None = None,
    ) -> Container:
        """Create a container that isn't started; see `Containers.create`."""
        return self.containers.create(spec, pull, replace=replace, progress=progress)

    def container(self, name_or_id: str) -> Container:
        """Return a container by name, id, or beginning of its id. Raises NoSuchContainerError, StateError."""
        from podpy.libpod.containers.container import Container

        return Container(self, self.table.find(name_or_id))

    def latest(self) -> Container:
        """Return the container that was created last. Raises NoSuchContainerError."""
        return self.containers.latest()

    @property
    def containers(self) -> Containers:
        """The containers of the store, and what is done with several; called, it returns all, oldest first."""
        from podpy.libpod.containers.manager import Containers

        return Containers(self)

    def rows(self, rows: list[ContainerRow] | None = None) -> list[ContainerRow]:
        """Return all containers' rows (or those given) with their true state, oldest first."""
        from podpy.libpod.containers.rows import true_rows

        return true_rows(self, rows)

    def container_lines(self) -> list[Line]:
        """Return a line of `ps` for each container, oldest first; states are compared with the processes."""
        from podpy.libpod.containers.rows import true_lines

        return true_lines(self)

    def health_states(self, ids: list[str]) -> dict[str, str]:
        """Return the health (starting, healthy, unhealthy) of those of these containers that have a health check."""
        from podpy.monitor.files import health_states

        return health_states(self.health_directory, ids)

    def prune(
        self, filters: Sequence[str] = (), *, every: bool = False, volumes: bool = False, dry_run: bool = False
    ) -> dict[str, Pruned]:
        """Remove stopped containers, then `volumes`, then images that nothing uses any more (`every`: named ones, too).

        Returns what became of each kind: "containers", "volumes", "images". Raises UsageError (a filter).
        """
        from podpy.libpod.system import prune

        found = {"containers": self.containers.prune(filters, dry_run=dry_run)}
        gone = found["containers"].removed
        if volumes:
            from podpy.libpod.filters.volumes import unused

            names = [volume.name for volume in unused(self, [*filters], every=True, gone=gone)]
            found["volumes"] = prune.volumes(self, names, dry_run=dry_run)
        found["images"] = self.images.prune(filters, every=every, dry_run=dry_run, gone=gone)
        return found

    def reset(self) -> list[PodpyError]:
        """Remove everything: containers, images, artifacts, volumes, secrets, and podpy's directories.

        Return why something is still there; then the rest is, too. Raises StorageError.
        """
        from podpy.libpod.system.reset import reset

        return reset(self)

    @property
    def volumes(self) -> Volumes:
        """The volumes of the store."""
        from podpy.libpod.volumes.manager import Volumes

        return Volumes(self)

    def events(
        self,
        *,
        since: int = 0,
        until: int = 0,
        filters: Sequence[str] = (),
        follow: bool = False,
        past: bool = True,
        output: int = -1,
    ) -> EventStream:
        """Return what has happened, as an iterator of Event, and with `follow` what happens; its `close` ends it.

        `since`, `until`: nanoseconds since 1970. `filters`: as podman-events(1) has them. Without `past` only what
        happens from now on. `output`: the descriptor of a pipe to which the events go; who waits for the next one gets
        BrokenPipeError when nobody reads from it any more. Raises UsageError (a filter).

            with runtime.events(filters=["container=web"], follow=True, past=False) as events:
                for event in events:
                    print(event.status, event.name)
        """
        from podpy.libpod.system.events import EventStream

        return EventStream(self, since=since, until=until, filters=filters, follow=follow, past=past, output=output)

    def why(self, name: str, path: str = "") -> Answer:
        """Return why a container ended, never started or is unhealthy; with `path`, what keeps it from a file inside.

        Of a container that was removed, what became of it. Raises NoSuchContainerError; with `path` StateError.
        """
        if path:
            from podpy.libpod.why.path import explain as explain_path

            return explain_path(self, name, path)
        from podpy.libpod.why.container import explain

        return explain(self, name)

    def why_port(self, port: str) -> Answer:
        """Return who holds a port of this machine: "8080", "53/udp". Raises UsageError."""
        from podpy.libpod.why.port import explain

        return explain(self, port)

    # Images

    @property
    def images(self) -> Images:
        """The images of the store, and what is done with them."""
        from podpy.libpod.images.manager import Images

        return Images(self)

    @property
    def manifests(self) -> ManifestLists:
        """The manifest lists of the store."""
        from podpy.libpod.images.lists import ManifestLists

        return ManifestLists(self)

    @property
    def artifacts(self) -> Artifacts:
        """The artifacts of the store."""
        from podpy.libpod.images.artifacts import Artifacts

        return Artifacts(self)

    @property
    def secrets(self) -> Secrets:
        """The secrets of the store."""
        from podpy.libpod.secrets import Secrets

        return Secrets(self)

    @property
    def registries(self) -> Registries:
        """Searching registries, logging in, and whose signatures are trusted."""
        from podpy.libpod.images.registries import Registries

        return Registries(self)

    def inspect(self, name: str, kind: str = "all", *, size: bool = False) -> tuple[str, dict[str, Any]]:
        """Return the kind of the first object with this name, in Podman's order (container, image, volume), and
        everything about it; `kind`: of this one alone. `size`: a container's sizes, too. Raises NotFoundError.
        """
        looks: dict[str, Callable[[], dict[str, Any]]] = {
            "container": lambda: self._named_container(name).inspect(size=size),
            "image": lambda: self.images.inspect(name),
            "volume": lambda: self.volumes.inspect(name),
        }
        for found, look in looks.items():
            try:
                if kind in ("all", found):
                    return found, look()
            except NotFoundError:
                if kind == found:
                    raise
        hint = "See 'podpy ps -a', 'podpy images' and 'podpy volume ls'"
        raise NotFoundError(f'no such object: "{name}"', hint=hint)

    def _named_container(self, name: str) -> Container:
        try:
            return self.container(name.removeprefix("/"))  # Docker's names begin so
        except NoSuchContainerError:
            raise NoSuchContainerError(f"no such container {name}", hint="See: podpy ps -a") from None

    def image(self, name_or_id: str) -> ImageRecord:
        """Return an image of the store by name, digest or id. Raises NoSuchImageError."""
        from podpy.image.names.lookup import find_image

        return find_image(self.store, self.paths, name_or_id)

    def pull(self, name: str, options: PullOptions | None = None, *, progress: Progress | None = None) -> ImageRecord:
        """Return an image, fetched from its registry as `options.policy` says; see `Images.pull`."""
        return self.images.pull(name, options, progress=progress)[0]

    def load(self, archive: str | int, *, progress: Progress | None = None) -> list[str]:
        """Load the images of an archive (a path or a descriptor); return their names; see `Images.load`."""
        return self.images.load(archive, progress=progress)

    def push(
        self,
        name: str,
        destination: str = "",
        options: PushOptions | None = None,
        *,
        progress: Progress | None = None,
    ) -> str:
        """Send an image to a registry or another place; return its manifest's digest there; see `Images.push`."""
        return self.images.push(name, destination, options, progress=progress)

    def save(
        self,
        names: Sequence[str],
        output: str,
        options: SaveOptions | None = None,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Write images to an archive or a directory; see `Images.save`."""
        self.images.save(names, output, options, progress=progress)


def find_directories(root: str = "", runroot: str = "") -> Paths:
    """Return where this user's files are: below these two directories, or where storage.conf and XDG say.

    Raises RootlessError, ConfigError.
    """
    return Paths.find(root or None, runroot or None)


def working_directory() -> str:
    """Return this process's working directory; / if it has been removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "/"
