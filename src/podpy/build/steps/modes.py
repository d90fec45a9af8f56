"""`--chmod` of COPY and ADD: an octal number, or chmod(1)'s letters (`u=rwX,go=rX`)."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Mode = Callable[[int, bool], int]

_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_OPERATORS = "+-="
_IDS = 0o6000
_EXECUTE = 0o111


def parse(text: str) -> Mode:
    """Return what makes a file's mode of its mode before, and of whether it is a directory. Raises UsageError.

    Without `u`, `g`, `o` everybody is meant: a build has no umask.
    """
    if text[:1].isdigit():
        if len(text) > 5 or text.strip("01234567") or int(text, 8) > 0o7777:
            raise _wrong(text)
        number = int(text, 8)
        return lambda _mode, _is_directory: number
    changes = [change for clause in text.split(",") for change in _clause(text, clause)]

    def changed(mode: int, is_directory: bool) -> int:
        for who, operator, letters in changes:
            bits = _bits(letters, mode, is_directory=is_directory) & who
            if operator == "=":
                kept = _IDS if is_directory and "s" not in letters else 0  # chmod(1) leaves a directory's alone
                mode = mode & (~who | kept) | bits
            else:
                mode = mode | bits if operator == "+" else mode & ~bits
        return mode

    return changed


def _clause(text: str, clause: str) -> list[tuple[int, str, str]]:
    rest = clause.lstrip("ugoa")
    who = 0
    for letter in clause[: len(clause) - len(rest)] or "a":
        who |= _WHO[letter]
    if not rest or rest[0] not in _OPERATORS:
        raise _wrong(text)
    found: list[tuple[int, str, str]] = []
    while rest:
        operator = rest[0]
        letters = rest[1:]
        for other in _OPERATORS:
            letters = letters.partition(other)[0]
        if letters.strip("rwxXst") and letters not in _SHIFTS:
            raise _wrong(text)
        found.append((who, operator, letters))
        rest = rest[1 + len(letters) :]
    return found


def _bits(letters: str, mode: int, *, is_directory: bool) -> int:
    if letters in _SHIFTS:
        three = mode >> _SHIFTS[letters] & 0o7
        return three << 6 | three << 3 | three
    found = 0
    for letter in letters:
        if letter != "X":
            found |= _BITS[letter]
        elif is_directory or mode & _EXECUTE:
            found |= _EXECUTE
    return found


def _wrong(text: str) -> UsageError:
    return UsageError(f"Error parsing chmod {text}", hint="It is an octal number, such as 755, or u=rwX,go=rX")
