"""A stage → its steps: those of its base's triggers, of its instructions, and of options that change the settings."""

from __future__ import annotations

from podpy.build import settings
from podpy.build.makers import LayerMakers
from podpy.build.shared import at_step
from podpy.build.stage import StageReader
from podpy.build.variables import Scope
from podpy.errors import BuildFileError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.build.bases import Base, Bases
    from podpy.build.options import BuildOptions, StepName
    from podpy.build.reading.instructions import Instruction
    from podpy.build.reading.stages import Stage
    from podpy.build.shared import Shared
    from podpy.build.stage import Step

    Changes = list[tuple[str, Callable[[dict[str, Any]], None]]]


def steps_of(shared: Shared, bases: Bases, stage: Stage, base: Base, *, is_last: bool) -> list[Step]:
    """Return a stage's steps, in their order. Warns of arguments without a value. Raises UsageError, BuildFileError."""
    makers = LayerMakers(
        shared.engine,
        shared.options,
        shared.report,
        shared.clock,
        work=lambda: shared.work.id,
        origin=lambda text: bases.origin(text, stage.index),
    )
    reader = StageReader(makers, Scope(shared.arguments, base.arguments), base.config, key=base.key, author=base.author)
    instructions = [*_triggered(base), *([] if stage.is_replaced else stage.instructions)]
    before, after = _settings_of_options(shared.options) if is_last else ([], [])
    total = 1 + len(before) + len(instructions) + len(after)
    number = 1
    for number, (text, change) in enumerate(before, 2):
        _add_settings(reader, shared.named(stage, number, total, text), change)
    for instruction in instructions:
        number += 1
        _read_instruction(reader, instruction, shared.name(stage, number, total, instruction))
    for text, change in after:
        number += 1
        _add_settings(reader, shared.named(stage, number, total, text), change)
    _warn_of_arguments(reader)
    return reader.steps


def _add_settings(reader: StageReader, name: StepName, change: Callable[[dict[str, Any]], None]) -> None:
    reader.config = {**reader.config}
    change(reader.config)
    reader.add_settings(name, name.text)


def count_of_options(options: BuildOptions) -> int:
    """Return how many steps options add to the last stage."""
    return sum(len(steps) for steps in _settings_of_options(options))


def _settings_of_options(options: BuildOptions) -> tuple[Changes, Changes]:
    """Return the steps that options add before and after the last stage's: texts, and what changes the settings."""
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


def _read_instruction(reader: StageReader, instruction: Instruction, name: StepName) -> None:
    try:
        reader.read(instruction, name)
    except BuildFileError:
        raise
    except UsageError as error:
        raise at_step(name, error) from None


def _warn_of_arguments(reader: StageReader) -> None:
    from podpy.notice import warn

    for name in reader.without_value:
        warn(f'missing "{name}" build argument. Try adding "--build-arg {name}=<VALUE>" to the command line')


def _triggered(base: Base) -> list[Instruction]:
    if not base.triggers:
        return []
    from podpy.build.reading.parser import parse_trigger

    return [one for text in base.triggers for one in parse_trigger(text, base.name)]
