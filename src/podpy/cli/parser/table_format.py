"""The format of the compiled table: `compile` writes it, `parse` reads it.

A table is three constants, so loading it is one `marshal` read:

    COMMANDS    path → CommandRow (marshalled: a call unpacks only its own command's row), or alias → path
    GLOBALS     OptionRows of the global options, the persistent ones first
    PERSISTENT  how many of them may also stand after the command

Rows are plain tuples; the constants below are positions in them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    OptionRow = tuple[str, str, Any, str | None, tuple[str, ...], tuple[str, ...], str, str]
    ArgumentRow = tuple[str, str, bool, bool]
    CommandRow = tuple[str, tuple[OptionRow, ...], tuple[ArgumentRow, ...], str, bool | None, str]

# An option: (attribute, kind, default, bare value or None, choices, names, refusal, environment variable)
ATTRIBUTE: Final = 0
KIND: Final = 1
DEFAULT: Final = 2
BARE: Final = 3
CHOICES: Final = 4
NAMES: Final = 5
REFUSE: Final = 6
ENVIRONMENT: Final = 7

# An argument: (attribute, metavar, required, many)
ARGUMENT_METAVAR: Final = 1
ARGUMENT_REQUIRED: Final = 2
ARGUMENT_MANY: Final = 3

# A command: (handler, options, arguments, rule, interspersed (None: no word is an option), refusal)
HANDLER: Final = 0
OPTIONS: Final = 1
ARGUMENTS: Final = 2
RULE: Final = 3
INTERSPERSED: Final = 4
COMMAND_REFUSE: Final = 5

# Kinds, one letter each; capitals are repeatable.
BOOL: Final = "b"
STRING: Final = "s"
INT: Final = "i"
UINT: Final = "u"
FLOAT: Final = "f"
SWITCH: Final = "w"
DURATION: Final = "d"
ARRAY: Final = "A"
LIST: Final = "L"
UINTS: Final = "U"
