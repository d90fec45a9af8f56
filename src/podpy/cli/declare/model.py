"""What a declaration is made of, and short ways to write one."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Kinds of options: how a value is read, and what the handler gets.
BOOL = "bool"  # --x, --x=false                        → bool
STRING = "string"  # --x VALUE                         → str
INT = "int"  # --x N, Go's number syntax              → int
UINT = "uint"  # the same, not negative               → int
FLOAT = "float"  # --x 0.5                             → float
ARRAY = "array"  # --x A --x B, values as they are     → list[str]
LIST = "list"  # --x A,B --x C, each a line of CSV     → list[str]
UINTS = "uints"  # the same, numbers                   → list[int]
SWITCH = "switch"  # bool that may also not be given   → bool | None
DURATION = "duration"  # 250ms, 1h30m, or a bare number → float, seconds

# What completes a value or an argument; besides these, words that any text may stand for: "bridge|macvlan".
CONTAINERS = "containers"
RUNNING = "running"
STOPPED = "stopped"
IMAGES = "images"
ARTIFACTS = "artifacts"
SECRETS = "secrets"
VOLUMES = "volumes"
NETWORKS = "networks"
PODS = "pods"
FILES = "files"
DIRECTORIES = "directories"
SIGNALS = "signals"
COMMAND_WORDS = "commands"


class Option(Record):
    """One option: everything that any reader of the declarations needs to know about it."""

    names: tuple[str, ...]  # ("--env", "-e"): the long one first; it names the handler's attribute
    kind: str = BOOL
    default: Any = None  # None: the kind's own nothing (False, "", 0, [])
    metavar: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()
    hidden: bool = False
    complete: str = ""
    bare: str | None = None  # the value of `--pull` without one; None: a value is required (booleans: "true")
    env: str = ""  # an environment variable that gives the default
    aliases: tuple[str, ...] = ()  # hidden other long names that Podman keeps for old scripts
    refuse: str = ""  # known, but not for this version or this kind of engine: the reason
    panel: str = ""  # the heading in the command's help

    @property
    def attribute(self) -> str:
        """The handler's attribute: the long name with underscores."""
        return self.names[0].lstrip("-").replace("-", "_")


class Argument(Record):
    """One positional argument, or the last one with the rest of them."""

    name: str  # the handler's attribute
    metavar: str
    required: bool = True
    many: bool = False  # takes all that is left, as a list
    help: str = ""
    complete: str = ""


class Command(Record):
    """One command. `path` is what podpy calls it ("ps"); `aliases` are Podman's other spellings ("container ls")."""

    path: str
    handler: str = ""  # "module:function"
    help: str = ""
    description: str = ""
    examples: tuple[str, ...] = ()  # command lines that work, each with "  # what for" behind it if that helps
    aliases: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    arguments: tuple[Argument, ...] = ()
    rule: str = ""  # which combinations of --all, --latest, --cidfile and names go together: see parse.RULES
    interspersed: bool = True  # False: the first positional ends the options (run, exec, top)
    raw: bool = False  # all words are the last argument's, options too: another program reads them (compose)
    hidden: bool = False
    refuse: str = ""  # a command of a later version, or one that this kind of engine can't have: the reason
    panel: str = ""  # the heading in `podpy --help`
    exclusive: tuple[tuple[str, ...], ...] = ()  # options of which only one may be given


def under(panel: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Return the options with this heading in help."""
    return tuple(option.replace(panel=panel) for option in options)


def flag(names: str, help: str, **more: Any) -> Option:
    """A boolean option; `names` are separated by blanks, the long one first."""
    return Option(names=tuple(names.split()), kind=BOOL, help=help, **more)


def text(names: str, metavar: str, help: str, **more: Any) -> Option:
    """An option with one value."""
    return Option(names=tuple(names.split()), kind=STRING, metavar=metavar, help=help, **more)


def number(names: str, metavar: str, help: str, **more: Any) -> Option:
    """An option with a whole number, which may be negative."""
    return Option(names=tuple(names.split()), kind=INT, metavar=metavar, help=help, **more)


def count(names: str, metavar: str, help: str, **more: Any) -> Option:
    """An option with a whole number from 0."""
    return Option(names=tuple(names.split()), kind=UINT, metavar=metavar, help=help, **more)


def many(names: str, metavar: str, help: str, **more: Any) -> Option:
    """A repeatable option whose values are taken as they are."""
    return Option(names=tuple(names.split()), kind=ARRAY, metavar=metavar, help=help, **more)


def listed(names: str, metavar: str, help: str, **more: Any) -> Option:
    """A repeatable option whose values may also be separated by commas."""
    return Option(names=tuple(names.split()), kind=LIST, metavar=metavar, help=help, **more)
