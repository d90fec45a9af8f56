"""A build's Dockerfiles and context: which stages there are, which are needed, which files of the context are seen."""

from __future__ import annotations

import os

from podpy import beneath
from podpy.build.context.ignore_file import load
from podpy.build.reading.instructions import From
from podpy.build.reading.lines import MOST_BYTES
from podpy.build.reading.parser import parse
from podpy.build.reading.stages import Stages, before_first
from podpy.build.sources import STDIN, ContextOrigin, directory_of
from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.context.fetch import Fetched
    from podpy.build.options import BuildOptions
    from podpy.build.reading.instructions import Dockerfile, Lint
    from podpy.build.reading.stages import Stage
    from podpy.build.steps.tree import KnownDigests
    from podpy.build.variables import Arguments

_DEFAULT_FILES = ("Containerfile", "Dockerfile")
_LONGEST_NUMBER = 8


class ReadFiles(Record):
    """The result of `read_files`. `needed`: the stages to build, in their order; `total`: of how many they are told."""

    stages: Stages
    needed: list[Stage]
    total: int
    context: ContextOrigin
    place: str

    def stage_of(self, text: str, before: int) -> int | None:
        """Return the index of the stage with this name or number that a stage of index `before` means; None: none."""
        if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER:
            return int(text) if int(text) < len(self.stages.all) else None
        return self.stages.mounted_from(text, before)


def read_files(
    options: BuildOptions, arguments: Arguments, known: KnownDigests | None, fetched: Fetched | None = None
) -> ReadFiles:
    """Read the Dockerfiles and the ignore file. `fetched`: the context, if it was no directory of this machine.

    `known`: see ContextOrigin.

    Raises UsageError, BuildFileError.
    """
    if fetched is None:
        context = directory_of(options.context)
        paths = found_or_given(options)
        files = [_parsed(path, options, context) for path in paths]
        sent, name = "", "" if paths[0] == STDIN else paths[0]
    else:
        context, origin = fetched.directory, fetched.files or fetched.directory
        place = beneath.place_in if fetched.files else _of_fetched
        paths = [place(origin, each) for each in options.files] or [_found(origin, options.context, beneath.place_in)]
        files = [_parsed(path, options, context, path.removeprefix(f"{origin}/")) for path in paths]
        sent, name = _of_ignore_file(origin, paths[0], options.files)
    for file in files:
        if "check" in file.directives:  # check=error=true
            from podpy.build.reading.lint import check

            check(file)
    instructions = [one for file in files for one in file.instructions]
    if options.base:
        first_from = next(number for number, one in enumerate(instructions) if isinstance(one, From))
        instructions[first_from] = instructions[first_from].replace(image=options.base)
    for argument in before_first(instructions):
        arguments.declare_global(argument)
    stages = Stages(instructions, arguments.before_from, options.contexts)
    target = stages.target(options.target)
    needed = stages.needed(target) if options.skip_unused else stages.all[: target + 1]
    rules = load(context, name, options.ignore_file, origin=sent)
    return ReadFiles(
        stages=stages,
        needed=[*needed],
        total=target + 1,
        context=ContextOrigin(context, rules, known if fetched is None else None),
        place="\0".join([*_places(options, context, paths, fetched=fetched is not None), options.target]),
    )


def _places(options: BuildOptions, context: str, paths: list[str], *, fetched: bool) -> list[str]:
    """Return what tells this build from others, for the reasons of `--explain`."""
    return [options.context, *options.files] if fetched else [context, *map(os.path.abspath, paths)]


def _of_fetched(context: str, name: str) -> str:
    """Return the path of a Dockerfile of a context that was fetched; its links don't lead out of that.

    What isn't there is a file of this machine, as for Podman.
    """
    inside = beneath.place_in(context, name)
    return inside if name != STDIN and os.path.isfile(inside) else name


def _of_ignore_file(origin: str, path: str, given: list[str]) -> tuple[str, str]:
    """Return what `load` is told of a fetched context: `origin` and the Dockerfile's name, which isn't its target's if
    it is a link; or, of a file of this machine, "" and its path.
    """
    if path == STDIN:
        return "", ""
    if not path.startswith(f"{origin}/"):
        return "", path
    return origin, given[0] if given else os.path.relpath(path, origin)


def warnings(options: BuildOptions) -> list[Lint]:
    """Return what is odd in the Dockerfiles. Raises UsageError, BuildFileError."""
    from podpy.build.reading.lint import check

    return [found for path in found_or_given(options) for found in check(_parsed(path, options, options.context))]


def _parsed(path: str, options: BuildOptions, context: str, name: str = "") -> Dockerfile:
    if not path.endswith(".in"):
        return parsed(path, name, given=options.dockerfile)
    from podpy.build.reading.preprocess import preprocessed

    return parse(preprocessed(read_bytes(path), name or path, context, options.cpp_flags), name or path)


def parsed(path: str, name: str = "", given: bytes = b"") -> Dockerfile:
    """Return a Dockerfile; "-" is standard input, or `given`. `name`: what errors call it.

    Raises UsageError, BuildFileError.
    """
    return parse((given if path == STDIN else b"") or read_bytes(path), name or path if path != STDIN else "Dockerfile")


def found_or_given(options: BuildOptions) -> list[str]:
    """Return the Dockerfiles' paths. Raises UsageError."""
    if options.files:
        return options.files
    context = directory_of(options.context)
    return [_found(context, context, os.path.join)]


def _found(context: str, shown: str, place: Callable[[str, str], str]) -> str:
    """Return the path of the context's Dockerfile; `place` makes one of a name. Raises UsageError."""
    for name in _DEFAULT_FILES:
        path = place(context, name)
        if os.path.isfile(path):
            return path
    raise UsageError(
        f"no Containerfile or Dockerfile specified or found in context directory, {shown}: no such file or directory"
    )


def read_bytes(path: str) -> bytes:
    """Return what a Dockerfile has; "-" is standard input. Raises UsageError."""
    if path == STDIN:
        with open(0, "rb", closefd=False) as file:
            return file.read(MOST_BYTES + 1)
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(
            f"the specified Containerfile or Dockerfile does not exist, {path}: no such file or directory"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None
