"""`podpy image mount`, `image unmount`."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import PodpyError, RootlessError, UsageError
from podpy.storage.mounts import image_mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.parse import Options
    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord


def mount(options: Options) -> int:
    """Mount images and print where; without any, print those that are mounted."""
    from podpy.cli.show import report

    if options.format and not report.is_json(options.format):
        raise UsageError(f'unknown --format argument: "{options.format}"')
    with open_runtime(options) as runtime:
        if runtime.paths.rootless and os.getuid():
            # Elsewhere than in that namespace nobody would see the mount.
            raise RootlessError(
                'cannot run command "podpy image mount" in rootless mode, must execute `podpy unshare` first'
            )
        runtime.enter()
        found = _mounted(runtime) if not options.images and not options.all else _mount(runtime, options)
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
        runtime.enter()
        for name in image_mounts.mounted(runtime.store) if options.all else options.images:
            try:
                # An image that is gone can still be mounted, under the id that --all finds.
                image_id = name if options.all else runtime.image(name).id
                if image_mounts.unmount(runtime.store, image_id, force=options.force):
                    print(image_id)
            except PodpyError as error:
                complain(error)
                code = error.exit_code
    return code


def _mount(runtime: Runtime, options: Options) -> list[tuple[ImageRecord, str]]:
    every = [record for record in runtime.store.images() if not record.is_list]
    records = every if options.all else [runtime.image(name) for name in options.images]
    return [(record, image_mounts.mount(runtime.store, record)) for record in records]


def _mounted(runtime: Runtime) -> list[tuple[ImageRecord, str]]:
    paths = image_mounts.mounted(runtime.store)
    return [(record, paths[record.id]) for record in runtime.store.image_summaries() if record.id in paths]
