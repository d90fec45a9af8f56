"""`podpy wait`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen
from podpy.cli.show.notice import complain
from podpy.errors import NoSuchContainerError, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Wait until containers have stopped (or are in another state) and print their exit codes."""
    code = 0
    with open_runtime(options) as runtime:
        for _shown, found in list(chosen(runtime, options)):
            try:
                if isinstance(found, PodpyError):
                    raise found
                print(found.wait(conditions=options.condition), flush=True)
            except NoSuchContainerError as error:
                if options.ignore:
                    print(-1, flush=True)
                    continue
                complain(error)
                code = code or error.exit_code
    return code
