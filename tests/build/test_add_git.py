"""ADD of repositories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build.building import Builder
from tests.support import git


@pytest.fixture
def repository(tmp_path: Path) -> git.Repository:
    """A repository, x.git, with two commits."""
    made = git.Repository(tmp_path / "x.git")
    made.commit(a="first", sub__b="inner")
    made.git("tag", "-a", "-m", "x", "v1")
    made.commit(a="second")
    return made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of git daemon."""
    with git.daemon(tmp_path) as address:
        yield address


def test_a_repository_is_added(build: Builder, repository: git.Repository, server: str) -> None:
    text = f"ADD {server}/x.git /x\nADD {server}/x.git#v1:sub /s/\nADD --keep-git-dir {server}/x.git#main /k\n"
    made = build.ok(text)
    files = build.files(made)
    assert build.read(made, "x/a") == b"second" and build.read(made, "s/b") == b"inner"
    assert "x/.git" not in files and {"k/.git/HEAD", "k/a", "x/sub/b"} <= {*files}
    assert files["x/a"].mode == 0o644 and files["x/sub"].mode == 0o755 and files["x/a"].uid == 0
    assert build(text).ok().count("--> Using cache ") == 3


def test_a_new_commit_counts(build: Builder, repository: git.Repository, server: str) -> None:
    text = f"ADD {server}/x.git /x\nADD {server}/x.git#v1 /v\n"
    build.ok(text)
    repository.commit(a="third")
    assert build.read(build.ok(text), "x/a") == b"third"
    assert build(f"ADD {server}/x.git#v1 /v\n").ok().count("--> Using cache ") == 0
    assert build(f"ADD {server}/x.git#v1 /v\n").ok().count("--> Using cache ") == 1


def test_a_commit_is_compared(build: Builder, repository: git.Repository, server: str) -> None:
    commit = repository.git("rev-parse", "HEAD")
    tagged = repository.git("rev-parse", "v1^{commit}")
    build.ok(f"ADD --checksum={commit} {server}/x.git /x\nADD --checksum={tagged[:9]} {server}/x.git#v1 /y\n")
    assert build.read(build.ok(f"ADD {server}/x.git#{tagged} /x\n"), "x/a") == b"first"
    build(f"ADD --checksum={tagged} {server}/x.git /x\n").fails(125, "unexpected commit of", commit)
    build(f"ADD --checksum={commit[:3]} {server}/x.git /x\n").fails(125, "7 and more of its first digits")


def test_what_isnt_there_is_told(build: Builder, repository: git.Repository, server: str) -> None:
    build(f"ADD {server}/x.git#none /x\n").fails(125, "there is no none", "Try git ls-remote")
    build(f"ADD {server}/y.git /x\n").fails(125, "y.git")
    build(f"ADD {server}/x.git#:none /x\n").fails(125, "none: no such file or directory")
    build(f"ADD {server}/x.git#:../.. /x\n").fails(125, "invalid cross-device link")
    assert build.podpy.ok("system", "check") == ""


def test_a_repository_of_a_web_server_is_added(build: Builder, repository: git.Repository, tmp_path: Path) -> None:
    with git.web(tmp_path) as address:
        made = build.ok(f"ADD --exclude=sub {address}/x.git#main /x/\n")
    assert build.read(made, "x/a") == b"second" and "x/sub" not in build.files(made)


def test_keys_of_the_caller_arent_used_unasked(build: Builder) -> None:
    build("ADD git@127.0.0.1:x.git /x\n").fails(125, "there is no agent to log in with", "--ssh default")
