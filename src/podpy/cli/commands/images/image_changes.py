"""`podpy rmi`, `tag`, `untag`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, InUseError, NoSuchImageError, NotANameError, PodpyError, SeveralNamesError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

# podman-rmi(1), EXIT STATUS
_NO_SUCH_IMAGE = 1
_IN_USE = 2


def rmi(options: Options) -> int:
    """`podpy rmi`: 0, 1 (an image doesn't exist), 2 (a container uses it), 125."""
    code = 0
    with open_runtime(options) as runtime:
        removals = runtime.images.remove_several(
            options.images, every=options.all, force=options.force, ignore=options.ignore
        )
        for removal in removals:
            sys.stdout.write("".join(f"{line}\n" for line in removal.lines))
            sys.stdout.flush()
            if removal.error is not None:
                complain(removal.error)
                failure = _exit_code(removal.error)
                code = failure if failure == _IN_USE else code or failure
    return code


def _exit_code(error: PodpyError) -> int:
    if isinstance(error, NotANameError | SeveralNamesError):
        return EXIT_FAILURE
    if isinstance(error, NoSuchImageError):
        return _NO_SUCH_IMAGE
    return _IN_USE if isinstance(error, InUseError) else EXIT_FAILURE


def tag(options: Options) -> int:
    """`podpy tag`."""
    with open_runtime(options) as runtime:
        runtime.images.tag(options.image, options.names)
    return 0


def untag(options: Options) -> int:
    """`podpy untag`: the names that are given, or all that the image has."""
    with open_runtime(options) as runtime:
        runtime.images.untag(options.image, options.names)
    return 0
