"""'Did you mean …': used only when something was mistyped."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = 3  # letters: in a shorter word two mistakes leave nothing


def near(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words that `word` may have meant, the nearest first: at most two mistakes away, as in Podman
    (cobra, SuggestionsFor), where two letters in the wrong order are one mistake, or `word` is how they begin.
    """
    most = 2 if len(word) >= _SHORT else 1
    found = []
    for other in set(known):
        mistakes = _mistakes(word.lower(), other.lower())
        if mistakes <= most or other.lower().startswith(word.lower()):
            found.append((mistakes, other))
    return [other for _, other in sorted(found)]


def _mistakes(one: str, other: str) -> int:
    """Return how many letters must be changed, added, left out, or exchanged with the next one (optimal string
    alignment).
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def similar(word: str, known: list[str]) -> str:
    """Return the known word that is most like `word`, or an empty text."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return close[0] if close else ""
