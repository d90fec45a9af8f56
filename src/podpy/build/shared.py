"""What all stages of one build share: the engine, the options, what was read, the results so far, this call's work."""

from __future__ import annotations

from podpy.build.options import StepName
from podpy.build.remote_cache import RemoteCache
from podpy.build.times import Clock
from podpy.build.variables import Arguments
from podpy.errors import UsageError
from podpy.storage.build_cache import BuildCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.files import ReadFiles
    from podpy.build.options import BuildOptions, Report
    from podpy.build.reading.instructions import Instruction
    from podpy.build.reading.stages import Stage
    from podpy.build.sources import StageResult
    from podpy.image.progress import Progress
    from podpy.libpod.engine import Engine
    from podpy.libpod.system.unfinished import Unfinished
    from podpy.storage.file_digests import FileDigests
    from podpy.storage.images import ImageRecord


class Shared:
    """One build's. `progress` makes what reports a pull. `read`: its files, when they are read; `results`: those of
    finished stages, by index; `outputs`: whether the result goes elsewhere than into the store.
    """

    read: ReadFiles

    def __init__(
        self, engine: Engine, options: BuildOptions, report: Report, progress: Callable[[], Progress] | None
    ) -> None:
        self.engine = engine
        self.options = options
        self.report = report
        self.progress = progress
        self.clock = Clock(options)
        self.arguments = Arguments(options.arguments, options.pull.wanted())
        self.remote = RemoteCache(engine, options) if options.cache_from or options.cache_to else None
        self.results: dict[int, StageResult] = {}
        self._unfinished: Unfinished | None = None
        self._digests: dict[str, FileDigests] = {}

    @property
    def cache(self) -> BuildCache:
        """The cache of the store."""
        return BuildCache(self.engine.database)

    def record(self, image_id: str) -> ImageRecord | None:
        """Return an image of the store; None for "": the empty one."""
        return self.engine.store.find_image(image_id) if image_id else None

    def digests(self, directory: str) -> FileDigests:
        """Return the digests of files beneath a directory, of this build and earlier ones."""
        if directory not in self._digests:
            from podpy.storage.file_digests import FileDigests

            self._digests[directory] = FileDigests(self.engine.store.graphroot, directory)
        return self._digests[directory]

    def save_digests(self) -> None:
        """Keep those for the next build."""
        for digests in self._digests.values():
            digests.save()

    # This call's work

    @property
    def work(self) -> Unfinished:
        """This call's work, begun with the first step that makes something."""
        if self._unfinished is None:
            from podpy.libpod.system.repair import repair
            from podpy.libpod.system.unfinished import Unfinished

            repair(self.engine)
            self._unfinished = Unfinished(self.engine)
        return self._unfinished

    def undo(self) -> None:
        """Remove what the call's work has left."""
        if self._unfinished is not None:
            self._unfinished.undo()

    def finish(self) -> None:
        """End the call's work."""
        if self._unfinished is not None:
            self._unfinished.finish()

    def begin_as_child(self, report: Report) -> None:
        """Be the share of a forked process that builds a stage: its work is its own, and it tells its parent."""
        self.report = report
        self.progress = None
        self._unfinished = None

    # What steps are called

    def name(self, stage: Stage, number: int, total: int, instruction: Instruction) -> StepName:
        """Return an instruction's name, with its place."""
        name = self.named(stage, number, total, instruction.original)
        return name.replace(file=instruction.place.file, line=instruction.place.line)

    def named(self, stage: Stage, number: int, total: int, text: str) -> StepName:
        """Return the name of a step that stands in no file."""
        return StepName(
            stage=stage.index + 1, stages=self.read.total, number=number, total=total, text=text, stage_name=stage.name
        )


def at_step(name: StepName, error: UsageError) -> UsageError:
    """Return the error of a step, in Podman's words, with the place."""
    return UsageError(f'building at STEP "{name.text}": {error.message}', hint=where(name, error.hint))


def where(name: StepName, hint: str) -> str:
    """Return a hint with the place of a step in front."""
    place = f"It is line {name.line} of {name.file}" if name.line else ""
    return "; ".join(text for text in (place, hint) if text)
