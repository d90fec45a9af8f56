"""A second parser made from the declarations: Typer's. No command imports it; tests compare both parsers.

The everyday parser (`parse`) and this one must understand every command line alike: a test walks every option of every
command through both. Values are converted by the same code (`values.convert`), so what is compared is the reading:
which word is an option, which its value, which an argument.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Optional

import typer
from typer.core import TyperCommand, TyperGroup

from podpy.cli import declare
from podpy.cli.declare.globals import GLOBAL_OPTIONS, PERSISTENT_OPTIONS
from podpy.cli.declare.model import BOOL, SWITCH, Command, Option
from podpy.cli.parser import compile
from podpy.cli.parser.options import Options
from podpy.cli.parser.parse import fill_defaults, take_arguments
from podpy.cli.parser.values import convert
from podpy.go.values import boolean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_REPEATABLE = ("array", "list", "uints")


class Reader:
    """Reads command lines as Typer does, for the comparison of both parsers. `only`: the one command that it knows."""

    def __init__(self, only: str | None = None) -> None:
        self._result = _Result()
        self._run = typer.main.get_command(make_app(only, self._result))

    def read(self, argv: list[str]) -> Options:
        """Return what a command line says. Raises UsageError, or what Typer raises."""
        self._result.clear()
        self._run(argv, prog_name="podpy", standalone_mode=False)
        self._result.options.argv = argv
        return self._result.options


class _Result:
    """What the last command line said."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.globals = Options()
        self.options = Options()


def make_app(only: str | None = None, result: _Result | None = None) -> typer.Typer:
    """Return the Typer app: with all commands, or with the one that has the path `only`.

    Typer makes an object of every option: the 5,000 of all commands take seconds.
    """
    result = result or _Result()
    app = _group()
    app.callback()(_globals_callback(result, GLOBAL_OPTIONS))
    groups = {name: _group() for name in declare.groups()}
    for name, group in groups.items():
        group.callback()(_globals_callback(result, PERSISTENT_OPTIONS))
        outer, _, word = name.rpartition(" ")
        (groups[outer] if outer else app).add_typer(group, name=word)
    for command in declare.COMMANDS:
        paths = (command.path, *command.aliases)
        whole = only is None or only in paths
        for path in paths:
            group_name, _, name = path.rpartition(" ")
            if whole and (not group_name or group_name in groups):
                _add(groups[group_name] if group_name else app, command, name, result)
    return app


def _group() -> typer.Typer:
    return typer.Typer(cls=PflagGroup, add_completion=False, context_settings={"help_option_names": ["--help", "-h"]})


def _add(target: typer.Typer, command: Command, name: str, result: _Result) -> None:
    has_h = any("-h" in option.names for option in command.options)
    target.command(
        name,
        cls=PflagCommand,
        context_settings={
            "help_option_names": ["--help"] if has_h else ["--help", "-h"],
            "allow_interspersed_args": command.interspersed and not command.raw,
            "ignore_unknown_options": command.raw,
        },
    )(_callback(command, result))


def _globals_callback(result: _Result, options: tuple[Option, ...]) -> Callable[..., None]:
    def callback(**values: Any) -> None:
        _take(result.globals, options, values)

    return _with_signature(callback, _parameters(options))


def _callback(command: Command, result: _Result) -> Callable[..., None]:
    # Podman's persistent options may also stand behind the command, unless it has one of that name itself.
    own = {name for option in command.options for name in option.names}
    persistent = tuple(
        option for option in PERSISTENT_OPTIONS if not command.raw and not own.intersection(option.names)
    )

    def callback(**values: Any) -> None:
        options, globals_ = result.options, result.globals
        options.path = command.path
        options.globals = globals_
        _take(globals_, persistent, values)
        _take(options, command.options, values)
        row = compile.command_row(command)
        fill_defaults(options, row[1])
        fill_defaults(globals_, compile.globals_rows())
        take_arguments(options, row, _positionals(command, values))

    parameters = _parameters((*command.options, *persistent))
    for argument in command.arguments:
        kind: Any = Optional[list[str]] if argument.many else Optional[str]  # noqa: UP045 (Typer wants the object)
        # `take_arguments` checks how many words there are: it knows --latest and --all.
        info = typer.Argument(None)
        parameters.append(_keyword("argument_" + argument.name, kind, info))
    return _with_signature(callback, parameters)


def _positionals(command: Command, values: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for argument in command.arguments:
        value = values["argument_" + argument.name]
        words.extend(value if isinstance(value, list | tuple) else [] if value is None else [value])
    return words


def _take(target: Options, declared: tuple[Option, ...], values: dict[str, Any]) -> None:
    """Convert and keep the options that were given."""
    for option in declared:
        raw = values.get("option_" + option.attribute)
        other = values.get("alias_" + option.attribute)
        if option.kind in _REPEATABLE:
            raw = [*(raw or ()), *(other or ())] or None
        elif other is not None:
            raw = other
        if raw is None:
            continue
        row = compile.option_row(option)
        if option.kind in (BOOL, SWITCH):
            result: Any = raw
        elif option.kind in _REPEATABLE:
            result = [item for text in raw for item in convert(row, text)]
        else:
            result = convert(row, raw)
        target.__dict__[option.attribute] = result
        target._given.add(option.attribute)


def _parameters(options: Iterable[Option]) -> list[inspect.Parameter]:
    """Return Typer's parameters: one per option, and one for its old spellings."""
    parameters = []
    for option in options:
        parameters.append(_parameter(option, option.names, "option_"))
        if option.aliases:
            parameters.append(_parameter(option, option.aliases, "alias_"))
    return parameters


def _parameter(option: Option, names: tuple[str, ...], prefix: str) -> inspect.Parameter:
    kind: Any = Optional[bool] if option.kind in (BOOL, SWITCH) else Optional[str]  # noqa: UP045 (Typer wants the object)
    if option.kind in _REPEATABLE:
        kind = Optional[list[str]]  # noqa: UP045
    return _keyword(prefix + option.attribute, kind, typer.Option(None, *names))


def _keyword(name: str, kind: Any, info: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=info, annotation=kind)


def _with_signature(callback: Callable[..., None], parameters: list[inspect.Parameter]) -> Callable[..., None]:
    """Give a **values function the signature that Typer reads its parameters from."""
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    callback.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return callback


class _PflagRules:
    """Adds pflag's spellings to Click's parser: --flag=false, -d=false, -e=A."""

    def make_parser(self, ctx: Any) -> Any:
        parser = super().make_parser(ctx)  # type: ignore[misc]
        match_long, match_short = parser._match_long_opt, parser._match_short_opt

        def set_flag(option: Any, text: str, state: Any) -> None:
            state.opts[option.dest] = boolean(text)
            state.order.append(option.obj)

        def long(name: str, value: str | None, state: Any) -> None:
            option = parser._long_opt.get(name)
            if option is not None and value is not None and not option.takes_value:
                set_flag(option, value, state)
            else:
                match_long(name, value, state)

        def short(word: str, state: Any) -> None:
            letters, equals, value = word[1:].partition("=")
            options = [parser._short_opt.get("-" + letter) for letter in letters]
            if not equals or not value or any(option is None or option.takes_value for option in options[:-1]):
                match_short(word, state)
                return
            if letters[:-1]:
                match_short("-" + letters[:-1], state)
            if options[-1] is not None and not options[-1].takes_value:
                set_flag(options[-1], value, state)
            else:
                match_short("-" + letters[-1] + value, state)

        parser._match_long_opt, parser._match_short_opt = long, short
        return parser


class PflagCommand(_PflagRules, TyperCommand):
    """A command that reads its words by pflag's rules."""


class PflagGroup(_PflagRules, TyperGroup):
    """A group that reads its words by pflag's rules."""
