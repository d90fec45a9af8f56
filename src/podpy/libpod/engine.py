"""Engine: the object that all of libpod works with: paths, settings, database, store, OCI runtime.

podpy.libpod.access decides where its privileged work is done. One Engine is for one thread.
"""

from __future__ import annotations

import os

from podpy import rootless
from podpy.errors import PodpyError
from podpy.libpod.access import Here
from podpy.libpod.caller import without_sockets
from podpy.libpod.containers.table import ContainerTable
from podpy.libpod.locks import FileLock, Locked
from podpy.libpod.settings import Settings
from podpy.notice import note, sending_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self, TypeVar

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.libpod.access import Access, Tell
    from podpy.libpod.caller import Caller
    from podpy.network.definitions.folder import Folder
    from podpy.oci.runtime import OciRuntime
    from podpy.plan import Trace
    from podpy.rootless.cgroups import LeafMove
    from podpy.storage.database.database import Database
    from podpy.storage.store import Store
    from podpy.storage.volumes.table import VolumeTable

    T = TypeVar("T")


class Engine:
    """The object that libpod works with. Parts are opened at first use; `close` (or the context's end) closes them."""

    def __init__(
        self,
        paths: Paths,
        caller: Caller,
        *,
        settings: Settings | None = None,
        access: Access,
        trace: Trace | None = None,
    ) -> None:
        self.paths = paths
        self.caller = caller
        self.settings = settings or Settings()
        self.trace = trace
        self.access = access
        self.looked_at = float("-inf")  # monotonic seconds: see podpy.libpod.system.repair
        self.leaf_move: LeafMove | None = None  # while a run with --cgroups=split begins
        self._opened: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.access.ends_with_the_call and kind is KeyboardInterrupt:
            # Ctrl-C must end at once, but removing a half-unpacked image takes seconds: the next call's sweep does it.
            self._opened.pop("store", None)
        self.close(at_end=self.access.ends_with_the_call)

    def close(self, *, at_end: bool = False) -> None:
        """Remove staged files that weren't committed; close the database (`at_end`: the process ends, too)."""
        store: Store | None = self._opened.pop("store", None)
        if store is not None:
            try:
                store.close()
            except (OSError, PodpyError):
                pass  # the next call's sweep removes it; an earlier error is more useful
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
        """The database, opened (and created) at first use."""
        return self._open("database", self._open_database)

    def _open_database(self) -> Database:
        database = self.access.open_database(self.paths)
        database.keeps_events = lambda: self._event_logger() != "none"
        database.on_events = self._hand_on_events
        return database

    def _event_logger(self) -> str:
        return self.settings.events_backend or self.conf.events_logger

    def _hand_on_events(self, database: Database, told: int) -> None:
        if self._event_logger() == "journald":
            from podpy.storage.database.event_journal import hand_on

            hand_on(database, told)

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
    def volume_table(self) -> VolumeTable:
        """The volumes in the database, and their directories."""
        return self._open("volume_table", self._open_volume_table)

    def _open_volume_table(self) -> VolumeTable:
        from podpy.storage.volumes.table import VolumeTable

        if self.settings.volume_path:
            from podpy.storage.volumes import place

            place.settle(self.paths.graphroot, self.settings.volume_path)
        return VolumeTable(self.paths, self.database)

    @property
    def network_folder(self) -> Folder:
        """The definitions of networks."""
        from podpy.network.definitions.folder import folder

        return self._open("network_folder", lambda: folder(self.paths, self.conf))

    @property
    def conf(self) -> ContainersConf:
        """containers.conf, merged from all its files."""
        return self._open("conf", self._load_conf)

    def _load_conf(self) -> ContainersConf:
        from podpy.config.containers_conf import load

        conf = load(self.paths, modules=self.settings.modules)
        if self.settings.network_cmd_path:
            conf.network_cmd_path = self.settings.network_cmd_path
        if self.settings.network_config_dir:
            conf.network_config_dir = self.settings.network_config_dir
        for line in conf.later:
            note(f"containers.conf sets what has no effect: {line}")
        return conf

    @property
    def oci_runtime(self) -> OciRuntime:
        """crun or runc, by the options and containers.conf."""
        return self._open("oci_runtime", self._find_runtime)

    def _find_runtime(self) -> OciRuntime:
        from podpy.oci.runtime import OciRuntime

        said = self.settings
        # With LISTEN_FDS, a runtime would pass that many of its own descriptors to the container.
        environ = without_sockets(self.caller.environ)
        return OciRuntime.find(said.runtime, self.conf, self.paths, environ, flags=said.runtime_flags)

    def mark(self, text: str) -> None:
        """Record the end of a step, for `--trace`."""
        if self.trace is not None:
            self.trace.mark(text)

    def enter(self) -> None:
        """Enter the user's namespaces with this process (access: Here). Raises RootlessError."""
        rootless.enter(self.paths, self.trace)

    def privileged(self, work: Callable[[], T]) -> T:
        """Do `work` inside the user's namespaces, here or in a forked helper, and return its result."""
        return self.privileged_telling(lambda _tell: work(), lambda _event: None)

    def privileged_telling(self, work: Callable[[Tell], T], hear: Tell) -> T:
        """Like `privileged`, with `work(tell)`; `hear` gets its reports in this process."""
        if self.access.ends_with_the_call:
            with self.noticing():
                return self.access.do(self.paths, work, hear)
        self.close()  # the helper opens its own database; this one's cached state may be stale afterwards

        def in_helper(tell: Tell) -> T:
            self.access = Here()
            self.caller = self.caller.without_notice()  # warnings go through the caller's process
            return work(tell)

        with self.noticing():
            return self.access.do(self.paths, in_helper, hear)

    def begin_forking(self) -> None:
        """Be ready for children that work on the same store (access: Here). What was staged goes, so call it first."""
        from podpy.libpod.access import Forking

        self.close()
        self.access = Forking(self.trace)

    def begin_as_child(self) -> None:
        """Be such a child's engine, in the child: database and store are its own. Enters the user's namespaces."""
        self._opened.clear()
        self.access = Here(self.trace)
        self.caller = self.caller.without_notice()  # warnings go through the parent
        self.enter()

    def noticing(self) -> sending_to:
        """Return a context in which this thread's warnings go to the caller's notice, if there is one."""
        return sending_to(self.caller.notice)

    def lock(self, container_id: str) -> FileLock:
        """Return the container's lock, not yet taken."""
        return FileLock(os.path.join(self.paths.runroot, "locks", container_id))

    def locked(self, container_id: str, *, wait: bool = True) -> Locked:
        """Return a context that holds the container's lock and gives its row. Entering raises NoSuchContainerError.

        The row is the last committed one (podpy.libpod.containers.held.Held.locked settles it). With wait=False,
        entering raises BusyError if another call has the lock.
        """
        return Locked(self.lock(container_id), lambda: self.table.get(container_id), wait=wait)

    def run_directory(self, container_id: str) -> str:
        """Return the container's directory under the run root."""
        return os.path.join(self.paths.runroot, "containers", container_id)

    def directory(self, container_id: str) -> str:
        """Return the container's directory under the graph root."""
        return os.path.join(self.paths.graphroot, "containers", container_id)

    @property
    def is_unfinished(self) -> bool:
        """Whether a call hasn't finished the many things that it makes: it is at it, or was killed."""
        return bool(self.database.query("SELECT 1 FROM unfinished LIMIT 1"))

    @property
    def has_bridges(self) -> bool:
        """Whether there is a namespace of bridges (podpy.network.bridge.namespace)."""
        return os.path.lexists(os.path.join(self.paths.runroot, "networks", "netns"))

    @property
    def health_directory(self) -> str:
        """The directory of the health checks' results, which monitors write; the first one creates it."""
        return os.path.join(self.paths.runroot, "health")

    @property
    def health_events_directory(self) -> str:
        """The directory where monitors write each change of a container's health, for the table of events."""
        return os.path.join(self.paths.runroot, "health_events")

    @property
    def exit_directory(self) -> str:
        """The directory of conmon's exit records."""
        return os.path.join(self.paths.runroot, "exits")
