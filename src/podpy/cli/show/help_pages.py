"""The text of each command's help, made from the declarations when podpy is built (parser/compile.py).

A page says, in this order: usage, what the command does, examples, commands (of a group) or options; podpy's own page
ends with the global options. It is fixed text of at most 100 columns: printing one needs no declaration, no Typer.
"""

from __future__ import annotations

import textwrap

from podpy.cli import declare
from podpy.cli.declare.globals import GLOBAL_OPTIONS
from podpy.cli.declare.model import BOOL, SWITCH, Command, Option

_COLUMNS = 100
_WIDEST = 34  # columns of an option's names; a longer one gets a line of its own
_ABOUT = "A container engine without a daemon, rootless first, with Podman's command line"
_MAIN_EXAMPLES = (
    "podpy run --rm hello  # the image that podpy brings along",
    "podpy run --rm -it docker.io/library/debian bash",
    "podpy run -d --name web -p 8080:80 docker.io/library/nginx",
    "podpy ps --all",
    "podpy system doctor  # what this machine lacks",
)
_REPEATABLE = ("array", "list", "uints")


def pages() -> dict[str, str]:
    """Return the help of all commands and groups by path, as typed; podpy's own has the empty path."""
    found = {"": main_page()}
    for group, about in declare.groups().items():
        found[group] = group_page(group, about)
    for command in declare.COMMANDS:
        if not command.refuse:
            found.update(dict.fromkeys((command.path, *command.aliases), command_page(command)))
    return found


def usage(command: Command) -> str:
    """Return the command's line of usage."""
    words = ["podpy", command.path]
    if command.options:
        words.append("[OPTIONS]")
    for argument in command.arguments:
        word = f"{argument.metavar}…" if argument.many and " " not in argument.metavar else argument.metavar
        words.append(word if argument.required or command.rule else f"[{word}]")
    return " ".join(words)


def split_example(example: str) -> tuple[str, str]:
    """Return an example's command line and its comment, which may be empty."""
    line, _, purpose = example.partition("  # ")
    return line, purpose


def command_page(command: Command) -> str:
    """Return the help of a command."""
    parts = [f"Usage: {usage(command)}", _wrapped(command.help + ".")]
    if command.description:
        parts.append(_wrapped(command.description))
    if command.aliases:
        parts.append(_wrapped(f"Also: {', '.join('podpy ' + alias for alias in command.aliases)}."))
    parts += _examples(command.examples)
    parts += _options(command.options)
    return "\n\n".join([*parts, "Global options may stand here, too: podpy --help lists them."]) + "\n"


def group_page(group: str, about: str) -> str:
    """Return the help of a group of commands."""
    rows = [(path.removeprefix(group + " "), command.help) for path, command in _members(group)]
    rows += [(name.removeprefix(group + " "), text) for name, text in _groups_in(group)]
    examples = [command.examples[0] for _, command in _members(group) if command.path.startswith(group + " ")]
    parts = [f"Usage: podpy {group} COMMAND", f"{about}.", *_examples(tuple(examples[:3])), _table("Commands", rows)]
    return "\n\n".join([*parts, f"Run 'podpy {group} COMMAND --help' for more about a command."]) + "\n"


def main_page() -> str:
    """Return the help of podpy itself."""
    parts = ["Usage: podpy [OPTIONS] COMMAND", _ABOUT + ".", *_examples(_MAIN_EXAMPLES)]
    panels: dict[str, list[tuple[str, str]]] = {}
    for path, command in _members(""):
        panels.setdefault(command.panel or "Commands", []).append((path, command.help))
    panels["Groups of commands"] = [(name, text) for name, text in _groups_in("")]
    parts += [_table(panel, rows) for panel, rows in panels.items()]
    parts.append("Run 'podpy COMMAND --help' for more about a command.")
    return "\n\n".join([*parts, *_options(GLOBAL_OPTIONS, "Global options")]) + "\n"


def _members(group: str) -> list[tuple[str, Command]]:
    """Return the paths directly in a group, aliases too where the group isn't podpy itself, with their commands."""
    found = []
    for command in declare.COMMANDS:
        inside = [path for path in (command.path, *command.aliases) if path.rpartition(" ")[0] == group]
        if inside and not command.hidden:
            found.append((inside[0], command))
    return found


def _groups_in(group: str) -> list[tuple[str, str]]:
    return [(name, text) for name, text in declare.groups().items() if name.rpartition(" ")[0] == group]


def _examples(examples: tuple[str, ...]) -> list[str]:
    if not examples:
        return []
    split = [split_example(example) for example in examples]
    width = max(len(line) for line, purpose in split if purpose) if any(purpose for _, purpose in split) else 0
    lines = [f"  {line.ljust(width)}  # {purpose}" if purpose else f"  {line}" for line, purpose in split]
    return ["\n".join(["Examples:", *lines])]


def _options(options: tuple[Option, ...], heading: str = "Options") -> list[str]:
    panels: dict[str, list[tuple[str, str]]] = {}
    for option in options:
        if not option.hidden and not option.refuse:
            panels.setdefault(option.panel or heading, []).append((_option_names(option), _option_help(option)))
    return [_table(panel, rows) for panel, rows in panels.items()]


def _option_names(option: Option) -> str:
    """Return the left column: the letter first, as in pflag's help; blanks if there is no letter."""
    names = sorted(option.names, key=len)
    shown = ", ".join(names) if len(names[0]) == len("-x") else "    " + ", ".join(names)
    value = "" if option.kind in (BOOL, SWITCH) else f" {option.metavar}"
    return shown + value


def _option_help(option: Option) -> str:
    text = option.help
    if option.choices:
        text += f" ({', '.join(option.choices)})"
    if option.default is True:
        text += f"; on unless {option.names[0]}=false"
    elif option.default not in (None, "", False) and option.kind not in _REPEATABLE:
        text += f" [default: {option.default}]"
    if option.env:
        text += f" [env: {option.env}]"
    return text


def _table(heading: str, rows: list[tuple[str, str]]) -> str:
    width = min(max(len(name) for name, _ in rows), _WIDEST)
    indent = " " * (width + 4)
    lines = [f"{heading}:"]
    for name, text in rows:
        first = f"  {name.ljust(width)}  "
        if len(name) > width:
            lines.append(f"  {name}")
            first = indent
        lines.append(_wrapped(text, first, indent))
    return "\n".join(lines)


def _wrapped(text: str, first: str = "", indent: str = "") -> str:
    return textwrap.fill(
        text,
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
