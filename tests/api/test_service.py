"""The service: its socket, its life, and what it answers to any request."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess

import pytest

from tests.support import wait
from tests.support.engine import Podpy
from tests.support.service import Service, exchange


def test_only_its_user_may_connect(service: Service) -> None:
    assert stat.S_IMODE(service.path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(wait.PATIENCE)
        if os.geteuid() != service.podpy.user.uid:  # root passes the socket's mode, and is another user nevertheless
            client.connect(str(service.path))
            assert client.recv(1) == b""


def test_it_ends_when_nobody_asks_anything(podpy: Podpy) -> None:
    process = podpy.popen("system", "service", "--time", "1")
    assert process.wait(wait.PATIENCE) == 0
    assert not (podpy.runroot / "podpy.sock").exists()


def test_a_client_that_waits_keeps_it_alive(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "web", "--network=none", busybox, "sleep", "10")
    with Service.start(podpy, "--time", "5") as service:
        assert service.post("/containers/web/wait").json == {"StatusCode": 0}


def test_a_second_service_on_the_same_socket_is_refused(service: Service) -> None:
    service.podpy("system", "service").fails(125, "somebody listens there already", "Hint: ")


def test_the_socket_of_a_killed_service_is_replaced(podpy: Podpy) -> None:
    process = podpy.popen("system", "service", "--time", "0")
    path = podpy.runroot / "podpy.sock"
    wait.until(path.exists, what="the service listens")
    process.send_signal(signal.SIGKILL)
    process.wait(wait.PATIENCE)
    inode = path.stat().st_ino
    with Service.start(podpy) as service:
        wait.until(lambda: path.stat().st_ino != inode, what="a new socket")
        assert service.get("/_ping").body == b"OK"


def test_a_socket_that_is_handed_over_is_served(podpy: Podpy) -> None:
    path = podpy.home / "handed.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        with podpy.user.impersonated():
            listening.bind(str(path))
        listening.listen()
        script = f'LISTEN_PID=$$ exec "$@" fd://{listening.fileno()}'
        command = ["sh", "-c", script, "sh", *podpy.command("system", "service", "--time", "0")]
        process = subprocess.Popen(
            command, pass_fds=[listening.fileno()], env=podpy.environment(), **podpy.user.as_popen_arguments()
        )  # type: ignore[call-overload]
        service = Service(podpy, process, path)
        try:
            assert service.get("/_ping").body == b"OK"
        finally:
            process.terminate()
            assert process.wait(wait.PATIENCE) == 0
    assert path.exists()


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("tcp://127.0.0.1:2375", "isn't served over TCP"),
        ("http://x", "unknown kind of address"),
        ("fd://", "no socket was handed over"),
        ("fd://77", "descriptor 77: Bad file descriptor"),
        ("unix:///nowhere/x.sock", "/nowhere/x.sock: No such file or directory"),
    ],
)
def test_an_address_that_cannot_be_served_is_refused(podpy: Podpy, uri: str, text: str) -> None:
    podpy("system", "service", uri).fails(125, text)


def test_ping_tells_the_versions(service: Service) -> None:
    reply = service.get("/_ping")
    assert (reply.status, reply.body) == (200, b"OK")
    assert reply.headers["api-version"] == "1.47"
    assert reply.headers["ostype"] == "linux"
    assert service.request("HEAD", "/v1.30/_ping").body == b""


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (
            "/v1.23/version",
            400,
            "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade",
        ),
        ("/v1.99/version", 400, "client version 1.99 is too new. Maximum supported API version is 1.47"),
        ("/nowhere", 404, "page not found"),
        ("/containers/json/", 404, "page not found"),
        ("/vx/containers/json", 404, "page not found"),
        ("/containers/none/json", 404, "No such container: none"),
        ("/containers/json?limit=x", 500, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("/containers/json?filters=x", 400, "invalid filter"),
        ("/containers/json?filters=[1]", 400, "invalid filter"),
    ],
)
def test_what_cannot_be_answered_is_an_error_in_dockers_words(
    service: Service, path: str, status: int, text: str
) -> None:
    reply = service.get(path)
    assert (reply.status, text in reply.message) == (status, True), reply


@pytest.mark.parametrize(
    ("body", "kind", "status", "text"),
    [
        (b"{", "application/json", 400, "invalid JSON: "),
        (b"{} {}", "application/json", 400, "unexpected content after JSON"),
        (b"", "application/json", 400, "invalid JSON: got EOF while reading request body"),
        (b"[]", "application/json", 400, "the body must be an object"),
        (b'{"Image":"a","Image":"b"}', "application/json", 400, 'the key "Image" is there twice'),
        (b"{}", "application/json", 400, "config cannot be empty in order to create a container"),
        (b"{}", "text/plain", 400, "unsupported Content-Type header (text/plain): must be 'application/json'"),
        (b"{}", "", 400, "malformed Content-Type header (): mime: no media type"),
        (b'"' + b"x" * (5 << 20) + b'"', "application/json", 413, "the request's body is larger than"),
    ],
)
def test_a_body_that_is_no_json_is_refused(service: Service, body: bytes, kind: str, status: int, text: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    reply = service.request("POST", "/containers/create", body, headers)
    assert (reply.status, text in reply.message) == (status, True), reply


def test_web_pages_get_nothing(service: Service) -> None:
    assert service.request("GET", "/version", headers={"Origin": "http://evil.example"}).status == 403


def test_one_connection_takes_several_requests(service: Service) -> None:
    with service.connect() as client:
        for _ in range(3):
            assert exchange(client, "GET", "/_ping").body == b"OK"
        assert exchange(client, "GET", "/containers/none/json").status == 404
        assert exchange(client, "HEAD", "/containers/none/archive?path=/x").status == 404
        assert exchange(client, "GET", "/_ping").body == b"OK"


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /_ping HTTP/1.1\r\nX: " + b"x" * (100 << 10)]
)
def test_what_is_no_http_is_refused_and_the_connection_closed(service: Service, sent: bytes) -> None:
    with service.connect() as client:
        client.sendall(sent)
        answer = client.makefile("rb").read()
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ")), answer


def test_clients_that_say_nothing_or_only_half_stop_nobody(service: Service) -> None:
    silent = [service.connect() for _ in range(100)]
    slow = [service.connect() for _ in range(20)]
    for client in slow:
        client.sendall(b"GET /_ping HTTP/1.1\r\n")
    assert service.get("/_ping").body == b"OK"
    for client in slow:
        client.sendall(b"Host: d\r\nConnection: close\r\n\r\n")
        assert client.makefile("rb").read().endswith(b"OK")
    for client in (*silent, *slow):
        client.close()
    assert service.get("/_ping").body == b"OK"


def test_a_client_that_has_closed_its_half_gets_its_answer(service: Service) -> None:
    with service.connect() as client:
        client.sendall(b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read().endswith(b"OK")


def test_a_worker_that_is_killed_costs_its_client_alone(service: Service, busybox: str) -> None:
    service.podpy.ok("run", "-d", "--name", "web", "--network=none", busybox, "sleep", "1000")
    with service.connect() as client:
        client.sendall(b"POST /containers/web/wait HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n")
        answer = client.makefile("rb")
        assert answer.readline().startswith(b"HTTP/1.1 200")
        children = f"/proc/{service.process.pid}/task/{service.process.pid}/children"
        with open(children) as file:
            [worker] = file.read().split()
        os.kill(int(worker), signal.SIGKILL)
        answer.read()
    assert service.get("/containers/web/json").json["State"]["Running"] is True
