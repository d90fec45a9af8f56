"""Signals by name and number, without `signal`, whose import pulls in `enum` (signal(7), Linux on most machines)."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.numbers import whole

_NAMES = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG"
    " XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split()
_ALIASES = {"IOT": 6, "POLL": 29, "CLD": 17, "UNUSED": 31}
RTMIN, RTMAX = 34, 64  # as glibc counts them
NUMBERS = {**{name: number for number, name in enumerate(_NAMES, 1)}, **_ALIASES}


def number_of(text: str) -> int:
    """Return the number of a signal: "TERM", "sigterm", "15", "RTMIN+3"; 0 for an empty text. Raises UsageError."""
    if not text:
        return 0
    upper = text.strip().upper().removeprefix("SIG")
    number = whole(upper, RTMAX) or NUMBERS.get(upper) or _real_time(upper)
    if not number:
        raise UsageError(f"invalid signal: {text}", hint="kill -l lists the names")
    return number


def name_of(number: int) -> str:
    """Return a signal's name, "SIGTERM"; its number as text where it has none."""
    if 0 < number <= len(_NAMES):
        return "SIG" + _NAMES[number - 1]
    if RTMIN <= number <= RTMAX:
        return "SIGRTMIN" if number == RTMIN else f"SIGRTMIN+{number - RTMIN}"
    return str(number)


def _real_time(name: str) -> int:
    for start, base, sign in (("RTMIN", RTMIN, "+"), ("RTMAX", RTMAX, "-")):
        if name == start:
            return base
        offset = whole(name.removeprefix(start + sign), RTMAX - RTMIN)
        if name.startswith(start + sign) and offset is not None:
            return base + offset if sign == "+" else base - offset
    return 0
