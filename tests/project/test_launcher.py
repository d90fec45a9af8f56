"""The launcher finds its own Python and package, however it is called."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from podpy._start import system_places
from tests.support.engine import CHECKOUT

SHOW = """import sys
print(sys.flags.isolated, sys.flags.no_site, sys.argv[1:])
"""


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The launcher as an installed package has it."""
    target = tmp_path_factory.mktemp("launcher") / "podpy"
    source = CHECKOUT / "src/conmon_c/launcher/launcher.c"
    subprocess.run(["cc", "-std=gnu17", "-static", str(source), "-o", str(target)], check=True)
    return target


def make_environment(prefix: Path, program: Path, *, packages: str) -> Path:
    """Lay out PREFIX as an installer does and return its bin/podpy."""
    version = f"python3.{sys.version_info.minor}"
    package = prefix / "lib" / version / packages / "podpy"
    package.mkdir(parents=True)
    (package / "_start.py").write_text(SHOW)
    (prefix / "bin").mkdir()
    (prefix / "bin/python3").symlink_to(sys.executable)
    launcher = prefix / "bin/podpy"
    launcher.write_bytes(program.read_bytes())
    launcher.chmod(0o755)
    return launcher


def output(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.mark.parametrize("packages", ["site-packages", "dist-packages"])
def test_it_starts_the_python_beside_it_without_site_and_environment(
    program: Path, tmp_path: Path, packages: str
) -> None:
    launcher = make_environment(tmp_path, program, packages=packages)
    assert output(launcher, "ps", "-a", "--format", "{{.ID}} x") == "1 1 ['ps', '-a', '--format', '{{.ID}} x']\n"


def test_it_can_be_called_through_a_link_and_through_path(program: Path, tmp_path: Path) -> None:
    launcher = make_environment(tmp_path / "prefix with blanks", program, packages="site-packages")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/podpy").symlink_to(launcher)
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    assert output("sh", "-c", "podpy x", env={"PATH": path}) == "1 1 ['x']\n"


def test_it_tells_by_which_word_it_was_called(program: Path, tmp_path: Path) -> None:
    """Python's own argv[0] stays the interpreter: from that it finds its environment."""
    launcher = make_environment(tmp_path / "prefix", program, packages="site-packages")
    package = next((tmp_path / "prefix/lib").glob("*/site-packages/podpy"))
    (package / "_start.py").write_text("import sys\nprint(sys._xoptions.get('podpy_called'), sys.argv[1:])\n")
    (tmp_path / "podman").symlink_to(launcher)
    assert output(tmp_path / "podman", "ps") == f"{tmp_path}/podman ['ps']\n"
    assert output("sh", "-c", "podman ps", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}) == "podman ['ps']\n"


def test_without_its_package_it_says_so(program: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "bin/podpy"
    lonely.parent.mkdir()
    lonely.write_bytes(program.read_bytes())
    lonely.chmod(0o755)
    done = subprocess.run([lonely, "ps"], capture_output=True, text=True)
    assert done.returncode == 125
    assert done.stderr.startswith("Error: can't find its Python package: ")
    assert done.stderr.endswith("\nHint: Install podpy again: pip install podpy\n")


def with_byte_code(prefix: Path, program: Path) -> Path:
    """Lay out PREFIX with the byte code of a _start.py that prints `byte code`; return its bin/podpy."""
    launcher = make_environment(prefix, program, packages="site-packages")
    package = prefix / f"lib/python3.{sys.version_info.minor}/site-packages/podpy"
    source = prefix / "start.py"
    source.write_text("print('byte code')\n")
    py_compile.compile(str(source), str(package / f"_start.{sys.implementation.cache_tag}.pyc"), doraise=True)
    return launcher


def test_byte_code_is_run_by_an_interpreter_of_its_own_version(program: Path, tmp_path: Path) -> None:
    launcher = with_byte_code(tmp_path, program)
    (tmp_path / f"bin/python3.{sys.version_info.minor}").symlink_to(sys.executable)
    assert output(launcher) == "byte code\n"


def test_byte_code_is_left_alone_where_the_interpreter_may_be_of_another_version(program: Path, tmp_path: Path) -> None:
    assert output(with_byte_code(tmp_path, program)) == "1 1 []\n"


def test_without_byte_code_the_source_is_run(program: Path, tmp_path: Path) -> None:
    launcher = make_environment(tmp_path, program, packages="site-packages")
    (tmp_path / "bin" / f"python3.{sys.version_info.minor}").symlink_to(sys.executable)
    assert output(launcher, "x") == "1 1 ['x']\n"


@pytest.mark.parametrize(
    ("place", "config", "is_searched"),
    [
        ("venv/lib/python3.11/site-packages", "include-system-site-packages = false", False),
        ("venv/lib/python3.11/site-packages", "home = /usr/bin\ninclude-system-site-packages = true", True),
        (".local/lib/python3.11/site-packages", None, True),  # pip install --user
        ("checkout/src", None, False),
    ],
)
def test_the_systems_packages_count_where_pip_counted_them(
    tmp_path: Path, place: str, config: str | None, is_searched: bool
) -> None:
    """pip installs no second cffi beside the distribution's there."""
    top = tmp_path / place.partition("/")[0]
    top.mkdir()
    if config is not None:
        (top / "pyvenv.cfg").write_text(config + "\n")
    assert bool(system_places(os.fspath(tmp_path / place))) == is_searched
