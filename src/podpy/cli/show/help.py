"""Prints help: pages that were made when podpy was built (show/help_pages.py), read from `cli/_help.py`."""

from __future__ import annotations

import sys

from podpy.cli.parser import tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def show_help(path: str) -> int:
    """Print the help of a command, a group, or (empty path) podpy, and return the exit code. Raises UsageError."""
    page = _pages().get(path)
    if page is None:
        from podpy.cli.parser.failures import UnknownCommandError

        raise UnknownCommandError(path, tables.load())
    sys.stdout.write(page)
    return 0


def _pages() -> dict[str, str]:
    try:
        made: Any = __import__("podpy.cli._help", fromlist=["PAGES"])
    except ImportError:
        made = None
    if made is not None and tables.is_fresh(made.FINGERPRINT, made.__file__):
        pages: dict[str, str] = made.PAGES
        return pages
    from podpy.cli.show import help_pages

    return help_pages.pages()
