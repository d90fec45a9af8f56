"""The build: the cffi module `podpy._native`, the static executables in `podpy/_bin`, the compiled option table.

    python setup.py build_ext --inplace      everything into the checkout (src/podpy/_bin/podpy then runs from there)
    pip install .                            everything into an environment, the launcher as its `podpy` script, and
                                             as `podpy-system-generator`

Each directory under src/conmon_c except `native` and `common` is one executable: all its C files, linked statically,
and for some those of `common`. A file `flags` in such a directory holds further compiler flags, one or more a line.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

# setuptools brings distutils along (Python 3.12 has none of its own), so this import must come after its own.
from distutils.command.build_scripts import build_scripts  # isort: skip

HERE = Path(__file__).resolve().parent
C_SOURCES = Path("src/conmon_c")
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
COMPILE = ["-O2", "-std=gnu17", *WARNINGS, "-ffunction-sections", "-fdata-sections"]
LINK = ["-static", "-s", "-Wl,--gc-sections"]


class Program:
    """One static executable, made of all C files of its directories; the first one is its own."""

    def __init__(self, name: str, *directories: str) -> None:
        self.name = name
        self.directories = [C_SOURCES / directory for directory in directories]

    @property
    def sources(self) -> list[str]:
        return sorted(os.fspath(path) for directory in self.directories for path in directory.glob("*.c"))

    def is_newer(self, target: Path) -> bool:
        """True if `target` is missing or older than what it's made of."""
        if not target.exists():
            return True
        made = target.stat().st_mtime_ns
        inputs = [Path(__file__), *(path for directory in self.directories for path in directory.iterdir())]
        return any(path.stat().st_mtime_ns > made for path in inputs)

    def build(self, target: Path, definitions: list[str] | None = None) -> None:
        """Compile and link into `target`. Raises subprocess.CalledProcessError if the compiler refuses."""
        if not self.sources or not self.is_newer(target):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        flags = self.directories[0] / "flags"
        extra = shlex.split(flags.read_text()) if flags.exists() else []
        compiler = shlex.split(os.environ.get("CC", "cc"))
        user_flags = shlex.split(os.environ.get("CFLAGS", "")) + shlex.split(os.environ.get("LDFLAGS", ""))
        aside = target.with_name(target.name + ".new")  # a running executable can be replaced, but not written to
        command = [*compiler, *COMPILE, *(definitions or []), *self.sources, "-o", os.fspath(aside)]
        command += [*LINK, *extra, *user_flags]
        print(shlex.join(command), flush=True)
        subprocess.run(command, check=True)
        aside.replace(target)


PROGRAMS = [
    *(Program(name, name, "common") for name in ("conmon", "forward", "probe", "resolver")),
    *(Program(name, name) for name in ("holder", "hello", "init", "pause")),
]
LAUNCHER = Program("podpy", "launcher")
GENERATOR = Program("podpy-system-generator", "launcher")
GENERATOR_DEFINITIONS = ["-DPODPY_GENERATOR"]


def checkout_definitions() -> list[str]:
    """What the launcher of a checkout must know: which Python built it, and where that one's packages are."""
    site = sysconfig.get_path("purelib")
    return [f'-DPODPY_PYTHON="{sys.executable}"', f'-DPODPY_SITE="{site}"']


def compile_option_table(package_root: Path) -> None:
    """Write podpy/cli/_table.py and _help.py from the declarations: the table, the help (parser/compile.py)."""
    if not (package_root / "podpy/cli/parser/compile.py").exists():
        return
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.fspath(package_root), *filter(None, sys.path)])}
    target = package_root / "podpy/cli/_table.py"
    command = [sys.executable, "-B", "-m", "podpy.cli.parser.compile", os.fspath(target)]  # no byte code for the wheel
    subprocess.run(command, env=environment, check=True)


def pack_modules(package_root: Path) -> None:
    """Write all modules into one file, which the interpreter that builds reads faster (see podpy/pack/build.py)."""
    if not (package_root / "podpy/pack").exists():
        return
    environment = {**os.environ, "PYTHONPATH": os.fspath(package_root)}
    subprocess.run([sys.executable, "-B", "-m", "podpy.pack"], env=environment, check=True, stdout=subprocess.DEVNULL)


class BuildExtensions(build_ext):
    """The cffi module, then the executables and the option table beside it."""

    def run(self) -> None:
        super().run()
        root = self._package_root()
        for program in PROGRAMS:
            program.build(root / "podpy/_bin" / program.name)
        if self.inplace:
            LAUNCHER.build(root / "podpy/_bin/podpy", checkout_definitions())
            target = root / "podpy/_bin" / GENERATOR.name
            GENERATOR.build(target, checkout_definitions() + GENERATOR_DEFINITIONS)
        compile_option_table(root)
        if not self.inplace:  # a checkout's sources change
            pack_modules(root)

    def get_outputs(self) -> list[str]:
        root = self._package_root()
        programs = [os.fspath(root / "podpy/_bin" / program.name) for program in PROGRAMS if program.sources]
        return [*super().get_outputs(), *programs]

    def _package_root(self) -> Path:
        return HERE / "src" if self.inplace else Path(self.build_lib).resolve()


class BuildLauncher(build_scripts):
    """The scripts are executables. (The original reads scripts as text and rewrites their first line.)"""

    def run(self) -> None:
        target = Path(self.build_dir).resolve()
        LAUNCHER.build(target / LAUNCHER.name)
        GENERATOR.build(target / GENERATOR.name, GENERATOR_DEFINITIONS)

    def get_source_files(self) -> list[str]:
        return []


def main() -> None:
    os.chdir(HERE)
    if shutil.which(shlex.split(os.environ.get("CC", "cc"))[0]) is None:
        sys.exit("podpy: there is no C compiler. Install one (Debian: apt install gcc libc6-dev python3-dev)")
    setup(
        cffi_modules=["src/conmon_c/native/build.py:ffibuilder"],
        cmdclass={"build_ext": BuildExtensions, "build_scripts": BuildLauncher},
        package_data={"podpy": ["py.typed"], "podpy.labs": ["texts/*.toml"]},
        scripts=[LAUNCHER.name, GENERATOR.name],
        options={"bdist_wheel": {"py_limited_api": "cp311"}},
    )


if __name__ == "__main__":
    main()
