"""Runtime: the public face of the engine.

    from podpy import Runtime

    with Runtime() as runtime:
        container = runtime.create(ContainerSpec(image="hello"))
        container.start()
        print(container.wait())

libpod's own functions take the part without these methods, podpy.libpod.engine. One Runtime is for one thread.
"""

from __future__ import annotations

import os

from podpy.config.paths import Paths
from podpy.errors import NoSuchContainerError, NoSuchPodError, NotFoundError
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
    from podpy.libpod.networks.manager import Networks
    from podpy.libpod.pods.manager import Pods
    from podpy.libpod.secrets import Secrets
    from podpy.libpod.settings import Settings
    from podpy.libpod.system.connections import Connections
    from podpy.libpod.system.events import EventStream
    from podpy.libpod.system.prune import Pruned
    from podpy.libpod.system.unfinished import Unfinished
    from podpy.libpod.updates.manager import Updates
    from podpy.libpod.volumes.manager import Volumes
    from podpy.libpod.why.answer import Answer
    from podpy.plan import Trace
    from podpy.spec.container import ContainerSpec
    from podpy.storage.database.database import Database
    from podpy.storage.images import ImageRecord


class Runtime(Engine):
    """The public face of the engine: containers, images, volumes, networks, secrets, events."""

    def __init__(
        self,
        paths: Paths | None = None,
        *,
        caller: Caller | None = None,
        settings: Settings | None = None,
        access: Access | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Find the user's directories (unless `paths` gives them). Raises RootlessError, ConfigError.

        `caller`: by default this process's environment (without a service manager's variables) and directory, and no
        streams. `access`: where privileged work is done; by default in a helper.
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
        """The manager of the store's containers; called, it returns all of them, oldest first."""
        from podpy.libpod.containers.manager import Containers

        return Containers(self)

    def rows(self, rows: list[ContainerRow] | None = None) -> list[ContainerRow]:
        """Return all containers' rows (or those given) with their true state, oldest first."""
        from podpy.libpod.containers.rows import true_rows

        return true_rows(self, rows)

    def container_lines(self) -> list[Line]:
        """Return a line of `ps` for each container, oldest first; states are compared with the processes."""
        from podpy.libpod.containers.rows import true_lines

        if self.is_unfinished:
            from podpy.libpod.system.unfinished import undo_if_killed

            undo_if_killed(self)
        return true_lines(self)

    def health_states(self, ids: list[str]) -> dict[str, str]:
        """Return the health (starting, healthy, unhealthy) of these containers by id; none without a health check."""
        from podpy.monitor.files import health_states

        return health_states(self.health_directory, ids)

    def prune(
        self, filters: Sequence[str] = (), *, every: bool = False, volumes: bool = False, dry_run: bool = False
    ) -> dict[str, Pruned]:
        """Remove stopped pods (without `filters`) and containers, then `volumes`, then unused images (`every`: named
        ones, too), then networks.

        Returns the results by kind: "pods", "containers", "volumes", "images", "networks". Raises UsageError (a
        filter).
        """
        from podpy.libpod.filters import networks
        from podpy.libpod.system import prune

        of_networks = [text for text in filters if text.partition("=")[0] in networks.PRUNE_KEYS]
        pods = prune.Pruned() if filters else self.pods.prune(dry_run=dry_run)
        found = {"pods": pods, "containers": self.containers.prune(filters, dry_run=dry_run)}
        gone = found["containers"].removed
        if volumes:
            from podpy.libpod.filters.volumes import unused

            names = [volume.name for volume in unused(self, [*filters], every=True, gone=gone)]
            found["volumes"] = prune.volumes(self, names, dry_run=dry_run)
        found["images"] = self.images.prune(filters, every=every, dry_run=dry_run, gone=gone)
        names = [network.name for network in networks.unused(self, of_networks, gone=gone)]
        found["networks"] = self.networks.remove_unused(names, dry_run=dry_run)
        return found

    def reset(self) -> list[PodpyError]:
        """Remove everything: containers, images, artifacts, volumes, networks, secrets, and podpy's directories.

        Returns errors of what couldn't be removed; then the rest is left, too. Raises StorageError.
        """
        from podpy.libpod.system.reset import reset

        return reset(self)

    @property
    def networks(self) -> Networks:
        """The manager of the user's networks."""
        from podpy.libpod.networks.manager import Networks

        return Networks(self)

    @property
    def volumes(self) -> Volumes:
        """The manager of the store's volumes."""
        from podpy.libpod.volumes.manager import Volumes

        return Volumes(self)

    @property
    def updates(self) -> Updates:
        """The manager of `auto-update` and `rollback`, and their history."""
        from podpy.libpod.updates.manager import Updates

        return Updates(self)

    @property
    def pods(self) -> Pods:
        """The manager of the store's pods."""
        from podpy.libpod.pods.manager import Pods

        return Pods(self)

    def _open_database(self) -> Database:
        database = super()._open_database()
        if not os.path.exists(self.paths.transient):
            return database
        from podpy.libpod.system.transient import remove_earlier

        self._opened["database"] = database
        remove_earlier(self)  # what goes with a boot that has ended; a helper's work closes the database
        return self._opened.get("database") or super()._open_database()

    def unfinished(self) -> Unfinished:
        """Begin to make several things, all of them or nothing: a kill undoes what has their `part_of`."""
        from podpy.libpod.system.repair import repair_if_needed
        from podpy.libpod.system.unfinished import Unfinished

        repair_if_needed(self)  # what an earlier one has left isn't in the way
        return Unfinished(self)

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
        """Return an iterator of past Events, and with `follow` also of new ones; its `close` ends it.

        `since`, `until`: nanoseconds since 1970. `filters`: podman-events(1)'s. Without `past`: only new events.
        `output`: the descriptor of the pipe that the caller writes to: waiting for an event raises BrokenPipeError when
        nobody reads from that pipe any more. Raises UsageError (a filter).

            with runtime.events(filters=["container=web"], follow=True, past=False) as events:
                for event in events:
                    print(event.status, event.name)
        """
        from podpy.libpod.system.events import EventStream

        return EventStream(self, since=since, until=until, filters=filters, follow=follow, past=past, output=output)

    def why(self, name: str, path: str = "") -> Answer:
        """Return why a container ended, never started or is unhealthy; with `path`, why it can't use a file inside.

        For a removed container, return its end. Raises NoSuchContainerError; with `path` StateError.
        """
        if path:
            from podpy.libpod.why.path import explain as explain_path

            return explain_path(self, name, path)
        from podpy.libpod.why.container import explain

        return explain(self, name)

    def why_port(self, port: str) -> Answer:
        """Return which container or process uses a port of this machine: "8080", "53/udp". Raises UsageError."""
        from podpy.libpod.why.port import explain

        return explain(self, port)

    # Images

    @property
    def images(self) -> Images:
        """The manager of the store's images."""
        from podpy.libpod.images.manager import Images

        return Images(self)

    @property
    def manifests(self) -> ManifestLists:
        """The manager of the store's manifest lists."""
        from podpy.libpod.images.lists import ManifestLists

        return ManifestLists(self)

    @property
    def artifacts(self) -> Artifacts:
        """The manager of the store's artifacts."""
        from podpy.libpod.images.artifacts import Artifacts

        return Artifacts(self)

    @property
    def secrets(self) -> Secrets:
        """The manager of the store's secrets."""
        from podpy.libpod.secrets import Secrets

        return Secrets(self)

    @property
    def registries(self) -> Registries:
        """Search, logins, and trust in signatures."""
        from podpy.libpod.images.registries import Registries

        return Registries(self)

    @property
    def connections(self) -> Connections:
        """The services of other machines, by name."""
        from podpy.libpod.system.connections import Connections

        return Connections(self)

    def inspect(self, name: str, kind: str = "all", *, size: bool = False) -> tuple[str, dict[str, Any]]:
        """Return kind and data of the first object with this name, in Podman's order: container, image, volume,
        network, pod.

        `kind`: look for this kind only. `size`: also a container's sizes. Raises NotFoundError.
        """
        looks: dict[str, Callable[[], dict[str, Any]]] = {
            "container": lambda: self._named_container(name).inspect(size=size),
            "image": lambda: self.images.inspect(name),
            "volume": lambda: self.volumes.inspect(name),
            "network": lambda: self.networks.inspect(name),
            "pod": lambda: self._named_pod(name),
        }
        for found, look in looks.items():
            try:
                if kind in ("all", found):
                    return found, look()
            except NotFoundError:
                if kind == found:
                    raise
        hint = "See 'podpy ps -a', 'podpy images', 'podpy volume ls' and 'podpy network ls'"
        raise NotFoundError(f'no such object: "{name}"', hint=hint)

    def _named_container(self, name: str) -> Container:
        try:
            return self.container(name.removeprefix("/"))  # Docker's names begin with a slash
        except NoSuchContainerError:
            raise NoSuchContainerError(f"no such container {name}", hint="See: podpy ps -a") from None

    def _named_pod(self, name: str) -> dict[str, Any]:
        try:
            return self.pods.get(name).inspect()
        except NoSuchPodError:
            raise NoSuchPodError(f"no such pod {name}", hint="See: podpy pod ps") from None

    def image(self, name_or_id: str) -> ImageRecord:
        """Return an image of the store by name, digest or id. Raises NoSuchImageError."""
        from podpy.image.names.lookup import find_image

        return find_image(self.store, self.paths, name_or_id)

    def pull(self, name: str, options: PullOptions | None = None, *, progress: Progress | None = None) -> ImageRecord:
        """Pull an image by `options.policy`, and return it; see `Images.pull`."""
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
        """Push an image to a registry or another transport; return its manifest's digest there; see `Images.push`."""
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
    """Return this user's directories: these two, or those of storage.conf and XDG.

    Raises RootlessError, ConfigError.
    """
    return Paths.find(root or None, runroot or None)


def working_directory() -> str:
    """Return this process's working directory; / if it has been removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "/"
