"""A script by which other programs (podman-compose, a lab's commands) call this podpy, with the same store."""

from __future__ import annotations

import os

from podpy import files, process
from podpy.monitor.exit_command import own_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.runtime import Runtime


def script_directory(runtime: Runtime, room: str, name: str) -> str:
    """Return a directory, for a PATH, with a program `name` that calls this podpy with this call's global options.

    `room`: the directory's name in runroot. Raises OSError.
    """
    directory = os.path.join(runtime.paths.runroot, room)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    interpreter, *words = own_command(runtime.paths, runtime.settings.arguments)
    called = process.command_line([interpreter, f"-Xpodpy_called={name}", *words])
    files.replace(os.path.join(directory, name), f'#!/bin/sh\nexec {called} "$@"\n', 0o700)
    return directory
