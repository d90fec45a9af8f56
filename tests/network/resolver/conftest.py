"""podpy-resolver, built as it is shipped and with sanitizers: every test runs with both."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.resolver.lab import Lab, Running, Upstream
from tests.support import places

SOURCES = Path(__file__).resolve().parents[3] / "src/conmon_c/resolver"
BUILDS = {
    "plain": ["-O2", "-static"],
    "sanitized": ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"],
}


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    base = places.make_base()
    made = Lab(base)
    yield made
    made.end()
    places.remove(base)


@pytest.fixture(scope="session", params=list(BUILDS))
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("resolver") / str(request.param)
    sources = sorted(path for folder in (SOURCES, SOURCES.parent / "common") for path in folder.glob("*.c"))
    flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", *BUILDS[request.param]]
    subprocess.run(["cc", *flags, "-o", target, *sources], check=True)
    return target


@pytest.fixture
def running(lab: Lab, program: Path) -> Iterator[Running]:
    lab.reset()
    made = Running(lab, program)
    yield made
    made.end()


@pytest.fixture
def upstream(lab: Lab) -> Iterator[Upstream]:
    made = Upstream(lab.host)
    yield made
    made.close()
