"""Go templates, the subset of text/template that Podman's users use in `--format`.

    render('{{range .Mounts}}{{.Source}}:{{.Destination}}\n{{end}}', data)

Data: `values.Struct` is a Go struct (an unknown field is an error), a plain dict a Go map, lists slices, None nil, a
callable field a method. Left out: define, template, block.
"""

from __future__ import annotations

from podpy.cli.gotemplate.errors import TemplateError
from podpy.cli.gotemplate.evaluator import Evaluator
from podpy.cli.gotemplate.parser import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.gotemplate.nodes import Node

__all__ = ["Template", "TemplateError", "render"]


class Template:
    """A parsed template, to be rendered as often as wanted."""

    def __init__(self, text: str) -> None:
        """Parse `text`. Raises TemplateError with the position of the mistake."""
        self.text = text
        self.nodes: list[Node] = Parser(text).parse()

    def render(self, data: Any) -> str:
        """Return what the template makes of `data`. Raises TemplateError."""
        return Evaluator(self.text, data).run(self.nodes)


def render(template: str, data: Any) -> str:
    """Return what a template makes of `data`. Raises TemplateError."""
    return Template(template).render(data)
