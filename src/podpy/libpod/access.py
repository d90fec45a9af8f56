"""Where privileged work happens: in this very process, or in a helper.

The command line is one call in a process of its own, which enters the user's namespaces itself: `Here`. A library's
caller has a process that must stay what it is (and may have threads, which the kernel forbids to change their user
namespace), so there the privileged half of each method runs in a forked process: `Helper`; also for root, because a
start moves its process into the container's mount namespace.
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
        """Enter, and return what `work(hear)` returns. Raises RootlessError."""
        rootless.enter(paths, self._trace)
        return work(hear)


class Helper:
    """A forked process enters the user's namespaces; what it tells while it works is heard here."""

    ends_with_the_call = False

    def open_database(self, paths: Paths) -> Database:
        """Open the store's database again for each query: no fork may carry an SQLite connection."""
        from podpy.storage.database.brief import BriefDatabase

        return BriefDatabase.open(paths)

    def do(self, paths: Paths, work: Callable[[Tell], T], hear: Tell) -> T:
        """Return what `work(tell)` returns in the helper; `hear` gets here what it tells. Raises RootlessError."""
        return rootless.run_telling(paths, work, hear)
