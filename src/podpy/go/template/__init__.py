"""Go templates: the subset of text/template that Podman's `--format` needs.

    render('{{range .Mounts}}{{.Source}}:{{.Destination}}\n{{end}}', data)

Data: `values.Struct` is a Go struct (an unknown field is an error), a plain dict a Go map, a list a slice, None nil, a
callable field a method. Not supported: define, template, block.
"""

from __future__ import annotations

from podpy.go.template.errors import TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["TemplateError", "render"]


def render(template: str, data: Any) -> str:
    """Return the output of a template for `data`. Raises TemplateError."""
    # Imported here: a caller that needs only `values` (all JSON does) doesn't pay for the parser.
    from podpy.go.template.template import Template

    return Template(template).render(data)
