"""The wheel holds all that a machine needs, and what it installs runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import CHECKOUT

pytestmark = pytest.mark.xdist_group("package")  # the wheel is built once

EXECUTABLES = ("conmon", "hello", "holder", "init")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built out of a copy of the sources."""
    base = tmp_path_factory.mktemp("wheel")
    source = base / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    built = shutil.ignore_patterns("__pycache__", "_bin", "*.so", "_table.py", "_help.py", "*.egg-info")
    shutil.copytree(CHECKOUT / "src", source / "src", ignore=built)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "-w", str(base)]
    subprocess.run([*command, str(source)], check=True)
    return next(base.glob("*.whl"))


@pytest.fixture(scope="module")
def contents(wheel: Path) -> Iterator[dict[str, zipfile.ZipInfo]]:
    with zipfile.ZipFile(wheel) as archive:
        yield {entry.filename: entry for entry in archive.infolist()}


def is_executable(entry: zipfile.ZipInfo) -> bool:
    return entry.external_attr >> 16 & 0o111 == 0o111


def test_one_wheel_serves_every_python_from_3_11(wheel: Path) -> None:
    assert wheel.name.startswith("podpy-")
    assert "-cp311-abi3-linux" in wheel.name


@pytest.mark.parametrize("name", EXECUTABLES)
def test_the_static_executables_are_in_it(name: str, contents: dict[str, zipfile.ZipInfo]) -> None:
    assert is_executable(contents[f"podpy/_bin/{name}"])


def test_the_option_table_and_the_native_module_are_in_it(contents: dict[str, zipfile.ZipInfo]) -> None:
    assert {"podpy/cli/_table.py", "podpy/cli/_help.py", "podpy/_native.abi3.so", "podpy/py.typed"} <= set(contents)


def test_pytest_finds_the_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        assert archive.read(name).decode().split() == ["[pytest11]", "podpy", "=", "podpy.testing.plugin"]


def test_it_holds_the_package_alone_without_its_c_sources(contents: dict[str, zipfile.ZipInfo]) -> None:
    assert {name.split("/")[0].rpartition(".")[2] for name in contents} == {"podpy", "data", "dist-info"}
    assert [name for name in contents if "__pycache__" in name or name.endswith((".c", ".h"))] == []


def test_no_path_of_the_building_machine_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        scripts = [name for name in archive.namelist() if "/scripts/" in name]
        assert sorted(name.rpartition("/")[2] for name in scripts) == ["podpy", "podpy-system-generator"]
        for script in scripts:
            assert str(CHECKOUT / "src").encode() not in archive.read(script)


def test_what_pip_installs_runs(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = environment / "bin/pip"
    subprocess.run([pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    done = subprocess.run([environment / "bin/podpy", "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("podpy version "), done.stderr
    generator = [f"{environment}/bin/podpy-system-generator", "-dryrun"]
    (tmp_path / "a.volume").write_text("[Volume]\n")
    made = subprocess.run(generator, env={"QUADLET_UNIT_DIRS": str(tmp_path)}, capture_output=True, text=True)
    assert f"ExecStart={environment}/bin/podpy volume create --ignore systemd-a\n" in made.stdout, made.stderr
