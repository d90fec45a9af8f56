"""The pytest plugin: each test runs a pytest of its own, as podpy's user, with real containers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import processes, wait
from tests.support.engine import CHECKOUT, Podpy, Result
from tests.support.images import BUSYBOX, Image, Layer
from tests.support.library import package_directory

Suite = Callable[..., Result]
PLUGIN = ["-p", "podpy.testing.plugin", "-p", "no:cacheprovider", "-q"]


def write(podpy: Podpy, text: str) -> list[str]:
    """Write a suite of one file, and return the command that runs it."""
    directory = podpy.home / "suite"
    directory.mkdir(exist_ok=True)
    (directory / "test_it.py").write_text(textwrap.dedent(text))
    podpy_temporary = podpy.home / "pytest"
    return [sys.executable, "-m", "pytest", *PLUGIN, f"--basetemp={podpy_temporary}", os.fspath(directory)]


def environment(podpy: Podpy) -> dict[str, str]:
    return {"PYTHONPATH": os.fspath(package_directory(podpy)), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def suite(podpy: Podpy, busybox: str) -> Suite:
    """Runs a suite; nothing of it may be left afterwards."""

    def run(text: str, *arguments: str) -> Result:
        result = podpy.run([*write(podpy, text), *arguments], env=environment(podpy))
        assert left(podpy) == ""
        return result

    return run


def left(podpy: Podpy) -> str:
    """Return the names of what a suite has left."""
    lists = [("ps", "-aq"), ("pod", "ps", "-q"), ("network", "ls", "-q"), ("images", "--format", "{{.Repository}}")]
    names = "\n".join(podpy.ok(*words) for words in lists).split()
    return " ".join(name for name in names if name not in ("podman", BUSYBOX.partition(":")[0], "localhost/registry"))


def test_containers_are_ready_when_the_test_gets_them(suite: Suite) -> None:
    text = """
    import urllib.request

    def test_port(container):
        web = container("busybox", ["httpd", "-f", "-p", "80", "-h", "/etc"], publish=[80], until_port=80)
        host, port = web.address(80)
        assert host == "127.0.0.1"
        assert b"root" in urllib.request.urlopen(f"http://{host}:{port}/passwd").read()

    def test_log_and_health(container):
        script = "echo booting; echo ready 12; sleep 300"
        assert container("busybox", ["sh", "-c", script], until_log="ready [0-9]+").status == "running"
        check = {"test": "true", "interval": 100_000_000}
        assert container("busybox", ["sleep", "300"], healthcheck=check, until_healthy=True).health == "healthy"
    """
    assert "2 passed" in suite(text).ok()


def test_images_pods_and_networks_are_made_for_a_test(suite: Suite) -> None:
    text = """
    def test_all(container, network, pod, image, tmp_path, podpy_runtime):
        net = network()
        container("busybox", ["httpd", "-f", "-h", "/etc"], name="db", network=net.name, until_port=80)
        one = container("busybox", ["sleep", "300"], network=net.name, labels={"own": "1"})
        assert b"root" in one.exec("wget -qO- http://db/passwd").stdout and one.labels["own"] == "1"
        shop = pod(network="none")
        container("busybox", ["httpd", "-f", "-h", "/etc"], pod=shop.id, until_port=80)
        assert b"root" in container("busybox", ["sleep", "300"], pod=shop.id).exec("wget -qO- localhost/passwd").stdout
        (tmp_path / "Dockerfile").write_text("FROM busybox\\nARG A\\nRUN echo $A > /made\\n")
        made = image(tmp_path, buildargs={"A": "one"})
        assert podpy_runtime.containers.run(made, "cat /made", remove=True) == b"one\\n"

    def test_what_a_test_removes_itself_is_no_error(container, network, podpy_runtime):
        container("busybox", ["true"]).remove(force=True, timeout=0)
        podpy_runtime.networks.remove(network().name)
    """
    assert "2 passed" in suite(text).ok()


def test_a_container_may_live_as_long_as_the_session(suite: Suite) -> None:
    text = """
    import pytest

    @pytest.fixture(scope="session")
    def server(podpy_session):
        return podpy_session.container("busybox", ["sleep", "300"], name="server")

    def test_one(server):
        assert server.exec("touch /one").exit_code == 0

    def test_two(server):
        assert server.exec("ls /one").exit_code == 0
    """
    assert "2 passed" in suite(text).ok()


def test_a_failure_shows_log_and_reason_and_leaves_nothing(suite: Suite) -> None:
    text = """
    def test_fails(container):
        box = container("busybox", ["sh", "-c", "echo so sad; exit 3"], name="sad")
        assert box.wait() == 0
    """
    told = suite(text).fails(1).stdout
    assert "podpy: container sad" in told and "\nso sad\n" in told and "exit code 3" in told
    assert "podpy logs sad" in told


def test_what_is_not_ready_fails_with_the_reason(suite: Suite) -> None:
    text = """
    def test_ends_early(container):
        container("busybox", ["sh", "-c", "echo oops; exit 4"], name="early", until_port=80)

    def test_says_nothing(container):
        container("busybox", ["sleep", "300"], name="silent", until_log="never", wait_timeout=0.1)

    def test_is_unhealthy(container):
        check = {"test": "false", "interval": 100_000_000, "retries": 1}
        container("busybox", ["sleep", "300"], name="ill", healthcheck=check, until_healthy=True)
    """
    told = suite(text).fails(1).stdout
    assert "container early of busybox isn't ready: it has ended with exit code 4" in told
    assert "container silent of busybox isn't ready: no line of its log has 'never' after 0.1 seconds" in told
    assert "container ill of busybox isn't ready: it is unhealthy" in told
    assert "Traceback" not in told and "scope.py" not in told, told


def test_an_image_that_is_not_there_fails_with_the_pulls_text(suite: Suite) -> None:
    text = """
    def test_one(container):
        container("localhost/nothing:1")

    def test_two(image, tmp_path):
        (tmp_path / "Dockerfile").write_text("FROM busybox\\nRUN exit 7\\n")
        image(tmp_path)
    """
    told = suite(text).fails(1).stdout
    assert "\nError: localhost/nothing: localhost: Connection refused\nHint: " in told, told
    assert told.count("\nError: ") == 2 and "Traceback" not in told and "scope.py" not in told, told


def test_workers_of_xdist_are_in_nobodys_way(suite: Suite) -> None:
    text = """
    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_many(container, network, number):
        box = container("busybox", ["httpd", "-f", "-p", "80"], publish=[80], network=network().name, until_port=80)
        assert box.address(80)[1] > 0
    """
    assert "4 passed" in suite(text, "-n", "2").ok()


def test_a_registry_takes_an_image_that_was_built(podpy: Podpy, suite: Suite) -> None:
    libraries = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]
    settings = b"version: 0.1\nstorage: {filesystem: {rootdirectory: /data}}\nhttp: {addr: ':5000'}\n"
    layer = Layer().add("config.yml", settings)
    for path in ["/usr/bin/docker-registry", *libraries]:
        layer.add(path.removeprefix("/"), Path(path).read_bytes(), mode=0o755)
    image = Image([layer.tar()], {"Cmd": ["/usr/bin/docker-registry", "serve", "/config.yml"]})
    archive = image.write_docker_archive(podpy.home / "registry.tar", "localhost/registry:2")
    podpy.ok("load", "-i", os.fspath(archive))
    text = """
    import urllib.request

    def test_push(registry, image, tmp_path):
        (tmp_path / "Dockerfile").write_text("FROM busybox\\n")
        there = registry.push(image(tmp_path), "app:1")
        assert there == f"{registry.address}/app:1"
        with urllib.request.urlopen(f"http://{registry.address}/v2/app/tags/list") as answer:
            assert b'"1"' in answer.read()
    """
    assert "1 passed" in suite(text, "-o", "podpy_registry_image=localhost/registry:2").ok()


KILLED = """
import pathlib, time

def test_long(container, network, pod, image, tmp_path):
    container("busybox", ["sleep", "300"], network=network().name)
    container("busybox", ["sleep", "300"], pod=pod(network="none").id)
    (tmp_path / "Dockerfile").write_text("FROM busybox\\n")
    image(tmp_path)
    pathlib.Path("READY").touch()
    time.sleep(300)
"""


def started(podpy: Podpy) -> subprocess.Popen[bytes]:
    """Start a suite that has made something of each kind, and return its process."""
    ready = podpy.home / "ready"
    ready.unlink(missing_ok=True)
    command = write(podpy, KILLED.replace("READY", os.fspath(ready)))
    process = subprocess.Popen(
        command,
        env=podpy.environment(environment(podpy)),
        cwd=podpy.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        **podpy.user.as_popen_arguments(),
    )
    wait.until(lambda: ready.exists() or process.poll() is not None, what="the suite runs")
    assert process.poll() is None
    return process


def watcher_of(process: subprocess.Popen[bytes]) -> int:
    """Return the pid of a suite's watcher."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if any(word.endswith(b"/watcher.py") for word in words) and str(process.pid).encode() in words:
            found.append(int(entry.name))
    assert len(found) == 1, [processes.describe(pid) for pid in found]
    return found[0]


def test_a_killed_pytest_leaves_nothing(podpy: Podpy, busybox: str) -> None:
    process = started(podpy)
    watcher = watcher_of(process)
    process.kill()
    process.wait()
    wait.for_end(watcher)
    assert left(podpy) == ""


def test_what_a_killed_pytest_and_its_watcher_left_goes_with_the_next_session(podpy: Podpy, busybox: str) -> None:
    process = started(podpy)
    os.kill(watcher_of(process), signal.SIGKILL)
    process.kill()
    process.wait()
    assert left(podpy) != ""
    living = started(podpy)
    try:
        assert len(podpy.ok("ps", "-q").split()) == 3  # its own alone
        command = write(podpy, "def test_one(podpy_runtime):\n    assert len(podpy_runtime.containers.list()) == 3\n")
        assert "1 passed" in podpy.run(command, env=environment(podpy)).ok()
    finally:
        living.send_signal(signal.SIGINT)
        living.wait(60)
    assert left(podpy) == ""


def test_a_run_without_the_fixtures_loads_nothing_and_starts_nothing(suite: Suite) -> None:
    text = """
    import sys

    def test_own(tmp_path):
        assert {name for name in sys.modules if name.startswith("podpy")} == {
            "podpy", "podpy.testing", "podpy.testing.plugin"
        }
    """
    assert "1 passed" in suite(text).ok()


def test_the_plugin_loads_nothing_besides_pytest() -> None:
    places = [os.fspath(CHECKOUT / "src"), sysconfig.get_path("purelib")]
    text = f"""
import sys; sys.path += {places!r}; import pytest; before = {{*sys.modules}}
import podpy.testing.plugin; print(*sorted({{*sys.modules}} - before))
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", text], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["podpy", "podpy.testing", "podpy.testing.plugin"]


def test_fixtures_of_a_project_come_before_the_plugins(suite: Suite) -> None:
    text = """
    import pytest

    @pytest.fixture
    def image():
        return "mine"

    def test_own(image):
        assert image == "mine"

    @pytest.mark.parametrize("container", [1])
    def test_parameter(container):
        assert container == 1
    """
    assert "2 passed" in suite(text).ok()
