"""Words of commands and values of variables, in which Kubernetes expands $(NAME)."""

from __future__ import annotations

from podpy.errors import UsageError


def literal(text: str) -> str:
    """Return a text that Kubernetes expands to this one: `$(A)` is written `$$(A)`.

    A `$` is itself unless `$` or `(` follows it; `$$` is one `$`. Raises UsageError for a text that isn't UTF-8, which
    YAML can't hold.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = text.encode(errors="surrogateescape").decode(errors="replace")
        raise UsageError(f'"{shown}" is not UTF-8, so YAML cannot hold it') from None
    if "$$" not in text and "$(" not in text:
        return text
    return "".join(
        "$$" if letter == "$" and text[place + 1 : place + 2] in ("$", "(") else letter
        for place, letter in enumerate(text)
    )


def known(**fields: object) -> dict[str, object]:
    """Return the fields without None, empty texts, lists and dictionaries; 0 and False stay."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}
