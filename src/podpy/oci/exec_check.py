"""Whether the command of an `exec` without a terminal can be started at all, asked before the OCI runtime is.

That command has podpy's own stderr, and so has the runtime until the command is there: what it says of a command
that it can't find would stand there in its words, beside ours. What is surely wrong is refused here; of the rest (a
file that only some users may run, an interpreter that is missing) the runtime tells.
"""

from __future__ import annotations

import errno
import os
import stat

from podpy import beneath, linux
from podpy.oci.failures import explain_runtime_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MISSING, _NO_FILE, _NOT_EXECUTABLE, _UNSURE = range(4)


def refuse_impossible(process: dict[str, Any], rootfs: str, runtime: str) -> None:
    """Raise CommandNotFoundError, CommandNotExecutableError or RuntimeFailedError as `runtime` would have it.

    `process` is the OCI `process`; `rootfs` is where the container's files can be seen.
    """
    try:
        root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # the container has just ended: that the runtime will find, too
        return
    try:
        problem = _problem(process, f"/proc/self/fd/{root}")
    finally:
        os.close(root)
    if problem:
        raise explain_runtime_error(problem, runtime)


def _problem(process: dict[str, Any], root: str) -> str:
    """Return what is wrong, in crun's words, or an empty text."""
    directory, command = process["cwd"], process["args"][0]
    found = _look(root, directory)
    if found == _MISSING:
        return f"chdir `{directory}`: No such file or directory"
    if found == _NOT_EXECUTABLE:
        return f"chdir `{directory}`: Not a directory"
    if command and "/" not in command:
        places = _search_path(process["env"])
        paths = [os.path.join(directory, place, command) for place in places]
        is_missing = places and all(_look(root, path) == _MISSING for path in paths)
        return f"executable file `{command}` not found in $PATH: No such file or directory" if is_missing else ""
    return {
        _MISSING: f"executable file `{command}` not found: No such file or directory",
        _NO_FILE: f"the path `{command}` is not a regular file, so not executable: Operation not permitted",
        _NOT_EXECUTABLE: f"the path `{command}` is not executable: Permission denied",
    }.get(_look(root, os.path.join(directory, command)), "")


def _search_path(env: list[str]) -> list[str]:
    return next((item[5:].split(":") for item in env if item.startswith("PATH=")), [])


def _look(root: str, path: str) -> int:
    try:
        descriptor = beneath.open_in_root(root, path, os.O_PATH)
    except (FileNotFoundError, NotADirectoryError):
        return _UNSURE if _leaves_the_root_mount(root, path) else _MISSING
    except OSError:
        return _UNSURE
    try:
        mode = os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(mode):
        return _NO_FILE
    return _UNSURE if mode & 0o111 else _NOT_EXECUTABLE  # without one x nobody may, root neither (capabilities(7))


def _leaves_the_root_mount(root: str, path: str) -> bool:
    """Tell whether a path leads into another mount: in /proc each process sees itself, and podpy isn't the command.

    A path may lead there by links and by `..`, so the kernel is asked; in a volume the runtime tells what is missing.
    """
    try:
        os.close(beneath.open_in_root(root, path, os.O_PATH, resolve=linux.RESOLVE_NO_XDEV))
    except OSError as error:
        return error.errno == errno.EXDEV
    return False
