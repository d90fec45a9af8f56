"""Listed: a list that Jupyter shows as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Listed(list[T]):
    """A list of containers, images or pods. A slice, or a pickled copy, is a plain list."""

    def __init__(self, items: Iterable[T], headings: Sequence[str], row: Callable[[T], Sequence[object]]) -> None:
        """`row(item)` returns a cell for each heading."""
        super().__init__(items)
        self._headings = headings
        self._row = row

    def __reduce__(self) -> tuple[type[list[T]], tuple[list[T]]]:
        return list, ([*self],)

    def _repr_html_(self) -> str:
        return table(self._headings, map(self._row, self))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML; every text is escaped."""
    from html import escape

    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
