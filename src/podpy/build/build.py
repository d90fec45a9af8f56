"""`podpy build`: stages in their order, each step from the cache or done now.

a stage's instructions → steps with keys (listing.py, stage.py) → one query → the first ones that are cached are
skipped (executor.py)
RUN → a container (steps/run.py)   COPY, ADD, WORKDIR → a tar (steps/transfer.py)   others → settings alone
"""

from __future__ import annotations

from podpy.build.bases import Bases
from podpy.build.executor import StageRun
from podpy.build.files import read_files
from podpy.build.listing import count_of_options, steps_of
from podpy.build.options import SILENT, BuildOptions, Report, Told, hear
from podpy.build.output import parse, write
from podpy.build.shared import Shared
from podpy.build.sources import is_remote
from podpy.errors import ImageError, PodpyError, UsageError
from podpy.image.names.reference import for_new_image
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.context.fetch import Fetched
    from podpy.build.reading.stages import Stage
    from podpy.build.sources import StageResult
    from podpy.image.progress import Progress
    from podpy.libpod.engine import Engine


class Built(Record):
    """The result of a build: the image's id, its full names, its manifest's digest ("": it has none)."""

    image_id: str
    names: list[str]
    digest: str = ""


class Build:
    """One build. `progress` makes what reports a pull."""

    def __init__(
        self,
        engine: Engine,
        options: BuildOptions,
        report: Report = SILENT,
        progress: Callable[[], Progress] | None = None,
        fetched: Fetched | None = None,
    ) -> None:
        """Read the options. `fetched`: the context, if it is here already. Raises UsageError."""
        self._engine = engine
        self._given = fetched
        self._options = options
        self._names = [full_name(name) for name in options.names]
        self._outputs = [parse(text, engine.caller.directory) for text in options.outputs]
        self._shared = Shared(engine, options, report, progress)
        self._bases = Bases(self._shared)

    def run(self) -> Built:
        """Build. Raises StepFailedError with the failed command's exit code, and what making an image raises.

        A library's process stays where it is: a helper builds, and its reports come here.
        """
        if self._engine.access.ends_with_the_call:
            return self._run()
        heard = self._shared.report

        def work(tell: Callable[[object], None]) -> Built:
            self._shared.report = Told(tell)
            return self._run()

        return self._engine.privileged_telling(work, lambda message: hear(heard, message))

    def _run(self) -> Built:
        shared = self._shared
        if self._options.jobs != 1:
            self._engine.begin_forking()
        if self._engine.is_unfinished:  # a build that is cached makes nothing, and wouldn't look
            from podpy.libpod.system.repair import repair_if_needed

            repair_if_needed(self._engine)
        shared.read = read_files(self._options, shared.arguments, shared.digests, self._fetched())
        try:
            self._build_stages()
            built = self._finish(shared.results[shared.read.needed[-1].index])
            for output in self._outputs:
                self._engine.enter()
                write(self._engine, output, built.image_id, self._names)
        except BaseException:
            from podpy.interrupts import Undoing

            with Undoing():
                shared.undo()
            raise
        shared.finish()
        if shared.arguments.unused:
            shared.report.unused(shared.arguments.unused)
        return built

    def _fetched(self) -> Fetched | None:
        """Return the context if it is no directory of this machine."""
        if self._given is not None:
            return self._given
        if not is_remote(self._options.context):
            return None
        from podpy.build.context.fetch import staged

        return staged(self._engine, self._options.context)

    def _build_stages(self) -> None:
        shared = self._shared
        if self._options.jobs == 1:
            for stage in shared.read.needed:
                shared.results[stage.index] = self._stage(stage)
            return
        from podpy.build.jobs import Jobs

        Jobs(shared, self._stage, self._bases.find(shared.read.needed)).run()

    def _stage(self, stage: Stage) -> StageResult:
        shared = self._shared
        is_last = stage.index == shared.read.needed[-1].index
        total = 1 + len(stage.instructions) + (count_of_options(shared.options) if is_last else 0)
        shared.report.begins(shared.name(stage, 1, total, stage.start))
        try:
            base = self._bases.of(stage)
            steps = steps_of(shared, self._bases, stage, base, is_last=is_last)
            shared.report.ends()
            return StageRun(shared, stage, base, steps, is_last=is_last).run()
        except PodpyError as error:
            shared.report.ends(error.message)
            raise
        finally:
            shared.save_digests()

    def _finish(self, result: StageResult) -> Built:
        """Give the last stage's image its names. It has a manifest, and is a result, by then."""
        store = self._engine.store
        if self._names and not self._outputs:
            owners = [store.images_table.name_owner(name) for name in self._names]
            for name, owner in zip(self._names, owners, strict=True):
                if owner != result.image_id:
                    store.tag(result.image_id, name)
                self._shared.report.tagged(name)
        digest = store.images_table.digest_of(result.image_id) if self._options.tells_digest else ""
        return Built(image_id=result.image_id, names=self._names, digest=digest)


def full_name(text: str) -> str:
    """Return the full name of a new image. Raises UsageError."""
    try:
        return for_new_image(text)
    except ImageError as error:
        raise UsageError(f"tag {text}: {error.message}", hint=error.hint) from None
