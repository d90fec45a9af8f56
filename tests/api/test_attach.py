"""Attached containers: `docker run`, `attach`, terminals, detach keys; the frames by plain HTTP."""

from __future__ import annotations

import os
import pty
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

from tests.support import docker, wait
from tests.support.service import Service

HIJACK = "Connection: Upgrade\r\nUpgrade: tcp\r\n"


@pytest.fixture(autouse=True)
def image(busybox: str) -> str:
    """Every test has the image."""
    return busybox


@contextmanager
def terminal(service: Service, *args: str) -> Iterator[tuple[IO[bytes], subprocess.Popen[bytes]]]:
    """Run Docker's command line in a terminal of 30 rows and 100 columns."""
    ours, theirs = pty.openpty()
    os.set_inheritable(theirs, True)
    import fcntl
    import termios

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    podpy = service.podpy
    process = subprocess.Popen(
        [str(docker.program()), *args], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**podpy.environment(service.docker_environment()), "TERM": "xterm"}, **podpy.user.as_popen_arguments(),
    )  # type: ignore[call-overload]  # fmt: skip
    os.close(theirs)
    with open(ours, "r+b", buffering=0) as stream:
        try:
            yield stream, process
        finally:
            process.kill()
            process.wait()


def hijacked(service: Service, path: str, body: bytes = b"", more: str = HIJACK) -> tuple[socket.socket, bytes]:
    """Send a POST that takes the connection over; return the connection and the head of the answer."""
    client = service.connect()
    typed = "Content-Type: application/json\r\n" if body else ""
    head = f"POST {path} HTTP/1.1\r\nHost: d\r\n{more}{typed}Content-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = client.recv(1)
        assert piece, answer
        answer += piece
    return client, answer


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Return (stream, bytes) of each frame."""
    found = []
    while data:
        stream, length = struct.unpack(">BxxxI", data[:8])
        found.append((stream, data[8 : 8 + length]))
        data = data[8 + length :]
    return found


def test_run_shows_both_streams_and_ends_with_the_containers_code(service: Service, image: str) -> None:
    result = service.docker("run", "--rm", image, "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert service.docker("ps", "-aq").ok() == ""


def test_run_loses_no_output(service: Service, image: str) -> None:
    said = service.docker("run", "--rm", "--network", "none", image, "seq", "100000").ok()
    assert said == "\n".join(map(str, range(1, 100001)))


def test_run_passes_standard_input_on(service: Service, image: str) -> None:
    data = "\n".join(map(str, range(50000))) + "\n"
    assert service.docker("run", "-i", "--rm", image, "cat", input=data).stdout == data


def test_run_without_a_command_that_is_there_is_127(service: Service, image: str) -> None:
    service.docker("run", "--rm", image, "nope").fails(127, "executable file not found in $PATH")
    assert service.docker("ps", "-aq").ok() == ""


def test_a_terminal_has_the_callers_size_and_ends_with_the_shell(service: Service, image: str) -> None:
    with terminal(service, "run", "-it", "--rm", image, "sh") as (stream, process):
        wait.for_text(stream, b"# ")
        # The client tells the size after the start.
        stream.write(b"until stty size | grep 100; do sleep 0.1; done; tty\n")
        assert b"30 100" in wait.for_text(stream, b"/dev/pts/")
        stream.write(b"exit 5\n")
        assert process.wait(wait.PATIENCE) == 5


def test_the_detach_keys_leave_the_container_running(service: Service, image: str) -> None:
    with terminal(service, "run", "-it", "--name", "web", image, "sh") as (stream, process):
        wait.for_text(stream, b"# ")
        stream.write(b"\x10")
        stream.write(b"\x11")
        assert process.wait(wait.PATIENCE) == 0
    assert service.docker("ps", "--format", "{{.Names}}").ok() == "web"
    with terminal(service, "attach", "web") as (stream, process):
        wait.until(lambda: service.podpy("logs", "web").stdout != "", what="it said something")
        stream.write(b"echo again\n")
        wait.for_text(stream, b"again")
        stream.write(b"exit 0\n")
        assert process.wait(wait.PATIENCE) == 0


def test_start_shows_what_a_stopped_container_says(service: Service, image: str) -> None:
    service.docker("create", "--name", "c", image, "sh", "-c", "echo hallo; exit 4").ok()
    for _ in range(2):
        result = service.docker("start", "-a", "c")
        assert (result.returncode, result.stdout) == (4, "hallo\n"), result


def test_signals_of_the_client_reach_the_container(service: Service, image: str) -> None:
    podpy = service.podpy
    script = "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    process = subprocess.Popen(
        [str(docker.program()), "run", "--rm", image, "sh", "-c", script], stdout=subprocess.PIPE,
        env=podpy.environment(service.docker_environment()), **podpy.user.as_popen_arguments(),
    )  # type: ignore[call-overload]  # fmt: skip
    assert process.stdout is not None
    wait.for_text(process.stdout, b"ready")
    process.send_signal(signal.SIGTERM)
    assert (process.stdout.read().strip(), process.wait(wait.PATIENCE)) == (b"got", 9)


def test_each_piece_is_framed_with_its_stream(service: Service, image: str) -> None:
    body = {"Image": image, "Cmd": ["sh", "-c", "echo out; echo err >&2"]}
    made = service.post("/containers/create", body).json["Id"]
    client, head = hijacked(service, f"/v1.44/containers/{made}/attach?stream=1&stdout=1&stderr=1")
    other, _ = hijacked(service, f"/containers/{made}/attach?stream=1&stderr=1", more="")
    with client, other:
        assert head == (
            b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
            b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        assert service.post(f"/containers/{made}/start").status == 204
        assert sorted(frames(client.makefile("rb").read())) == [(1, b"out\n"), (2, b"err\n")]
        assert frames(other.makefile("rb").read()) == [(2, b"err\n")]
    client, head = hijacked(service, f"/v1.41/containers/{made}/attach?logs=1&stdout=1&stderr=1", more="")
    with client:
        assert head == b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
        assert sorted(frames(client.makefile("rb").read())) == [(1, b"out\n"), (2, b"err\n")]


def test_attaching_to_what_is_not_there_is_told_on_the_taken_connection(service: Service) -> None:
    client, head = hijacked(service, "/containers/none/attach?stream=1")
    with client:
        assert head.startswith(b"HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream")
        assert client.makefile("rb").read() == b"No such container: none\r\n"


def test_an_attachment_that_is_killed_stops_no_start(service: Service, image: str) -> None:
    made = service.post("/containers/create", {"Image": image, "Cmd": ["true"]}).json["Id"]
    client, _ = hijacked(service, f"/containers/{made}/attach?stream=1&stdout=1")
    with client, open(f"/proc/{service.process.pid}/task/{service.process.pid}/children") as children:
        for worker in children.read().split():
            with suppress(ProcessLookupError):  # the one that answered the call before may just end
                os.kill(int(worker), signal.SIGKILL)
        assert client.makefile("rb").read() == b""
    assert service.post(f"/containers/{made}/start").status == 204
    assert service.post(f"/containers/{made}/wait").json == {"StatusCode": 0}


def test_a_client_that_goes_leaves_the_container_running(service: Service, image: str) -> None:
    made = service.post("/containers/create", {"Image": image, "Cmd": ["sleep", "1000"]}).json["Id"]
    client, _ = hijacked(service, f"/containers/{made}/attach?stream=1&stdout=1")
    service.post(f"/containers/{made}/start")
    client.close()
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    wait.until(lambda: not children.read_text(), what="the worker has ended")
    assert service.get(f"/containers/{made}/json").json["State"]["Running"] is True
