"""`podpy build`: stages in their order, each step from the cache or done now.

    a stage's instructions → steps with keys (stage.py) → one query → the first ones that are cached are skipped
    RUN → a container (steps/run.py)   COPY, ADD, WORKDIR → a tar (steps/transfer.py)   others → settings alone

Each layer is committed with its step's image and its row in the cache in one transaction, together with the settings'
steps before it: a kill loses the step at work, and the next build goes on behind the last one that was done.
"""

from __future__ import annotations

from podpy.build import document, keys, settings
from podpy.build.files import read_files
from podpy.build.makers import LayerMakers
from podpy.build.options import SILENT, BuildOptions, Report, StepName, Told, Why
from podpy.build.output import parse, write
from podpy.build.sources import ContextOrigin, ImageOrigin, Origin, StageResult, directory_of, is_remote
from podpy.build.stage import StageReader
from podpy.build.times import Clock
from podpy.build.variables import Arguments, Scope
from podpy.errors import BuildFileError, ImageError, NoSuchImageError, StepFailedError, UsageError
from podpy.image.names.lookup import find_named_image
from podpy.image.names.reference import for_new_image
from podpy.record import Record
from podpy.storage.build_cache import BuildCache, CachedStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.build.context.fetch import Fetched
    from podpy.build.files import ReadFiles
    from podpy.build.reading.instructions import Instruction
    from podpy.build.reading.stages import Stage
    from podpy.build.stage import Step
    from podpy.image.progress import Progress
    from podpy.libpod.engine import Engine
    from podpy.libpod.system.unfinished import Unfinished
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter

    Changes = list[tuple[str, Callable[[dict[str, Any]], None]]]

_SCRATCH = "scratch"
_IMAGE_CONTEXTS = ("docker-image", "container-image", "docker")
_BASE_DIGEST = "org.opencontainers.image.base.digest"
_BASE_NAME = "org.opencontainers.image.base.name"


class Built(Record):
    """The result of a build: the image's id, its full names, its manifest's digest ("": it has none)."""

    image_id: str
    names: list[str]
    digest: str = ""


class Base(Record):
    """What a stage begins with. `told`: what history calls it."""

    key: str
    config: dict[str, Any]
    image_id: str = ""
    author: str = ""
    triggers: list[str] = []
    name: str = ""
    told: str = ""
    annotations: dict[str, str] = {}


class Build:
    """One build. `progress` makes what reports a pull."""

    def __init__(
        self,
        engine: Engine,
        options: BuildOptions,
        report: Report = SILENT,
        progress: Callable[[], Progress] | None = None,
    ) -> None:
        """Read the options. Raises UsageError."""
        self._engine = engine
        self._options = options
        self._report = report
        self._progress = progress
        self._names = [_full_name(name) for name in options.names]
        self._outputs = [parse(text, engine.caller.directory) for text in options.outputs]
        self._clock = Clock(options)
        self._arguments = Arguments(options.arguments, options.pull.wanted())
        self._read: ReadFiles
        self._results: dict[int, StageResult] = {}
        self._unfinished: Unfinished | None = None
        self._at_work = 0

    @property
    def _cache(self) -> BuildCache:
        return BuildCache(self._engine.database)

    @property
    def _makers(self) -> LayerMakers:
        return LayerMakers(
            self._engine,
            self._options,
            self._report,
            self._clock,
            work=lambda: self._work.id,
            origin=self._origin,
        )

    def run(self) -> Built:
        """Build. Raises StepFailedError with the failed command's exit code, and what making an image raises.

        A library's process stays where it is: a helper builds, and its reports come here.
        """
        if self._engine.access.ends_with_the_call:
            return self._run()
        heard = self._report

        def hear(event: object) -> None:
            assert isinstance(event, tuple)
            getattr(heard, event[0])(*event[1:])

        def work(tell: Callable[[object], None]) -> Built:
            self._report = Told(tell)
            return self._run()

        return self._engine.privileged_telling(work, hear)

    def _run(self) -> Built:
        self._read = read_files(self._options, self._arguments, self._fetched())
        try:
            for stage in self._read.needed:
                self._results[stage.index] = self._stage(stage)
            built = self._finish(self._results[self._read.needed[-1].index])
            for output in self._outputs:
                self._engine.enter()
                write(self._engine, output, built.image_id, self._names)
        except BaseException:
            if self._unfinished is not None:
                self._unfinished.undo()
            raise
        if self._unfinished is not None:
            self._unfinished.finish()
        if self._arguments.unused:
            self._report.unused(self._arguments.unused)
        return built

    def _fetched(self) -> Fetched | None:
        """Return the context if it is no directory of this machine."""
        text = self._options.context
        return self._staged(text) if is_remote(text) else None

    def _staged(self, text: str) -> Fetched:
        from podpy.build.context.fetch import staged

        return staged(self._engine, text)

    @property
    def _work(self) -> Unfinished:
        """This call's work, begun with the first step that makes something."""
        if self._unfinished is None:
            from podpy.libpod.system.repair import repair
            from podpy.libpod.system.unfinished import Unfinished

            repair(self._engine)
            self._unfinished = Unfinished(self._engine)
        return self._unfinished

    # Stages

    def _stage(self, stage: Stage) -> StageResult:
        self._at_work = stage.index
        self._report.begins(self._name(stage, 1, len(stage.instructions) + 1, stage.start))
        base = self._base(stage)
        reader = StageReader(self._makers, Scope(self._arguments), base.config, key=base.key, author=base.author)
        is_last = stage.index == self._read.needed[-1].index
        instructions = [*self._triggered(base), *([] if stage.is_replaced else stage.instructions)]
        before, after = self._settings_of_options() if is_last else ([], [])
        total = 1 + len(before) + len(instructions) + len(after)
        number = 1
        for number, (text, change) in enumerate(before, 2):
            self._add_settings(reader, self._named(stage, number, total, text), change)
        for instruction in instructions:
            number += 1
            self._read_instruction(reader, instruction, self._name(stage, number, total, instruction))
        for text, change in after:
            number += 1
            self._add_settings(reader, self._named(stage, number, total, text), change)
        self._warn_of_arguments(reader)
        return _StageRun(self, stage, base, reader.steps, is_last=is_last).run()

    @staticmethod
    def _add_settings(reader: StageReader, name: StepName, change: Callable[[dict[str, Any]], None]) -> None:
        reader.config = {**reader.config}
        change(reader.config)
        reader.add_settings(name, name.text)

    def _settings_of_options(self) -> tuple[Changes, Changes]:
        """Return the steps that options add before and after the last stage's: texts, and what changes the settings."""
        options = self._options
        before: Changes = []
        after: Changes = []
        if options.environment:
            told = " ".join(f'"{key}"="{value}"' for key, value in options.environment.items())
            before.append((f"ENV {told}", lambda config: settings.set_environment(config, options.environment)))
        if options.unset:
            names = " ".join(options.unset)
            after.append((f"UNSETENV {names}", lambda config: settings.unset_environment(config, options.unset)))
        if options.labels:
            told = " ".join(f'"{key}"="{value}"' for key, value in options.labels.items())
            after.append((f"LABEL {told}", lambda config: settings.set_labels(config, options.labels)))
        return before, after

    def _read_instruction(self, reader: StageReader, instruction: Instruction, name: StepName) -> None:
        try:
            reader.read(instruction, name)
        except BuildFileError:
            raise
        except UsageError as error:
            raise self._at_step(name, error) from None

    def _at_step(self, name: StepName, error: Any) -> UsageError:
        return UsageError(f'building at STEP "{name.text}": {error.message}', hint=_where(name, error.hint))

    def _warn_of_arguments(self, reader: StageReader) -> None:
        from podpy.notice import warn

        for name in reader.without_value:
            warn(f'missing "{name}" build argument. Try adding "--build-arg {name}=<VALUE>" to the command line')

    def _triggered(self, base: Base) -> list[Instruction]:
        if not base.triggers:
            return []
        from podpy.build.reading.parser import parse_trigger

        return [one for text in base.triggers for one in parse_trigger(text, base.name)]

    def _name(self, stage: Stage, number: int, total: int, instruction: Instruction) -> StepName:
        name = self._named(stage, number, total, instruction.original)
        return name.replace(file=instruction.place.file, line=instruction.place.line)

    def _named(self, stage: Stage, number: int, total: int, text: str) -> StepName:
        return StepName(stage=stage.index + 1, stages=self._read.total, number=number, total=total, text=text)

    # Bases

    def _base(self, stage: Stage) -> Base:
        stamp = self._clock.stamp
        if stage.base is not None and not stage.is_replaced:
            result = self._results[stage.base]
            key = keys.first(result.key, stamp)
            return Base(
                key=key, config=result.config, image_id=result.image_id, author=result.author, told=result.image_id
            )
        if stage.image == _SCRATCH:
            return Base(key=keys.first("", stamp), config=settings.with_defaults({}), name=_SCRATCH)
        record, name = self._image(self._image_of(stage), platform=stage.platform)
        whole = document.of_base(record.config)
        config = dict(whole.get("config") or {})
        triggers = config.pop("OnBuild", None) or []
        annotations = {_BASE_DIGEST: record.digest, _BASE_NAME: name}
        return Base(
            key=keys.first(record.id, stamp),
            config=settings.with_defaults(config),
            image_id=record.id,
            author=whole.get("author") or "",
            triggers=triggers,
            name=name or stage.image,
            told=name or stage.image,
            annotations={key: text for key, text in annotations.items() if text},
        )

    def _image_of(self, stage: Stage) -> str:
        """Return the image that a stage begins with: a named context of its name, or of the image's, stands for it."""
        for name in (stage.name, stage.image):
            where = self._options.contexts.get(name) if name else None
            if where is not None:
                kind, colon, image = where.partition("://")
                if not colon or kind not in _IMAGE_CONTEXTS:
                    raise stage.start.wrong(f"the context {name} is no image", hint="docker-image://NAME is one")
                return image
        return stage.image

    def _image(self, text: str, *, platform: str = "") -> tuple[ImageRecord, str]:
        """Return an image by name, pulled by the policy, and its full name. Raises NoSuchImageError, ImageError."""
        wanted = self._options.pull
        if platform:
            wanted = wanted.replace(platform=platform)
        if wanted.policy in ("missing", "never"):
            try:
                return find_named_image(self._engine.store, self._engine.paths, text)
            except NoSuchImageError:
                if wanted.policy == "never":
                    raise
        from podpy.libpod.images.manager import Images

        progress = self._progress() if self._progress is not None else None
        (record,) = Images(self._engine).pull(text, wanted, progress=progress)
        return record, record.names[0] if record.names else ""

    def _origin(self, text: str) -> Origin:
        """Return what COPY's --from, or a mount's from, means: "" is the context."""
        if not text:
            return self._context
        if text in self._options.contexts:
            return self._named_context(self._options.contexts[text])
        index = self._read.stage_of(text, self._at_work)
        if index is not None:
            if index not in self._results:
                raise UsageError(f'cannot copy from stage "{text}", it needs to be defined before current stage')
            result = self._results[index]
            return ImageOrigin(self._engine, f"stage {result.key}", lambda: self._record(result.image_id))
        record, _ = self._image(text)
        return ImageOrigin(self._engine, f"image {record.id}", lambda: record)

    def _named_context(self, where: str) -> Origin:
        kind, colon, name = where.partition("://")
        if colon and kind in _IMAGE_CONTEXTS:
            record, _ = self._image(name)
            return ImageOrigin(self._engine, f"image {record.id}", lambda: record)
        return ContextOrigin(self._staged(where).directory if is_remote(where) else directory_of(where), None)

    @property
    def _context(self) -> Origin:
        return self._read.context

    def _record(self, image_id: str) -> ImageRecord | None:
        return self._engine.store.find_image(image_id) if image_id else None

    # The end

    def _finish(self, result: StageResult) -> Built:
        """Give the last stage's image its names. It has a manifest, and is a result, by then."""
        store = self._engine.store
        if self._names and not self._outputs:
            owners = [store.images_table.name_owner(name) for name in self._names]
            for name, owner in zip(self._names, owners, strict=True):
                if owner != result.image_id:
                    store.tag(result.image_id, name)
                self._report.tagged(name)
        digest = store.images_table.digest_of(result.image_id) if self._options.tells_digest else ""
        return Built(image_id=result.image_id, names=self._names, digest=digest)


class _StageRun:
    """One stage's steps at work."""

    def __init__(self, build: Build, stage: Stage, base: Base, steps: list[Step], *, is_last: bool) -> None:
        self._build = build
        self._engine = build._engine
        self._options = build._options
        self._report = build._report
        self._stage = stage
        self._base = base
        self._steps = steps
        self._is_last = is_last
        self._image_id = base.image_id
        self._stored: ImageRecord | None = None  # the last image that is in the store, with all layers so far
        self._document: dict[str, Any] | None = None
        self._waiting: list[tuple[Step, ImageRecord]] = []
        self._first_created = True

    def run(self) -> StageResult:
        """Do what isn't cached; return the stage's result."""
        cached = self._cached()
        for number, step in enumerate(self._steps):
            self._report.begins(step.name)
            hit = cached[number] if number < len(cached) else None
            if self._options_explain:
                self._explain(step, hit is not None)
            if hit is not None:
                self._image_id = hit.image_id
                self._report.cached(hit.image_id)
            else:
                self._do(step, is_first=number == 0)
            if step is not self._steps[-1] or not self._is_last:
                self._report.made(self._image_id)
        self._end(all_cached=len(cached) == len(self._steps))
        last = self._steps[-1] if self._steps else None
        return StageResult(
            key=last.key if last else self._base.key,
            image_id=self._image_id,
            config=last.config if last else self._base.config,
            author=last.author if last else self._base.author,
        )

    @property
    def _options_explain(self) -> bool:
        return self._options.explain

    def _cached(self) -> list[CachedStep]:
        """Return the rows of the first steps that are cached."""
        if not self._options.cache or not self._steps:
            return []
        rows = self._build._cache.find([step.key for step in self._steps])
        found = []
        for step in self._steps:
            if step.key not in rows:
                break
            found.append(rows[step.key])
        return found

    def _explain(self, step: Step, cached: bool) -> None:
        before = [] if cached else self._build._cache.at(self._place(step))
        reasons = keys.differences(step.inputs, before[0].inputs) if before else []
        if not cached and not reasons:
            reasons = ["a step before it changed"] if before else ["it was never built"]
        self._report.explained(Why(step=step.name, cached=cached, reasons=reasons))

    def _place(self, step: Step) -> str:
        from hashlib import sha256

        where = f"{self._build._read.place}\0{self._stage.index}\0{step.name.number}"
        return sha256(where.encode("utf-8", "surrogateescape")).hexdigest()

    # One step

    def _do(self, step: Step, *, is_first: bool) -> None:
        layer = self._layer(step)
        line = document.HistoryLine(
            created=self._build._clock.now,
            created_by=step.created_by,
            author=step.author,
            comment=f"FROM {self._base.told}" if is_first and self._base.told else "",
        )
        layers = [layer] if layer is not None else []
        changed = document.with_step(self._now(), step.config, line, [one.diff_id for one in layers])
        self._document = changed
        from podpy.libpod.images.making import stacked

        record = stacked(document.dumped(changed), changed["rootfs"]["diff_ids"], layers, created=line.created)
        self._image_id = record.id
        self._waiting.append((step, record))
        if layers:
            self._commit(layers)

    def _now(self) -> dict[str, Any]:
        if self._document is None:
            record = self._build._record(self._image_id)
            if record is not None:
                self._document = document.of_base(record.config)
            else:
                self._document = document.of_scratch(self._build._arguments.platform)
        return self._document

    def _layer(self, step: Step) -> LayerWriter | None:
        if step.work is None:
            return None
        self._engine.enter()
        below = self._below()
        try:
            return step.work(below)
        except StepFailedError as error:
            error.message = f'building at STEP "{step.name.text}": {error.message}'
            error.hint = _where(step.name, error.hint)
            raise
        except UsageError as error:
            raise self._build._at_step(step.name, error) from None

    def _below(self) -> ImageRecord:
        """Return a stored image with all layers so far; they stay until this call's end."""
        if self._stored is None:
            record = self._build._record(self._base.image_id if self._waiting else self._image_id)
            if record is None:
                from podpy.storage.images import ImageRecord

                return ImageRecord(id="")
            for chain in record.layers:
                self._engine.store.has_layer(chain)
            self._stored = record
        return self._stored

    def _commit(self, layers: list[LayerWriter], *, whole: bool = False) -> None:
        """Make the waiting steps' images visible, the last one with its new layers. `whole`: with a manifest."""
        from podpy.storage import crash_point

        self._engine.enter()
        *before, (_step, record) = self._waiting
        if whole:
            record = self._with_manifest(record, layers)
        crash_point("build:commit")
        waiting, self._waiting = self._waiting, []
        self._stored = self._engine.store.commit_image(
            record, layers=layers, before=[image for _, image in before], also=lambda: self._remember(waiting)
        )
        crash_point("build:committed")

    def _remember(self, steps: list[tuple[Step, ImageRecord]]) -> None:
        for step, record in steps:
            self._build._cache.put(
                CachedStep(key=step.key, image_id=record.id, place=self._place(step), inputs=step.inputs)
            )

    def _with_manifest(self, record: ImageRecord, layers: list[LayerWriter]) -> ImageRecord:
        from podpy.libpod.images.making import with_manifest

        options = self._options
        annotations = {**self._base.annotations, **options.annotations}
        below = self._below() if len(record.layers) > len(layers) else None
        return with_manifest(
            self._engine.store, record, below, layers, docker=options.format == "docker", annotations=annotations
        )

    def _end(self, *, all_cached: bool) -> None:
        if not self._is_last:
            if self._waiting:
                self._commit([])
            return
        name = self._options.names[0] if self._options.names else ""
        if self._build._outputs and not self._options.squash:
            if self._waiting:
                self._commit([])
            return
        is_told = not all_cached or bool(name or self._options.squash)
        if is_told:
            self._report.commits(self._build._named(self._stage, 0, 0, ""), name)
        if self._options.squash:
            self._squash()
        elif self._waiting:
            self._commit([], whole=True)
        elif not self._image_id:
            raise UsageError("the build makes nothing", hint="FROM scratch needs a file or a setting")
        else:
            self._complete()
        if is_told:
            self._report.made(self._image_id)

    def _squash(self) -> None:
        """Replace the last image by one with a single layer of the build's."""
        from podpy.build.steps.squash import squashed
        from podpy.libpod.images.making import stacked

        if self._waiting:
            self._commit([])
        self._engine.enter()
        record = self._build._record(self._image_id)
        base = self._build._record(self._base.image_id) if self._options.squash == "new" else None
        below = len(base.layers) if base else 0
        if record is None or len(record.layers) <= below:
            self._complete()
            return
        store = self._engine.store
        for chain in record.layers:
            store.has_layer(chain)
        layer = squashed(store, record, below, self._build._clock.of_file)
        whole = document.of_base(record.config)
        diff_ids = [*whole["rootfs"]["diff_ids"][:below], layer.diff_id]
        kept = len(document.of_base(base.config).get("history") or ()) if base else 0
        made = document.squashed(whole, diff_ids, kept=kept)
        final = stacked(document.dumped(made), diff_ids, [layer], created=record.created)
        self._stored = base
        self._image_id = store.commit_image(self._with_manifest(final, [layer]), layers=[layer]).id

    def _complete(self) -> None:
        """Let the last image have a manifest, and be a result."""
        store = self._engine.store
        if not store.images_table.has_manifest(self._image_id) or self._options.annotations:
            record = store.find_image(self._image_id)
            self._stored = record
            self._engine.enter()
            whole = self._with_manifest(record.replace(manifest=b"", digest=""), [])
            store.commit_image(whole, also=lambda: self._build._cache.mark_results(record.id))
        elif self._build._cache.is_step(self._image_id):
            self._build._cache.mark_results(self._image_id)


def _full_name(text: str) -> str:
    try:
        return for_new_image(text)
    except ImageError as error:
        raise UsageError(f"tag {text}: {error.message}", hint=error.hint) from None


def _where(name: StepName, hint: str) -> str:
    place = f"It is line {name.line} of {name.file}" if name.line else ""
    return "; ".join(text for text in (place, hint) if text)
