"""A template: parsed once, rendered any number of times."""

from __future__ import annotations

from podpy.go.template.evaluator import Evaluator
from podpy.go.template.parser import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.go.template.nodes import Node


class Template:
    """A parsed template."""

    def __init__(self, text: str) -> None:
        """Parse `text`. Raises TemplateError with the mistake's position."""
        self.text = text
        self.nodes: list[Node] = Parser(text).parse()

    def render(self, data: Any) -> str:
        """Return the output for `data`. Raises TemplateError."""
        return Evaluator(self.text, data).run(self.nodes)
