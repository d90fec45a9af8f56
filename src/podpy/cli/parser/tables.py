"""Loads the table of commands: the compiled one, or the declarations if it is missing or stale."""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.table_format import CommandRow, OptionRow

_GRACE_NS = 60 * 10**9


class Table:
    """Commands and global options as rows (see table_format)."""

    __slots__ = ("commands", "globals", "groups", "persistent")

    def __init__(
        self,
        commands: dict[str, CommandRow | bytes | str],
        globals_: tuple[OptionRow, ...],
        persistent: int,
        groups: tuple[str, ...],
    ) -> None:
        self.commands = commands
        self.globals = globals_
        self.persistent = persistent
        self.groups = groups

    def resolve(self, path: str) -> tuple[str, CommandRow] | None:
        """Return the command's own path and row for a path or an alias, or None."""
        row = self.commands.get(path)
        if isinstance(row, str):
            path = row
            row = self.commands[path]
        if isinstance(row, bytes):
            row = marshal.loads(row)
        return None if row is None else (path, row)  # type: ignore[return-value]


def load() -> Table:
    """Return the table."""
    try:
        made: Any = __import__("podpy.cli._table", fromlist=["COMMANDS"])
    except ImportError:
        return from_declarations()
    if not is_fresh(made.FINGERPRINT, made.__file__):
        return from_declarations()
    return Table(made.COMMANDS, made.GLOBALS, made.PERSISTENT, made.GROUPS)


def from_declarations() -> Table:
    """Return the table made from the declarations now."""
    from podpy.cli import declare
    from podpy.cli.declare.globals import PERSISTENT_OPTIONS
    from podpy.cli.parser import compile

    return Table({**compile.commands()}, compile.globals_rows(), len(PERSISTENT_OPTIONS), tuple(declare.groups()))


def is_fresh(fingerprint: tuple[tuple[str, int], ...], table_path: str | None) -> bool:
    """Return whether a compiled file matches the declarations. Outside a checkout it always does."""
    # Only a checkout's table can be stale; an installed podpy saves these system calls.
    #
    # Sizes catch most edits in a checkout; a file that is clearly newer than the table catches the rest. Times alone
    # would not do: an installer writes all files within seconds, in any order.
    if table_path is None:
        return True
    source = os.path.dirname(os.path.dirname(os.path.dirname(table_path)))
    if not os.path.exists(os.path.join(os.path.dirname(source), "pyproject.toml")):
        return True
    try:
        newest = os.stat(table_path).st_mtime_ns + _GRACE_NS
        directory = os.path.join(os.path.dirname(table_path), "declare")
        for name, size in fingerprint:
            status = os.stat(os.path.join(directory, name))
            if status.st_size != size or status.st_mtime_ns > newest:
                return False
    except OSError:
        return False
    return True
