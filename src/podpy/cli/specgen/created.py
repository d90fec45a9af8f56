"""A container's or pod's create command, read again by the parser that has read it first."""

from __future__ import annotations

from podpy.cli.parser import table_format as form
from podpy.cli.parser.options import Options
from podpy.cli.parser.parse import Reader, split_globals
from podpy.cli.parser.tables import load
from podpy.errors import PodpyError, UsageError
from podpy.libpod.system.generate_systemd import Created

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.cli.parser.table_format import OptionRow


class _Separating(Reader):
    """Notes which words belong to which option."""

    def __init__(self, rows: tuple[OptionRow, ...], path: str) -> None:
        super().__init__(rows, path)
        self.pieces: list[list[str]] = []

    def _long(self, word: str, words: list[str], position: int) -> int:
        after = super()._long(word, words, position)
        self.pieces.append(words[position - 1 : after])
        return after

    def _short(self, word: str, words: list[str], position: int) -> int:
        after = super()._short(word, words, position)
        self.pieces.append(words[position - 1 : after])
        return after


def read(command: Sequence[str]) -> Created:
    """Return what a create command (`podpy … run|create …`, `podpy … pod create …`) says.

    Raises UsageError if it isn't one.
    """
    table = load()
    try:
        _, typed, words = split_globals(list(command[1:]), table)
        path = (table.resolve(typed) or ("",))[0]
    except PodpyError:
        path = ""
    if path not in ("run", "create", "pod create"):
        raise UsageError(f"container's create command is too short or invalid: [{' '.join(command)}]")
    found = table.resolve("run" if path == "create" else path)  # `create` has no option that `run` hasn't
    assert found is not None
    reader = _Separating(found[1][form.OPTIONS], path)
    reader.also(table.globals[: table.persistent], Options())
    rest = reader.read(words, interspersed=False)
    given = reader.options._given
    values = {name: value for name, value in vars(reader.options).items() if name in given}
    flags = command[1 : len(command) - len(words) - len(typed.split())]
    return Created(root_flags=flags, options=reader.pieces, rest=rest, values=values)
