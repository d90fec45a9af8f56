"""conmon, built as it is shipped and with sanitizers: every test runs with both."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conmon.harness import Bundle, Conmon

SOURCES = Path(__file__).resolve().parents[2] / "src/conmon_c/conmon"
ODD_RUNTIME = Path(__file__).with_name("odd_runtime.c")
BUILDS = {
    "plain": ["-O2", "-static"],
    "sanitized": ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"],
}


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conmon-build")


@pytest.fixture(scope="session", params=list(BUILDS))
def conmon_exe(request: pytest.FixtureRequest, build_dir: Path) -> Path:
    """The executable, with all warnings as errors."""
    target = build_dir / f"conmon-{request.param}"
    sources = sorted(str(path) for folder in (SOURCES, SOURCES.parent / "common") for path in folder.glob("*.c"))
    flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", *BUILDS[request.param]]
    subprocess.run(["cc", *flags, "-o", str(target), *sources], check=True)
    return target


@pytest.fixture(scope="session")
def probe_exe(conmon_exe: Path) -> Path:
    """The program that runs probes, built in the same way."""
    target = conmon_exe.with_name(conmon_exe.name.replace("conmon", "probe"))
    sources = sorted(str(path) for folder in ("probe", "common") for path in (SOURCES.parent / folder).glob("*.c"))
    flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", *BUILDS[conmon_exe.name.partition("-")[2]]]
    subprocess.run(["cc", *flags, "-o", str(target), *sources], check=True)
    return target


@pytest.fixture(scope="session")
def odd_runtime(build_dir: Path) -> str:
    """A "runtime" without containers that can do things wrong."""
    target = build_dir / "odd-runtime"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(target), str(ODD_RUNTIME)], check=True)
    return str(target)


@pytest.fixture(params=["crun", "runc"])
def runtime(request: pytest.FixtureRequest) -> str:
    """Each real runtime."""
    found = shutil.which(str(request.param), path="/usr/bin:/usr/sbin:/usr/local/bin")
    assert found, f"{request.param} is not installed"
    return found


@pytest.fixture
def container(conmon_exe: Path, tmp_path: Path) -> Iterator[Callable[..., Conmon]]:
    """Makes a monitor with a bundle: container(["sh", "-c", ...], runtime=…, terminal=…, config=…)."""
    made: list[Conmon] = []

    def make(args: list[str] | str, *, runtime: str = "/usr/bin/crun", **bundle: object) -> Conmon:
        words = ["sh", "-c", args] if isinstance(args, str) else args
        place = Bundle(tmp_path, words, **bundle)  # type: ignore[arg-type]
        made.append(Conmon(conmon_exe, runtime, place.path, place.id))
        return made[-1]

    yield make
    for conmon in made:
        conmon.__exit__()


@pytest.fixture
def odd(conmon_exe: Path, odd_runtime: str, tmp_path: Path) -> Iterator[Conmon]:
    """A monitor with the runtime that does things wrong."""
    with Conmon(conmon_exe, odd_runtime, tmp_path, "c" * 64) as conmon:
        yield conmon
