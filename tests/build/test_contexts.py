"""Contexts that are no directory of this machine, and contexts that change."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from podpy.build.steps.transfer import How, LayerTar, Source
from podpy.build.steps.tree import Tree
from podpy.errors import UsageError
from tests.build.building import Builder

FILE = "FROM localhost/busybox\nCOPY text /t\nRUN cat /t\n"


def archive(**files: str) -> bytes:
    """Return a compressed tar of files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    return gzip.compress(stream.getvalue())


def commit(build: Builder) -> None:
    """Make a repository of the context."""
    git = ["git", "-c", "safe.directory=*", "-c", "user.name=x", "-c", "user.email=x", "-C", str(build.context)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        user = build.podpy.user
        environment = {"PATH": os.environ["PATH"], "HOME": str(build.context)}
        subprocess.run([*git, *words], check=True, env=environment, user=user.uid, group=user.gid)


def test_a_dockerfile_comes_from_standard_input(build: Builder) -> None:
    done = build.podpy("build", "-t", "x", "-", input="FROM localhost/busybox\nRUN echo from input\n")
    assert "from input" in done.ok().splitlines()
    assert build.podpy.ok("system", "check") == ""


def test_an_archive_comes_from_standard_input(build: Builder) -> None:
    data = archive(Dockerfile=FILE, text="in a tar\n")
    assert "in a tar" in build.podpy("build", "-", input=data).ok().splitlines()
    again = build.podpy("build", "-", input=data).ok()
    assert "--> Using cache" in again and "in a tar" not in again


def test_a_mistake_in_what_was_fetched_is_told_by_its_name_there(build: Builder) -> None:
    build.podpy("build", "-", input="FROM x\nRUNN y\n").fails(125, "Dockerfile:2:1: unknown instruction: RUNN")


def test_a_repository_is_cloned(build: Builder) -> None:
    build.write({"Dockerfile": "FROM scratch\n", "sub/Dockerfile": FILE, "sub/text": "in git\n"})
    commit(build)
    address = f"file://{build.context}/.git"
    assert "in git" in build.podpy.ok("build", f"{address}#:sub")
    build.podpy("build", f"{address}#none").fails(125, "couldn't find remote ref none")


def test_a_named_context_is_fetched_too(build: Builder) -> None:
    build.write({"text": "named\n"})
    commit(build)
    told = build("COPY --from=other text /t\nRUN cat /t\n", "--build-context", f"other=file://{build.context}/.git")
    assert "named" in told.ok().splitlines()


def test_an_ignored_file_in_a_mount_counts_for_the_cache(build: Builder) -> None:
    build.write({".dockerignore": "secret\n", "secret": "one\n"})
    text = "RUN --mount=type=bind,target=/s cat /s/secret\n"
    assert "one" in build(text).ok()
    build.write({"secret": "two\n"})
    assert "two" in build(text).ok()


def test_options_that_a_command_sees_count_for_the_cache(build: Builder) -> None:
    text = "RUN cat /etc/hosts\n"
    build.ok(text, "--network=none")
    assert "10.9.8.7" in build(text, "--network=none", "--add-host=other:10.9.8.7").ok()
    assert "--> Using cache" in build(text, "--network=none", "--memory=1g", "-t", "x").ok()


@pytest.mark.parametrize("option", ["type=bind,target=/b,U", "target=/b,bind-propagation=shared"])
def test_what_a_mount_cant_do_is_refused(build: Builder, option: str) -> None:
    build(f"RUN --mount={option} true\n").fails(125, "is not supported yet")


def test_a_file_that_changes_before_it_is_copied_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    tree = Tree(str(tmp_path))
    tree.digest("a", owners=False)
    (tmp_path / "a").write_text("three")
    with pytest.raises(UsageError, match="changed while it was read"):
        _copied(tree)


def test_a_file_that_changes_while_it_is_copied_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    tree = Tree(str(tmp_path))
    tree.digest("a", owners=False)
    pieces = LayerTar("/", How(destination="/x")).pieces([Source(tree=tree, paths=["a"])])
    next(pieces)  # its header: it is open
    with (tmp_path / "a").open("r+") as file:
        file.write("two")
        os.utime(file.fileno(), (1, 1))
    with pytest.raises(UsageError, match="changed while it was read"):
        list(pieces)


def test_a_file_that_nobody_changes_is_copied(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    tree = Tree(str(tmp_path))
    tree.digest("a", owners=False)
    assert b"one" in b"".join(_copied(tree))


def _copied(tree: Tree) -> list[bytes]:
    return list(LayerTar("/", How(destination="/x")).pieces([Source(tree=tree, paths=["a"])]))
