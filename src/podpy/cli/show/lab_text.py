"""What `podpy lab` prints and asks, in the user's language."""

from __future__ import annotations

import shutil
import sys
import textwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.labs.reading import Lab, Step
    from podpy.labs.session import Outcome

_WORDS = {
    "en": {
        "enter": "Enter runs it, q ends the lab: ",
        "cannot": "This machine can't do this step:",
        "differs": "That isn't what this lab expected here.",
        "end": "All that this lab made is removed, except its image, localhost/podpy-lab.",
    },
    "fr": {
        "enter": "Entrée l'exécute, q termine le lab : ",
        "cannot": "Cette machine ne peut pas faire cette étape :",
        "differs": "Ce n'est pas ce que ce lab attendait ici.",
        "end": "Tout ce que ce lab a créé est supprimé, sauf son image, localhost/podpy-lab.",
    },
}
_WIDEST = 100
_INDENT = "    "


class Pages:
    """The pages of one lab: standard output, wrapped at the terminal's width."""

    def __init__(self, tongue: str) -> None:
        """`tongue`: "en" or "fr"."""
        self._words = _WORDS[tongue]

    def title(self, lab: Lab) -> None:
        """Print the lab's title, underlined."""
        sys.stdout.write(f"{lab.title}\n{'=' * len(lab.title)}\n\n")
        sys.stdout.flush()

    def step(self, step: Step, number: int, count: int) -> None:
        """Print what is said before a step's command, and the command."""
        _paragraphs(f"{number}/{count}. {step.text}")
        first, *rest = step.command.strip().splitlines()
        sys.stdout.write("".join([f"{_INDENT}$ {first}\n", *(f"{_INDENT}  {line}\n" for line in rest)]) + "\n")
        sys.stdout.flush()

    def agreed(self) -> bool:
        """Ask whether the command is to run. The end of standard input is a no."""
        sys.stdout.write(self._words["enter"])
        sys.stdout.flush()
        answer = sys.stdin.readline()
        sys.stdout.write("\n" if answer and sys.stdin.isatty() else "\n\n")
        return bool(answer) and answer.strip().lower() not in ("q", "quit")

    def outcome(self, step: Step, outcome: Outcome) -> None:
        """Print a command's output and what is to be seen in it."""
        sys.stdout.write(textwrap.indent(outcome.output.rstrip("\n"), _INDENT + "| ", lambda line: True) + "\n\n")
        _paragraphs(step.see if outcome.as_said else self._words["differs"])

    def hindrance(self, reason: str) -> None:
        """Print why this machine can't do a step."""
        sys.stdout.write(f"{self._words['cannot']}\n{textwrap.indent(reason, _INDENT)}\n\n")

    def end(self) -> None:
        """Print that nothing is left."""
        _paragraphs(self._words["end"])


def _paragraphs(text: str) -> None:
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    parts = [textwrap.fill(" ".join(part.split()), width, break_long_words=False) for part in text.split("\n\n")]
    sys.stdout.write("\n\n".join(parts) + "\n\n")
    sys.stdout.flush()
