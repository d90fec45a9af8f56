"""One stage's steps at work: each from the cache or done now.

Each layer is committed with its step's image and its row in the cache in one transaction, together with the settings'
steps before it: a kill loses the step at work, and the next build goes on behind the last one that was done.
"""

from __future__ import annotations

from podpy.build import document, keys
from podpy.build.options import Why
from podpy.build.remote_cache import is_young
from podpy.build.shared import at_step, where
from podpy.build.sources import StageResult
from podpy.errors import StepFailedError, UsageError
from podpy.storage.build_cache import CachedStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.build.bases import Base
    from podpy.build.reading.stages import Stage
    from podpy.build.shared import Shared
    from podpy.build.stage import Step
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter


class StageRun:
    """One stage's steps at work. `is_last`: the build's result comes of them."""

    def __init__(self, shared: Shared, stage: Stage, base: Base, steps: list[Step], *, is_last: bool) -> None:
        self._shared = shared
        self._engine = shared.engine
        self._options = shared.options
        self._report = shared.report
        self._stage = stage
        self._base = base
        self._steps = steps
        self._is_last = is_last
        self._image_id = base.image_id
        self._stored: ImageRecord | None = None  # the last image that is in the store, with all layers so far
        self._document: dict[str, Any] | None = None
        self._waiting: list[tuple[Step, ImageRecord]] = []
        self._is_known = True  # all steps so far were cached
        self._done: list[tuple[Step, str]] = []

    def run(self) -> StageResult:
        """Do what isn't cached; return the stage's result."""
        try:
            self._do_all()
        except StepFailedError:
            self._send()
            raise
        self._end(all_cached=self._is_known)
        self._send()
        last = self._steps[-1] if self._steps else None
        return StageResult(
            key=last.key if last else self._base.key,
            image_id=self._image_id,
            config=last.config if last else self._base.config,
            author=last.author if last else self._base.author,
            arguments=last.arguments if last else self._base.arguments,
        )

    def _do_all(self) -> None:
        rows = self._shared.cache.find([step.key for step in self._steps]) if self._options.cache else {}
        for number, step in enumerate(self._steps):
            self._report.begins(step.name)
            hit = self._hit(step, rows) if self._is_known else None
            self._is_known = hit is not None
            if self._options.explain:
                self._explain(step, hit is not None)
            if hit is not None:
                self._image_id = hit.image_id
                self._report.cached(hit.image_id)
            else:
                self._do(step, is_first=number == 0)
            self._done.append((step, self._image_id))
            if step is not self._steps[-1] or not self._is_last:
                self._report.made(self._image_id)
            self._report.ends()

    def _hit(self, step: Step, rows: dict[str, CachedStep]) -> CachedStep | None:
        """Return the row of a step that is in the store, or came from a registry. None: it must be done."""
        row = rows.get(step.key)
        if row is not None and is_young(row.created, self._options.cache_ttl):
            return row
        if self._shared.remote is None or not self._options.cache:
            return None
        return self._shared.remote.fetch(step, self._image_id, self._place(step), self._report)

    def _send(self) -> None:
        """Push the steps' images to the repositories of --cache-to; not those that no layer has stored yet."""
        if self._shared.remote is not None:
            waiting = {record.id for _, record in self._waiting}
            self._shared.remote.send([one for one in self._done if one[1] not in waiting], self._report)

    def _explain(self, step: Step, cached: bool) -> None:
        before = [] if cached else self._shared.cache.at(self._place(step))
        reasons = keys.differences(step.inputs, before[0].inputs) if before else []
        if not cached and not reasons:
            reasons = ["a step before it changed"] if before else ["it was never built"]
        self._report.explained(Why(step=step.name, cached=cached, reasons=reasons))

    def _place(self, step: Step) -> str:
        from hashlib import sha256

        where = f"{self._shared.read.place}\0{self._stage.index}\0{step.name.number}"
        return sha256(where.encode("utf-8", "surrogateescape")).hexdigest()

    # One step

    def _do(self, step: Step, *, is_first: bool) -> None:
        layer = self._layer(step)
        line = document.HistoryLine(
            created=self._shared.clock.now,
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
            record = self._shared.record(self._image_id)
            if record is not None:
                self._document = document.of_base(record.config)
            else:
                self._document = document.of_scratch(self._base.platform or self._shared.arguments.platform)
        return self._document

    def _layer(self, step: Step) -> LayerWriter | None:
        if step.work is None:
            return None
        self._engine.enter()
        below = self._below()
        try:
            return step.work(below)
        except StepFailedError as error:
            self._report.failed()
            error.message = f'building at STEP "{step.name.text}": {error.message}'
            error.hint = where(step.name, error.hint)
            raise
        except UsageError as error:
            raise at_step(step.name, error) from None

    def _below(self) -> ImageRecord:
        """Return a stored image with all layers so far; they stay until this call's end."""
        if self._stored is None:
            record = self._shared.record(self._base.image_id if self._waiting else self._image_id)
            if record is None:
                from podpy.storage.images import ImageRecord

                return ImageRecord(id="")
            for chain in record.layers:
                self._engine.store.has_layer(chain)
            self._stored = record
        return self._stored

    def _commit(self, layers: list[LayerWriter], *, whole: bool = False) -> None:
        """Make the waiting steps' images visible, the last one with its new layers. `whole`: it is the result."""
        from podpy.storage import crash_point

        self._engine.enter()
        *before, (_step, record) = self._waiting
        if whole:
            record = self._with_manifest(record, layers)
        crash_point("build:commit")
        waiting, self._waiting = self._waiting, []
        self._stored = self._engine.store.commit_image(
            record,
            layers=layers,
            before=[image for _, image in before],
            also=lambda: self._remember(waiting, result=record.id if whole else ""),
        )
        crash_point("build:committed")

    def _remember(self, steps: list[tuple[Step, ImageRecord]], *, result: str) -> None:
        """Write down what the steps have made. `result`: the id of the build's own image, or ""."""
        for step, record in steps:
            self._shared.cache.put(
                CachedStep(
                    key=step.key,
                    image_id=record.id,
                    place=self._place(step),
                    inputs=step.inputs,
                    result=record.id == result,
                )
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
        if self._options.outputs and not self._options.squash:
            if self._waiting:
                self._commit([])
            return
        is_told = not all_cached or bool(name or self._options.squash)
        if is_told:
            self._report.commits(self._shared.named(self._stage, 0, 0, ""), name)
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
        self._report.ends()

    def _squash(self) -> None:
        """Replace the last image by one with a single layer of the build's."""
        from podpy.build.steps.squash import squashed
        from podpy.libpod.images.making import stacked

        if self._waiting:
            self._commit([])
        self._engine.enter()
        record = self._shared.record(self._image_id)
        base = self._shared.record(self._base.image_id) if self._options.squash == "new" else None
        below = len(base.layers) if base else 0
        if record is None or len(record.layers) <= below:
            self._complete()
            return
        store = self._engine.store
        for chain in record.layers:
            store.has_layer(chain)
        layer = squashed(store, record, below, self._shared.clock.of_file)
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
            store.commit_image(whole, also=lambda: self._shared.cache.mark_results(record.id))
        elif self._shared.cache.is_step(self._image_id):
            self._shared.cache.mark_results(self._image_id)
