"""`podpy lab`: texts, commands on Enter, their output, and what to see in it."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.lab_text import Pages
from podpy.go.table import align_rows
from podpy.labs import reading
from podpy.labs.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.labs.reading import Lab

_LIST, _ALL = "list", "all"


def run(options: Options) -> int:
    """List the labs, or do one, or all. Return 1 if an output wasn't what the text claims."""
    tongue = options.lang or reading.language(os.environ)
    if options.name in ("", _LIST):
        rows = [(name, reading.read(name, tongue).title) for name in reading.names()]
        sys.stdout.write(align_rows([("LAB", "TITLE"), *rows]))
        return 0
    chosen = reading.names() if options.name == _ALL else (options.name,)
    labs = [reading.read(name, tongue) for name in chosen]
    differing = [lab for lab in labs if _differs(lab, Pages(tongue), options)]
    return int(bool(differing))


def _differs(lab: Lab, pages: Pages, options: Options) -> bool:
    """Do a lab. Return whether an output wasn't what its text claims."""
    pages.title(lab)
    with open_runtime(options) as runtime:
        session = Session(runtime, lab)
    differs = False
    with session:
        for number, step in enumerate(lab.steps, 1):
            pages.step(step, number, len(lab.steps))
            reason = session.hindrance(step)
            if reason:
                pages.hindrance(reason)
                continue
            if not (options.yes or pages.agreed()):
                break
            outcome = session.run(step)
            pages.outcome(step, outcome)
            differs = differs or not outcome.as_said
    pages.end()
    return differs
