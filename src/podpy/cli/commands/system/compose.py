"""`podpy compose`: becomes docker-compose or podman-compose."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import open_runtime
from podpy.errors import CommandNotExecutableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_WARNING = """\
\033[4m>>>> Executing external compose provider "{}". Please see podman-compose(1) for how to disable this message. <<<<

\033[0m"""


def run(options: Options) -> int:
    """Become the program (execve(2)), so its exit code is this command's."""
    from podpy.api import providers

    with open_runtime(options) as runtime:
        program = providers.find(runtime)
        if providers.warns(runtime):
            sys.stderr.write(_WARNING.format(program))
        more = providers.environment(runtime, program)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(program, [program, *options.words], {**os.environ, **more})
    except OSError as error:
        raise CommandNotExecutableError(f"{program}: {error.strerror}") from None
