"""What one check of the host says, and the words that all checks share."""

from __future__ import annotations

import os

from podpy import files, process
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_INSTALL = (
    ({"debian", "ubuntu"}, "sudo apt install"),
    ({"fedora", "rhel", "centos"}, "sudo dnf install"),
    ({"opensuse", "suse", "sles"}, "sudo zypper install"),
    ({"arch"}, "sudo pacman -S"),
    ({"alpine"}, "sudo apk add"),
)
_DEBIAN = "sudo apt install"


class Check(Record):
    """One thing that the host must offer: whether it does, what was found, and the command that mends it."""

    name: str
    ok: bool
    # What was found: the reason if it isn't ok.
    cause: str
    # What to type (one command a line); empty if it is ok.
    mend: str = ""
    # Whether podpy needs it. Otherwise something is only missing, or slower, without it.
    required: bool = True


def passed(name: str, cause: str, *, required: bool = True) -> Check:
    """Return a check that found everything right."""
    return Check(name=name, ok=True, cause=cause, required=required)


def failed(name: str, cause: str, mend: str, *, required: bool = True) -> Check:
    """Return a check that found something to mend."""
    return Check(name=name, ok=False, cause=cause, mend=mend, required=required)


def install(debian: str, elsewhere: str = "") -> str:
    """Return the command that installs a package on this distribution (os-release(5): ID, ID_LIKE)."""
    families = _os_release_ids()
    for names, command in _INSTALL:
        if names & families:
            return f"{command} {debian if command == _DEBIAN or not elsewhere else elsewhere}"
    return f"{_DEBIAN} {debian} (or what your distribution calls it)"


def sysctl(name: str) -> int | None:
    """Return a numeric kernel setting, or None if this kernel doesn't have it."""
    try:
        return int(files.read("/proc/sys/" + name.replace(".", "/")).split()[0])
    except (OSError, ValueError, IndexError):
        return None


def in_child(work: Callable[[], str]) -> str:
    """Call work() in a forked child and return its text; what it raises comes back as `ErrorClass: text`.

    For trials that change the process: namespaces, mounts.
    """
    answer, answer_end = os.pipe()
    child = process.fork()
    if child == 0:
        try:
            text = work()
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(answer_end, text.encode("utf-8", "surrogateescape")[:4096])
        os._exit(0)
    os.close(answer_end)
    data = b""
    while part := os.read(answer, 4096):
        data += part
    os.close(answer)
    os.waitpid(child, 0)
    return data.decode("utf-8", "replace")


def _os_release_ids() -> set[str]:
    ids: set[str] = set()
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            lines = files.read(path).splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("=")
            if key in ("ID", "ID_LIKE"):
                ids.update(value.strip("\"'").split())
        break
    return ids
