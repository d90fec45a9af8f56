"""Start a network helper with nothing of the caller's open but what it is given.

pasta and slirp4netns outlive podpy. A descriptor that they keep would make `out=$(podpy run -d …)` wait for ever.
Python's own descriptors are close-on-exec; what podpy itself was started with is not, so those are closed by name.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEFAULT_SIGNALS = (13, 25)  # SIGPIPE, SIGXFSZ: Python ignores them, and a child would inherit that


def spawn(arguments: list[str], *, keep: dict[int, int] | None = None) -> int:
    """Start a program in a session of its own and return its pid. `keep`: number there → descriptor here.

    Standard input, output and error are /dev/null unless `keep` names them. Raises OSError.
    """
    kept = keep or {}
    actions: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2) if number not in kept
    ]
    # A descriptor that is moved must not be overwritten before its turn: ours are made above the numbers in use.
    actions += [(os.POSIX_SPAWN_DUP2, here, there) for there, here in kept.items()]
    actions += [(os.POSIX_SPAWN_CLOSE, number) for number in _inherited() if number not in kept]
    return os.posix_spawn(
        arguments[0], arguments, _environment(), file_actions=actions, setsid=True, setsigdef=_DEFAULT_SIGNALS
    )


def _inherited() -> list[int]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        try:
            if number > 2 and os.get_inheritable(number):
                found.append(number)
        except OSError:  # the one that listed the directory
            continue
    return found


def _environment() -> dict[str, str]:
    # Messages are matched in English, and nothing else of the environment is these programs' business.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}


def read_all(descriptor: int, limit: int = 65536) -> str:
    """Return what can be read until the end of file (at most `limit` bytes), and close the descriptor."""
    parts = []
    size = 0
    try:
        while size < limit:
            part = os.read(descriptor, 4096)
            if not part:
                break
            parts.append(part)
            size += len(part)
    finally:
        os.close(descriptor)
    return b"".join(parts).decode("utf-8", "replace").strip()


def high_pipe() -> tuple[int, int]:
    """Return the two ends of a pipe, both numbered above 9 so that they can be handed over as small numbers."""
    import fcntl

    low = os.pipe2(os.O_CLOEXEC)
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]
