"""Every option of every command means the same to the everyday parser and to Typer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from podpy.cli import declare
from podpy.cli.declare.globals import GLOBAL_OPTIONS, PERSISTENT_OPTIONS
from podpy.cli.declare.model import Command, Option
from podpy.cli.parser import tables, typer_app
from podpy.cli.parser.options import Options
from podpy.cli.parser.parse import parse

TABLE = tables.from_declarations()
SAMPLES = {
    "string": ["value", "with=equals", "-starts-with-a-dash"],
    "int": ["7", "-1", "0x10"],
    "uint": ["7"],
    "float": ["1.5"],
    "array": ["a,b"],
    "list": ["a,b", '"a,b",c'],
    "uints": ["3,4"],
    "duration": ["1h30m"],
}
READABLE = [command for command in declare.COMMANDS if not command.refuse]


def everything(options: Options) -> dict[str, object]:
    values = {name: value for name, value in vars(options).items() if name not in ("globals", "argv")}
    return {**values, "globals": vars(options.globals)}


@cache
def typer_reader(path: str) -> typer_app.Reader:
    return typer_app.Reader(path)


def both_readers(argv: list[str]) -> dict[str, object]:
    """Return what the everyday parser reads, after asserting that Typer reads the same."""
    everyday, _row = parse(argv, TABLE)
    typed = typer_reader(everyday.path).read(argv)
    assert everything(typed) == everything(everyday), argv
    return everything(everyday)


def spellings(option: Option) -> Iterator[list[str]]:
    """Yield command line words that give the option a value, in every way that pflag knows."""
    names = (*option.names, *option.aliases)
    if option.kind in ("bool", "switch"):
        for name in names:
            yield [name]
            yield [f"{name}=false"]
            yield [f"{name}=T"]
        return
    values = list(option.choices) or SAMPLES[option.kind]
    for name in names:
        for value in values:
            if option.bare is None:  # else, without =, the next word is none of its own (pflag), which Typer can't
                yield [name, value]
            yield [f"{name}={value}"]
            if len(name) == 2:
                yield [name + value]


def arguments(command: Command) -> list[str]:
    return [argument.name for argument in command.arguments]


@pytest.mark.parametrize("command", READABLE, ids=lambda command: command.path)
def test_every_option_of_every_command_in_every_spelling(command: Command) -> None:
    for option in command.options:
        if option.refuse or option.attribute in ("latest", "all", "cidfile", "filter", "running"):
            continue  # they exclude arguments; see the tests below
        for words in spellings(option):
            seen = both_readers([*command.path.split(), *words, *arguments(command)])
            assert option.attribute in seen["_given"], words  # type: ignore[operator]


@pytest.mark.parametrize("name", ["all", "latest", "cidfile", "filter", "running"])
def test_options_that_stand_for_containers_need_no_names(name: str) -> None:
    for command in READABLE:
        option = next((o for o in command.options if o.attribute == name), None)
        if option is None or any(argument.required for argument in command.arguments):
            continue
        rest = ["true"] if command.path == "exec" else []
        for words in spellings(option):
            if words[0].endswith(("=false", "=")):
                continue
            both_readers([*command.path.split(), *words, *rest])


@pytest.mark.parametrize("option", [o for o in GLOBAL_OPTIONS if not o.refuse], ids=lambda option: option.names[0])
def test_every_global_option_before_the_command(option: Option) -> None:
    for words in spellings(option):
        seen = both_readers([*words, "ps"])
        assert option.attribute in seen["globals"]["_given"]  # type: ignore[index]


@pytest.mark.parametrize("option", [o for o in PERSISTENT_OPTIONS if not o.refuse], ids=lambda option: option.names[0])
def test_persistent_options_also_after_the_command(option: Option) -> None:
    for words in spellings(option):
        seen = both_readers(["run", *words, "image"])
        assert option.attribute in seen["globals"]["_given"]  # type: ignore[index]


@pytest.mark.parametrize(
    "line",
    [
        "run -it image",
        "run -itd --rm image sh -c true",
        "run -eA=b -e=C=d -e E --env=F=g --env H=i image",
        "run -p8080:80 -p 9090:90,91:91 --publish=1:1 image",
        "run -d=false -it=false image",
        "run --sig-proxy=false --rm=0 image",
        "run image --rm -it --foo",
        "run -- image --rm",
        "run -i -- image -- --rm",
        "exec -it ctr ls -l --color",
        "exec -w /tmp -u 0:0 ctr pwd",
        "top ctr -ef",
        "ps -aq",
        "ps -a -n 3 --sort id",
        "ps --last=-1 --filter label=a=b -f status=exited",
        "stop one two -t 3 three",
        "stop -t3 one",
        "stop --time=-1 one",
        "logs -ft --tail 10 one",
        "rm -fv one -- -two",
        "container ls -a",
        "container rm one",
        "image list",
        "--log-level debug container --root /x ls",
        "tag one two three",
        "rename one two",
        "wait --condition running,exited --condition=paused one",
        "run --env-file a --label b=c -l d=e image -",
    ],
)
def test_whole_command_lines(line: str) -> None:
    both_readers(line.split(" "))


def test_the_compiled_table_says_what_the_declarations_say() -> None:
    from podpy.cli.parser import compile

    space: dict[str, object] = {}
    exec(compile.text(), space)
    made = tables.Table(space["COMMANDS"], space["GLOBALS"], space["PERSISTENT"], space["GROUPS"])  # type: ignore[arg-type]
    assert made.globals == TABLE.globals
    assert made.persistent == TABLE.persistent
    assert made.groups == TABLE.groups
    assert {path: made.resolve(path) for path in made.commands} == {
        path: TABLE.resolve(path) for path in TABLE.commands
    }
