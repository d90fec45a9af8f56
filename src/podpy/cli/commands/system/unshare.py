"""`podpy unshare`: a command, or a shell, in the user's namespaces."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import directories
from podpy.cli.show.notice import print_warning
from podpy.libpod.system.namespaces import become
from podpy.notice import send_warnings_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Become the command, as uid 0 in the user's namespaces: execve(2), so it returns only by an error."""
    send_warnings_to(print_warning)
    sys.stdout.flush()
    sys.stderr.flush()
    command = list(options.command) or [os.environ.get("SHELL") or "/bin/sh"]
    become(directories(options), command, os.environ)
