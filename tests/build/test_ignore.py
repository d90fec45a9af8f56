"""Ignore files mean what they mean to Docker and to Podman."""

from __future__ import annotations

import itertools
import random
import re
import time
from pathlib import Path

import pytest

from podpy.build.context.ignore_file import load
from podpy.build.reading.ignore import Rules, expression, parse
from podpy.errors import BuildFileError, UsageError

FITS = [
    ("**", "file", True), ("**/", "file", True), ("**", "dir/file", True), ("**/**", "dir/file", True),
    ("dir/**", "dir/file", True), ("dir/**", "dir/a/file", True), ("dir/**", "dir", False), ("**/dir", "dir", True),
    ("**/dir", "dir/file", True), ("**/b/*", "a/b/file", True), ("**/b/**", "a/b/c/file", True),
    ("**file", "file", True), ("**file", "a/myfile", True), ("**/file", "a/b/file", True),
    ("**/file", "a/myfile", False),
    ("**/file*", "a/b/file.txt", True), ("**/file*txt", "a/file.txt", True), ("**/file*.txt*", "a/file.txt", True),
    ("**/**/*.txt", "a/b/file.txt", True), ("**/**/*.txt2", "a/b/file.txt", False), ("**/*.txt", "file.txt", True),
    ("a**/*.txt", "a/file.txt", True), ("a**/*.txt", "a/b/c/file.txt", True), ("a/*.txt", "a/b/file.txt", False),
    ("a/*.txt", "a/file.txt", True), ("a/*.txt**", "a/file.txt", True), ("a[b-d]e", "ae", False),
    ("a[b-d]e", "ace", True), ("a[b-d]e", "aae", False), ("a[^b-d]e", "aze", True), (".*", ".foo", True),
    (".*", "foo", False), ("abc.def", "abcZdef", False), ("abc?def", "abcZdef", True), ("abc?def", "abcdef", False),
    ("a?c", "a/c", False), ("a\\\\", "a\\", True), ("a\\*b", "a*b", True), ("a\\*b", "axb", False),
    ("**/foo/bar", "a/b/foo/bar", True), ("abc/**", "abc/def/ghi", True), ("**/.foo", "bar.foo", False),
    ("a(b)c/def", "a(b)c/def", True), ("a.|)$(}+{bc", "a.|)$(}+{bc", True), ("*", "a/b", True),
    ("*.md", "a/x.md", False),
    ("x", "x", True), ("x", "sub/x", False), ("/x", "x", True), ("x/", "x/y", True), ("./x", "x", True),
    ("a/../x", "x", True),
    ("../x", "x", False), (".", "x", False), ("/", "x", False), ("  x  ", "x", True), ("\\!x", "!x", True),
    ("[xy]z", "yz", True), ("a/**/b/**/c", "a/1/b/2/3/c", True), ("a/**/b/**/c", "a/b/c", True),
    ("a/**/b/**/c", "a/1/c", False), ("**/a/**/a/**/b", "a/a/a/a", False), ("**a**b", "ax/ab", True),
    ("*a*b*", "xaxbx", True),
    ("*a*b", "ab/c", True), ("é?", "éö", True), ("[a", "", None), ("[]", "", None),
    ("[]a]", "", None), ("[-a]", "", None),
    ("[a-]", "", None), ("a\\", "", None), ("!", "", None), ("a]", "a]", True), ("[b-a]", "", None),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "path", "fits"), FITS)
def test_a_pattern_fits_a_path_and_all_below_it(pattern: str, path: str, fits: bool | None) -> None:
    if fits is None:
        with pytest.raises(UsageError):
            Rules([pattern])
    else:
        assert Rules([pattern]).ignores(path) == fits


TREES: list[tuple[str, str]] = [  # from what Podman 5.4 and Docker 28 do
    ("*\n!keep/*.txt", "keep/a.txt"),
    ("*\n!keep\nkeep/*.log", "keep keep/a.txt keep/sub keep/sub/c.txt"),
    ("x\nkeep\nsub", "y.txt z.md"),
    ("sub/**\n!sub/deep/x\nkeep\ny.txt\nz.md\nx", "sub sub/deep/x"),
    ("keep/\nsub\n*.md\n\n  y.txt  \r\n", "x"),
    ("#x\n #y\nkeep\nsub\n*.*", "x"),
    ("\ufeffx\nsub\nkeep\n*.txt", "z.md"),
    ("**/x\n*.*\nkeep", "sub sub/deep"),
    ("!x\nsub\nkeep\n*.*", "x"),
]
PATHS = [
    "keep",
    "keep/a.txt",
    "keep/b.log",
    "keep/sub",
    "keep/sub/c.txt",
    "sub",
    "sub/deep",
    "sub/deep/x",
    "sub/x",
    "x",
]
PATHS += ["y.txt", "z.md"]


@pytest.mark.parametrize(("text", "kept"), TREES)
def test_what_an_ignore_file_leaves(text: str, kept: str) -> None:
    rules = parse(text.encode(), ".dockerignore")
    assert " ".join([path for path in PATHS if not rules.ignores(path)]) == kept


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("**/x.log\n!a", "a/x.log a/b/x.log"),  # an exception for what isn't ignored says nothing about what is in it
        ("a/b\n!a", "a/b/x.log"),
        ("!a\na", "a/x.log a/b/x.log"),
        ("a**", "a/x.log a/b/x.log abc a*b"),
        ("a[^b]*", "a/b/x.log a/x.log a*b"),  # such a class fits a slash, too
        ("**/b/**\n!**/x.log", ""),
    ],
)  # fmt: skip
def test_odd_rules_have_dockers_answers(text: str, gone: str) -> None:
    rules = parse(text.encode(), ".dockerignore")
    paths = ["a/x.log", "a/b/x.log", "abc", "a*b", "x"]
    assert {path for path in paths if rules.ignores(path)} == {*gone.split()}


def test_an_error_names_the_line() -> None:
    with pytest.raises(BuildFileError) as caught:
        parse(b"# x\na\n[a\n", ".dockerignore")
    assert caught.value.message == ".dockerignore:3:1: [a: syntax error in pattern"


@pytest.mark.parametrize(
    ("patterns", "directory", "may"),
    [
        (["*", "!keep/*.txt"], "keep", True), (["*", "!keep/*.txt"], "other", False), (["*"], "a", False),
        (["*", "!**/x"], "a", True), (["*", "!a/b"], "a/b", False), (["*", "!a/b"], "a/c", False),
        (["*", "!a?/b"], "ab", True), (["*", "!a/**"], "a/b/c", True), (["*", "!a**"], "a/b/c", True),
    ],
)  # fmt: skip
def test_a_directory_is_entered_only_where_an_exception_may_hold(
    patterns: list[str], directory: str, may: bool
) -> None:
    rules = Rules(patterns)
    assert rules.may_keep_below(directory) == may


def slow_fit(pattern: str, path: str) -> bool:
    """Return whether a pattern fits a path, by a translation that goes back as it likes."""
    result = ""
    position = 0
    while position < len(pattern):
        if pattern.startswith("**", position):
            position += 2 + pattern.startswith("/", position + 2)
            result += ".*" if position == len(pattern) else "(?:.*/)?"
        else:
            letter = pattern[position]
            result += {"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter))
            position += 1
    return re.fullmatch(result, path) is not None


def test_the_fast_expressions_fit_what_the_plain_ones_fit() -> None:
    letters = random.Random(3)
    paths = ["/".join(parts) for count in range(1, 5) for parts in itertools.product(["a", "ab", "b"], repeat=count)]
    for _ in range(1500):
        pieces = letters.choices(["a", "b", "*", "?", "/", "/", "**/", "/**/"], k=letters.randrange(1, 8))
        pattern = re.sub(r"/+", "/", "".join(pieces)).strip("/")
        # Three stars, and a pattern that only begins with two, have rules of their own.
        if not pattern or "***" in pattern or re.fullmatch(r"\*\*[^*?]*", pattern):
            continue
        fast = re.compile(expression(pattern), re.DOTALL)
        differing = [path for path in paths if bool(fast.fullmatch(path)) != slow_fit(pattern, path)]
        assert differing == [], pattern


def test_twenty_thousand_files_are_decided_fast() -> None:
    patterns = [f"dir{number}/*.o" for number in range(30)] + ["**/node_modules", "*.log", "!dir1/keep*", "**/*.py[co]"]
    rules = Rules(patterns)
    began = time.process_time()
    for directory in range(200):
        assert not rules.ignores(f"dir{directory}", True)
        for number in range(100):
            rules.ignores(f"dir{directory}/file{number}.c")
    assert time.process_time() - began < 10


def test_no_pattern_takes_exponential_time() -> None:
    began = time.process_time()
    Rules(["**/a/" * 20 + "b"]).ignores("a/" * 400 + "c")
    Rules(["**/" * 20 + "b"]).ignores("a/" * 400 + "c")
    Rules(["*a" * 20 + "b"]).ignores("a" * 250)
    assert time.process_time() - began < 10


def test_one_ignore_file_counts(tmp_path: Path) -> None:
    def ignored() -> list[str]:
        rules = load(str(tmp_path), str(tmp_path / "Cf"))
        return [name for name in ("given", "docker", "container", "own", "owncontainer") if rules.ignores(name)]

    assert ignored() == []
    (tmp_path / ".dockerignore").write_text("docker")
    assert ignored() == ["docker"]
    (tmp_path / ".containerignore").write_text("container")
    assert ignored() == ["container"]
    (tmp_path / "Cf.containerignore").write_text("owncontainer")
    assert ignored() == ["owncontainer"]
    (tmp_path / "Cf.dockerignore").write_text("own")
    assert ignored() == ["own"]
    (tmp_path / "x").write_text("given")
    assert load(str(tmp_path), given=str(tmp_path / "x")).ignores("given")


def test_an_ignore_file_that_leads_out_of_the_context_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "context").mkdir()
    (tmp_path / "context/.dockerignore").symlink_to("../secret")
    with pytest.raises(UsageError, match=r"open \.dockerignore: invalid cross-device link"):
        load(str(tmp_path / "context"))


def test_an_ignore_file_that_is_not_there_is_an_error_if_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or directory"):
        load(str(tmp_path), given=str(tmp_path / "none"))
