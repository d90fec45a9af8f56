"""The question before a removal: asked by the prune commands and `system reset`."""

from __future__ import annotations

import sys

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def is_asked(options: Options) -> bool:
    """Return whether there will be a question: a wrong filter is told before it."""
    return not options.force and not getattr(options, "dry_run", False)


def agreed(options: Options, warning: str) -> bool:
    """Print the warning, ask, and return whether the user agrees; no question with --force or --dry-run.

    Raises UsageError at the end of standard input.
    """
    if not is_asked(options):
        return True
    sys.stdout.write(f"{warning}Are you sure you want to continue? [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer:
        # Podman fails, too: a script that forgot --force must not go on as if something had been removed.
        raise UsageError("there is no answer on standard input", hint="Add --force where nobody can be asked")
    return answer.strip().lower() in ("y", "yes")
