"""The parser's result, which handlers read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Options:
    """What a command was given: one attribute per option and argument (dashes are underscores).

    `path` is the command as podpy calls it ("ps" for `container ls`), `globals` the global options, `argv` the whole
    command line; `given(name)` tells an option that was typed from a default.
    """

    path: str
    argv: list[str]
    globals: Options

    def __init__(self) -> None:
        self._given: set[str] = set()

    def given(self, name: str) -> bool:
        """Return whether the option with this attribute name was on the command line."""
        return name in self._given

    def given_of(self, beginning: str) -> bool:
        """Return whether an option whose attribute name begins so was on the command line."""
        return any(name.startswith(beginning) for name in self._given)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
