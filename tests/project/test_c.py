"""The C parts: every file compiles alone without a warning, and with the sanitizers they run without a report."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.engine import CHECKOUT

C = CHECKOUT / "src/conmon_c"
FLAGS = ["-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror"]
SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
FILES = sorted(str(path.relative_to(C)) for path in C.rglob("*.c"))


def directory_flags(directory: Path) -> list[str]:
    """Return what the directory's file `flags` adds."""
    path = directory / "flags"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("name", FILES)
def test_every_file_compiles_without_a_warning(name: str, tmp_path: Path) -> None:
    source = C / name
    command = ["cc", *FLAGS, *directory_flags(source.parent), "-c", str(source), "-o", str(tmp_path / "x.o")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def sanitized_hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("hello") / "hello"
    command = ["cc", "-std=gnu17", *SANITIZE, *map(str, (C / "hello").glob("*.c")), "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def test_hello_tells_its_id_map_namespaces_and_root(sanitized_hello: Path) -> None:
    done = subprocess.run([sanitized_hello], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for label in ("process", "conmon", "users", "groups", "namespaces", "cgroup", "root", "confined", "kernel"):
        assert f"\n  {label:<12}" in done.stdout


def test_hello_fails_when_nobody_can_read_it(sanitized_hello: Path) -> None:
    with open("/dev/full", "w") as full:
        assert subprocess.run([sanitized_hello], stdout=full).returncode == 1
