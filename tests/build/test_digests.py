"""A context's files are read once, as long as they stay as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.build.building import BASE, Builder
from tests.support import wait

OLD = Path("/usr/share/common-licenses")  # of a package that every Debian has: its files are older than a minute


@pytest.fixture
def files(build: Builder) -> set[str]:
    """The names of the regular files in the context OLD."""
    build.write({"Dockerfile": f"{BASE}COPY . /licenses\n"})
    return {path.name for path in OLD.iterdir() if path.is_file() and not path.is_symlink()}


def opened(build: Builder, context: Path, *options: str) -> set[str]:
    """Build, and return the names of the context's files that were opened, which the whole call's trace tells."""
    trace = build.podpy.home / "trace"
    words = ["build", *options, "-f", str(build.context / "Dockerfile"), str(context)]
    build.podpy.run(["strace", "-f", "-y", "-e", "trace=openat", "-o", str(trace), *build.podpy.command(*words)]).ok()
    lines = [line for line in trace.read_text().splitlines() if f"<{context}>, " in line and "O_NONBLOCK" in line]
    return {line.split('"')[1] for line in lines}


def test_old_files_are_read_once(build: Builder, files: set[str]) -> None:
    assert opened(build, OLD) == files
    assert opened(build, OLD) == set()
    build.write({"Dockerfile": f"{BASE}COPY --chown=7 . /licenses\n"})
    assert opened(build, OLD) == files  # to be copied
    build.write({"Dockerfile": f"{BASE}RUN --mount=target=/licenses true\n"})
    assert opened(build, OLD) == set()
    assert opened(build, OLD, "--build-context", f"other={OLD}", "--jobs=2") == set()


def test_a_build_that_fails_has_read_them_too(build: Builder, files: set[str]) -> None:
    build.write({"Dockerfile": f"{BASE}RUN false\nCOPY . /licenses\n"})
    build.podpy("build", "-f", str(build.context / "Dockerfile"), str(OLD)).fails(1)
    build.write({"Dockerfile": f"{BASE}RUN --mount=target=/licenses true\n"})
    assert opened(build, OLD) == set()


def test_a_prune_forgets_them(build: Builder, files: set[str]) -> None:
    build.podpy.ok("build", "-f", str(build.context / "Dockerfile"), str(OLD))
    (kept,) = (build.podpy.graphroot / "digests").iterdir()
    build.podpy.ok("image", "prune", "--force", "--build-cache")
    assert not kept.exists()
    assert build.podpy.ok("system", "check") == ""


def test_new_files_are_read_each_time(build: Builder) -> None:
    build.write({"d/one": "x", "Dockerfile": f"{BASE}COPY . /d\n"})
    words = ["-q", "-f", str(build.context / "Dockerfile"), str(build.context / "d")]
    made = build.podpy.ok("build", *words)
    before = os.stat(build.context / "d/one")
    build.write({"d/one": "y"})
    os.utime(build.context / "d/one", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert build.podpy.ok("build", *words) != made
    assert opened(build, build.context / "d") == {"one"}
    assert not (build.podpy.graphroot / "digests").exists()


def test_digests_that_are_damaged_are_left_out(build: Builder, files: set[str]) -> None:
    assert opened(build, OLD) == files
    (kept,) = (build.podpy.graphroot / "digests").iterdir()
    data = kept.read_bytes()
    kept.write_bytes(data[:-1])
    assert opened(build, OLD) == files
    assert kept.read_bytes() == data or len(kept.read_bytes()) == len(data)
    assert opened(build, OLD) == set()


def test_a_kill_between_leaves_a_cache_that_works(build: Builder, files: set[str]) -> None:
    build.write({"Dockerfile": f"{BASE}COPY . /licenses\nRUN touch /begun; sleep 1000\n"})
    words = ["build", "-f", str(build.context / "Dockerfile"), str(OLD)]
    running = build.podpy.popen(*words, stdout=-1, stderr=-1)
    assert running.stdout is not None
    wait.for_text(running.stdout, b"RUN touch")
    running.kill()
    running.wait()
    running.stdout.close()
    assert running.stderr is not None
    running.stderr.close()
    build.write({"Dockerfile": f"{BASE}COPY . /licenses\n"})
    assert "--> Using cache" in build.podpy.ok(*words)
    assert opened(build, OLD) == set()
    assert build.podpy.ok("system", "check") == ""
