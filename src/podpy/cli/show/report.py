"""`--format` of lists: a Go template per row, `table …` with a heading, or `json`; by Podman's rules."""

from __future__ import annotations

from podpy.go.template.errors import TemplateError
from podpy.go.template.values import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.go.template.template import Template

_TABLE = "table "


def is_json(format_text: str) -> bool:
    """Return whether `--format` asks for JSON: json, {{json}}, {{json.}} (but {{json .}} is a template)."""
    bare = format_text.strip()
    if bare.startswith("{{") and bare.endswith("}}"):
        return bare[2:-2].strip() in ("json", "json.")
    return bare == "json"


def wants_heading(format_text: str) -> bool:
    """Return whether a list has a heading: with the default format, or one that begins with `table`."""
    return not format_text or format_text.startswith(_TABLE)


def headers(row: Struct, **overrides: str) -> Struct:
    """Return the headings of a row's fields: the name in capitals, words apart ("CreatedAt" → "CREATED AT")."""
    names = {name: _words(name).upper() for name in row}
    return Struct({**names, **{name: text.upper() for name, text in overrides.items()}})


def render(
    format_text: str,
    rows: list[Struct],
    heading: Struct | None,
    *,
    default: str,
) -> str:
    """Return the text of a list.

    `default` is the row template (fields and tabs) that is used if `format_text` is empty. If `heading` is None, none
    is printed. Columns are aligned for the default and for `table …`. Raises TemplateError.
    """
    body: Template | _PerRow
    if not format_text:
        body, columns = _PerRow(default + "\n"), True
    else:
        body, columns = _users(format_text)
    text = ""
    if heading is not None and columns:
        text = body.render([_as_map(heading)])
    text += body.render(rows)
    if not columns:
        return text
    from podpy.go.table import align

    return align(text)


def listed(format_text: str, rows: list[Struct], heading: Struct | None, *, default: str, indent: str = "  ") -> str:
    """Return the text of a list whose rows are its JSON, too, which `indent` makes readable; the rest as `render`.

    `heading`: None if none is wanted; it is left out where the format has none.
    """
    if is_json(format_text):
        from podpy.go.json import indented

        return indented(rows, indent) + "\n"
    return render(format_text, rows, heading if wants_heading(format_text) else None, default=default)


class _PerRow:
    """A template for each row: like {{range .}} around the user's text, but errors give positions in that text."""

    def __init__(self, body: str) -> None:
        from podpy.go.template.template import Template

        self.template = Template(body)

    def render(self, rows: list[Any]) -> str:
        """Return the text of all rows."""
        return "".join(self.template.render(row) for row in rows)


def render_each(format_text: str, items: list[Any]) -> str:
    """Render a template for each item, one line each: `--format` of `inspect`, `info` and `version`."""
    return render(format_text, items, None, default="")


def inspected(format_text: str, found: list[Any]) -> str:
    """Return what `inspect` prints: JSON, or a template rendered for each object. Raises TemplateError."""
    if is_json(format_text) or not format_text:
        from podpy.go.json import indented

        return indented(found) + "\n"
    return render_each(format_text, found) if found else ""


def per_row(format_text: str) -> Callable[[Struct], str]:
    """Return a function that renders one object by `--format`, with a line end. Raises TemplateError."""
    body, columns = _users(format_text)

    def write(row: Struct) -> str:
        text = body.render([row])
        if columns:
            from podpy.go.table import align

            return align(text)
        return text

    return write


def _users(format_text: str) -> tuple[Template | _PerRow, bool]:
    from podpy.go.template.template import Template

    columns = format_text.startswith(_TABLE)
    body = format_text[len(_TABLE) :] if columns else format_text
    # In a shell's single quotes, \n and \t stay two characters each. Podman and Docker replace them by a line end and a
    # tab, unless that breaks the template, as in {{printf "\n"}}.
    unescaped = body.replace("\\t", "\t").replace("\\n", "\n")
    if columns:
        unescaped = _blanks_to_tabs(unescaped)
    if not unescaped.endswith("\n"):
        unescaped += "\n"
    kind = Template if not columns and "{{range.}}" in body.replace(" ", "") else _PerRow
    try:
        return kind(unescaped), columns
    except TemplateError:
        return kind(body), columns


def _blanks_to_tabs(body: str) -> str:
    """Replace the blanks between actions by tabs: `table {{.ID}} {{.Names}}` has two columns."""
    parts = []
    for piece in body.split("{{"):
        action, closing, text = piece.partition("}}")
        parts.append(action + closing + text.replace(" ", "\t") if closing else piece.replace(" ", "\t"))
    return "{{".join(parts)


def _as_map(heading: Struct) -> dict[str, Any]:
    # A map, not a struct: a format may name a field that isn't a column; it gets no heading then.
    return dict(heading)


def _words(name: str) -> str:
    """Put blanks between the words of a CamelCase name; "ID" and "CIDFile" keep their capitals together."""
    parts: list[str] = []
    for place, char in enumerate(name):
        before = name[place - 1 : place]
        after = name[place + 1 : place + 2]
        starts = char.isupper() and (before.islower() or (before.isupper() and after.islower()))
        parts.append((" " if starts and place else "") + char)
    return "".join(parts)
