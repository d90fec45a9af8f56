"""What a real manager takes from containers in units with Type=notify."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import wait
from tests.support.engine import Podpy, Result
from tests.support.units import UserManager, user_manager

pytestmark = pytest.mark.xdist_group("units")  # names of units in one user's systemd
NAME = "podpy-test-notify"
UNIT = """
Type={type}
NotifyAccess=all
TimeoutStartSec={patience}
{more}
ExecStart={podpy} run --name {name} --replace --rm --network=none --sdnotify={who} {options} -d {image} {command}
"""
SLEEP = "sh -c 'trap \"exit 0\" TERM; sleep 1000 & wait'"


@pytest.fixture
def manager(podpy: Podpy) -> Iterator[UserManager]:
    with user_manager(podpy) as found:
        yield found


class SlowRegistry(http.server.ThreadingHTTPServer):
    """A registry with one image, whose layer takes its time."""

    PIECES, PAUSE = 16, 0.5  # seconds

    def __init__(self, layout: Path) -> None:
        super().__init__(("127.0.0.1", 0), _SlowAnswer)
        self.blobs = layout / "blobs/sha256"
        manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
        self.manifest = (self.blobs / manifest.removeprefix("sha256:")).read_bytes()
        self.slow = json.loads(self.manifest)["layers"][0]["digest"].removeprefix("sha256:")
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _SlowAnswer(http.server.BaseHTTPRequestHandler):
    server: SlowRegistry

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2].removeprefix("sha256:")
        blob = self.server.blobs / name
        body = (
            blob.read_bytes() if "/blobs/" in self.path else self.server.manifest if "/manifests/" in self.path else b""
        )
        self.send_response(200)
        self.send_header("Content-Type", json.loads(self.server.manifest)["mediaType"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        step = len(body) // self.server.PIECES + 1 if name == self.server.slow else len(body) + 1
        for at in range(0, len(body) if self.command == "GET" else 0, step):
            self.wfile.write(body[at : at + step])
            self.wfile.flush()
            time.sleep(self.server.PAUSE if step < len(body) else 0)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Starting:
    """`systemctl start` in the background, or another of its commands."""

    def __init__(self, manager: UserManager, command: str = "start") -> None:
        self.result: Result | None = None
        self._thread = threading.Thread(target=self._run, args=(manager, command))
        self._thread.start()

    def _run(self, manager: UserManager, command: str) -> None:
        self.result = manager.systemctl(command, NAME)

    @property
    def is_waiting(self) -> bool:
        """Whether systemd still waits."""
        return self.result is None

    def ok(self) -> None:
        """Wait for its end."""
        self._thread.join(wait.PATIENCE)
        assert self.result is not None
        self.result.ok()


def load(manager: UserManager, image: str, who: str, **more: str) -> None:
    words = {"type": "notify", "more": "", "options": "", "patience": "60", "command": SLEEP, **more}
    manager.load(NAME, UNIT, image=image, who=who, **words)


def say(manager: UserManager, text: str) -> None:
    """Send a message from where the container's own would come."""
    container = manager.engine("ps", "-q", "--no-trunc").ok()
    directory = os.open(manager.podpy.runroot / "containers" / container / "bundle/notify", os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inside:
        inside.connect(f"/proc/self/fd/{directory}/notify.sock")
        inside.send(text.encode())
    os.close(directory)


def runs(manager: UserManager) -> None:
    wait.until(lambda: manager.engine("ps", "-q").ok() != "", what="the container runs")


def test_the_start_waits_for_the_container(busybox: str, manager: UserManager) -> None:
    load(manager, busybox, "container")
    starting = Starting(manager)
    runs(manager)
    monitor = manager.engine("inspect", "--format", "{{.State.ConmonPid}}", NAME).ok()
    wait.until(lambda: manager.show(NAME, "MainPID")["MainPID"] == monitor, what="systemd follows the monitor")
    say(manager, "STATUS=warming up\nMAINPID=1")
    wait.until(lambda: manager.show(NAME, "StatusText")["StatusText"] == "warming up", what="its status arrives")
    assert starting.is_waiting
    say(manager, "READY=1\nSTATUS=serving")
    starting.ok()
    assert manager.show(NAME, "MainPID", "StatusText") == {"MainPID": monitor, "StatusText": "serving"}


def test_a_container_may_take_its_time(busybox: str, manager: UserManager) -> None:
    load(manager, busybox, "container", patience="4")
    starting = Starting(manager)
    runs(manager)
    say(manager, "EXTEND_TIMEOUT_USEC=60000000")
    began = int(manager.show(NAME, "ExecMainStartTimestampMonotonic")["ExecMainStartTimestampMonotonic"])
    wait.until(lambda: time.monotonic_ns() // 1000 > began + 6_000_000, what="longer than TimeoutStartSec=")
    say(manager, "READY=1")
    starting.ok()


def test_a_pull_may_take_longer_than_a_start(busybox: str, manager: UserManager) -> None:
    layout = manager.podpy.home / "layout"
    manager.engine("save", "--format=oci-dir", "--output", os.fspath(layout), busybox).ok()
    with SlowRegistry(layout) as registry:
        image = f"127.0.0.1:{registry.server_port}/slow:latest"
        manager.engine("rmi", "--force", busybox).ok()  # its layer must come from there
        load(manager, image, "conmon", patience="3", options="--tls-verify=false")
        began = time.monotonic()
        manager.systemctl("start", NAME).ok()
        assert time.monotonic() - began > 3  # TimeoutStartSec
        registry.shutdown()


def test_the_start_waits_until_the_container_is_healthy(busybox: str, manager: UserManager) -> None:
    load(manager, busybox, "healthy", options="--health-cmd='test -e /tmp/well' --health-interval=1s")
    starting = Starting(manager)
    runs(manager)
    assert starting.is_waiting
    manager.engine("exec", NAME, "touch", "/tmp/well").ok()
    starting.ok()
    assert manager.engine("inspect", "--format", "{{.State.Health.Status}}", NAME).ok() == "healthy"


def test_a_watchdog_that_hears_nothing_ends_the_unit(busybox: str, manager: UserManager) -> None:
    load(manager, busybox, "container", more="WatchdogSec=2")
    starting = Starting(manager)
    runs(manager)
    environment = manager.engine("exec", NAME, "cat", "/proc/1/environ").ok().split("\0")
    assert "WATCHDOG_USEC=2000000" in environment
    say(manager, "READY=1")
    starting.ok()
    wait.until(lambda: manager.show(NAME, "ActiveState")["ActiveState"] == "failed", what="the unit has failed")
    assert manager.show(NAME, "Result")["Result"] == "watchdog"
    wait.until(lambda: manager.engine("ps", "-aq").ok() == "", what="its container is gone")


def test_a_reload_is_a_signal_to_the_container(busybox: str, manager: UserManager) -> None:
    command = 'sh -c \'trap "echo again" HUP; trap "exit 0" TERM; while true; do sleep 1000 & wait $!; done\''
    load(manager, busybox, "container", type="notify-reload", command=command)
    starting = Starting(manager)
    runs(manager)
    say(manager, "READY=1")
    starting.ok()
    reloading = Starting(manager, "reload")
    wait.until(lambda: manager.engine("logs", NAME).ok() == "again", what="the signal arrives")
    assert reloading.is_waiting
    say(manager, f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
    say(manager, "READY=1")
    reloading.ok()
