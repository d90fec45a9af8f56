"""Which stages a file has, what each takes from others, and which of them a target needs."""

from __future__ import annotations

from bisect import bisect_left

from podpy.build.reading import mounts
from podpy.build.reading.instructions import Arg, Copy, From, Onbuild, Run
from podpy.build.reading.variables import expanded
from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from podpy.build.reading.instructions import Instruction


class Stage(Record):
    """One stage. `index` counts from 0; `image` and `platform` are expanded.

    `base`: the index of the stage that it begins with, or None. `is_replaced`: a named context stands for it.
    """

    index: int
    start: From
    image: str
    platform: str
    base: int | None
    instructions: tuple[Instruction, ...]
    is_replaced: bool = False

    @property
    def name(self) -> str:
        """The name in lower case, or ""."""
        return self.start.name


def before_first(instructions: Iterable[Instruction]) -> list[Arg]:
    """Return the ARGs before the first FROM: their values are FROM's variables."""
    found = []
    for instruction in instructions:
        if isinstance(instruction, From):
            break
        if isinstance(instruction, Arg):
            found.append(instruction)
    return found


class Stages:
    """The stages of one file, or of several that are read one after the other."""

    def __init__(
        self,
        instructions: Sequence[Instruction],
        values: Mapping[str, str],
        contexts: Collection[str] = (),
        unknown: set[str] | None = None,
    ) -> None:
        """`values`: FROM's variables; `contexts`: names that stand for a context of their own (--build-context).

        `unknown` gets the variables of FROMs that have no value. Raises BuildFileError.
        """
        self.all: list[Stage] = []
        self._by_name: dict[str, list[int]] = {}
        starts = [number for number, one in enumerate(instructions) if isinstance(one, From)]
        for number, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
            start = instructions[number]
            assert isinstance(start, From)
            image = expanded(start, start.image, values, unknown)
            if not image:
                raise start.wrong(f"base name ({start.image}) should not be blank", start.image)
            platform = expanded(start, start.platform, values, unknown)
            if start.platform and not platform:
                raise start.wrong(f"empty platform value from expression {start.platform}", start.platform)
            stage = Stage(
                index=len(self.all), start=start, image=image, platform=platform, base=self.named(image),
                instructions=tuple(instructions[number + 1 : end]), is_replaced=start.name in contexts,
            )  # fmt: skip
            self.all.append(stage)
            if stage.name:
                self._by_name.setdefault(stage.name, []).append(stage.index)

    def named(self, name: str, before: int | None = None) -> int | None:
        """Return the index of the last stage of this name, of those before an index; None: there is none."""
        found = self._by_name.get(name.lower(), [])
        count = len(found) if before is None else bisect_left(found, before)
        return found[count - 1] if count else None

    def target(self, text: str) -> int:
        """Return the index of the stage with this name or number; of the last one for "". Raises UsageError."""
        if not text:
            return len(self.all) - 1
        found = self.named(text)
        if found is None and text.isascii() and text.isdigit() and len(text) < 8 and int(text) < len(self.all):
            found = int(text)
        if found is None:
            names = ", ".join([stage.name or str(stage.index) for stage in self.all[:20]])
            told = f'The target "{text}" was not found in the provided Dockerfile'
            raise UsageError(told, hint=f"Its stages: {names}")
        return found

    def copied_from(self, copy: Copy, index: int) -> int | None:
        """Return the stage that a COPY in stage `index` takes files from; None: --from is no stage, or isn't given.

        Raises BuildFileError for one that comes later.
        """
        text = copy.from_
        if expanded(copy, text, {}) != text:
            told = "variable expansion is not supported for --from"
            raise copy.wrong(told, f"--from={text}", hint="Define a stage with FROM that uses an ARG before it")
        if text.isascii() and text.isdigit():
            if len(text) > 8 or int(text) >= len(self.all):
                raise copy.wrong(f"invalid stage index {text}", f"--from={text}")
            found: int | None = int(text)
        else:
            found = self.named(text, before=index)
            if found is None and (later := self.named(text)) is not None:
                found = later
        if found is not None and found >= index:
            own = self.all[index].name or str(index)
            told = f'cannot copy from stage "{text}", it needs to be defined before current stage "{own}"'
            raise copy.wrong(told, f"--from={text}")
        return found

    def mounted_from(self, text: str, index: int) -> int | None:
        """Return the stage that a mount of a RUN in stage `index` names; None: it is none.

        It may come later; one that is called by its number (Buildah) comes before.
        """
        if text.isascii() and text.isdigit() and len(text) < 8 and int(text) < index:
            return int(text)
        found = self.named(text, before=index)
        return self.named(text) if found is None else found

    def sources(self, stage: Stage) -> set[int]:
        """Return the stages that a stage needs. Raises BuildFileError."""
        if stage.is_replaced:
            return set()
        found: set[int | None] = {stage.base}
        instructions = list(stage.instructions)
        if stage.base is not None:
            instructions += [one.instruction for one in self.all[stage.base].instructions if isinstance(one, Onbuild)]
        for instruction in instructions:
            if isinstance(instruction, Copy) and instruction.from_:
                found.add(self.copied_from(instruction, stage.index))
            elif isinstance(instruction, Run) and instruction.mounts:
                found |= {self.mounted_from(text, stage.index) for text in mounts.sources(instruction)}
        return {index for index in found if index is not None}

    def needed(self, target: int) -> list[Stage]:
        """Return the stages that a stage needs, and itself, each after those that it needs.

        They are in the file's order, but for those whose files a RUN of an earlier one mounts.
        Raises BuildFileError for a circle.
        """
        sources: dict[int, set[int]] = {}
        waiting = [target]
        while waiting:
            index = waiting.pop()
            if index not in sources:
                sources[index] = self.sources(self.all[index])
                waiting += sources[index]
        users: dict[int, list[int]] = {index: [] for index in sources}
        for index, needs in sources.items():
            for needed in needs:
                users[needed].append(index)
        return self._ordered(sources, users)

    def _ordered(self, sources: Mapping[int, set[int]], users: Mapping[int, list[int]]) -> list[Stage]:
        from heapq import heapify, heappop, heappush

        missing = {index: len(needs) for index, needs in sources.items()}
        ready = [index for index, count in missing.items() if not count]
        heapify(ready)
        order: list[Stage] = []
        while ready:
            index = heappop(ready)
            order.append(self.all[index])
            for user in users[index]:
                missing[user] -= 1
                if not missing[user]:
                    heappush(ready, user)
        if len(order) < len(missing):
            stage = self.all[min(index for index, count in missing.items() if count)]
            raise stage.start.wrong(f"circular dependency detected on stage: {stage.name or stage.index}")
        return order
