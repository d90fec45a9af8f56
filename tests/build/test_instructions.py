"""A Dockerfile is read as BuildKit reads it, and every error names file, line and column."""

from __future__ import annotations

from typing import Any

import pytest

from podpy.build.reading.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Heredoc,
    Instruction,
    Onbuild,
    Run,
)
from podpy.build.reading.parser import parse
from podpy.errors import BuildFileError

SECOND = 1_000_000_000


def only(text: str) -> Any:
    """Return the one instruction after FROM."""
    (_, instruction) = parse(f"FROM x\n{text}".encode(), "Dockerfile").instructions
    return instruction


def error_of(text: str) -> tuple[str, str]:
    """Return the message and the hint of the error about a Dockerfile."""
    with pytest.raises(BuildFileError) as caught:
        parse(text.encode("utf-8", "surrogateescape"), "Dockerfile")
    return caught.value.message, caught.value.hint


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("RUN echo a  b", {"command": "echo a  b"}),
    ('RUN ["echo", "a b"]', {"command": ("echo", "a b")}),
    ("RUN ['echo']", {"command": "['echo']"}),
    ('RUN ["a", "b"', {"command": '["a", "b"'}),
    ("RUN --network=none --mount=type=cache,target=/c --mount=type=ssh a",
     {"network": "none", "mounts": ("type=cache,target=/c", "type=ssh"), "command": "a"}),
    ("RUN -- a", {"command": "a"}),
    ("RUN echo --network=none", {"network": "", "command": "echo --network=none"}),
    ('RUN ["\\ud800"]', {"command": ("\ufffd",)}),
    ('CMD ["sh"]', {"command": ("sh",)}),
    ("CMD echo a", {"command": "echo a"}),
    ("CMD []", {"command": ()}),
    ("CMD", {"command": ""}),
    ("ENTRYPOINT []", {"command": ()}),
    ("ENTRYPOINT", {"command": ""}),
    ("COPY a b /c/", {"sources": ("a", "b"), "destination": "/c/", "from_": "", "link": False}),
    ('COPY ["a b", "/c"]', {"sources": ("a b",), "destination": "/c"}),
    ('COPY --from=base --chown=1:2 --chmod=755 --link --parents --exclude=*.o --exclude=*.a a /b',
     {"from_": "base", "chown": "1:2", "chmod": "755", "link": True, "parents": True, "exclude": ("*.o", "*.a")}),
    ("COPY --link=false a /b", {"link": False}),
    ('COPY --from="b" a /b', {"from_": "b"}),
    ("ADD --checksum=sha256:0 --keep-git-dir --unpack=false a /b",
     {"checksum": "sha256:0", "keep_git_dir": True, "unpack": False}),
    ("ADD a /b", {"keep_git_dir": None, "unpack": None}),
    ("EXPOSE 80 443/udp $P", {"ports": ("80", "443/udp", "$P")}),
    ("USER 1:2", {"user": "1:2"}),
    ("WORKDIR /a b", {"path": "/a b"}),
    ("VOLUME /a /b", {"paths": ("/a", "/b")}),
    ('VOLUME ["/a b"]', {"paths": ("/a b",)}),
    ('SHELL ["/bin/bash", "-c"]', {"words": ("/bin/bash", "-c")}),
    ("STOPSIGNAL SIGINT", {"signal": "SIGINT"}),
    ("MAINTAINER me <me@example.com>", {"name": "me <me@example.com>"}),
    ("HEALTHCHECK NONE", {"test": ("NONE",)}),
    ("HEALTHCHECK --interval=5s --retries=3 CMD curl x",
     {"test": ("CMD-SHELL", "curl x"), "interval": 5 * SECOND, "retries": 3, "timeout": 0}),
    ('HEALTHCHECK --start-period=1m --start-interval=1s --timeout=2s cmd ["a"]',
     {"test": ("CMD", "a"), "start_period": 60 * SECOND, "start_interval": SECOND, "timeout": 2 * SECOND}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields"), FORMS)
def test_each_form_of_an_instruction_is_read(text: str, fields: dict[str, Any]) -> None:
    instruction = only(text)
    assert type(instruction).__name__.upper() == text.split()[0].upper()
    assert {name: getattr(instruction, name) for name in fields} == fields


PAIRS: list[tuple[str, list[tuple[str, str | None]]]] = [
    ("ENV a=b", [("a", "b")]),
    ('ENV a="b c" d=e\\ f', [("a", '"b c"'), ("d", "e\\ f")]),
    ("ENV a='b c'd e=", [("a", "'b c'd"), ("e", "")]),
    ("ENV key the  value", [("key", "the  value")]),
    ("ENV key a=b", [("key", "a=b")]),
    ("LABEL a=b \\\n  c=d", [("a", "b"), ("c", "d")]),
    ('LABEL "a b"=c', [('"a b"', "c")]),
    ("ARG a", [("a", None)]),
    ("ARG a= b=1 c", [("a", ""), ("b", "1"), ("c", None)]),
]


@pytest.mark.parametrize(("text", "pairs"), PAIRS)
def test_pairs_keep_their_quotes_until_they_are_expanded(text: str, pairs: list[tuple[str, str | None]]) -> None:
    assert [(pair.key, pair.value) for pair in only(text).pairs] == pairs


def test_a_stage_has_image_platform_and_a_name_in_lower_case() -> None:
    first, second = parse(b"ARG V=1\nfrom --platform=$BUILDPLATFORM alpine:$V as Base\nRUN x\n", "f").instructions[:2]
    assert isinstance(first, Arg)
    assert isinstance(second, From)
    assert (second.image, second.platform, second.name) == ("alpine:$V", "$BUILDPLATFORM", "base")
    assert second.keyword == "from"


LINES: list[tuple[str, str]] = [
    ("RUN a \\\n  b", "a   b"),
    ("RUN a \\  \n b", "a  b"),
    ("RUN a \\\n# no\n  # no\n b", "a  b"),
    ("RUN a \\\n\n b", "a  b"),
    ("RUN a \\\\\nUSER x", "a \\\\"),
    ("RUN a\r\n", "a"),
    ("   RUN a", "a"),
    ("\tRUN\ta", "a"),
    ("RUN a # no comment", "a # no comment"),
    ("RUN \\\na", "a"),
    ("RUN a \\", "a"),
]


@pytest.mark.parametrize(("text", "command"), LINES)
def test_continuation_lines_and_comments(text: str, command: str) -> None:
    assert parse(f"FROM x\n{text}".encode(), "f").instructions[1].command == command  # type: ignore[attr-defined]


def test_the_escape_character_can_be_another_one() -> None:
    file = parse(b"#escape=`\nFROM x\nRUN a `\n  b c:\\\nRUN `\n x", "f")
    assert [run.command for run in file.instructions[1:] if isinstance(run, Run)] == ["a   b c:\\", "x"]
    assert file.directives == {"escape": "`"}


def test_directives_stand_at_the_top_in_any_order() -> None:
    file = parse(
        b"\xef\xbb\xbf# Syntax = docker/dockerfile:1\r\n# check=skip=all;error=true\n# x\n# escape=`\nFROM x", "f"
    )
    assert file.directives == {"syntax": "docker/dockerfile:1", "check": "skip=all;error=true"}


def test_a_document_is_the_script_of_run() -> None:
    run = only("RUN <<EOF\n  echo a\n\nEOF\n")
    assert run.heredocs == (Heredoc(name="EOF", text="  echo a\n\n", expand=True, chomp=False),)
    assert run.script == "  echo a\n\n"
    assert not run.is_program


def test_a_document_with_an_interpreter_is_a_program() -> None:
    assert only("RUN <<EOF\n#!/usr/bin/python\nx\nEOF\n").is_program


def test_a_document_after_a_command_stays_the_shells() -> None:
    run = only("RUN cat <<A 3<<-'B' && x\na\nA\n\tb\n\tB\n")
    assert [document.name for document in run.heredocs] == ["A", "B"]
    assert run.script == "cat <<A 3<<-'B' && x\na\nA\n\tb\nB"
    assert not run.is_program


@pytest.mark.parametrize("text", ["RUN echo 'a <<EOF'", "RUN echo $((1 << 2))", "RUN cat <<< word", "CMD cat <<EOF"])
def test_what_is_no_document(text: str) -> None:
    instruction = only(text)
    assert isinstance(instruction, Run | Cmd)
    assert not getattr(instruction, "heredocs", ())


def test_what_ends_a_word_in_a_shell_ends_a_documents_name() -> None:
    run = only("RUN cat <<A; (cat <<B) | wc\na\nA\nb\nB\n")
    assert [document.text for document in run.heredocs] == ["a\n", "b\n"]


def test_documents_are_files_for_copy() -> None:
    copy = only('COPY --chmod=600 <<a x <<-"b" /d/\n$A\na\n\tB\n\tb\n')
    assert isinstance(copy, Copy)
    assert (copy.sources, copy.destination) == (("x",), "/d/")
    assert [(one.name, one.content, one.expand) for one in copy.documents] == [("a", "$A\n", True), ("b", "B\n", False)]


def test_add_takes_documents_too() -> None:
    add = only("ADD << EOF /x\nhi\nEOF\n")
    assert isinstance(add, Add)
    assert [one.content for one in add.documents] == ["hi\n"]
    assert add.sources == ()


def test_onbuild_has_its_text_and_its_instruction() -> None:
    onbuild = only("onbuild  RUN  cat <<EOF\nhi\nEOF\n")
    assert isinstance(onbuild, Onbuild)
    assert onbuild.expression == "RUN  cat <<EOF\nhi\nEOF"
    assert isinstance(onbuild.instruction, Run)
    assert onbuild.instruction.script == "cat <<EOF\nhi\nEOF"


ERRORS: list[tuple[str, str, str]] = [
    ("FROM x\nRNU a", "2:1: unknown instruction: RNU", "Did you mean RUN?"),
    ("FROM x\nCOPY \\\n  --form=x a b", "3:3: unknown flag: --form", "Did you mean --from?"),
    ("FROM x\nCOPY --from=a --from=b a b", "2:6: duplicate flag specified: --from", ""),
    ("FROM x\nCOPY --from a b", "2:6: missing a value on flag: --from", ""),
    ("FROM x\nCOPY --link=x a b", "2:6: expecting boolean value for flag --link, not: x", ""),
    ("FROM x\nUSER --foo=1 a", "2:6: unknown flag: --foo", ""),
    ("FROM x\nRUN", "2:1: RUN requires at least one argument", ""),
    ("FROM x\nRUN <<EOF\nhi", "2:5: unterminated heredoc", "Its last line is EOF"),
    ("FROM x\nRUN [1]", "2:1: when using JSON array syntax, arrays must be comprised of strings only", ""),
    ("FROM x\nENV a", "2:5: ENV must have two arguments", ""),
    ("FROM x\nENV a=b c", '2:9: Syntax error - can\'t find = in "c". Must be of the form: name=value', ""),
    ("FROM x\nCOPY a", "2:1: COPY requires at least two arguments, but only one was provided. "
     "Destination could not be determined", ""),
    ("FROM x\nCOPY a <<EOF\nEOF", "2:8: COPY cannot accept a heredoc as a destination", ""),
    ("FROM x y", "1:1: FROM requires either one or three arguments", "FROM IMAGE, or FROM IMAGE AS NAME"),
    ("FROM x AS 1a",
     '1:11: invalid name for build stage: "1a", name can\'t start with a number or contain symbols', ""),
    ("RUN x", "1:1: no build stage in current context", "Only ARG may stand before FROM"),
    ("ARG x", "1:1: no build stage in current context", "A Dockerfile needs a FROM"),
    ("# only\n\n", "2:1: file with no instructions", ""),
    ("", "1:1: file with no instructions", ""),
    ("FROM x\nSHELL sh -c",
     '2:1: SHELL requires the arguments to be in JSON form, as in SHELL ["/bin/bash", "-c"]', ""),
    ("FROM x\nHEALTHCHECK CMD", "2:1: Missing command after HEALTHCHECK CMD", ""),
    ("FROM x\nHEALTHCHECK FOO a", '2:13: Unknown type "FOO" in HEALTHCHECK (try CMD)', ""),
    ("FROM x\nHEALTHCHECK --interval=5 CMD a", '2:24: time: missing unit in duration "5"', ""),
    ("FROM x\nHEALTHCHECK --interval=1us CMD a", '2:24: Interval "interval" cannot be less than 1ms', ""),
    ("FROM x\nHEALTHCHECK --retries=-1 CMD a", "2:23: --retries cannot be negative (-1)", ""),
    ("FROM x\nONBUILD ONBUILD RUN a", "2:9: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", ""),
    ("FROM x\nONBUILD FROM a", "2:9: FROM isn't allowed as an ONBUILD trigger", ""),
    ("FROM x\nONBUILD \\\n  RUN --foo a", "3:7: unknown flag: --foo", ""),
    ("# escape=x\nFROM x", "1:10: invalid escape token 'x' does not match ` or \\", ""),
    ("# syntax=a\n# syntax=b\nFROM x", "2:1: only one syntax parser directive can be used", ""),
    ("FROM x\nRUN a\0b", "2:1: an instruction can't have a NUL byte", ""),
    ("FROM x\nRUN --network=foo a", '2:5: invalid network mode "foo"', "Use default, none or host"),
    ("# syntax=r2d4/mocker\nFROM x", "1:1: the syntax r2d4/mocker is not supported",
     "podpy reads docker/dockerfile's, and runs no frontends"),
    ('FROM x\nVOLUME [""]', "2:1: VOLUME specified can not be an empty string", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), ERRORS)
def test_an_error_names_file_line_and_column(text: str, message: str, hint: str) -> None:
    assert error_of(text) == (f"Dockerfile:{message}", hint)


def test_an_error_found_later_finds_its_place_by_the_word() -> None:
    env: Instruction = only("ENV a=1 \\\n  b=${c")
    assert isinstance(env, Env)
    assert env.wrong("bad substitution", "${c").message == "Dockerfile:3:5: bad substitution"


def test_a_file_has_a_limit() -> None:
    assert "at most 1 MiB" in error_of("#" * (1 << 20) + "\nFROM x")[0]


def test_bytes_that_are_no_text_are_kept() -> None:
    instruction = parse(b"FROM x\n# \xff\nCMD echo \xff", "f").instructions[1]
    assert isinstance(instruction, Cmd)
    assert str(instruction.command).encode("utf-8", "surrogateescape") == b"echo \xff"


def test_kinds_of_instructions_are_told_apart() -> None:
    assert isinstance(only("ENTRYPOINT a"), Entrypoint)
    assert isinstance(only("EXPOSE 1"), Expose)
    assert isinstance(only("HEALTHCHECK NONE"), Healthcheck)
