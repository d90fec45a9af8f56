"""`podpy image mount`, `image unmount`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def mount(options: Options) -> int:
    """Mount images and print where; without any, print those that are mounted."""
    from podpy.cli.show import report

    if options.format and not report.is_json(options.format):
        raise UsageError(f'unknown --format argument: "{options.format}"')
    with open_runtime(options) as runtime:
        if options.images or options.all:
            found = runtime.images.mount(options.images, every=options.all)
        else:
            found = runtime.images.mounted()
    if len(options.images) == 1 and not options.format:
        print(found[0][1])
    elif options.format:
        from podpy.go.json import indented
        from podpy.go.template.values import Struct

        shown = [
            Struct({"id": record.id, "Names": record.names[:1], "Repositories": record.names, "mountpoint": path})
            for record, path in found
        ]
        print(indented(shown, " "))
    else:
        from podpy.go.table import align

        sys.stdout.write(align("".join(f"{[*record.names, record.id][0]}\t{path}\n" for record, path in found)))
    return 0


def unmount(options: Options) -> int:
    """Unmount images and print their ids; one that isn't mounted is no error."""
    code = 0
    with open_runtime(options) as runtime:
        for removal in runtime.images.unmount(options.images, every=options.all, force=options.force):
            for line in removal.lines:
                print(line)
            if removal.error is not None:
                complain(removal.error)
                code = removal.error.exit_code
    return code
