"""`podpy import`: prints the new image's id."""

from __future__ import annotations

from podpy.cli.commands.images.images import refuse_terminal
from podpy.cli.engine import open_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_STDIN = "-"


def import_image(options: Options) -> int:
    """`podpy import`."""
    from podpy.cli.show.image_progress import FailuresTold, make, tell_image
    from podpy.libpod.images.options import ImportOptions, is_address

    source: str | int = options.path_or_url
    if source == _STDIN:
        refuse_terminal("the name of a file")
        source = 0
    elif is_address(options.path_or_url) and options.progress != "json":
        print(f'Downloading from "{source}"', flush=True)
    wanted = ImportOptions(
        changes=options.change,
        signature_policy=options.signature_policy,
        message=options.message,
        os=options.os,
        architecture=options.arch,
        variant=options.variant,
    )
    progress = make(quiet=options.quiet, style=options.progress)
    with FailuresTold(progress, options.reference or options.path_or_url), open_runtime(options) as runtime:
        record = runtime.images.import_(source, options.reference, wanted, progress=progress)
    tell_image(progress, f"sha256:{record.id}", options.reference)
    return 0
