"""Runtime: the engine that a caller holds; it knows where everything is and opens it when it is first needed.

    from podpy import Runtime

    with Runtime() as runtime:
        container = runtime.create(ContainerSpec(image="hello"))
        container.start()
        print(container.wait())

The command line makes its Runtime with `in_process=True`: it is one call in a process of its own and enters the user's
namespaces itself. A library's caller has a process that must stay what it is (and may have threads, which the kernel
forbids to change their user namespace), so there the privileged half of each method runs in a forked helper; also for
root, because a start moves its process into the container's mount namespace. One Runtime is for one thread.
"""

from __future__ import annotations

import os

from podpy import rootless
from podpy.config.paths import Paths
from podpy.errors import PodpyError
from podpy.libpod.locks import FileLock
from podpy.libpod.state import ALIVE, INITIALIZED, STARTING, ContainerRow, ContainerTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any, Self, TypeVar

    from podpy.config.containers_conf import ContainersConf
    from podpy.image.pull import PullOptions
    from podpy.image.push import PushOptions
    from podpy.image.save import SaveOptions
    from podpy.libpod.container import Container
    from podpy.libpod.create import ImageOptions
    from podpy.libpod.state import Glance
    from podpy.plan import Trace
    from podpy.runtime.oci_runtime import OciRuntime
    from podpy.runtime.spec import ContainerSpec
    from podpy.storage.database import Database
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

    T = TypeVar("T")

_MAY_HAVE_CHANGED = (*ALIVE, STARTING, INITIALIZED)


class Engine:
    """The settings of one call: what the global options say. Empty texts mean the configuration's value."""

    def __init__(
        self,
        *,
        runtime: str = "",
        runtime_flags: tuple[str, ...] = (),
        conmon: str = "",
        cgroup_manager: str = "",
        storage_driver: str = "",
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.arguments = arguments  # the same as options: conmon's exit command is given them
        self.runtime = runtime
        self.runtime_flags = runtime_flags
        self.conmon = conmon
        self.cgroup_manager = cgroup_manager
        self.storage_driver = storage_driver


class Runtime:
    """The engine. Nothing is opened before it is used; `close` (or the context's end) gives everything back."""

    def __init__(
        self,
        paths: Paths | None = None,
        *,
        engine: Engine | None = None,
        in_process: bool = False,
        trace: Trace | None = None,
    ) -> None:
        """Find the user's directories (unless `paths` says them). Raises RootlessError or ConfigError."""
        self.paths = paths or Paths.find()
        self.engine = engine or Engine()
        self.trace = trace
        self._in_process = in_process
        self._opened: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._in_process and kind is KeyboardInterrupt:
            # Removing a half unpacked image takes seconds, and Ctrl-C means now: the next call's sweep removes it.
            self._opened.pop("store", None)
        self.close(at_end=self._in_process)

    def close(self, *, at_end: bool = False) -> None:
        """Remove what this call staged and didn't commit; close the database (`at_end`: the process ends, too)."""
        store: Store | None = self._opened.pop("store", None)
        if store is not None:
            try:
                store.close()
            except (OSError, PodpyError):
                pass  # the next call's sweep removes it; what went wrong before this is the better error
        database = self._opened.pop("database", None)
        self._opened.clear()
        if database is not None:
            database.leave() if at_end else database.close()

    def _open(self, name: str, make: Callable[[], T]) -> T:
        if name not in self._opened:
            self._opened[name] = make()
        value: T = self._opened[name]
        return value

    @property
    def database(self) -> Database:
        """The database, opened (and made) at first use."""
        if self._in_process:
            from podpy.storage.database import Database
        else:
            from podpy.storage.brief import BriefDatabase as Database

        return self._open("database", lambda: Database.open(self.paths))

    @property
    def table(self) -> ContainerTable:
        """The containers in the database."""
        return self._open("table", lambda: ContainerTable(self.database))

    @property
    def store(self) -> Store:
        """Layers, blobs and images."""
        from podpy.storage.store import Store

        return self._open("store", lambda: Store(self.paths, self.database))

    @property
    def conf(self) -> ContainersConf:
        """containers.conf, all its files merged."""
        from podpy.config.containers_conf import load

        return self._open("conf", lambda: load(self.paths))

    @property
    def oci_runtime(self) -> OciRuntime:
        """crun or runc, as the options and containers.conf say."""
        from podpy.runtime.oci_runtime import OciRuntime

        return self._open(
            "oci_runtime",
            lambda: OciRuntime.find(self.engine.runtime, self.conf, self.paths, flags=self.engine.runtime_flags),
        )

    def mark(self, text: str) -> None:
        """Note for `--trace` that a step has ended."""
        if self.trace is not None:
            self.trace.mark(text)

    def enter(self) -> None:
        """Enter the user's namespaces with this very process (`in_process` only). Raises RootlessError."""
        rootless.enter(self.paths, self.trace)

    def privileged(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, run inside the user's namespaces: here, or in a forked helper."""
        if self._in_process:
            self.enter()
            return work()
        self.close()  # the helper opens its own; what this one knows may be old afterwards

        def in_helper() -> T:
            self._in_process = True
            return work()

        result: T = rootless.run_inside(self.paths, in_helper)
        return result

    # Containers

    def lock(self, container_id: str) -> FileLock:
        """Return the container's lock (not taken yet)."""
        return FileLock(os.path.join(self.paths.runroot, "locks", container_id))

    def run_directory(self, container_id: str) -> str:
        """Return the container's directory under the run root."""
        return os.path.join(self.paths.runroot, "containers", container_id)

    def directory(self, container_id: str) -> str:
        """Return the container's directory under the graph root."""
        return os.path.join(self.paths.graphroot, "containers", container_id)

    @property
    def exit_directory(self) -> str:
        """Where conmon writes exit records."""
        return os.path.join(self.paths.runroot, "exits")

    def create(self, spec: ContainerSpec, options: ImageOptions | None = None) -> Container:
        """Create a container that isn't started. Raises UsageError, NoSuchImageError, InUseError, ImageError."""
        from podpy.libpod.create import create

        return create(self, spec, options)

    def container(self, name_or_id: str) -> Container:
        """Return a container by name, id, or beginning of its id. Raises NoSuchContainerError, StateError."""
        from podpy.libpod.container import Container

        return Container(self, self.table.find(name_or_id))

    def containers(self) -> list[Container]:
        """Return all containers, oldest first."""
        from podpy.libpod.container import Container

        return [Container(self, row) for row in self.rows()]

    def rows(self, rows: list[ContainerRow] | None = None) -> list[ContainerRow]:
        """Return all containers' rows (or those given) with their true state, oldest first."""
        from podpy.libpod.settle import settle

        found = self.table.all() if rows is None else rows
        return [settle(self, row) if row.status in _MAY_HAVE_CHANGED else row for row in found]

    def glances(self) -> list[Glance]:
        """Return what the standard columns of a list need of all containers, as they truly are, oldest first."""
        seen = {glance[0]: glance for glance in self.table.glances()}
        unsure = [identifier for identifier, glance in seen.items() if glance[5] in _MAY_HAVE_CHANGED]
        if unsure:
            true = {row.id: row.glance() for row in self.rows(self.table.summaries_of(unsure))}
            seen.update(true)
            for identifier in set(unsure).difference(true):  # removed since
                del seen[identifier]
        return [*seen.values()]

    # Images

    def image(self, name_or_id: str) -> ImageRecord:
        """Return an image of the store by name, digest or id. Raises NoSuchImageError."""
        from podpy.image.lookup import find_image

        return find_image(self.store, self.paths, name_or_id)

    def images(self) -> list[ImageRecord]:
        """Return all images of the store."""
        return self.store.images()

    def pull(self, name: str, options: PullOptions | None = None) -> ImageRecord:
        """Return an image, fetched from its registry as `options.policy` says. Raises ImageError, RegistryError …"""
        from podpy.image.pull import pull

        return self.privileged(lambda: pull(self.store, self.paths, name, options))

    def load(self, archive: str | int) -> list[str]:
        """Load the images of an archive (a path or a descriptor); return their names. Raises ImageError …"""
        from podpy.image.archive import load

        return self.privileged(lambda: load(self.store, archive))

    def push(self, name: str, destination: str = "", options: PushOptions | None = None) -> str:
        """Send an image to a registry or another place, as `podpy push` does; return its manifest's digest there.

        Raises NoSuchImageError, RegistryError …
        """
        from podpy.image.push import push

        return self.privileged(lambda: push(self.store, self.paths, name, destination, options))

    def save(self, names: Sequence[str], output: str, options: SaveOptions | None = None) -> None:
        """Write images to an archive or a directory; as `podpy save` does. Raises NoSuchImageError, ImageError …"""
        from podpy.image.save import save

        self.privileged(lambda: save(self.store, self.paths, names, output, options))
