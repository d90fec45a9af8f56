"""A command that is one text → words, as docker compose splits it (its library is go-shellwords)."""

from __future__ import annotations

_BLANK = " \t\r\n"
_OPERATORS = ";&|<>"
_CLOSED_BY = {"'": "'", '"': '"', "`": "`"}
_GOES = "'\""  # quotes that don't stay in the word


def split(text: str) -> tuple[list[str], str]:
    """Return the words, and what is cut off: all from the first operator of a shell on, which compose leaves out.

    A backslash takes the next letter as it is, but for between single quotes; what stands in `…` and $(…) stays as it
    is. Raises ValueError for what isn't closed, a backslash at the end, and another parenthesis.
    """
    words: list[str] = []
    word: str | None = None
    closing, at = "", 0
    while at < len(text):
        letter = text[at]
        at += 1
        if letter == "\\" and closing != "'":
            if at == len(text):
                raise ValueError("nothing follows the backslash")
            word = (word or "") + text[at]
            at += 1
        elif closing:
            word = (word or "") + ("" if letter == closing and letter in _GOES else letter)
            closing = "" if letter == closing else closing
        elif letter in _CLOSED_BY:
            closing, word = _CLOSED_BY[letter], (word or "") + ("" if letter in _GOES else letter)
        elif letter in _BLANK:
            words += [word] if word is not None else []
            word = None
        elif letter in _OPERATORS:
            is_descriptor = letter == ">" and word is not None and word[:1].isdecimal()
            return [*words, *([word] if word is not None and not is_descriptor else [])], text[at - 1 :]
        elif letter == "(" and word is not None and word.endswith("$"):
            closing, word = ")", word + letter
        elif letter in "()":
            raise ValueError("a parenthesis outside quotes")
        else:
            word = (word or "") + letter
    if closing:
        raise ValueError(f"{closing} is missing")
    return [*words, *([word] if word is not None else [])], ""
