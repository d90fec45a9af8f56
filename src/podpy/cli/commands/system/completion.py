"""`podpy completion`, and `podpy __complete`, which its scripts call."""

from __future__ import annotations

import sys

from podpy.errors import PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


_ERROR = 1  # cobra's ShellCompDirectiveError


def run(options: Options) -> int:
    """Print the completion script for a shell, or write it to a file."""
    from podpy.cli.parser.completion_scripts import SCRIPTS

    if options.shell not in SCRIPTS:
        raise UsageError(f"completion: there is no script for {options.shell}", hint=f"Shells: {', '.join(SCRIPTS)}")
    script = SCRIPTS[options.shell]
    if options.no_desc:
        script = script.replace(" 2>/dev/null)", " 2>/dev/null | cut -f1)")
    if options.file:
        with open(options.file, "w", encoding="utf-8") as file:
            file.write(script)
    else:
        sys.stdout.write(script)
    return 0


def complete(options: Options) -> int:
    """Print the completions of the last word, and cobra's directive for the shell (see completion_scripts)."""
    lines, directive = _candidates(options)
    return _answer(lines, directive)


def complete_words(options: Options) -> int:
    """Do the same without descriptions."""
    lines, directive = _candidates(options)
    return _answer([line.partition("\t")[0] for line in lines], directive)


def _candidates(options: Options) -> tuple[list[str], int]:
    from podpy.cli.parser.completion import complete as candidates

    try:
        return candidates(options.words)
    except PodpyError:  # the user is typing: an error message would only break the command line
        return [], _ERROR


def _answer(lines: list[str], directive: int) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines) + f":{directive}\n")
    return 0
