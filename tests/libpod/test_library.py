"""`from podpy import Runtime`: the engine in somebody else's process, which may have threads and stays where it is."""

from __future__ import annotations

import functools
import os
import re
import socket
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from podpy import Runtime
from podpy.config.paths import Paths
from podpy.errors import StateError
from podpy.spec.container import ContainerSpec
from tests.support import needs, wait
from tests.support.engine import CHECKOUT, Podpy, Result
from tests.support.images import Image, Layer
from tests.support.library import run_program
from tests.support.registry import Registry

THREADED = """
import os, sys, threading, time
from podpy import Runtime
from podpy.errors import CommandNotFoundError
from podpy.libpod.io.exec_options import ExecOptions
from podpy.libpod.io.log_lines import LogOptions
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
        assert runtime.inspect("lib")[0] == "container" and runtime.inspect("busybox")[0] == "image"
        assert len(runtime.containers.top("lib")) == 2
        assert container.exec(ExecOptions(command=["touch", "/new"])) == 0
        assert "/new" in [change.path for change in runtime.containers.diff("lib")]
        assert [*runtime.containers.logs([container, container])] == []
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
        assert runtime.load(sys.argv[1]) == [record.names[0] for record in runtime.images.list()]
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


@pytest.fixture
def library(podpy: Podpy) -> Callable[..., Result]:
    """Runs a program that imports podpy, as podpy's user."""
    return functools.partial(run_program, podpy)


def test_a_process_with_threads_uses_every_method_and_stays_where_it_is(
    podpy: Podpy, library: Callable[..., Result], busybox: str, busybox_archive: Path
) -> None:
    result = library(THREADED, os.fspath(busybox_archive))
    assert result.ok() == "done"
    assert result.stderr == ""
    wait.until(lambda: podpy.ok("ps", "-aq") == "", what="conmon's exit commands have removed the --rm containers")


def test_the_readmes_example_shows_something(podpy: Podpy, library: Callable[..., Result]) -> None:
    text = (CHECKOUT / "README.md").read_text()
    example = text[text.index("    from podpy import Runtime") : text.index("## Where to read on")]
    said = library(textwrap.dedent(example)).ok()
    assert "Hello from a container" in said
    assert re.search(r"<Container \w+ \([0-9a-f]{12}\) of localhost/hello:latest: exited> ended with 0$", said)


def test_the_objects_say_what_they_are(podpy: Podpy, library: Callable[..., Result], busybox: str) -> None:
    podpy.ok("create", "--name", "c", busybox)
    said = library("from podpy import Runtime\nwith Runtime() as runtime: print(runtime, runtime.container('c'))").ok()
    assert said.startswith(f"<Runtime of {podpy.graphroot}, run directory ")
    assert re.search(rf"<Container c \([0-9a-f]{{12}}\) of {busybox}: created>$", said)


BEGIN = """
import os, sys
from podpy import Runtime
from podpy.libpod.caller import Caller, Streams
from podpy.libpod.io.foreground import AttachOptions
from podpy.libpod.io.exec_options import ExecOptions
from podpy.libpod.io.log_lines import LogOptions
from podpy.spec.container import ContainerSpec, Mount

def spec(*command, **more):
    return ContainerSpec(image="localhost/busybox", command=list(command), network="none", **more)
"""

EXEC = r"""
with Runtime() as runtime, open("out", "wb") as out, open("in", "w+b") as given:
    given.write(b"some words")
    given.seek(0)
    container = runtime.create(spec("sleep", "300"))
    container.start()
    shell = lambda text, **more: ExecOptions(command=["sh", "-c", text], **more)
    read, write = os.pipe()
    assert container.exec(shell("cat; echo error >&2; exit 4", interactive=True), Streams(given, out, write)) == 4
    assert os.read(read, 100) == b"error\n"
    assert open("out").read() == "some words"
    assert container.exec(shell("cat; echo nobody reads it; echo this neither >&2")) == 0
    assert container.exec(shell("echo in a terminal", tty=True), Streams(None, write)) == 0
    assert os.read(read, 100) == b"in a terminal\r\n"
    session = container.exec_detached(shell("echo; exit 9"))
    assert len(session) == 64, session
    container.remove(force=True, timeout=0)
print("done")
"""


OUT_OF_DATE = """
from podpy import Runtime
from podpy.libpod.containers.ending.settle import settle
from podpy.spec.container import ContainerSpec
with Runtime() as runtime:
    container = runtime.create(ContainerSpec(image="localhost/busybox", command=["sleep", "300"], network="none"))
    container.start()
    before = container.row
    container.restart(0)
    print(settle(runtime, before).status, container.refresh().status)
    container.remove(force=True, timeout=0)
"""


def test_who_knows_an_older_process_of_a_container_learns_that_it_runs(
    library: Callable[..., Result], busybox: str
) -> None:
    assert library(OUT_OF_DATE).ok() == "running running"


ENDED_MEANWHILE = """
with Runtime() as runtime, open(os.devnull, "r+b") as null:
    container = runtime.create(spec("cat", stdin_open=True))
    container.start()
    os.kill(container.row.pid, 9)
    print(container.wait(), container)
    container.start()
    assert container.row.status == "running"
    os.kill(container.row.pid, 9)
    print(container.wait(conditions=["exited"]), container)
    container.start()
    print(container.attach(AttachOptions(streams=Streams(null, 1, 2))), container)
    container.start()
    print(container.kill(), container)
    container.start()
    print(container.stop(0), container)
    container.remove()
"""


def test_who_has_waited_for_the_end_holds_a_container_that_has_ended(
    library: Callable[..., Result], busybox: str
) -> None:
    said = library(BEGIN + ENDED_MEANWHILE).ok().splitlines()
    assert [(line.split()[0], line.rsplit(None, 1)[1]) for line in said] == [
        ("137", "exited>"),
        ("137", "exited>"),
        ("0", "exited>"),
        ("None", "exited>"),
        ("None", "exited>"),
    ]


CHANGED_ELSEWHERE = """
from podpy import Runtime
from podpy.spec.changes import Changes
from podpy.spec.container import ContainerSpec
with Runtime() as runtime:
    one = runtime.create(ContainerSpec(image="localhost/busybox", command=["true"], network="none"))
    one.inspect()
    other = runtime.container(one.id)
    other.update(Changes(env={"A": "1"}))
    one.update(Changes(env={"B": "2"}))
    other.rename("new")
    one.update(Changes(env={"C": "3"}))
    found = runtime.container("new").spec
    print(found.name, *(f"{name}={found.env.get(name)}" for name in "ABC"))
    other.remove()
"""


def test_who_knows_an_older_container_changes_it_as_it_is_now(library: Callable[..., Result], busybox: str) -> None:
    assert library(CHANGED_ELSEWHERE).ok() == "new A=1 B=2 C=3"


WITHOUT_STREAMS = """
import os, sys
from podpy import Runtime
from podpy.spec.container import ContainerSpec
from podpy.libpod.caller import Streams
from podpy.libpod.io.exec_options import ExecOptions
from podpy.libpod.io.foreground import AttachOptions
told = os.dup(1)
for descriptor in (0, 1, 2):
    os.close(descriptor)
with Runtime() as runtime:
    spec = ContainerSpec(image="localhost/busybox", command=["sleep", "300"], network="none", stop_timeout=0)
    container = runtime.create(spec)
    container.start()
    sink = Streams(None, told, told)
    codes = [container.exec(ExecOptions(command=["sh", "-c", "exit 3"], tty=tty), sink) for tty in (False, True)]
    container.remove(force=True)
    short = runtime.create(spec.replace(command=["sh", "-c", "exit 4"]))
    codes.append(short.start_attached(AttachOptions(sink)))
    short.remove()
os.write(told, str(codes).encode())
"""


def test_a_daemon_whose_standard_streams_are_closed_starts_containers(
    library: Callable[..., Result], busybox: str
) -> None:
    assert library(WITHOUT_STREAMS).ok() == "[3, 3, 4]"


def test_exec_has_the_streams_that_it_is_given_and_else_none(library: Callable[..., Result], busybox: str) -> None:
    result = library(BEGIN + EXEC, input="the process's own stdin")
    assert (result.ok(), result.stderr) == ("done", "")


ATTACH = r"""
with Runtime() as runtime:
    read, write = os.pipe()
    container = runtime.create(spec("sh", "-c", "cat; echo error >&2; exit 5", stdin_open=True))
    inner, outer = os.pipe()
    os.write(outer, b"first")
    os.close(outer)
    assert container.start_attached(AttachOptions(Streams(inner, write, write))) == 5
    assert container.row.status == "exited", container.row
    assert os.read(read, 100) == b"firsterror\n"
    container.remove()

    container = runtime.create(spec("sh", "-c", "read word; echo got $word; exit 6", stdin_open=True))
    container.start()
    inner, outer = os.pipe()
    os.write(outer, b"second\n")
    assert container.attach(AttachOptions(Streams(inner, write))) == 6
    assert os.read(read, 100) == b"got second\n"
    container.remove()
print("done")
"""


def test_attach_and_foreground_have_the_streams_that_they_are_given(
    library: Callable[..., Result], busybox: str
) -> None:
    result = library(BEGIN + ATTACH, input="the process's own stdin")
    assert (result.ok(), result.stderr) == ("done", "")


SERVICE = r"""
with Runtime() as runtime, open("out", "w+") as out:
    container = runtime.create(spec("sh", "-c", "env; sleep 300", sdnotify="container"))
    container.start()
    container.exec(ExecOptions(command=["env"]), Streams(None, out))
    written = open("out").read() + "\n".join(line.text.decode() for line in container.logs())
    assert "NOTIFY_SOCKET" not in written and "LISTEN_FDS" not in written, written
    assert "http_proxy=http://proxy.example:3128" in written, written
    container.remove(force=True, timeout=0)
print("done")
"""


def test_a_librarys_service_manager_hears_nothing_of_containers(
    podpy: Podpy, library: Callable[..., Result], busybox: str
) -> None:
    """NOTIFY_SOCKET and LISTEN_FDS are the calling service's own; its proxies go on into the container."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = podpy.home / "notify"
        manager.bind(str(path))
        path.chmod(0o777)
        env = {"NOTIFY_SOCKET": str(path), "LISTEN_FDS": "1", "http_proxy": "http://proxy.example:3128"}
        assert library(BEGIN + SERVICE, env=env).ok() == "done"
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(4096)


CALLER = r"""
os.mkdir("place")
mine = Caller({"no_proxy": "mine.example"}, os.path.abspath("place"), Streams(None, 1))
with Runtime(caller=mine) as runtime:
    shared = Mount(type="bind", source="shared", target="/shared")
    os.mkdir("place/shared")
    container = runtime.create(spec("sleep", "300", cidfile="cid", mounts=[shared]))
    assert open("place/cid").read() == container.id
    container.start()
    container.exec(ExecOptions(command=["sh", "-c", "echo $no_proxy $http_proxy; touch /shared/here"]))
    assert os.listdir("place/shared") == ["here"]
    container.remove(force=True, timeout=0)
"""


def test_a_caller_is_what_it_was_said_to_be(library: Callable[..., Result], busybox: str) -> None:
    """Its environment, its directory and its streams, not the process's."""
    result = library(BEGIN + CALLER, env={"http_proxy": "http://proxy.example:3128"})
    assert (result.ok(), result.stderr) == ("mine.example", "")


PULL = r"""
import threading
from podpy.image.progress import Progress
from podpy.image.registry.access import PullOptions

class Shown(Progress):
    calls = []
    def __getattribute__(self, name):
        if hasattr(Progress, name) and not name.startswith("_"):
            return lambda *arguments: Shown.calls.append((name, threading.get_ident()))
        return super().__getattribute__(name)

warnings = []
with Runtime(caller=Caller({}, notice=warnings.append)) as runtime:
    image = runtime.pull(sys.argv[1], PullOptions(tls_verify=False), progress=Shown())
    assert runtime.image(sys.argv[1]).id == image.id
    names = [name for name, _ in Shown.calls]
    assert names.count("layer_started") == names.count("layer_done") == 1, names
    assert names[0] == "message" and names[-1] == "close", names
    assert "layer_advanced" in names and "committing" in names, names
    assert {thread for _, thread in Shown.calls} == {threading.get_ident()}
    container = runtime.create(spec("sh", "-c", "trap : TERM; echo ready; sleep 100 & wait; wait; sleep 100"))
    container.start()
    next(iter(container.logs(LogOptions(follow=True))))
    container.stop(1)
    assert len(warnings) == 1 and "resorting to SIGKILL" in warnings[0], warnings
    container.remove()
print("done")
"""


def test_a_pull_tells_its_progress_and_a_stop_its_warning(
    library: Callable[..., Result], busybox: str, registry: Registry
) -> None:
    """In the thread that called, though a helper process does the work; warnings go to the caller's notice."""
    registry.push("small", "latest", Image([Layer().add("etc/one", os.urandom(300_000)).tar()]))
    result = library(BEGIN + PULL, f"{registry.address}/small")
    assert (result.ok(), result.stderr) == ("done", "")


def test_the_programs_of_the_library_page_run(podpy: Podpy, library: Callable[..., Result], busybox: str) -> None:
    lines = (CHECKOUT / "docs/library.md").read_text().splitlines()
    program = "\n".join(line[4:] for line in lines if line.startswith("    ") or not line)
    result = library(program)
    assert "Hello from a container" in result.ok() and result.stdout.endswith("0 containers\n"), result.describe()
    assert result.stderr == ""


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
        waiting.join(60)
        assert codes == [137]
        container.remove(volumes=True)
    assert rootful.ok("ps", "-aq") == ""


IMAGES = """
import os, sys
from podpy import Runtime
from podpy.errors import NoSuchImageError
from podpy.libpod.images.options import Progress

class Heard(Progress):
    def __init__(self):
        self.events = []

    def layer_started(self, digest, size, offset):
        self.events.append(("started", os.getpid()))

    def layer_done(self, digest):
        self.events.append(("done", os.getpid()))

    def config(self, digest):
        self.events.append(("config", os.getpid()))

    def close(self):
        self.events.append(("close", os.getpid()))

with Runtime() as runtime:
    heard = Heard()
    (name,) = runtime.images.load(sys.argv[1], progress=heard)
    assert [event for event, _ in heard.events] == ["started", "done", "config", "close"], heard.events
    assert {pid for _, pid in heard.events} == {os.getpid()}
    image = runtime.images.get(name)
    runtime.images.tag(name, ["mine:1", "mine:2"])
    assert [row.tag for row in runtime.images.rows(name="mine", sort="tag")] == ["1", "2"]
    assert [record.id for record in runtime.images.list(["dangling=false"])] == [image.id]
    assert runtime.images.inspect("mine:1")["Id"] == image.id
    runtime.images.untag("mine:1")
    assert runtime.images.exists(name) is False
    assert runtime.images.prune(dry_run=True).removed == [image.id]
    (gone,) = runtime.images.remove_several([image.id, image.id, "nothing"], ignore=True)
    assert gone.lines == [f"Deleted: {image.id}"] and gone.error is None, (gone.lines, gone.error)
    try:
        runtime.images.get(image.id)
    except NoSuchImageError:
        print("done")
"""


def test_a_library_manages_images_and_hears_their_progress(
    library: Callable[..., Result], busybox_archive: Path
) -> None:
    assert library(IMAGES, os.fspath(busybox_archive)).ok() == "done"
