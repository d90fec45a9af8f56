"""The error of templates: position in the text, and reason."""

from __future__ import annotations

from podpy.errors import UsageError


class TemplateError(UsageError):
    """A template that can't be parsed or evaluated; `position` is the character's offset in the text."""

    code = "bad-template"

    def __init__(self, text: str, position: int, reason: str, *, hint: str = "") -> None:
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        super().__init__(f"--format: line {line}, column {column}: {reason}", hint=hint)
        self.position = position
        self.reason = reason
