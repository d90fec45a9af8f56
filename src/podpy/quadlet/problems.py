"""What is wrong with a unit file, and where."""

from __future__ import annotations

from podpy.record import Record


class Problem(Record):
    """One mistake. `line`: counted from 1, or 0 for the file as a whole; `fatal`: its file gets no unit; `key`: what
    stands there, or empty.
    """

    path: str
    line: int
    text: str
    hint: str = ""
    fatal: bool = True
    key: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        line = f"{where}: {'' if self.fatal else 'warning: '}{self.text}{f' ({self.hint})' if self.hint else ''}"
        if line.isprintable():
            return line
        # What a file says, or its name, never makes two lines of one.
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
