"""'Did you mean …': used only when something was mistyped."""

from __future__ import annotations


def similar(word: str, known: list[str]) -> str:
    """Return the known word that is most like `word`, or an empty text."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return close[0] if close else ""
