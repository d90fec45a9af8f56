"""A build in a process of its own, for a caller that has more to do meanwhile than to wait for it."""

from __future__ import annotations

import os
import signal

from podpy.build.build import Build
from podpy.build.context.fetch import staged
from podpy.build.jobs import end_with
from podpy.build.options import Told, hear
from podpy.build.sources import is_remote
from podpy.rootless.helper import Child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.build import Built
    from podpy.build.context.fetch import Fetched
    from podpy.build.options import BuildOptions, Report
    from podpy.libpod.engine import Engine

_PATIENCE = 10_000  # milliseconds that it has to undo its step


class Apart:
    """A build at work. It ends with this process, and is told to by `stop`; its step is undone then."""

    def __init__(self, engine: Engine, options: BuildOptions, fetched: Fetched) -> None:
        """Begin. `fetched`: the context, unless the options name one that must be fetched: Dockerfiles come from it
        then. The engine's database is closed before (access: Here).
        """
        parent = os.getpid()
        engine.close()  # no SQLite connection may be carried over a fork

        def work(tell: Callable[[object], None]) -> Built:
            engine.begin_as_child()
            end_with(parent)
            found = fetched
            if is_remote(options.context):
                found = staged(engine, options.context)
                found = found.replace(files=found.directory)
            return Build(engine, options, Told(tell), fetched=found).run()

        self._child = Child(engine.paths, work, lambda: engine.close(at_end=True))

    def fileno(self) -> int:
        """The descriptor that has something to read when `receive` has something to do."""
        return self._child.fileno()

    def receive(self, report: Report) -> bool:
        """Hear what the build tells; return whether it is done."""
        return self._child.receive(lambda message: hear(report, message))

    def result(self) -> Built:
        """Return the result of a build that is done. Raises what it has raised."""
        built: Built = self._child.result()
        return built

    def stop(self) -> None:
        """End the build, and wait for that."""
        os.kill(self._child.pid, signal.SIGTERM)
        self._child.stop(_PATIENCE, tidy=True)
