"""Variables in a Dockerfile mean what they mean in a shell."""

from __future__ import annotations

import os
import random
import subprocess
import time

import pytest

from podpy.build.reading.parser import parse
from podpy.build.reading.variables import expanded, expanded_document, expanded_words
from podpy.errors import BuildFileError
from tests.build.building import Builder

VALUES = {"x": "usr/lib/aaa/c", "e": "", "s": "a  b", "star": "a*b", "q": "'\"", "name": "hello.tar.gz", "n": "a\nb"}
PLAIN = parse(b"FROM x\nUSER x", "f").instructions[1]
BACKTICK = parse(b"# escape=`\nFROM x\nUSER x", "f").instructions[1]

CASES = [
    ("$x", "usr/lib/aaa/c"), ("${x}", "usr/lib/aaa/c"), ("a${x}b", "ausr/lib/aaa/cb"), ("$e", ""), ("$u", ""),
    ("$xy", ""), ("${x}y", "usr/lib/aaa/cy"), ("$x-y", "usr/lib/aaa/c-y"),
    # defaults
    ("${x:-d}", "usr/lib/aaa/c"), ("${u:-d}", "d"), ("${e:-d}", "d"), ("${x-d}", "usr/lib/aaa/c"), ("${u-d}", "d"),
    ("${e-d}", ""), ("${x:+d}", "d"), ("${u:+d}", ""), ("${e:+d}", ""), ("${x+d}", "d"), ("${u+d}", ""),
    ("${e+d}", "d"), ("${x:?m}", "usr/lib/aaa/c"), ("${x?m}", "usr/lib/aaa/c"), ("${e?m}", ""), ("${u:-}", ""),
    ("${u:-${x}}", "usr/lib/aaa/c"), ("${u:-${v:-${w:-z}}}", "z"), ('${u:-"a b"}', "a b"), ("${u:-'$x'}", "$x"),
    ("${u:-\\}}", "}"), ("${u:-$s}", "a  b"),
    # prefixes and suffixes
    ("${x#*/}", "lib/aaa/c"), ("${x##*/}", "c"), ("${x%/*}", "usr/lib/aaa"), ("${x%%/*}", "usr"),
    ("${x#usr}", "/lib/aaa/c"),
    ("${x#lib}", "usr/lib/aaa/c"), ("${x#}", "usr/lib/aaa/c"), ("${x#?s?}", "/lib/aaa/c"), ("${x%a*}", "usr/lib/aa"),
    ("${x%%a*}", "usr/lib/"), ("${star#a\\*}", "b"), ("${star#a\\?}", "a*b"), ("${name%.*}", "hello.tar"),
    ("${name%%.*}", "hello"), ("${name##*.}", "gz"), ("${name#*.}", "tar.gz"), ("${x#$e}", "usr/lib/aaa/c"),
    ("${x#${x%%/*}}", "/lib/aaa/c"), ("${u#a}", ""), ("${n#a?}", "b"), ("${x##*}", ""), ("${x%%*}", ""),
    # replacements
    ("${x/a/b}", "usr/lib/baa/c"), ("${x//a/b}", "usr/lib/bbb/c"), ("${x/a*/Q}", "usr/lib/Q"),
    ("${x//a/}", "usr/lib//c"),
    ("${x/\\//_}", "usr_lib/aaa/c"), ("${x//\\//_}", "usr_lib_aaa_c"), ("${x/?/Q}", "Qsr/lib/aaa/c"),
    ("${x/z/Q}", "usr/lib/aaa/c"),
    ("${x//aa/b}", "usr/lib/ba/c"), ("${x/a/$e}", "usr/lib/aa/c"), ("${x//\\*/Q}", "usr/lib/aaa/c"), ("${x//*/Q}", "Q"),
    # quotes and escapes
    ("'$x'", "$x"), ('"$x"', "usr/lib/aaa/c"), ("\\$x", "$x"), ('"\\$x"', "$x"), ("a\\ b", "a b"), ('"a\\b"', "a\\b"),
    ("a\\b", "ab"), ('"\\""', '"'), ("'a'\"b\"c", "abc"), ("$q", "'\""), ("'\\'", "\\"), ("\\\\", "\\"),
    ("a\\", "a"), ('""', ""),
    ("$(id)", "$(id)"), ("`id`", "`id`"), ("$", "$"), ("a$", "a$"), ("$/", "$/"), ("$.", "$."),
    ("$1", ""), ("$12a", "a"),
    ("$@", ""),
    ("é$x", "éusr/lib/aaa/c"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "result"), CASES)
def test_each_form_has_its_value(text: str, result: str) -> None:
    assert expanded(PLAIN, text, VALUES) == result


IN_NO_SHELL = ("$xy", "$12a", "$1", "$@")


@pytest.mark.parametrize(("text", "result"), [
    case for case in CASES
    if "\\/" not in case[0] and case[0] not in ("a\\", "`id`", "$(id)", "${u:-'$x'}", *IN_NO_SHELL)
])  # fmt: skip
def test_a_shell_gives_the_same_value(text: str, result: str) -> None:
    word = (
        text
        if text[:1] in "'\"\\" or text.count('"') % 2 or "'" in text or "\\" in text or '"' in text
        else f'"{text}"'
    )
    script = f"printf %s {word}"
    environment = {**VALUES, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    answer = subprocess.run(
        ["bash", "-f", "-c", f"IFS=; {script}"], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout == result


ERRORS = [
    ("${x", "syntax error: missing '}'"), ("${", "syntax error: missing '}'"),
    ("${}", "syntax error: bad substitution"),
    ("${:x}", "syntax error: bad substitution"), ("${{x}}", "syntax error: bad substitution"),
    ("${x^^}", "unsupported modifier (^) in substitution"), ("${x:1}", "unsupported modifier (:1) in substitution"),
    ("${x:#a}", "unsupported modifier (:#) in substitution"), ("${x:-a", "syntax error: missing '}'"),
    ("${u:?must}", "u: must"), ("${u?}", "u: is not allowed to be unset"),
    ("${e:?}", "e: is not allowed to be empty"),
    ("'a", "unexpected end of statement while looking for matching single-quote"),
    ('"a', "unexpected end of statement while looking for matching double-quote"),
    ("${x/a}", "syntax error: missing '/' in ${}"), ("${x/a/b", "syntax error: missing '}'"),
    ("${x#\\a}", "invalid pattern (\\a) in substitution: invalid escape '\\a'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), ERRORS)
def test_what_makes_no_sense_is_an_error_with_its_place(text: str, reason: str) -> None:
    env = parse(f"FROM y\nENV a=1 \\\n b={text}".encode(), "Dockerfile").instructions[1]
    with pytest.raises(BuildFileError) as caught:
        expanded(env, text, VALUES)
    assert caught.value.message == f'Dockerfile:3:4: failed to process "{text}": {reason}'


def test_the_escape_character_is_the_files() -> None:
    assert expanded(BACKTICK, "c:\\x`$x", VALUES) == "c:\\x$x"
    assert expanded(BACKTICK, "${x%/*}", VALUES) == "usr/lib/aaa"


def test_words_are_separated_by_blanks_that_are_not_quoted() -> None:
    assert expanded_words(PLAIN, '$s "$s" c\\ d $e ""', VALUES) == ["a", "b", "a  b", "c d"]


def test_quotes_are_text_in_a_document() -> None:
    assert expanded_document(PLAIN, "a \"$x\" '${u:-d}' \\$x\n", VALUES) == "a \"usr/lib/aaa/c\" 'd' $x\n"


def test_names_without_a_value_are_told_unless_there_is_a_default() -> None:
    unknown: set[str] = set()
    expanded(PLAIN, "$a ${b} ${c:-d} ${d:+$f} ${x:-$g} ${u:-$h} '$i'", VALUES, unknown)
    assert unknown == {"a", "b", "h"}


@pytest.mark.parametrize(
    "text", ["${u:-" * 100_000, "$x" * 200_000, "${x//a/" + "b" * 600_000 + "}", "'" * 300_001, '"$x' * 99_999]
)
def test_no_text_takes_the_readers_time_or_memory(text: str) -> None:
    began = time.process_time()
    with pytest.raises(BuildFileError):
        expanded(PLAIN, text, VALUES)
    assert time.process_time() - began < 5


def test_a_pattern_takes_no_exponential_time() -> None:
    began = time.process_time()
    expanded(PLAIN, "${a#" + "*a" * 30 + "b}", {"a": "a" * 10_000})
    expanded(PLAIN, "${a//" + "*a" * 30 + "b/c}", {"a": "a" * 10_000})
    assert time.process_time() - began < 5


def test_any_text_is_expanded_or_refused() -> None:
    letters = random.Random(7)
    for _ in range(20_000):
        text = "".join(letters.choices("${}x:-+?#%/'\"\\ *a", k=letters.randrange(12)))
        try:
            expanded_words(PLAIN, text, VALUES)
            expanded_document(PLAIN, text, VALUES)
        except BuildFileError:
            pass


def test_an_argument_wins_over_an_earlier_variable_and_a_later_variable_over_it(build: Builder) -> None:
    text = "ARG A=arg\nENV A=env\nRUN echo $A > /1\nARG A=again\nRUN echo $A > /2\nLABEL a=$A\n"
    text += "ENV A=last\nRUN echo $A > /3\n"
    image = build.ok(text)
    assert [build.read(image, name) for name in "123"] == [b"env\n", b"again\n", b"last\n"]
    assert build.config(image)["Labels"]["a"] == "again"
    given = build.ok(text.replace("ENV A=last\n", ""), "--build-arg", "A=given")
    assert [build.read(given, name) for name in "123"] == [b"env\n", b"given\n", b"given\n"]
    assert "A=env" in build.config(given)["Env"]


def test_an_argument_without_a_value_leaves_the_variable(build: Builder) -> None:
    image = build.ok("ENV A=env\nARG A\nRUN echo $A > /1\n")
    assert build.read(image, "1") == b"env\n"
