"""Columns of lines with tabs, as Go's text/tabwriter aligns them with Podman's settings (12, 2, 2, spaces).

A tab ends a cell. A column is a run of lines that all have that cell; its width is its widest cell's plus two, at
least 12. The text after a line's last tab belongs to no column.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MINIMUM = 12
_PADDING = 2


def align(text: str, *, minimum: int = _MINIMUM, padding: int = _PADDING) -> str:
    """Return `text` with its tabs replaced by spaces, so that the columns align."""
    if "\t" not in text:
        return text
    lines = [line.split("\t") for line in text.split("\n")]
    if all(len(cells) == len(lines[0]) for cells in lines[:-1]) and lines[-1] == [""]:
        return align_rows(lines[:-1], minimum=minimum, padding=padding)
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, 0, len(lines), minimum, padding)
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(cells, line_widths, strict=False)) + cells[-1]
        for cells, line_widths in zip(lines, widths, strict=True)
    )


def align_rows(rows: Sequence[Sequence[str]], *, minimum: int = _MINIMUM, padding: int = _PADDING) -> str:
    """Return the rows as aligned lines: faster than `align`, for long lists whose rows have equally many cells."""
    if not rows:
        return ""
    columns = [*zip(*rows, strict=True)][:-1]
    widths = [max(minimum, max(map(len, column)) + padding) for column in columns]
    form = "".join(f"%-{width}s" for width in widths) + "%s\n"
    return "".join([form % tuple(cells) for cells in rows])


def _measure(lines: list[list[str]], widths: list[list[int]], start: int, end: int, minimum: int, padding: int) -> None:
    """Fill in the widths of the columns of lines[start:end], beginning with the first column not yet measured."""
    line = start
    while line < end:
        column = len(widths[line])
        if column >= len(lines[line]) - 1:
            line += 1
            continue
        block = line
        width = minimum
        while block < end and column < len(lines[block]) - 1:
            width = max(width, len(lines[block][column]) + padding)
            block += 1
        for place in range(line, block):
            widths[place].append(width)
        _measure(lines, widths, line, block, minimum, padding)
        line = block
