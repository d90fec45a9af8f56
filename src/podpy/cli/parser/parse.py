"""The everyday parser: argv and the table in, `Options` out. No Typer, no `re`.

The rules are pflag's, which Podman uses (github.com/spf13/pflag, flag.go): `-it`, `-eA=b`, `-e A=b`, `--env=A=b`,
`-d=false`, `--`; booleans never take the next word; the first positional ends the options of `run`, `create`, `exec`,
`top` and `unshare` (not interspersed) and nothing else's.
"""

from __future__ import annotations

import os

from podpy.cli.parser import table_format as form
from podpy.cli.parser.failures import HelpRequested, MissingCommandError, UnknownCommandError, UnknownOptionError
from podpy.cli.parser.options import Options
from podpy.cli.parser.values import convert
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.table_format import ArgumentRow, CommandRow, OptionRow
    from podpy.cli.parser.tables import Table

_REPEATABLE = frozenset((form.ARRAY, form.LIST, form.UINTS))


class Reader:
    """Reads the options of one command from a list of words, pflag's way."""

    def __init__(self, rows: tuple[OptionRow, ...], path: str) -> None:
        self.options = Options()
        self.path = path
        self.names: dict[str, OptionRow] = {}
        for row in rows:
            for name in row[form.NAMES]:
                self.names[name] = row

    def also(self, rows: tuple[OptionRow, ...], target: Options) -> None:
        """Accept these options too, where the command has none of the same name; they go to `target`."""
        self.persistent_target = target
        self.persistent = {name: row for row in rows for name in row[form.NAMES]}

    persistent: dict[str, OptionRow] = {}
    persistent_target: Options

    def read(self, words: list[str], *, interspersed: bool) -> list[str]:
        """Take the options off and return the positional words."""
        positionals: list[str] = []
        position = 0
        while position < len(words):
            word = words[position]
            position += 1
            if len(word) < 2 or word[0] != "-":
                if not interspersed:
                    return words[position - 1 :]
                positionals.append(word)
            elif word == "--":
                return positionals + words[position:]
            elif word[1] == "-":
                position = self._long(word, words, position)
            else:
                position = self._short(word, words, position)
        return positionals

    def _long(self, word: str, words: list[str], position: int) -> int:
        name, equals, value = word.partition("=")
        if len(name) < 3 or name[2] == "-":
            raise UsageError(f"bad flag syntax: {word}")
        row = self._find(name)
        if row is None:
            if name == "--help":
                raise HelpRequested(self.path)
            raise UnknownOptionError(f"unknown flag: {name}", name, list(self.names))
        if not equals:
            bare = row[form.BARE]
            if bare is not None:
                value = bare
            elif position < len(words):
                value = words[position]
                position += 1
            else:
                raise UsageError(f"flag needs an argument: {name}")
        self._set(row, name, value)
        return position

    def _short(self, word: str, words: list[str], position: int) -> int:
        letters = word[1:]
        while letters:
            row = self._find("-" + letters[0])
            if row is None:
                if letters[0] == "h":
                    raise HelpRequested(self.path)
                raise UnknownOptionError(f"unknown shorthand flag: '{letters[0]}' in -{letters}", "-" + letters[0], [])
            rest = letters[1:]
            bare = row[form.BARE]
            if rest[:1] == "=" and len(rest) > 1:
                value, rest = rest[1:], ""
            elif bare is not None:
                value = bare
            elif rest:
                value, rest = rest, ""
            elif position < len(words):
                value = words[position]
                position += 1
            else:
                raise UsageError(f"flag needs an argument: '{letters[0]}' in -{letters}")
            self._set(row, "-" + letters[0], value)
            letters = rest
        return position

    def _find(self, name: str) -> OptionRow | None:
        row = self.names.get(name)
        return row if row is not None else self.persistent.get(name)

    def _set(self, row: OptionRow, name: str, value: str) -> None:
        if row[form.REFUSE] and not (row[form.KIND] in (form.BOOL, form.SWITCH) and value == "false"):
            raise UsageError(f"{row[form.NAMES][0]}: {row[form.REFUSE]}")
        attribute = row[form.ATTRIBUTE]
        target = self.options if self.names.get(name) is row else self.persistent_target
        try:
            result = convert(row, value)
        except ValueError as error:
            from podpy.cli.parser.words import refusal

            told = refusal(row[form.NAMES][0], value, row[form.CHOICES])
            refused = UsageError(told or f'invalid argument "{value}" for "{_both(row)}" flag: {error}')
            if attribute == "log_level":
                refused.exit_code = 1  # as Podman's, which looks at it before everything else
            raise refused from None
        if row[form.KIND] in _REPEATABLE and attribute in target._given:
            target.__dict__[attribute].extend(result)
        else:
            target.__dict__[attribute] = result
            target._given.add(attribute)


def _both(row: OptionRow) -> str:
    names = row[form.NAMES]
    short = [name for name in names if len(name) == 2]
    return f"{short[0]}, {names[0]}" if short and short[0] != names[0] else names[0]


def fill_defaults(options: Options, rows: tuple[OptionRow, ...]) -> None:
    """Set every option that wasn't given to its environment variable's value or its default."""
    values = options.__dict__
    environ = os.environ
    for row in rows:
        attribute = row[form.ATTRIBUTE]
        if attribute in values:
            continue
        variable = row[form.ENVIRONMENT]
        if variable and environ.get(variable):
            try:
                values[attribute] = convert(row, environ[variable])
            except ValueError as error:
                raise UsageError(f"{variable}={environ[variable]}: {error}", hint=f"unset {variable}") from None
            continue
        default = row[form.DEFAULT]
        kind = row[form.KIND]
        if kind in _REPEATABLE:
            values[attribute] = list(default)
        elif kind == form.DURATION:
            values[attribute] = convert(row, default)
        else:
            values[attribute] = default


def split_globals(argv: list[str], table: Table) -> tuple[Options, str, list[str]]:
    """Read the global options; return them, the command's path as typed ("" if there is none) and the words after it.

    Raises HelpRequested or UsageError.
    """
    reader = Reader(table.globals, "")
    try:
        words = reader.read(argv, interspersed=False)
        path = ""
        if words:
            path, words = words[0], words[1:]
        while path in table.groups:  # a group may be in a group: image trust show
            # Podman takes persistent options between a group and its command, too.
            reader.path = path
            words = reader.read(words, interspersed=False)
            if not words:
                break
            path, words = f"{path} {words[0]}", words[1:]
    except UsageError as error:
        raise in_command(error, reader.path) from None
    return reader.options, path, words


def parse(argv: list[str], table: Table) -> tuple[Options, CommandRow]:
    """Return what the command line says and the command's row. Raises HelpRequested or UsageError."""
    global_options, typed, words = split_globals(argv, table)
    if not typed or typed in table.groups:
        fill_defaults(global_options, table.globals)
        raise MissingCommandError(typed, global_options)
    found = table.resolve(typed)
    if found is None:
        raise UnknownCommandError(typed, table)
    path, row = found
    if row[form.COMMAND_REFUSE]:
        raise UsageError(f"{typed}: {row[form.COMMAND_REFUSE]}")
    reader = Reader(row[form.OPTIONS], typed)
    reader.also(table.globals[: table.persistent], global_options)
    try:
        interspersed = row[form.INTERSPERSED]
        positionals = _raw(words, typed) if interspersed is None else reader.read(words, interspersed=interspersed)
        options = reader.options
        options.path = path
        options.argv = argv
        options.globals = global_options
        fill_defaults(options, row[form.OPTIONS])
        fill_defaults(global_options, table.globals)
        take_arguments(options, row, positionals)
    except UsageError as error:
        raise in_command(error, typed) from None
    return options, row


def _raw(words: list[str], typed: str) -> list[str]:
    """Return the words as they are: another program reads them. Raises HelpRequested if help is all that is asked."""
    if words in ([], ["--help"], ["-h"]):
        raise HelpRequested(typed)
    return words


def in_command(error: UsageError, typed: str) -> UsageError:
    """Return the error with Podman's line about the command's help, and what an unknown option may have meant."""
    error.see = f"See 'podpy {typed} --help'".replace("  ", " ")
    if isinstance(error, UnknownOptionError):
        from podpy.suggest import similar

        close = similar(error.name, error.known)
        if close:
            error.hint = f"Did you mean {close}?"
    return error


def take_arguments(options: Options, row: CommandRow, positionals: list[str]) -> None:
    """Set the positional arguments' attributes. Raises UsageError if there are too few or too many."""
    arguments = row[form.ARGUMENTS]
    if row[form.RULE]:
        from podpy.cli.parser.rules import check

        positionals = check(row[form.RULE], options, positionals)
    elif not arguments and positionals:
        raise UsageError(f"`podpy {options.path}` takes no arguments")
    _count(arguments, len(positionals))
    rest = positionals
    for name, _metavar, _required, takes_all in arguments:
        if takes_all:
            options.__dict__[name], rest = rest, []
        else:
            options.__dict__[name] = rest[0] if rest else ""
            rest = rest[1:]


def _count(arguments: tuple[ArgumentRow, ...], given: int) -> None:
    """Check how many arguments there are. Raises UsageError in the words of Podman's parser (cobra, args.go)."""
    needed = sum(1 for argument in arguments if argument[form.ARGUMENT_REQUIRED])
    if any(argument[form.ARGUMENT_MANY] for argument in arguments):
        if given < needed:
            raise UsageError(f"requires at least {needed} arg(s), only received {given}")
        return
    most = len(arguments)
    if needed <= given <= most:
        return
    if needed == most:
        raise UsageError(f"accepts {most} arg(s), received {given}")
    if needed:
        raise UsageError(f"accepts between {needed} and {most} arg(s), received {given}")
    raise UsageError(f"accepts at most {most} arg(s), received {given}")
