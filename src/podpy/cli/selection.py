"""Which containers a command acts on (names, --all, --latest, --cidfile, --filter), and one line for each."""

from __future__ import annotations

import sys

from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, NoSuchContainerError, PodpyError, UsageError
from podpy.libpod.containers.manager import failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container
    from podpy.libpod.runtime import Runtime


def for_each(
    runtime: Runtime, options: Options, action: Callable[[Container], None], *, states: tuple[str, ...] = ()
) -> int:
    """Do `action` to each chosen container and print its name as it was given. A failure doesn't stop the others.

    `states` restricts --all to containers in these states (empty: every state). Returns the first failure's exit code.
    """

    def attempt(found: Container | PodpyError) -> PodpyError | None:
        return found if isinstance(found, PodpyError) else failure(action, found)

    chosen_ones = chosen(runtime, options, states=states)
    return tell(((shown, attempt(found)) for shown, found in chosen_ones), options)


def tell(
    outcomes: Iterable[tuple[str, PodpyError | None]],
    options: Options,
    *,
    code_of: Callable[[PodpyError], int] | None = None,
) -> int:
    """Print the name of each container that succeeded, and an error for each that failed.

    With --ignore, a container that doesn't exist is no error. Returns the first failure's exit code.
    """
    code = 0
    for shown, error in outcomes:
        is_gone = isinstance(error, NoSuchContainerError)
        if error is None:
            sys.stdout.write(f"{shown}\n")
            sys.stdout.flush()
        elif not (is_gone and getattr(options, "ignore", False)):
            complain(error)
            code = code or (code_of(error) if code_of else error.exit_code if is_gone else EXIT_FAILURE)
    return code


def chosen(
    runtime: Runtime, options: Options, *, states: tuple[str, ...] = ()
) -> Iterator[tuple[str, Container | PodpyError]]:
    """Yield for each chosen container its name as it was given, and the container or the error of its look-up."""
    running = getattr(options, "running", False)
    return runtime.containers.select(
        [*options.containers, *_from_files(options)],
        every=running or getattr(options, "all", False),
        latest=getattr(options, "latest", False),
        filters=getattr(options, "filter", []),
        states=("running",) if running else states,
    )


def one(runtime: Runtime, options: Options, doing: str = "") -> Container:
    """Return the single container of commands like `attach`. Raises NoSuchContainerError, after what was `doing`."""
    names = [options.container] if options.container else _from_files(options)
    try:
        return runtime.container(names[0]) if names else runtime.latest()
    except NoSuchContainerError as error:
        if doing:
            raise NoSuchContainerError(f"{doing}: {error.message}", hint=error.hint) from None
        raise


def _from_files(options: Options) -> list[str]:
    value = getattr(options, "cidfile", None)
    paths = [value] if isinstance(value, str) and value else value or []
    return [name for path in paths if (name := _read_id(path, ignore=getattr(options, "ignore", False)))]


def _read_id(path: str, *, ignore: bool) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except FileNotFoundError:
        if ignore:
            return ""
        raise UsageError(f"reading CIDFile: open {path}: no such file or directory") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"reading CIDFile: {path}: {error}") from None
