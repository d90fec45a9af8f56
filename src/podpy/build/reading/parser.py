"""A whole Dockerfile → its instructions.

Everything that needs no variables is checked here, before the first step runs.
"""

from __future__ import annotations

import re

from podpy.build.reading.flags import Flags
from podpy.build.reading.forms import FormError, blank_words, json_words, pairs, split_command, words_of
from podpy.build.reading.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Pair,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from podpy.build.reading.lines import Line, Text, heredoc_word, split
from podpy.errors import BuildFileError
from podpy.go.values import nanoseconds
from podpy.suggest import near

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
_LONGEST_WORD = 40  # of those that are compared with known ones
_MILLISECOND = 1_000_000
_MOST_RETRIES = (1 << 31) - 1


def parse(data: bytes, file: str) -> Dockerfile:
    """Return what a Dockerfile says. `file` is its name in errors. Raises BuildFileError."""
    text = split(data, file)
    _check_syntax(text, file)
    instructions = [_instruction(line, text.escape) for line in text.lines]
    _check_order(instructions)
    return Dockerfile(
        file=file, directives=text.directives, instructions=tuple(instructions), warnings=tuple(text.warnings)
    )


def parse_trigger(expression: str, image: str) -> tuple[Instruction, ...]:
    """Return the instructions of an ONBUILD that an image has. `image` is its name in errors. Raises BuildFileError."""
    text = split(expression.encode("utf-8", "surrogateescape"), image)
    instructions = [_instruction(line, text.escape) for line in text.lines]
    for instruction in instructions:
        if instruction.NAME in _NO_TRIGGERS:
            raise instruction.wrong(f"{instruction.NAME} isn't allowed as an ONBUILD trigger")
    return tuple(instructions)


def _check_syntax(text: Text, file: str) -> None:
    """Refuse a language of its own: its program is an image that somebody else made."""
    syntax = text.directives.get("syntax", "").split(" ")[0]
    if syntax and not syntax.rpartition("/")[2].startswith("dockerfile"):
        told = f"the syntax {syntax} is not supported"
        raise BuildFileError.at(file, 1, 1, told, hint="podpy reads docker/dockerfile's, and runs no frontends")


def _check_order(instructions: list[Instruction]) -> None:
    first = next((one for one in instructions if not isinstance(one, Arg)), None)
    if first is None:
        raise instructions[0].wrong("no build stage in current context", hint="A Dockerfile needs a FROM")
    if not isinstance(first, From):
        raise first.wrong("no build stage in current context", hint="Only ARG may stand before FROM")


def _instruction(line: Line, escape: str) -> Instruction:
    keyword, flags, rest = split_command(line.text, escape)
    read = _READERS.get(keyword.upper())
    try:
        if read is None:
            raise FormError(
                f"unknown instruction: {keyword}", keyword, near=near(keyword[:_LONGEST_WORD].upper(), _READERS)
            )
        return read(_Words(line, keyword, flags, rest, escape))
    except FormError as error:
        offset = max(line.text.find(error.word), 0)
        raise line.place.wrong(offset, error.message, hint=error.hint) from None


class _Words:
    """An instruction's words on their way into an object."""

    def __init__(self, line: Line, keyword: str, flags: list[str], rest: str, escape: str) -> None:
        self.line = line
        self.name = keyword.upper()
        self.rest = rest
        self.escape = escape
        self.flags = Flags(self.name, flags)
        self.common: dict[str, Any] = {
            "place": line.place, "original": line.text.strip(), "keyword": keyword, "escape": escape,
            "comments": line.comments,
        }  # fmt: skip

    def one(self) -> str:
        if not self.rest:
            raise FormError(f"{self.name} requires exactly one argument")
        return self.rest

    def some(self, words: list[str]) -> tuple[str, ...]:
        if not words:
            raise FormError(f"{self.name} requires at least one argument")
        return tuple(words)

    def command(self) -> str | tuple[str, ...]:
        words = json_words(self.rest)
        return self.rest if words is None else tuple(words)

    def listed(self) -> list[str]:
        words = json_words(self.rest)
        return blank_words(self.rest) if words is None else words


def _from(words: _Words) -> From:
    parts = blank_words(words.rest)
    name = ""
    if len(parts) == 3 and parts[1].lower() == "as":
        name = parts[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            told = f'invalid name for build stage: "{parts[2]}", name can\'t start with a number or contain symbols'
            raise FormError(told, parts[2])
    elif len(parts) != 1:
        raise FormError("FROM requires either one or three arguments", hint="FROM IMAGE, or FROM IMAGE AS NAME")
    return From(**words.common, image=parts[0], platform=words.flags.text("platform"), name=name)


def _run(words: _Words) -> Run:
    command = words.command()
    if not command:
        raise FormError("RUN requires at least one argument")
    flags = words.flags
    network, security = flags.text("network"), flags.text("security")
    if network not in ("", "default", "none", "host"):
        raise FormError(f'invalid network mode "{network}"', f"--network={network}", hint="Use default, none or host")
    if security not in ("", "sandbox", "insecure"):
        raise FormError(f'security "{security}" is not valid', f"--security={security}", hint="Use sandbox")
    return Run(
        **words.common, command=command, heredocs=words.line.heredocs, mounts=flags.texts("mount"),
        network=network, security=security, devices=flags.texts("device"),
    )  # fmt: skip


def _transfer(words: _Words) -> dict[str, Any]:
    """Return the fields that COPY and ADD have in common."""
    listed = words.listed()
    if len(listed) < 2:
        told = "requires at least two arguments, but only one was provided. Destination could not be determined"
        raise FormError(f"{words.name} {told}")
    *sources, destination = _joined_heredocs(listed)
    if heredoc_word(destination) and words.line.heredocs:
        raise FormError(f"{words.name} cannot accept a heredoc as a destination", destination)
    by_name = {document.name: document for document in words.line.heredocs}
    files: list[str] = []
    documents: list[Heredoc] = []
    for source in sources:
        begin = heredoc_word(source)
        if begin and begin[0] in by_name:
            documents.append(by_name[begin[0]])
        else:
            files.append(source)
    flags = words.flags
    return {
        **words.common, "sources": tuple(files), "documents": tuple(documents), "destination": destination,
        "chown": flags.text("chown"), "chmod": flags.text("chmod"), "link": flags.boolean("link") or False,
        "exclude": flags.texts("exclude"),
    }  # fmt: skip


def _joined_heredocs(words: list[str]) -> list[str]:
    """Return the words with `<<` and a name after a blank as one: `COPY << EOF /x`."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in ("<<", "<<-"):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _copy(words: _Words) -> Copy:
    fields = _transfer(words)
    flags = words.flags
    return Copy(**fields, from_=flags.text("from"), parents=flags.boolean("parents") or False)


def _add(words: _Words) -> Add:
    fields = _transfer(words)
    flags = words.flags
    return Add(
        **fields, checksum=flags.text("checksum"), keep_git_dir=flags.boolean("keep-git-dir"),
        unpack=flags.boolean("unpack"),
    )  # fmt: skip


def _arg(words: _Words) -> Arg:
    found = []
    for word in words.some(words_of(words.rest, words.escape)):
        key, sign, value = word.partition("=")
        if not key:
            raise FormError("ARG names can not be blank", word)
        found.append(Pair(key=key, value=value if sign else None))
    return Arg(**words.common, pairs=tuple(found))


def _volume(words: _Words) -> Volume:
    paths = [path.strip() for path in words.some(words.listed())]
    if "" in paths:
        raise FormError("VOLUME specified can not be an empty string")
    return Volume(**words.common, paths=tuple(paths))


def _shell(words: _Words) -> Shell:
    listed = json_words(words.rest)
    if listed is None and words.rest:
        raise FormError('SHELL requires the arguments to be in JSON form, as in SHELL ["/bin/bash", "-c"]')
    return Shell(**words.common, words=words.some(listed or []))


def _healthcheck(words: _Words) -> Healthcheck:
    parts = words.some(words.rest.split(None, 1))
    kind, rest = parts[0].upper(), "".join(parts[1:])
    if kind == "NONE":
        if rest:
            raise FormError("HEALTHCHECK NONE takes no arguments", rest)
        return Healthcheck(**words.common, test=("NONE",))
    if kind != "CMD":
        raise FormError(f'Unknown type "{kind}" in HEALTHCHECK (try CMD)', parts[0])
    listed = json_words(rest)
    if not rest or listed == []:
        raise FormError("Missing command after HEALTHCHECK CMD")
    test = ("CMD-SHELL", rest) if listed is None else ("CMD", *listed)
    times: dict[str, Any] = {
        flag.replace("-", "_"): _time(words.flags, flag)
        for flag in ("interval", "timeout", "start-period", "start-interval")
    }
    return Healthcheck(**words.common, test=test, **times, retries=_retries(words.flags.text("retries")))


def _time(flags: Flags, name: str) -> int:
    text = flags.text(name)
    try:
        value = nanoseconds(text) if text else 0
    except ValueError as error:
        raise FormError(str(error), text) from None
    if value and value < _MILLISECOND:
        raise FormError(f'Interval "{name}" cannot be less than 1ms', text)
    return value


def _retries(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or int(text) > _MOST_RETRIES:
        raise FormError(f'strconv.ParseInt: parsing "{text}": invalid syntax', text)
    if int(text) < 0:
        raise FormError(f"--retries cannot be negative ({text})", text)
    return int(text)


_NO_TRIGGERS = ("ONBUILD", "MAINTAINER", "FROM")


def _onbuild(words: _Words) -> Onbuild:
    keyword = words.some(words.rest.split(None, 1))[0].upper()
    if keyword == "ONBUILD":
        raise FormError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", words.rest)
    if keyword in _NO_TRIGGERS:
        raise FormError(f"{keyword} isn't allowed as an ONBUILD trigger", words.rest)
    text = re.sub(r"(?i)^\s*ONBUILD\s*", "", words.line.text)
    offset = len(words.line.text) - len(text)
    place = words.line.place
    spans = tuple([(start - offset, line, column) for start, line, column in place.spans])
    inner = words.line.replace(text=text, place=place.replace(spans=spans))
    documents = [f"\n{document.text}{document.name}" for document in words.line.heredocs]
    return Onbuild(
        **words.common, expression="".join([text, *documents]), instruction=_instruction(inner, words.escape)
    )


_READERS: dict[str, Callable[[_Words], Instruction]] = {
    "ADD": _add,
    "ARG": _arg,
    "CMD": lambda words: Cmd(**words.common, command=words.command()),
    "COPY": _copy,
    "ENTRYPOINT": lambda words: Entrypoint(**words.common, command=words.command()),
    "ENV": lambda words: Env(**words.common, pairs=tuple(pairs(words.rest, "ENV", words.escape))),
    "EXPOSE": lambda words: Expose(**words.common, ports=words.some(blank_words(words.rest))),
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": lambda words: Label(**words.common, pairs=tuple(pairs(words.rest, "LABEL", words.escape))),
    "MAINTAINER": lambda words: Maintainer(**words.common, name=words.one()),
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": lambda words: Stopsignal(**words.common, signal=words.one()),
    "USER": lambda words: User(**words.common, user=words.one()),
    "VOLUME": _volume,
    "WORKDIR": lambda words: Workdir(**words.common, path=words.one()),
}
