"""`podpy quadlet from-compose`: a compose file → files of Quadlet."""

from __future__ import annotations

import os
import sys

from podpy.cli.generator import own_path
from podpy.compose.convert import convert
from podpy.compose.leftovers import left_behind
from podpy.compose.project import Request
from podpy.errors import UsageError
from podpy.quadlet import outgoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Print the files as one, or write them and print their paths; problems go to standard error."""
    request = Request(
        path=options.file or "",
        directory=os.getcwd(),
        environ=dict(os.environ),
        name=options.project_name or "",
        profiles=options.profile,
        env_files=options.env_file,
    )
    converted = convert(request, podpy=own_path(), in_one=not options.output_dir)
    for problem in converted.problems:
        print(problem, file=sys.stderr)
    if not converted.is_whole and not options.partial:
        number = len([problem for problem in converted.problems if problem.fatal])
        told = "one thing has" if number == 1 else f"{number} things have"
        raise UsageError(f"{told} no form in Quadlet's files: none is written", hint="--partial writes the rest")
    if options.output_dir:
        for path in outgoing.write(converted.files, options.output_dir, replace=options.replace):
            print(path)
        for problem in left_behind(converted.files, options.output_dir):
            print(problem, file=sys.stderr)
    else:
        sys.stdout.write(outgoing.as_one(converted.files))
    return 0
