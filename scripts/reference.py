#!/usr/bin/env python3
"""Writes docs/reference/ from the command line's declarations: one page for each command, and an index; and the page
of Quadlet's keys from their table.

    scripts/reference.py [--check] [DIRECTORY]

With --check nothing is written; the exit code tells whether the pages are what the declarations say.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "src"))

from podpy.cli import declare  # noqa: E402
from podpy.cli.declare.globals import GLOBAL_OPTIONS, PERSISTENT_OPTIONS  # noqa: E402
from podpy.cli.declare.model import Command, Option  # noqa: E402
from podpy.cli.show.help_pages import split_example, usage  # noqa: E402
from podpy.quadlet.keys import GLOBAL, KINDS, QUADLET  # noqa: E402

if TYPE_CHECKING:
    from podpy.quadlet.keys import Keys

NOTE = "<!-- Made by scripts/reference.py from src/podpy/cli/declare; don't edit. -->\n\n"


WIDTH = 120
"""Columns of a line, as of all documents (tests/project/test_docs.py)."""


def wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph or list item in lines of WIDTH columns, the later ones indented."""
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"


def page_name(command: Command) -> str:
    """Return the file name of a command's page."""
    return f"podpy-{command.path.replace(' ', '-')}.md"


def option_line(option: Option) -> str:
    """Return the list item of one option."""
    names = ", ".join(f"`{name}`" for name in option.names)
    value = "" if option.kind in ("bool", "switch") else f" *{option.metavar}*"
    parts = [option.help]
    if option.choices:
        parts.append(f"One of {', '.join(f'`{choice}`' for choice in option.choices)}.")
    if option.default is True:
        parts.append(f"On unless `{option.names[0]}=false`.")
    elif option.default not in (None, "", False):
        parts.append(f"Default: `{option.default}`.")
    if option.env:
        parts.append(f"Its default can be set by `${option.env}`.")
    if option.refuse:
        parts.append(f"Refused: {option.refuse}.")
    text = parts[0] if parts[0].endswith(".") else parts[0] + "."
    return wrapped(f"- {names}{value}: {' '.join([text, *parts[1:]])}", "  ")


def options_text(options: tuple[Option, ...]) -> str:
    """Return the options under their headings."""
    panels: dict[str, list[Option]] = {}
    for option in options:
        if not option.hidden:
            panels.setdefault(option.panel or "Options", []).append(option)
    return "\n".join(
        f"## {panel}\n\n" + "".join(option_line(option) for option in found) for panel, found in panels.items()
    )


def example_line(example: str) -> str:
    """Return an example as a line of a code block."""
    line, purpose = split_example(example)
    return f"    {line}  # {purpose}\n" if purpose else f"    {line}\n"


def command_page(command: Command) -> str:
    """Return a command's page."""
    aliases = "".join(f"    podpy {alias}\n" for alias in command.aliases)
    text = f"{NOTE}# podpy {command.path}\n\n{command.help}.\n\n    {usage(command)}\n"
    if aliases:
        text += f"\nThe same command under other names:\n\n{aliases}"
    if command.description:
        text += "\n" + "\n".join(map(wrapped, command.description.split("\n\n")))
    if command.examples:
        text += f"\n## Examples\n\n{''.join(map(example_line, command.examples))}"
    options = options_text(command.options)
    return text + ("\n" + options if options else "")


def index_page(commands: list[Command]) -> str:
    """Return the list of commands and the global options."""
    text = NOTE + "# Commands\n\n"
    panels: dict[str, list[Command]] = {}
    for command in commands:
        panels.setdefault(command.panel or "Groups", []).append(command)
    for panel, found in panels.items():
        text += f"## {panel}\n\n"
        text += "".join(wrapped(f"- [podpy {c.path}]({page_name(c)}): {c.help}", "  ") for c in found) + "\n"
    persistent = len(PERSISTENT_OPTIONS)
    text += "## Global options\n\nBefore the command, and all but the last group also after it.\n\n"
    text += "".join(option_line(option) for option in GLOBAL_OPTIONS[:persistent] if not option.hidden)
    text += "\nOnly before the command:\n\n"
    return text + "".join(option_line(option) for option in GLOBAL_OPTIONS[persistent:] if not option.hidden)


KEYS_PAGE = "quadlet-keys.md"
KEYS_HEAD = """<!-- Made by scripts/reference.py from src/podpy/quadlet/keys.py; don't edit. -->

# Keys of Quadlet's files

What files are, and where: [quadlet.md](../quadlet.md). In each section, `KEY=VALUE` becomes the option that stands
behind the key. All other sections are systemd's (systemd.unit(5), systemd.service(5)).

"""
READ = {
    "each": "may stand several times",
    "bool": "yes or no",
    "flag": "yes or no",
    "pairs": "words NAME=VALUE",
    "words": "words",
    "lower": "words",
    "args": "words",
    "paths": "words",
    "files": "words",
}
"""What is said of how a key's text is read, by the table's forms."""


def keys_list(keys: Keys) -> str:
    """Return the list of a section's keys, in the alphabet's order."""
    text = ""
    for key, (form, option, purpose) in sorted(keys.items(), key=lambda item: item[0].lower()):
        behind = f" (`{option}`)" if option else ""
        kind = f"; {READ[form]}" if form in READ else ""
        text += wrapped(f"- `{key}`{behind}: {purpose}{kind}.", "  ")
    return text


def keys_page() -> str:
    """Return the page of Quadlet's keys."""
    text = KEYS_HEAD
    for ending, (section, suffix, _, keys) in sorted(KINDS.items()):
        own = {key: row for key, row in keys.items() if key not in GLOBAL}
        text += f"## [{section}]\n\nOf `NAME{ending}`, the unit `NAME{suffix}.service`.\n\n{keys_list(own)}\n"
    text += f"## In each of these sections\n\n{keys_list(GLOBAL)}\n"
    return text + f"## [Quadlet]\n\nIn files of each kind.\n\n{keys_list(QUADLET)}"


def pages() -> dict[str, str]:
    """Return all pages by file name."""
    commands = [command for command in declare.COMMANDS if not command.hidden]
    found = {page_name(command): command_page(command) for command in commands}
    return {"README.md": index_page(commands), KEYS_PAGE: keys_page(), **found}


def main(arguments: list[str]) -> int:
    """Write or check the pages and return the exit code."""
    check = "--check" in arguments
    rest = [word for word in arguments if not word.startswith("--")]
    directory = Path(rest[0]) if rest else CHECKOUT / "docs/reference"
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.md")}
    if check:
        stale = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
        if stale:
            print(f"{directory}: not what the declarations say: {', '.join(stale)}. Run scripts/reference.py")
        return 1 if stale else 0
    directory.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - wanted.keys():
        (directory / name).unlink()
    for name, text in wanted.items():
        (directory / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
