"""Which containers a command acts on (names, --all, --latest, --cidfile, --filter), and one line for each."""

from __future__ import annotations

import sys

from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, NoSuchContainerError, PodpyError, UsageError
from podpy.libpod.containers.container import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from podpy.cli.parser.options import Options
    from podpy.libpod.runtime import Runtime

    Failure = Callable[[PodpyError], int]


def for_each(
    runtime: Runtime,
    options: Options,
    action: Callable[[Container], None],
    *,
    all_states: tuple[str, ...] = (),
    code_of: Failure | None = None,
    quiet: bool = False,
    no_such: Callable[[str], PodpyError] | None = None,
) -> int:
    """Do `action` to each chosen container and print its name as it was given; one that fails doesn't stop the others.

    `all_states`: with --all only containers in these states (empty: every one). `no_such` makes the error for a name
    that isn't there, if the command has its own. Returns the first failure's exit code.
    """
    code = 0
    for shown, found in chosen(runtime, options, all_states=all_states):
        try:
            if isinstance(found, NoSuchContainerError) and no_such is not None:
                raise no_such(shown)
            if isinstance(found, PodpyError):
                raise found
            action(found)
        except NoSuchContainerError as error:
            if getattr(options, "ignore", False):
                continue
            complain(error)
            code = code or (code_of(error) if code_of else error.exit_code)
        except PodpyError as error:
            complain(error)
            code = code or (code_of(error) if code_of else EXIT_FAILURE)
        else:
            if not quiet:
                sys.stdout.write(f"{shown}\n")
                sys.stdout.flush()
    return code


def chosen(
    runtime: Runtime, options: Options, *, all_states: tuple[str, ...] = ()
) -> Iterator[tuple[str, Container | PodpyError]]:
    """Yield what to print for each chosen container, and the container (or why there is none)."""
    filters = getattr(options, "filter", [])
    if getattr(options, "latest", False):
        yield _latest(runtime)
    elif getattr(options, "all", False) or getattr(options, "running", False) or filters:
        if getattr(options, "running", False):
            all_states = ("running",)
        named = {found.id for name in options.containers if isinstance(found := _find(runtime, name), Container)}
        for row in _filtered(runtime, filters):
            if options.containers and row.id not in named:
                continue
            if not all_states or row.status in all_states:
                yield row.id, Container(runtime, row)
    else:
        yield from ((name, _find(runtime, name)) for name in [*options.containers, *_from_files(options)])


def _latest(runtime: Runtime) -> tuple[str, Container | PodpyError]:
    try:
        found = runtime.latest()
    except NoSuchContainerError as error:
        return "", error
    return found.id, found


def one(runtime: Runtime, options: Options) -> Container:
    """Return the single container of commands like `attach`. Raises NoSuchContainerError."""
    names = [options.container] if options.container else _from_files(options)
    return runtime.container(names[0]) if names else runtime.latest()


def _find(runtime: Runtime, name: str) -> Container | PodpyError:
    try:
        return runtime.container(name)
    except PodpyError as error:
        return error


def _filtered(runtime: Runtime, filters: list[str]) -> list:  # type: ignore[type-arg]
    rows = runtime.rows()
    if not filters:
        return rows
    from podpy.libpod.filters.containers import matching

    return matching(runtime, rows, filters)


def _from_files(options: Options) -> list[str]:
    value = getattr(options, "cidfile", None)
    paths = [value] if isinstance(value, str) and value else value or []
    return [name for path in paths if (name := _read_id(path, ignore=getattr(options, "ignore", False)))]


def _read_id(path: str, *, ignore: bool) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.readline().strip()
    except FileNotFoundError:
        if ignore:
            return ""
        raise UsageError(f"reading CIDFile: open {path}: no such file or directory") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"reading CIDFile: {path}: {error}") from None
