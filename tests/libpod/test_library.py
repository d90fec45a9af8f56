"""`from podpy import Runtime`: the engine in somebody else's process, which may have threads and stays where it is."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

import podpy as podpy_package
from podpy import Runtime
from podpy.config.paths import Paths
from podpy.errors import StateError
from podpy.spec.container import ContainerSpec
from tests.support import needs, wait
from tests.support.engine import Podpy

THREADED = """
import os, sys, threading, time
from podpy import Runtime
from podpy.errors import CommandNotFoundError
from podpy.libpod.io.exec import ExecOptions
from podpy.libpod.io.logs import LogOptions
from podpy.spec.container import ContainerSpec

namespaces = [os.readlink(f"/proc/self/ns/{name}") for name in ("user", "mnt")]
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()


def spec(*command, **more):
    return ContainerSpec(image="localhost/busybox", command=list(command), network="none", **more)


def life():
    with Runtime() as runtime:
        container = runtime.create(spec("sleep", "300", name="lib"))
        assert container.status == "created"
        container.start()
        assert [each.name for each in runtime.containers()] == ["lib"]
        assert container.exec(ExecOptions(command=["sh", "-c", "exit 6"])) == 6
        assert container.row.pid > 0 and container.row.status == "running"
        assert container.inspect()["State"]["Running"]
        container.rename("other")
        assert container.name == runtime.container("other").name == "other"
        container.restart(0)
        container.kill(9)
        assert container.wait() == 137
        container.start()
        container.stop(0)
        assert container.status == "exited"
        container.remove()
        assert runtime.rows() == []


def written():
    with Runtime() as runtime:
        assert runtime.load(sys.argv[1]) == [record.names[0] for record in runtime.images()]
        assert runtime.push("localhost/busybox", "oci:" + os.environ["HOME"] + "/pushed").startswith("sha256:")
        container = runtime.create(spec("sh", "-c", "echo one; sleep 0.2; echo two"))
        container.start()
        assert [line.text for line in container.logs(LogOptions(follow=True))] == [b"one", b"two"]
        container.remove(force=True)


def quick(code):
    with Runtime() as runtime:
        container = runtime.create(spec("sh", "-c", f"exit {code}", remove=True))
        container.start()
        codes.append(container.wait(60))


def failing():
    with Runtime() as runtime:
        container = runtime.create(spec("nothing-like-it"))
        try:
            container.start()
        except CommandNotFoundError as error:
            assert error.exit_code == 127
        else:
            raise AssertionError("no error")
        assert container.status == "created"
        container.remove()


codes = []
life()
failing()
written()
threads = [threading.Thread(target=quick, args=(code,)) for code in range(3, 11)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(codes) == list(range(3, 11)), codes
assert namespaces == [os.readlink(f"/proc/self/ns/{name}") for name in ("user", "mnt")]
print("done")
"""


def test_a_process_with_threads_uses_every_method_and_stays_where_it_is(
    podpy: Podpy, busybox: str, busybox_archive: Path
) -> None:
    package = podpy.launcher.parents[2]
    if not (package / "podpy/__init__.py").exists():  # an installed podpy is tested, by its launcher alone
        package = Path(podpy_package.__file__ or "").parents[1]
    script = podpy.home / "caller.py"
    script.write_text(THREADED)
    script.chmod(0o644)
    result = podpy.run(
        [sys.executable, os.fspath(script), os.fspath(busybox_archive)], env={"PYTHONPATH": os.fspath(package)}
    )
    assert result.ok() == "done"
    assert result.stderr == ""
    wait.until(lambda: podpy.ok("ps", "-aq") == "", what="conmon's exit commands have removed the --rm containers")


@pytest.fixture
def rootful(podpy_root: Podpy, busybox_archive: Path) -> Podpy:
    """podpy as root with busybox loaded."""
    podpy_root.ok("load", "-i", str(busybox_archive))
    return podpy_root


def test_pytest_itself_as_the_caller(rootful: Podpy) -> None:
    """A start moves its process into the container's mount namespace: that must not be ours, also if we are root."""
    needs.require("mount")
    mounts = os.readlink("/proc/self/ns/mnt")
    paths = Paths.find(os.fspath(rootful.graphroot), os.fspath(rootful.runroot))
    with Runtime(paths) as runtime:
        container = runtime.create(
            ContainerSpec(image="localhost/busybox", command=["sleep", "300"], network="none", name="c")
        )
        container.start()
        assert os.readlink("/proc/self/ns/mnt") == mounts
        assert rootful.ok("ps", "--format", "{{.Names}}") == "c"
        with pytest.raises(StateError):
            container.start()
        with pytest.raises(StateError):
            container.remove()
        with pytest.raises(TimeoutError):
            container.wait(0.01)
        waiting = threading.Thread(target=lambda: codes.append(Runtime(paths).container("c").wait()))
        codes: list[int] = []
        waiting.start()
        container.stop(0)
        waiting.join(30)
        assert codes == [137]
        container.remove(volumes=True)
    assert rootful.ok("ps", "-aq") == ""
