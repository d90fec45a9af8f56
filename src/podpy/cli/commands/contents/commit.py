"""`podpy commit`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Make an image of a container; print its id."""
    from podpy.cli.show.image_progress import FailuresTold, make, tell_image
    from podpy.libpod.containers.contents.options import CommitOptions

    wanted = CommitOptions(
        author=options.author,
        changes=options.change,
        config=_read(options.config) if options.config else b"",
        format=options.format,
        include_volumes=options.include_volumes,
        message=options.message,
        pause=options.pause,
        squash=options.squash,
    )
    progress = make(quiet=options.quiet, style=options.progress)
    with FailuresTold(progress, options.image or options.container), open_runtime(options) as runtime:
        made = runtime.containers.commit(options.container, options.image, wanted, progress=progress)
    if options.iidfile:
        _write(options.iidfile, made.id)
    tell_image(progress, made.id, options.image)
    return 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"--config: open {path}: {(error.strerror or str(error)).lower()}") from None


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"failed to write image ID: open {path}: {(error.strerror or str(error)).lower()}") from None
