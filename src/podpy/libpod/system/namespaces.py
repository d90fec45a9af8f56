"""The user's namespaces: ends them (`system migrate`), or runs a command in them (`unshare`)."""

from __future__ import annotations

import os

from podpy import rootless
from podpy.errors import CommandNotExecutableError, CommandNotFoundError, InUseError, UsageError
from podpy.rootless import holder
from podpy.rootless.namespace import GID_VARIABLE, UID_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from podpy.config.paths import Paths


def give_up(paths: Paths) -> None:
    """End the pause process: the next call makes new namespaces, by the configuration that it finds.

    Raises InUseError if containers run in them.
    """
    from podpy.rootless.first import conmon_in_namespace

    if not paths.rootless:
        return
    if conmon_in_namespace(paths) >= 0:
        raise InUseError(
            "the user namespace can't be given up: containers run in it",
            hint="podpy stop --all && podpy system migrate",
        )
    holder.end(paths)


def become(paths: Paths, command: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by a command (execve(2)), as uid 0 in the user's namespaces, with these variables.

    It returns only by an error: UsageError for root, RootlessError, CommandNotFoundError, CommandNotExecutableError.
    """
    if not paths.rootless:
        raise UsageError("unshare is for ordinary users: root has no user namespace to enter", hint="Run it as it is")
    rootless.enter(paths)
    variables = {**environ, UID_VARIABLE: str(paths.uid), GID_VARIABLE: str(paths.gid)}
    try:
        os.execvpe(command[0], command, variables)
    except (FileNotFoundError, NotADirectoryError):
        raise CommandNotFoundError(f"{command[0]}: no such command", hint="Is it in PATH?") from None
    except OSError as error:
        raise CommandNotExecutableError(f"{command[0]}: {error.strerror}") from None
