"""`podpy cp`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.streams import require_output
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_STREAM = "-"
_STDIN, _STDOUT = 0, 1


def run(options: Options) -> int:
    """Copy files into a container, out of it, or between two."""
    from podpy.libpod.containers.contents.options import CopyOptions

    (source, source_path), (target, target_path) = _parsed(options.source), _parsed(options.destination)
    if not source_path or not target_path:
        raise UsageError(f'invalid arguments "{options.source}", "{options.destination}": you must specify paths')
    if not source and not target:
        raise UsageError("name or ID cannot be empty", hint="One of the two is CONTAINER:PATH")
    if source and not target and target_path == _STREAM:
        require_output()
    wanted = CopyOptions(archive=options.archive if options.given("archive") else None, overwrite=options.overwrite)
    with open_runtime(options) as runtime:
        containers = runtime.containers
        if source and target:
            containers.copy_between(source, source_path, target, target_path, wanted)
        elif source:
            containers.copy_out(source, source_path, _STDOUT if target_path == _STREAM else target_path, wanted)
        else:
            containers.copy_in(target, _STDIN if source_path == _STREAM else source_path, target_path, wanted)
    return 0


def _parsed(text: str) -> tuple[str, str]:
    """Return the container (or an empty text) and the path of an argument. What begins with . or / is a path."""
    if text.startswith((".", "/")):
        return "", text
    container, colon, path = text.partition(":")
    return (container, path) if colon else ("", text)
