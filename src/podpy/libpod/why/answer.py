"""The answer of `podpy why`."""

from __future__ import annotations

from time import localtime, strftime, time_ns

from podpy.go.units import ago
from podpy.record import Record
from podpy.times import SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Answer(Record):
    """An answer: `about` is its first line, `reasons` are sentences, `mends` are suggestions.

    `table`: rows of cells, the heading first; `quoted`: the last lines of a log; `facts`: for programs, their names
    never change.
    """

    about: str
    reasons: list[str] = []
    mends: list[str] = []
    table: list[list[str]] = []
    quoted: list[str] = []
    facts: dict[str, Any] = {}


def when(nanoseconds: int) -> str:
    """Return a time for people: "at 15:01:12, 3 minutes ago"; with its date if it wasn't today."""
    now = time_ns()
    then, today = localtime(nanoseconds // SECOND), localtime(now // SECOND)
    clock = strftime("%H:%M:%S" if then[:3] == today[:3] else "%Y-%m-%d %H:%M:%S", then)
    span = ago(nanoseconds, max(now, nanoseconds))
    return f"at {clock}, {span[0].lower()}{span[1:]}"
