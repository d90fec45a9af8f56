"""`podpy save`, `image scp`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.streams import require_output
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def save(options: Options) -> int:
    """`podpy save`: to a file, a directory, or standard output (then quietly)."""
    from podpy.cli.show.image_progress import FailuresTold, make, tell_result
    from podpy.libpod.images.options import STDOUT, SaveOptions

    if options.compress and options.format != "docker-dir":
        raise UsageError("--compress can only be set when --format is 'docker-dir'")
    if ":" in options.output:
        raise UsageError(f"invalid filename (should not contain ':') \"{options.output}\"")
    if not options.output:
        require_output()
        if sys.stdout is not None and sys.stdout.isatty():
            raise UsageError("refusing to save to terminal. Use -o flag or redirect")
    if options.progress == "json" and options.output in ("", STDOUT):
        raise UsageError("--progress json: standard output is for the archive", hint="Give --output FILE")
    progress = make(quiet=options.quiet or not options.output, style=options.progress)
    given = options.given("multi_image_archive")
    with FailuresTold(progress, options.output), open_runtime(options) as runtime:
        wanted = SaveOptions(
            format=options.format,
            multiple=options.multi_image_archive if given else None,
            compress=options.compress,
            uncompressed=options.uncompressed,
        )
        runtime.images.save(options.images, options.output or STDOUT, wanted, progress=progress)
    tell_result(progress, "saved", name=options.output)
    return 0


def scp(options: Options) -> int:
    """`podpy image scp`: what another machine loads it prints itself."""
    from podpy.cli.show.image_progress import make

    progress = make(quiet=options.quiet, style="")
    with open_runtime(options) as runtime:
        loaded = runtime.images.scp(options.source, options.destination, progress=progress)
    for name in loaded:
        print(f"Loaded image: {name}")
    return 0
