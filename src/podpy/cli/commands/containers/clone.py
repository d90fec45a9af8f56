"""`podpy container clone` and `podpy generate spec`: what makes a copy of a container."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def clone(options: Options) -> int:
    """Create a copy of a container, and print the copy's id."""
    from podpy.cli.specgen.update import limit_changes

    if options.force and not options.destroy:
        raise UsageError("cannot set --force without --destroy: invalid argument")
    with open_runtime(options) as runtime:
        made = runtime.containers.clone(
            options.container,
            limit_changes(options),
            new_name=options.name or options.new_name or "",
            image=options.image or "",
            pod=options.pod or "",
            destroy=options.destroy,
            force=options.force,
        )
        if options.run:
            made.start()
    print(made.id)
    return 0


def generate_spec(options: Options) -> int:
    """Print a container as the body of the API call that creates one."""
    from podpy.go.json import compact, indented
    from podpy.libpod.containers.generated_spec import generated

    with open_runtime(options) as runtime:
        found = generated(runtime.container(options.container), name=options.name)
    text = compact(found) if options.compact else indented(found, " ")
    if not options.filename:
        print(text)
        return 0
    try:
        with open(options.filename, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise UsageError(f"{options.filename}: {error.strerror}") from error
    print(options.filename, file=sys.stdout)
    return 0
