"""A user's programs are checked by `mypy --strict`, as they would be beside an installed podpy (PEP 561)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine import CHECKOUT

pytestmark = pytest.mark.xdist_group("types of programs")  # one cache

PROGRAM = """
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podpy import Container, ContainerSpec, Mount, Pod, PodSpec, PodpyError, Runtime
from podpy.errors import ContainerError
from podpy.library.lines import Lines
from podpy.library.running import Chunk, ExecResult, Running


def run(runtime: Runtime) -> bytes:
    detached: Container = runtime.containers.run("busybox", detach=True, name="a", ports={80: None}, cpus=0.5)
    mount = Mount(type="tmpfs", target="/t")
    made: Container = runtime.containers.create("busybox", "true", volumes=["a:/a"], mounts=[mount])
    code: tuple[Container, int | None] = runtime.containers.run(ContainerSpec(image="busybox"))
    found: list[Container] = runtime.containers.list(["label=a"], all=True)
    names: list[str] = [each.name for each in [*found, made, detached, code[0], runtime.containers.get("a")]]
    return runtime.containers.run("busybox", ["echo", *names], environment={"A": "1"}, restart_policy="no")


def use(container: Container) -> None:
    result: ExecResult = container.exec("ls")
    running: Running = container.exec(["ls"], stream=True, stdin=True)
    chunks: Iterator[Chunk] = iter(running)
    lines: Lines = container.logs(stream=True, since=datetime.now())
    texts: list[bytes] = [line.text for line in lines]
    memory: int | None = container.stats().memory
    cpu: list[float | None] = [each.cpu for each in container.stats(stream=True)]
    pieces, stat = container.get_archive("/etc")
    size: int = stat.size + len(b"".join(pieces)) + (result.exit_code or 0)
    container.put_archive("/etc", b"")
    image: str = container.commit("a", "b").id
    with container as same:
        attached: Running = same.attach()
    try:
        code: int = container.wait(timeout=1.5)
    except (PodpyError, TimeoutError):
        raise
    except ContainerError as error:
        print(error.exit_status, error.hint)
    print(chunks, texts, memory, cpu, size, image, attached, code, container.address(80)[1])


def rest(runtime: Runtime) -> None:
    pod: Pod = runtime.pods.create(PodSpec(name="p"))
    print([each.id for each in pod.containers()], runtime.images.build(".", tag="t").names)
    print(runtime.kube.generate("p"), runtime.system.info(), runtime.system.df().kinds(), runtime.volumes.list())
    print(runtime.secrets.list(), runtime.networks.list(), [event.status for event in runtime.events()])
"""
WRONG = """
from podpy import Runtime
text: str = Runtime().containers.run("busybox")
Runtime().containers.run("busybox", mem_limt=1)
Runtime().containers.run("busybox", detach=True).exec("ls").nothing
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment in which podpy is installed, as far as a type checker sees."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    site = next(place.glob("lib/python*/site-packages"))
    (site / "podpy").symlink_to(CHECKOUT / "src/podpy")
    return place


def check(environment: Path, text: str) -> subprocess.CompletedProcess[str]:
    program = environment / "program.py"
    program.write_text(text)
    options = ["--strict", "--no-error-summary", "--config-file=", f"--cache-dir={CHECKOUT}/.mypy_cache/programs"]
    command = [sys.executable, "-m", "mypy", *options, f"--python-executable={environment}/bin/python", str(program)]
    return subprocess.run(command, cwd=environment, capture_output=True, text=True)


def test_a_program_with_every_documented_call_is_clean(environment: Path) -> None:
    done = check(environment, PROGRAM)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_programs_of_the_pages_are_clean(environment: Path) -> None:
    lines = (CHECKOUT / "docs/library.md").read_text().splitlines()
    program = "\n".join(line[4:] for line in lines if line.startswith("    ") or not line)
    done = check(environment, program)
    wrong = [line for line in done.stdout.splitlines() if "error:" in line and "[no-redef]" not in line]
    assert wrong == []


def test_mistakes_are_found(environment: Path) -> None:
    done = check(environment, WRONG)
    assert [line.partition(" error: ")[2] for line in done.stdout.splitlines() if "error:" in line and ":3:" in line]
    told = done.stdout
    assert 'expression has type "bytes", variable has type "str"' in told, told
    assert "mem_limt" in told or "No overload variant" in told, told
    assert '"ExecResult" has no attribute "nothing"' in told, told
