"""The syntax of unit files, and what is told of mistakes in them."""

from __future__ import annotations

import pytest

from podpy.quadlet.unitfile import Section, UnitFile, parse
from podpy.quadlet.words import quoted, split


def entries(text: str) -> dict[str, list[tuple[str, str, int]]]:
    unit = parse(text.encode(), "x")
    assert unit.problems == []
    return {name: [entry[:3] for entry in found] for name, found in unit.sections.items()}


def told(raw: bytes) -> list[str]:
    return [str(problem) for problem in parse(raw, "x").problems]


def section(text: str) -> Section:
    unit = parse(f"[S]\n{text}".encode(), "x")
    return Section(unit.sections["S"], unit.problems)


def test_entries_have_their_lines() -> None:
    text = "# first\n\n[A]\nx = 1\n; c\ny=\n[B]\nz=a=b\n[A]\nx=2"
    assert entries(text) == {"A": [("x", "1", 4), ("", "; c", 5), ("y", "", 6), ("x", "2", 10)], "B": [("z", "a=b", 8)]}


def test_a_line_goes_on_after_a_backslash_over_comments_and_empty_lines() -> None:
    text = "[A]\nx=one \\\n# comment\n\n   two\\\nthree\ny=4 \\"
    assert entries(text) == {"A": [("x", "one twothree", 2), ("y", "4", 7)]}


def test_windows_line_ends_a_byte_order_mark_and_blanks_are_no_mistake() -> None:
    assert entries("\ufeff[A]  \r\n  x = 1 \r\n") == {"A": [("x", "1", 2)]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[A", "x:1: “[A” is not a key-value pair, group, or comment"),
        ("[A]\nx=1\nword", "x:3: “word” is not a key-value pair, group, or comment"),
        ("[A]\n=1", "x:2: “=1” is not a key-value pair, group, or comment"),
        ("x=1\n", "x:1: x= stands before the first section (Begin with a line such as [Container])"),
        ("[A]\n\\", "x:2: “” is not a key-value pair, group, or comment"),
        ("[A]\na=\0", "x:2: has a NUL byte"),
        ("[]", "x:1: invalid group name: "),
        ("[A]\n" + "w" * 99, "x:2: “" + "w" * 60 + "…” is not a key-value pair, group, or comment"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, problem: str) -> None:
    assert told(text.encode()) == [problem]


def test_what_is_not_utf8_is_told_with_its_line() -> None:
    assert told(b"[A]\nx=1\ny=\xff\n") == ["x:3: isn't UTF-8, and systemd reads nothing else"]


def test_all_mistakes_of_a_file_are_told() -> None:
    assert len(told(b"a\n[A]\nb\nc=1\nd\n")) == 3


def test_drop_ins_come_after_the_file() -> None:
    unit = UnitFile()
    unit.merge(parse(b"[A]\nx=1", "one"))
    unit.merge(parse(b"[B]\ny=1\n[A]\nx=2", "two"))
    assert unit.sections == {"A": [("x", "1", 2, "one"), ("x", "2", 4, "two")], "B": [("y", "1", 2, "two")]}


def test_an_empty_value_takes_back_those_before_it() -> None:
    found = section("x=1\nx=2\nx=\nx=3\ny=1\ny=\n")
    assert (found.values("x"), found.last("x"), found.values("y"), found.last("y")) == (["3"], "3", [], "")


def test_pairs_are_sorted_and_the_last_of_a_name_counts() -> None:
    assert section('x=B=1 "A=1 2"\nx=B=2 C').pairs("x") == ["A=1 2", "B=2", "C"]


@pytest.mark.parametrize(("text", "meant"), [("yes", True), ("On", True), ("1", True), ("0", False), ("no", False)])
def test_booleans_are_systemds(text: str, meant: bool) -> None:
    found = section(f"x={text}")
    assert (found.boolean("x"), found.problems) == (meant, [])


def test_a_boolean_that_is_none_counts_as_no_and_is_told() -> None:
    found = section("x=maybe")
    assert not found.boolean("x", default=True)
    assert [str(problem) for problem in found.problems] == [
        "x:2: warning: x=maybe: neither yes nor no. It counts as no"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("a  b\tc", ["a", "b", "c"]),
        ('a "b c" d', ["a", "b c", "d"]),
        ("a'b c'd", ["ab cd"]),
        ('"" x', ["", "x"]),
        (r"a\tb \x41 \u00e9 \101 \s", ["a\tb", "A", "é", "A", " "]),
        (r'"a\"b" \\', ['a"b', "\\"]),
        ('open "quote', ["open", "quote"]),
        ("end\\", ["end"]),
    ],
)
def test_a_commands_words(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize("text", [r"\q", r"\x4", r"\x00", r"\000", r"\777", r"\ud800", r"\U00110000", r"\9"])
def test_an_escape_that_there_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="unsupported escape char"):
        split(text)


def test_in_lists_of_words_a_backslash_is_one() -> None:
    assert split(r'a\b "c\" d', escapes=False) == ["a\\b", "c\\", "d"]
    with pytest.raises(ValueError, match="unbalanced quotes"):
        split('"a', escapes=False)


@pytest.mark.parametrize(
    "word", ["a", "", ";", "a b", 'a"b', "a'b", "a\\b", "a\nb\tc", "\x01", "\x7f", "é", "%n $HOME", "a;b", "\u00a0"]
)
def test_a_quoted_word_is_read_back(word: str) -> None:
    assert split(quoted(word)) == [word]
    assert "\n" not in quoted(word)


def test_what_systemd_would_take_for_the_end_of_a_command_is_quoted() -> None:
    assert quoted(";") == '";"'
    assert quoted("") == '""'
