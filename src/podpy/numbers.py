"""Numbers that files, images and options write: ASCII digits with a limit, for what becomes an id, a port or a signal.

`str.isdigit` takes digits of other scripts and superscripts, and `int` refuses texts of thousands of digits with an
error of its own; what isn't a number within its range is None here, for the caller to refuse or to leave out.
"""

from __future__ import annotations

LARGEST_ID = (1 << 32) - 2  # (uid_t)-1 means "no change" to setresuid(2) and its kind


def whole(text: str, highest: int) -> int | None:
    """Return the number from 0 to `highest` that `text` writes in ASCII digits, or None."""
    if not text.isascii() or not text.isdigit() or len(text.lstrip("0")) > len(str(highest)):
        return None
    number = int(text)
    return number if number <= highest else None


def parse_id(text: str) -> int | None:
    """Return the user or group id that `text` writes, or None if it isn't one (0 to 4294967294)."""
    return whole(text, LARGEST_ID)


def fits_field(text: str) -> bool:
    """Return whether `text` may be a field of passwd(5) and group(5): no colon, nothing that ends a line."""
    return not any(character in ":\x7f" or character < " " for character in text)
