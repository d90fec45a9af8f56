"""Checks the command of an `exec` without a terminal before the OCI runtime is called.

That command writes to podpy's own stderr, and so does the runtime until the command runs: for a command that it can't
find, its message would stand there beside podpy's. So podpy itself refuses what is surely wrong; the runtime reports
the rest (a file that only some users may run, a missing interpreter).
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

    from podpy.errors import RuntimeFailedError

_SCRIPT, _ELF = b"#!", b"\x7fELF"
_BEGINNING = 256  # bytes that the kernel reads (BINPRM_BUF_SIZE, linux/binfmts.h)
_MACHINE = slice(18, 20)  # e_machine of an ELF file, elf(5)
_OTHER_FORMATS = "/proc/sys/fs/binfmt_misc"  # one file for each, besides `register` and `status`
_MISSING, _NO_FILE, _NOT_EXECUTABLE, _UNSURE = range(4)


def refuse_impossible(process: dict[str, Any], rootfs: str, runtime: str) -> None:
    """Raise the error that `runtime` would cause: CommandNotFoundError, CommandNotExecutableError, RuntimeFailedError.

    `process` is the OCI `process`; `rootfs` is a path to the container's files.
    """
    try:
        root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # the container has just ended; the runtime will report that
        return
    try:
        problem = _problem(process, f"/proc/self/fd/{root}")
    finally:
        os.close(root)
    if problem:
        raise explain_runtime_error(problem, runtime)


def never_began(process: dict[str, Any], rootfs: str, runtime: str) -> RuntimeFailedError | None:
    """Return the error for a command that ended with 1 or 255, if the kernel can't execute its file.

    crun 1.28 and runc 1.3 report that on standard error only, with these exit codes.
    """
    try:
        root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        command = process["args"][0]
        places = [""] if "/" in command else _search_path(process["env"])
        paths = [os.path.join(process["cwd"], place, command) for place in places]
        path = next((path for path in paths if _look(f"/proc/self/fd/{root}", path) == _UNSURE), "")
        problem = _kernels_problem(f"/proc/self/fd/{root}", path) if path else ""
    finally:
        os.close(root)
    return explain_runtime_error(f"exec container process `{command}`: {problem}", runtime) if problem else None


def _kernels_problem(root: str, path: str) -> str:
    """Return why execve(2) of this file surely fails, or an empty text."""
    try:
        descriptor = beneath.open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return ""
    try:
        beginning = os.read(descriptor, _BEGINNING)
        own = os.open("/proc/self/exe", os.O_RDONLY | os.O_CLOEXEC)
        try:
            machine = os.pread(own, _BEGINNING, 0)[_MACHINE]
        finally:
            os.close(own)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    if beginning.startswith(_SCRIPT):
        words = beginning[len(_SCRIPT) :].partition(b"\n")[0].split()
        interpreter = os.fsdecode(words[0]) if words else ""
        is_missing = interpreter.startswith("/") and _look(root, interpreter) == _MISSING
        return "No such file or directory" if is_missing else ""
    if beginning.startswith(_ELF) and beginning[_MACHINE] == machine:
        return ""
    return "" if _knows_other_formats() else "Exec format error"


def _knows_other_formats() -> bool:
    """Return whether the kernel runs files of other formats or machines through programs (binfmt_misc)."""
    try:
        return not {"register", "status"}.issuperset(os.listdir(_OTHER_FORMATS))
    except FileNotFoundError:
        return False


def _problem(process: dict[str, Any], root: str) -> str:
    """Return what is wrong, in crun's words, or an empty text."""
    directory, command = process["cwd"], process["args"][0]
    found = _look(root, directory)
    if found == _MISSING:
        return f"chdir to `{directory}`: No such file or directory"
    if found == _NOT_EXECUTABLE:
        return f"chdir to `{directory}`: Not a directory"
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
    return _UNSURE if mode & 0o111 else _NOT_EXECUTABLE  # without any x bit not even root may (capabilities(7))


def _leaves_the_root_mount(root: str, path: str) -> bool:
    """Return whether a path leads into another mount. In /proc each process sees itself, so podpy can't check there.

    A path may lead there by links and by `..`, so the kernel is asked. In a volume, the runtime finds what is missing.
    """
    try:
        os.close(beneath.open_in_root(root, path, os.O_PATH, resolve=linux.RESOLVE_NO_XDEV))
    except OSError as error:
        return error.errno == errno.EXDEV
    return False
