"""`podpy why`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.why.answer import Answer


def run(options: Options) -> int:
    """Print the reasons that podpy knows for a container's state, a file in it, or a port's user."""
    if options.port and (options.arguments or options.latest):
        raise UsageError("--port goes alone, without a container")
    with open_runtime(options) as runtime:
        if options.port:
            answer = runtime.why_port(options.port)
        else:
            name, *path = [runtime.latest().id, *options.arguments] if options.latest else options.arguments
            answer = runtime.why(name, path[0] if path else "")
    if options.json:
        import json

        sys.stdout.write(json.dumps(_document(answer), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_page(answer))
    return 0


def _document(answer: Answer) -> dict[str, object]:
    return {"about": answer.about, "reasons": answer.reasons, "mends": answer.mends, **answer.facts}


def _page(answer: Answer) -> str:
    parts = [answer.about + "\n\n"]
    parts += [f"  {text}\n" for text in answer.reasons]
    if answer.table:
        from podpy.go.table import align_rows

        lines = align_rows(answer.table).splitlines()
        parts.append("\n" + "".join(f"  {line.rstrip()}\n" for line in lines))
    if answer.quoted:
        parts.append("\n  The last that it wrote:\n")
        parts += [f"    {line}\n" for line in answer.quoted]
    if answer.mends:
        parts.append("\n  What may help:\n")
        parts += [f"    {text}\n" for text in answer.mends]
    return "".join(parts)
