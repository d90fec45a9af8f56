"""Several stages at a time: each is built by a forked process, from when the stages that it needs are done.

    this process: which stage comes next; their reports; a lease on each result
    a child: one stage, with a database connection, a staging directory and unfinished work of its own

A child outlives neither this process nor a failure of another one: it is told by SIGTERM, and undoes its step. Killed,
it leaves what a killed build leaves.
"""

from __future__ import annotations

import os
import select
import signal
from functools import partial

from podpy import linux
from podpy.build.options import Told, hear
from podpy.build.sources import StageResult
from podpy.interrupts import Undoing, ignore, interrupt_on
from podpy.rootless.helper import Child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.reading.stages import Stage
    from podpy.build.shared import Shared

    BuildStage = Callable[[Stage], StageResult]

_PATIENCE = 10_000  # milliseconds that a child has to undo its step


class Jobs:
    """Builds stages, as many at a time as the options say."""

    def __init__(self, shared: Shared, build: BuildStage, triggered: set[int]) -> None:
        """`build` builds one stage. The engine is one that forks (Engine.begin_forking).

        `triggered`: stages whose image has ONBUILD. What that copies from isn't known, so all before them come first.
        """
        self._shared = shared
        self._build = build
        self._limit = shared.options.jobs or len(shared.read.needed)
        self._sources = {stage.index: shared.read.stages.sources(stage) for stage in shared.read.needed}
        for index in triggered:
            self._sources[index] |= {before for before in self._sources if before < index}
        self._waiting = [*shared.read.needed]
        self._working: dict[int, tuple[Stage, Child]] = {}

    def run(self) -> None:
        """Build all stages; their results are in `shared`. Raises what the first one that fails raises."""
        try:
            while self._waiting or self._working:
                ready = self._ready()
                if len(ready) == 1 and not self._working:
                    self._here(ready[0])
                    continue
                for stage in ready[: self._limit - len(self._working)]:
                    self._begin(stage)
                self._hear()
        except BaseException as error:
            # After Ctrl-C the next call removes what was staged: that may take seconds.
            with Undoing():
                self._stop(tidy=not isinstance(error, KeyboardInterrupt))
            raise

    def _ready(self) -> list[Stage]:
        return [stage for stage in self._waiting if self._sources[stage.index] <= self._shared.results.keys()]

    def _here(self, stage: Stage) -> None:
        """Build a stage in this process: it is the only one."""
        shared, report = self._shared, self._shared.report
        self._waiting.remove(stage)
        shared.report = report.of_stage(stage.index + 1, shared.read.total)
        shared.results[stage.index] = self._build(stage)
        shared.report = report

    def _begin(self, stage: Stage) -> None:
        self._waiting.remove(stage)
        parent, engine = os.getpid(), self._shared.engine

        def work(tell: Callable[[object], None]) -> tuple[StageResult, set[str]]:
            for _, other in self._working.values():
                other.forget()
            engine.begin_as_child()
            end_with(parent)
            shared = self._shared
            shared.begin_as_child(Told(tell, (stage.index + 1, shared.read.total)))
            try:
                result = self._build(stage)
            except BaseException:
                with Undoing():
                    shared.undo()
                raise
            shared.finish()
            return result, shared.arguments.used

        child = Child(engine.paths, work, lambda: engine.close(at_end=True))
        self._working[child.fileno()] = stage, child

    def _hear(self) -> None:
        """Wait until children tell something, and hear it."""
        poll = select.poll()
        for descriptor in self._working:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll():
            stage, child = self._working[descriptor]
            if child.receive(lambda message: hear(self._shared.report, message)):
                del self._working[descriptor]
                child.result(partial(self._take, stage))

    def _take(self, stage: Stage, answer: tuple[StageResult, set[str]]) -> None:
        """Take a stage's result, and leases on its layers: the child's end with it."""
        result, used = answer
        shared = self._shared
        shared.arguments.used |= used
        record = shared.record(result.image_id)
        shared.engine.enter()
        for chain in record.layers if record is not None else ():
            shared.engine.store.has_layer(chain)
        shared.results[stage.index] = result

    def _stop(self, *, tidy: bool) -> None:
        """End the children that are at work; each undoes its step."""
        for _, child in self._working.values():
            os.kill(child.pid, signal.SIGTERM)
        for _, child in self._working.values():
            child.stop(_PATIENCE, tidy=tidy)
        self._working.clear()


def end_with(parent: int) -> None:
    """End by KeyboardInterrupt when the parent ends or sends SIGTERM. Ctrl-C is the parent's alone."""
    signal.signal(signal.SIGINT, ignore)
    interrupt_on(signal.SIGTERM)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise KeyboardInterrupt
