"""`podpy compose`: another program does the work and finds this engine, by a command `podman` or by a socket."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support import programs, wait
from tests.support.engine import Podpy, Result

ASKS = """#!/bin/sh
echo "$# <$1> <$2>"; echo "$DOCKER_HOST"; cat > answer.py <<'PYTHON'
import os, socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
    client.sendall(b"GET /_ping HTTP/1.1\\r\\nHost: d\\r\\nConnection: close\\r\\n\\r\\n")
    print(client.makefile("rb").read().split(b"\\r\\n\\r\\n")[1].decode())
PYTHON
{python} answer.py; exit 7
"""
PROJECT = """
x-podman: {in_pod: false}
services:
  one: {image: "localhost/busybox:latest", command: [echo, hello], network_mode: none}
"""


class Place:
    """A directory in PATH with programs of the test's own; `podpy compose` runs in the test's home."""

    def __init__(self, podpy: Podpy) -> None:
        self.podpy = podpy
        self.directory = podpy.home / "providers"
        self.directory.mkdir()
        self.environment = {"PATH": f"{self.directory}:/usr/bin:/bin"}

    def put(self, name: str, text: str) -> Path:
        """Write a program."""
        path = self.directory / name
        path.write_text(text.replace("{python}", sys.executable))
        path.chmod(0o755)
        return path

    def __call__(self, *words: str, **environment: str) -> Result:
        """Run `podpy compose` to its end."""
        return self.podpy("compose", *words, env={**self.environment, **environment})

    def service(self) -> int:
        """Return the pid of the service that the call has started; 0 if there is none."""
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                held = self.podpy.marker.encode() in path.read_bytes().split(b"\0")
                words = (path.parent / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if held and b"compose" in words and b"up" in words:
                return int(path.parent.name)
        return 0

    def end(self, pid: int) -> None:
        """End the service, and wait until it is gone."""
        self.podpy.run(["kill", str(pid)]).ok()
        wait.until(lambda: self.service() == 0, what="the service has ended")


@pytest.fixture
def place(podpy: Podpy) -> Place:
    return Place(podpy)


def test_docker_compose_gets_all_words_and_a_service_that_answers(place: Place) -> None:
    program = place.put("docker-compose", ASKS)
    done = place("--file", "x y", "up", "-d", "--help")
    assert done.returncode == 7
    assert done.stdout.splitlines() == ["5 <--file> <x y>", f"unix://{place.podpy.runroot}/podpy.sock", "OK"]
    assert f'>>>> Executing external compose provider "{program}". Please see podman-compose(1)' in done.stderr
    pid = place.service()
    assert pid, "it stays for a while: the next call finds it"
    assert place("--file", "x", "up").stdout.splitlines()[-1] == "OK"
    assert place.service() == pid
    place.end(pid)


def test_who_has_a_service_keeps_it(place: Place) -> None:
    place.put("docker-compose", "#!/bin/sh\necho $DOCKER_HOST\n")
    done = place("up", DOCKER_HOST="ssh://elsewhere", PODMAN_COMPOSE_WARNING_LOGS="false")
    assert (done.ok(), done.stderr) == ("ssh://elsewhere", "")
    assert place.service() == 0


def test_podman_compose_works_with_this_store(place: Place, busybox: str) -> None:
    program = place.put("podman-compose", '#!/bin/sh\nexec {python} -m podman_compose "$@"\n')
    (place.podpy.home / "compose.yaml").write_text(PROJECT)
    found = {"PYTHONPATH": str(programs.directory("podman-compose")), "PODMAN_COMPOSE_PROVIDER": str(program)}
    place("up", "-d", **found).ok()
    (name,) = place.podpy.ok("ps", "-a", "--format={{.Names}}").split()
    place.podpy.ok("wait", name)
    assert place.podpy.ok("logs", name) == "hello"
    place("down", **found).ok()
    assert place.podpy.ok("ps", "-aq") == ""
    assert place.service() == 0


def test_the_command_podman_says_podmans_version_and_knows_the_global_options(place: Place) -> None:
    place.put("podman-compose", "#!/bin/sh\npodman --version; podman info --format json\n")
    done = place.podpy("--events-backend=none", "compose", "ps", env=place.environment)
    version, info = done.ok().split("\n", 1)
    assert version == "podman version 5.4.2"
    assert json.loads(info)["host"]["eventLogger"] == "none"
    assert json.loads(info)["store"]["graphRoot"] == str(place.podpy.graphroot)


def test_the_first_that_is_there_of_those_that_are_named(place: Place) -> None:
    place.put("second", "#!/bin/sh\necho second\n")
    conf = place.podpy.home / "containers.conf"
    conf.write_text('[engine]\ncompose_providers = ["$HOME/first", "second"]\ncompose_warning_logs = false\n')
    done = place("x", CONTAINERS_CONF=str(conf), DOCKER_HOST="x")
    assert (done.ok(), done.stderr) == ("second", "")
    missing = place("x", CONTAINERS_CONF=str(conf), PATH="/usr/bin:/bin")
    missing.fails(125, f"looking up compose provider failed: there is no {place.podpy.home}/first, no second")
    place("x", PODMAN_COMPOSE_PROVIDER="nothing-like-it").fails(125, "there is no nothing-like-it")
    place("x", PODMAN_COMPOSE_PROVIDER="second", PODMAN_COMPOSE_WARNING_LOGS="perhaps", DOCKER_HOST="x").fails(
        125, "PODMAN_COMPOSE_WARNING_LOGS should be a boolean"
    )
    assert "docker-compose or podman-compose" in place("--help").ok()


def test_the_service_takes_its_socket_with_it(place: Place) -> None:
    place.put("docker-compose", ASKS)
    assert place("up").returncode == 7
    place.end(place.service())
    assert not (place.podpy.runroot / "podpy.sock").exists()
