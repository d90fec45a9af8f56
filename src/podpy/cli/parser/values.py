"""Converts an option's text to its value by the rules of Go's strconv and pflag. Raises ValueError."""

from __future__ import annotations

from podpy.cli.parser import table_format as form
from podpy.go.values import boolean, duration, integer, real, split_csv, unsigned, unsigned_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.table_format import OptionRow


def convert(row: OptionRow, text: str) -> Any:
    """Return the value of an option: a list for the repeatable kinds. Raises ValueError."""
    kind = row[form.KIND]
    if kind == form.STRING:
        value: Any = text
    elif kind == form.BOOL or kind == form.SWITCH:
        value = boolean(text)
    elif kind == form.ARRAY:
        value = [text]
    elif kind == form.LIST:
        value = split_csv(text)
    else:
        value = _NUMBERS[kind](text)
    choices = row[form.CHOICES]
    if choices:
        for item in value if isinstance(value, list) else (value,):
            if item not in choices and item != "":
                raise ValueError(f'"{item}" is not a valid value.  Choose from: "{", ".join(choices)}"')
    return value


def retry_delay(text: str) -> float:
    """Return the seconds of `--retry-delay`. Raises UsageError."""
    from podpy.go import values

    try:
        return values.retry_delay(text)
    except ValueError as error:
        from podpy.errors import UsageError

        raise UsageError(f'invalid value "{text}" for --retry-delay: {error}') from None


_NUMBERS = {
    form.INT: integer,
    form.UINT: unsigned,
    form.FLOAT: real,
    form.DURATION: duration,
    form.UINTS: unsigned_list,
}
