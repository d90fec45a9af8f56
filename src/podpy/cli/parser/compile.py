"""Writes `cli/_table.py` (the everyday parser's table) and `cli/_help.py` from the declarations.

`setup.py` calls `write()` at build time. A missing or stale table is no error: `tables.load()` then reads the
declarations themselves, which costs some milliseconds.
"""

from __future__ import annotations

import os
import sys
from marshal import dumps
from pprint import pformat

from podpy.cli import declare
from podpy.cli.declare import globals as global_options
from podpy.cli.declare.model import Command, Option
from podpy.cli.parser import table_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.table_format import CommandRow, OptionRow

_NOTE = '"""Made by podpy.cli.parser.compile from cli/declare; don\'t edit."""\n\n'
_MARSHAL = 4  # the format that every Python from 3.4 on reads, whichever built the table

_LETTERS = {
    "bool": table_format.BOOL,
    "string": table_format.STRING,
    "int": table_format.INT,
    "uint": table_format.UINT,
    "float": table_format.FLOAT,
    "switch": table_format.SWITCH,
    "duration": table_format.DURATION,
    "array": table_format.ARRAY,
    "list": table_format.LIST,
    "uints": table_format.UINTS,
}
_NOTHING: dict[str, Any] = {
    "b": False,
    "s": "",
    "i": 0,
    "u": 0,
    "f": 0.0,
    "w": None,
    "d": "0",
    "A": (),
    "L": (),
    "U": (),
}


def option_row(option: Option) -> OptionRow:
    """Return an option as a row of the table."""
    letter = _LETTERS[option.kind]
    default = _NOTHING[letter] if option.default is None else option.default
    bare = "true" if letter in (table_format.BOOL, table_format.SWITCH) else option.bare
    names = (*option.names, *option.aliases)
    return (option.attribute, letter, default, bare, option.choices, names, option.refuse, option.env)


def command_row(command: Command) -> CommandRow:
    """Return a command as a row of the table."""
    arguments = tuple((a.name, a.metavar, a.required, a.many) for a in command.arguments)
    options = tuple(option_row(option) for option in command.options)
    return (
        command.handler,
        options,
        arguments,
        command.rule,
        None if command.raw else command.interspersed,
        command.refuse,
    )


def commands() -> dict[str, CommandRow | str]:
    """Return the rows of all commands by path. An alias maps to the path of its command."""
    rows: dict[str, CommandRow | str] = {}
    for command in declare.COMMANDS:
        rows[command.path] = command_row(command)
        rows.update(dict.fromkeys(command.aliases, command.path))
    return rows


def globals_rows() -> tuple[OptionRow, ...]:
    """Return the rows of the global options, the persistent ones first."""
    return tuple(option_row(option) for option in global_options.GLOBAL_OPTIONS)


def text() -> str:
    """Return the text of `_table.py`."""
    fingerprint = declaration_sizes(os.path.dirname(declare.__file__))
    packed = {path: row if isinstance(row, str) else dumps(row, _MARSHAL) for path, row in commands().items()}
    return (
        f"{_NOTE}FINGERPRINT = {fingerprint!r}\n"
        f"PERSISTENT = {len(global_options.PERSISTENT_OPTIONS)}\n"
        f"GROUPS = {tuple(declare.groups())!r}\n"
        f"GLOBALS = {pformat(globals_rows(), width=200)}\n"
        f"COMMANDS = {pformat(packed, width=200, sort_dicts=False)}\n"
    )


def declaration_sizes(directory: str) -> tuple[tuple[str, int], ...]:
    """Return names and sizes of the declarations' files: if they differ from the table's, the table is stale."""
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(directory) for name in names]
    sizes = ((os.path.relpath(path, directory), os.stat(path).st_size) for path in paths if path.endswith(".py"))
    return tuple(sorted(sizes))


def help_text() -> str:
    """Return the text of `_help.py`: every page of help, for podpy.cli.show.help."""
    from podpy.cli.show import help_pages

    fingerprint = declaration_sizes(os.path.dirname(declare.__file__))
    pages = pformat(help_pages.pages(), width=120, sort_dicts=False)
    return f"{_NOTE}FINGERPRINT = {fingerprint!r}\nPAGES = {pages}\n"


def write(path: str | None = None) -> str:
    """Write the table to `path` (default: podpy/cli/_table.py), the help beside it, and return the path."""
    path = path or os.path.join(os.path.dirname(os.path.dirname(declare.__file__)), "_table.py")
    _replace(path, text())
    _replace(os.path.join(os.path.dirname(path), "_help.py"), help_text())
    return path


def _replace(path: str, content: str) -> None:
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(new, path)


if __name__ == "__main__":
    write(*sys.argv[1:2])
