"""`podpy unshare`: a command, or a shell, in the user's namespaces."""

from __future__ import annotations

import os
import sys

from podpy import rootless
from podpy.cli.show.notice import print_warning
from podpy.config.paths import Paths
from podpy.errors import CommandNotExecutableError, CommandNotFoundError, UsageError
from podpy.notice import send_warnings_to
from podpy.rootless.namespace import GID_VARIABLE, UID_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Become the command, as uid 0 of the user's namespace. Returns only by an error."""
    said = options.globals
    paths = Paths.find(said.root or None, said.runroot or said.tmpdir or None)
    if not paths.rootless:
        raise UsageError("unshare is for ordinary users: root has no user namespace to enter", hint="Run it as it is")
    command = list(options.command) or [os.environ.get("SHELL") or "/bin/sh"]
    send_warnings_to(print_warning)
    rootless.enter(paths)
    os.environ[UID_VARIABLE] = str(paths.uid)
    os.environ[GID_VARIABLE] = str(paths.gid)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)
    except (FileNotFoundError, NotADirectoryError):
        raise CommandNotFoundError(f"{command[0]}: no such command", hint="Is it in PATH?") from None
    except OSError as error:
        raise CommandNotExecutableError(f"{command[0]}: {error.strerror}") from None
