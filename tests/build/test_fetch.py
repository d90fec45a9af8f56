"""Contexts from standard input and git become files in a directory, and nothing in them leads out of it."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from podpy.build.context.fetch import Fetched, fetch
from podpy.build.sources import is_remote
from podpy.errors import PodpyError, UsageError


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target"
    path.mkdir()
    return path


def fetched(data: bytes, target: Path) -> Fetched:
    """Return the context that comes from a standard input with these bytes."""
    file = target.parent / "input"
    file.write_bytes(data)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return fetch("-", str(target), {}, descriptor)
    finally:
        os.close(descriptor)


def archive(*members: tuple[str, str, bytes]) -> bytes:
    """Return a tar: (name, where a link leads or "", content)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, link, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.uid = entry.gid = 4711
            if link:
                entry.type, entry.linkname = tarfile.SYMTYPE, link
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_archive_on_standard_input_is_unpacked(pack: type[bytes], target: Path) -> None:
    result = fetched(pack(archive(("Dockerfile", "", b"FROM x\n"), ("src/a", "", b"a"))), target)
    assert result == Fetched(directory=str(target))
    assert (target / "src/a").read_bytes() == b"a"
    assert (target / "src/a").stat().st_uid == os.geteuid()


def test_what_is_no_archive_is_a_dockerfile(target: Path) -> None:
    assert fetched(b"FROM x\n", target).is_dockerfile
    assert (target / "Dockerfile").read_bytes() == b"FROM x\n"


def test_an_archives_links_lead_nowhere_outside(target: Path) -> None:
    outside = target.parent / "outside"
    outside.mkdir()
    try:
        fetched(archive(("x", str(outside), b""), ("x/file", "", b"evil"), ("../file", "", b"evil")), target)
    except PodpyError:
        pass
    assert not [*outside.iterdir()]
    assert not (target.parent / "file").exists()


def test_an_empty_input_and_a_large_dockerfile_are_mistakes(target: Path) -> None:
    with pytest.raises(UsageError, match="at most 1 MiB"):
        fetched(b"#" * (2 << 20), target)
    (target / "Dockerfile").unlink()
    with pytest.raises(UsageError, match="it is empty"):
        fetched(b"", target)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("git") / "r.git"
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}

    def git(*words: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, "-C", path, *words], check=True, capture_output=True, env=environment)

    path.mkdir()
    git("init", "-q", "-b", "main")
    (path / "Dockerfile").write_text("FROM one\n")
    (path / "sub").mkdir()
    (path / "sub/Dockerfile").write_text("FROM two\n")
    (path / "out").symlink_to("..")
    git("add", ".")
    git("commit", "-q", "-m", "a")
    git("checkout", "-q", "-b", "other")
    (path / "Dockerfile").write_text("FROM other\n")
    git("commit", "-q", "-a", "-m", "b")
    git("checkout", "-q", "main")
    return f"file://{path}"


@pytest.mark.parametrize(
    ("fragment", "first"),
    [("", "FROM one\n"), ("#other", "FROM other\n"), ("#main:sub", "FROM two\n"), ("#:sub", "FROM two\n")],
)
def test_a_repository_is_a_context(repository: str, fragment: str, first: str, target: Path) -> None:
    result = fetch(repository + fragment, str(target), os.environ)
    assert (Path(result.directory) / "Dockerfile").read_text() == first


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("#main:out", "invalid cross-device link"), ("#main:../..", "invalid cross-device link"),
        ("#main:none", "no such file or directory"), ("#--upload-pack=x", "is no name of a branch"),
        ("#none", "couldn't find remote ref none"),
    ],
)  # fmt: skip
def test_nothing_outside_a_repository_is_a_context(repository: str, fragment: str, message: str, target: Path) -> None:
    with pytest.raises(UsageError, match=message):
        fetch(repository + fragment, str(target), os.environ)


def test_what_must_be_fetched() -> None:
    texts = [
        "-",
        "https://example.com/a.tar.gz",
        "git@example.com:a/b",
        "github.com/a/b#main",
        "https://example.com/a.git#x:y",
    ]
    assert all(is_remote(text) for text in texts)
    assert not any(is_remote(text) for text in (".", "/a", "a.git", "github"))
