"""Where privileged work is done: in this process, or in a helper.

On the command line each call is its own process, which enters the user's namespaces itself: `Here`. A library's process
must not change its namespaces (and can't, if it has threads: user_namespaces(7)), so the privileged half of each method
runs in a forked process: `Helper`. That holds for root too, because a start moves its process into the container's
mount namespace.
"""

from __future__ import annotations

from podpy import rootless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias, TypeVar

    from podpy.config.paths import Paths
    from podpy.plan import Trace
    from podpy.storage.database.database import Database

    T = TypeVar("T")

    Access: TypeAlias = "Here | Helper"
    Tell = Callable[[object], None]


class Here:
    """This process enters the user's namespaces, and ends with the call."""

    ends_with_the_call = True

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace

    def open_database(self, paths: Paths) -> Database:
        """Open the store's database until it is closed."""
        from podpy.storage.database.database import Database

        return Database.open(paths)

    def do(self, paths: Paths, work: Callable[[Tell], T], hear: Tell) -> T:
        """Enter the namespaces, run `work(hear)` and return its result. Raises RootlessError."""
        rootless.enter(paths, self._trace)
        return work(hear)


class Forking(Here):
    """As Here, for a process that forks others that work on the same store."""

    def open_database(self, paths: Paths) -> Database:
        """Open the store's database again for each query: no fork may carry an SQLite connection."""
        from podpy.storage.database.brief import BriefDatabase

        return BriefDatabase.open(paths)


class Helper:
    """A forked process enters the user's namespaces; it reports to this one while it works."""

    ends_with_the_call = False

    def open_database(self, paths: Paths) -> Database:
        """Open the store's database again for each query: no fork may carry an SQLite connection."""
        from podpy.storage.database.brief import BriefDatabase

        return BriefDatabase.open(paths)

    def do(self, paths: Paths, work: Callable[[Tell], T], hear: Tell) -> T:
        """Run `work(tell)` in the helper and return its result; `hear` gets its reports here. Raises RootlessError."""
        return rootless.run_telling(paths, work, hear)
