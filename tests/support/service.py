"""`podpy system service` for a test: Docker's command line and plain HTTP against it."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import docker, wait
from tests.support.engine import Podpy, Result


@dataclass(frozen=True)
class Reply:
    """An answer: its status, its headers in lower case, its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The text of an error."""
        return str(self.json["message"])


class Service:
    """A running service of `podpy`."""

    def __init__(self, podpy: Podpy, process: subprocess.Popen[bytes], path: Path) -> None:
        self.podpy = podpy
        self.process = process
        self.path = path

    @classmethod
    @contextmanager
    def start(cls, podpy: Podpy, *options: str) -> Iterator[Service]:
        """Start a service; end it afterwards, and assert that it ends well and said nothing."""
        path = podpy.runroot / "podpy.sock"
        with tempfile.TemporaryFile() as log:
            process = podpy.popen("system", "service", *(options or ("--time", "0")), stderr=log)
            try:
                wait.until(lambda: path.exists() or process.poll() is not None, what="the service listens")
                yield cls(podpy, process, path)
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(wait.PATIENCE)
            log.seek(0)
            assert (code, log.read()) == (0, b"")

    def docker(self, *args: str, **options: Any) -> Result:
        """Run Docker's command line against the service, as podpy's user."""
        env = {**self.docker_environment(), **options.pop("env", {})}
        return self.podpy.run([str(docker.program()), *args], env=env, **options)

    def podman(self, *args: str, **options: Any) -> Result:
        """Run Podman's command line as a client of the service, as podpy's user."""
        return self.podpy.run(["podman", "--remote", "--url", f"unix://{self.path}", *args], **options)

    def docker_environment(self) -> dict[str, str]:
        """Return the variables by which a client finds the service."""
        return {"DOCKER_HOST": f"unix://{self.path}"}

    def connect(self) -> socket.socket:
        """Return a connection to the service, as its own user."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(wait.PATIENCE)
        with self.podpy.user.impersonated():
            client.connect(str(self.path))
        return client

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send one request and return the whole answer; a body that isn't bytes is sent as JSON."""
        with self.connect() as client:
            return exchange(client, method, path, body, headers)

    def get(self, path: str) -> Reply:
        """Send a GET."""
        return self.request("GET", path)

    def post(self, path: str, body: Any = None) -> Reply:
        """Send a POST with a JSON body."""
        return self.request("POST", path, body)


def exchange(
    client: socket.socket, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send a request on a connection and return the answer; the connection stays open."""
    connection = http.client.HTTPConnection("d")
    connection.sock = client
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    typed = {} if isinstance(body, bytes | None) else {"Content-Type": "application/json"}
    connection.request(method, path, data, {**typed, **(headers or {})})
    answer = connection.getresponse()
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
