"""`search --filter`: podman-search(1)'s keys."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.image.registry.search import Found


class SearchFilters:
    """`stars=N`, `is-official[=BOOL]`, `is-automated[=BOOL]`; the last value of a key counts."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Read the filters. Raises UsageError."""
        self._stars = 0
        self._wanted: dict[str, bool] = {}
        for text in texts:
            key, _, value = text.partition("=")
            if key == "stars":
                self._stars = _stars(text, value)
            elif key in ("is-official", "is-automated"):
                self._wanted[key] = value != "false"
            else:
                raise UsageError(f'invalid filter type "{text}"', hint="Keys: stars, is-official, is-automated")

    def match(self, found: Found) -> bool:
        """Return whether an image matches all filters."""
        facts = {"is-official": found.official, "is-automated": found.automated}
        return found.stars >= self._stars and all(facts[key] == value for key, value in self._wanted.items())


def _stars(text: str, value: str) -> int:
    if not value:
        raise UsageError(f'invalid filter "{text}", should be stars=<value>')
    if not (value.isascii() and value.isdigit()):
        raise UsageError(f'incorrect value type for stars filter: "{value}" is no number')
    return int(value[:18])
