"""What an exit code means."""

from __future__ import annotations

from podpy.monitor.files import EXIT_UNKNOWN
from podpy.signals import name_of

_SIGNAL_BASE = 128
_MOST_SIGNALS = 64
_CODES = {
    125: "podpy itself (or podman, inside) failed before the program could run",
    126: "the command was found, but couldn't be run",
    127: "the command wasn't found",
}
_SIGNALS = {
    2: "somebody interrupted it (Ctrl-C)",
    4: "it ran an instruction that this processor doesn't have: is the image for another platform?",
    6: "it gave up by itself (abort), most often after a failed check",
    7: "it crashed: memory that it had mapped wasn't there (a full /dev/shm or disk?)",
    8: "it crashed: a division by zero or the like",
    9: "it was killed at once and couldn't clean up",
    11: "it crashed: it used memory that isn't its own",
    13: "nobody read what it wrote any more",
    15: "it was asked to end, and did",
    24: "it had used up its CPU time (--ulimit cpu)",
    31: "it made a system call that its seccomp profile forbids",
}


def meaning(code: int) -> str:
    """Return the meaning of an exit code, without a full stop."""
    if code == 0:
        return "it had done its work"
    if code in _CODES:
        return _CODES[code]
    signal = code - _SIGNAL_BASE
    if 0 < signal <= _MOST_SIGNALS:
        known = _SIGNALS.get(signal)
        return f"the signal {name_of(signal)} ended it{f'; {known}' if known else ''}"
    if code == EXIT_UNKNOWN:
        return "nobody saw how"
    return "the program's own word for what went wrong"
