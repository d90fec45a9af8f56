"""The program that runs probes, against servers that do right and wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import wait

Answer = bytes | Callable[[socket.socket, bytes], None]
# What grpcio 1.x has sent: its settings and their acknowledgement, then a ping, headers, the message and trailers.
GRPC_BEGIN = "000018040000000000000400400000000500400000000600004000fe0300000001000004080000000000003f0001"
GRPC_PING = "0000000401000000000000040800000000000000000b0000080600000000007d84f98938b40109"
GRPC_HEADERS = (
    "00004e01040000000188400c636f6e74656e742d74797065106170706c69636174696f6e2f677270634014677270632d6163636570742d"
    "656e636f64696e67176964656e746974792c206465666c6174652c20677a6970"
)
GRPC_END = "00001e010500000001400b677270632d7374617475730130000c677270632d6d65737361676500"
UNWELL = 'service unhealthy (responded with "{}")\n'


class Server:
    """Answers each connection with the next of the answers, the last one again and again; keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[bytes] = []
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                request = client.recv(65536)
                self.requests.append(request)
                try:
                    if callable(answer):
                        answer(client, request)
                    else:
                        client.sendall(answer)
                        client.shutdown(socket.SHUT_WR)
                        while client.recv(65536):  # else what wasn't read would reset the connection
                            pass
                except OSError:
                    pass

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(*answers: Answer) -> Server:
        made.append(Server(*answers))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def probe(probe_exe: Path, tmp_path: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    """Runs a probe: its exit status and its output."""

    def run(*words: str) -> tuple[int, str]:
        environment = {**os.environ, "ASAN_OPTIONS": f"detect_leaks=0:log_path={tmp_path}/sanitizer",
                       "UBSAN_OPTIONS": f"log_path={tmp_path}/sanitizer"}  # fmt: skip
        done = subprocess.run([probe_exe, *words], capture_output=True, timeout=wait.PATIENCE, env=environment)
        assert done.returncode >= 0, done
        return done.returncode, done.stdout.decode(errors="replace")

    yield run
    found = [path.read_text() for path in tmp_path.glob("sanitizer*")]
    assert not found, found[0]


Probe = Callable[..., tuple[int, str]]
Make = Callable[..., Server]


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.parametrize(
    "answer, code, output",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell and more", 0, "well"),
        (b"HTTP/1.0 204 No Content\r\n\r\n", 0, ""),
        (b"HTTP/1.1 399 \r\n\r\n", 0, "Probe terminated redirects, Response body: "),
        (b"HTTP/1.1 400 No\r\n\r\nbecause", 1, "HTTP probe failed with statuscode: 400\nbecause"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 1, "HTTP probe failed with statuscode: 500"),
        (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody", 0, "body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n3\r\nnot\r\n0\r\n\r\n", 0, "first"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx", 0, "x"),
        (b"HTTP/1.1 200 OK\nServer: old\n\nbody", 0, "body"),
        (b"HTTP/1.1 302 Go\r\nLocation: https://elsewhere.example/\r\n\r\n", 0, None),
        (b"HTTP/1.1 302 Go\r\nLocation: ftp://127.0.0.1/\r\n\r\n", 0, None),
        (b"HTTP/1.1 304 Same\r\nLocation: /x\r\n\r\n", 0, None),
        (b"HTTP/1.1 2000 OK\r\n\r\n", 1, None),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", 1, None),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", 1, None),
        (b"", 1, None),
        (b"\0" * 100000, 1, None),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100000, 1, None),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100000, 0, "x" * 10240),
        (b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1" + b"0" * 9000 + b"/\r\n\r\n", 0, None),
    ],
)
def test_http_answers(probe: Probe, server: Make, answer: bytes, code: int, output: str | None) -> None:
    found = probe("HTTP", f"http://localhost:{server(answer).port}/x")
    assert found[0] == code, found
    assert output is None or found[1] == output


def test_http_requests_are_the_kubelets(probe: Probe, server: Make) -> None:
    one = server(b"HTTP/1.1 200 OK\r\n\r\n")
    assert probe("HTTP", f"http://127.0.0.1:{one.port}/a?b#c", "host: web", "X-Probe: a: b", "User-Agent: ") == (0, "")
    assert one.requests[0] == (
        b"GET /a?b HTTP/1.1\r\nAccept: */*\r\nhost: web\r\nX-Probe: a: b\r\nConnection: close\r\n\r\n"
    )
    assert probe("HTTP", f"http://localhost:{one.port}/") == (0, "")
    assert f"\r\nHost: localhost:{one.port}\r\nUser-Agent: kube-probe/podpy\r\n".encode() in one.requests[1]


@pytest.mark.parametrize(
    "location, asked",
    [
        ("/next", "/next"),
        ("next?c=d", "/dir/next?c=d"),
        ("?c", "/dir/page?c"),
        ("http://localhost:{port}/abs", "/abs"),
        ("//localhost:{port}?q", "/?q"),
    ],
)
def test_redirects_on_the_same_host_are_followed(probe: Probe, server: Make, location: str, asked: str) -> None:
    def first(client: socket.socket, request: bytes) -> None:
        where = location.format(port=one.port)
        client.sendall(f"HTTP/1.1 307 Go\r\nLocation:  {where} \r\n\r\n".encode())

    one = server(first, b"HTTP/1.1 200 OK\r\n\r\nthere")
    assert probe("HTTP", f"http://localhost:{one.port}/dir/page?a=b") == (0, "there")
    assert one.requests[1].startswith(f"GET {asked} HTTP/1.1\r\n".encode())


def test_redirects_have_an_end(probe: Probe, server: Make) -> None:
    one = server(b"HTTP/1.1 301 Go\r\nLocation: /\r\n\r\n")
    found = probe("HTTP", f"http://localhost:{one.port}/")
    assert found == (1, f'Get "http://localhost:{one.port}/": stopped after 10 redirects\n')
    assert len(one.requests) == 10


def test_nobody_there(probe: Probe) -> None:
    port = closed_port()
    why = f"dial tcp 127.0.0.1:{port}: connect: connection refused\n"
    assert probe("TCP", f"localhost:{port}") == (1, why)
    assert probe("HTTP", f"http://localhost:{port}/") == (1, f'Get "http://localhost:{port}/": {why}')
    assert probe("GRPC", f"127.0.0.1:{port}") == (1, f'failed to connect service "127.0.0.1:{port}": {why}')


def test_the_container_itself_is_found_at_each_of_its_addresses(probe: Probe, server: Make) -> None:
    assert probe("TCP", f"127.0.0.1:{server(b'').port}") == (0, "")
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as six:
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        six.bind(("::1", 0))
        six.listen()
        port = six.getsockname()[1]
        assert probe("TCP", f"localhost:{port}") == (0, "")
        assert probe("TCP", f"[::1]:{port}") == (0, "")


@pytest.mark.parametrize(
    "frames, code, output",
    [
        (f"{GRPC_HEADERS}00000700000000000100000000020801{GRPC_END}", 0, ""),
        (f"{GRPC_HEADERS}00000700000000000100000000020802{GRPC_END}", 1, UNWELL.format("NOT_SERVING")),
        (f"{GRPC_HEADERS}000005000000000001" + "00" * 5 + GRPC_END, 1, UNWELL.format("UNKNOWN")),
        (f"{GRPC_HEADERS}0000020000000000010000000005000000000001 00 00 02 08 01{GRPC_END}", 0, ""),  # in two pieces
        (f"{GRPC_HEADERS}00000a00090000000102 0000000002 0801 0000", 0, ""),  # padded, and the end
        (f"{GRPC_HEADERS}00000200090000000109 00", 1, None),  # more padding than there is
        ("00000403000000000100000007", 1, None),  # reset
        (GRPC_END, 1, None),
        ("004001000000000001", 1, "health rpc failed: this is no HTTP/2\n"),
        ("000001060000000000ff", 1, None),  # a ping of one byte
        ("", 1, "health rpc failed: EOF\n"),
    ],
)  # fmt: skip
def test_grpc_answers(probe: Probe, server: Make, frames: str, code: int, output: str | None) -> None:
    found = probe("GRPC", f"localhost:{server(bytes.fromhex(GRPC_BEGIN + GRPC_PING + frames)).port}", "a.B")
    assert found[0] == code, found
    assert output is None or found[1] == output


def test_a_grpc_request_names_its_service(probe: Probe, server: Make) -> None:
    one = server(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    for service, message in (("good", b"\0\0\0\0\x06\x0a\x04good"), ("", b"\0\0\0\0\0"),
                             ("x" * 300, b"\0\0\0\x01\x2f\x0a\xac\x02" + b"x" * 300)):  # fmt: skip
        code, output = probe("GRPC", f"localhost:{one.port}", *([service] if service else []))
        assert (code, output) == (1, "health rpc failed: this is no HTTP/2\n")
        request = one.requests[-1]
        assert request.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") and request.endswith(message)
        assert b"/grpc.health.v1.Health/Check" in request and f"localhost:{one.port}".encode() in request


@pytest.mark.parametrize(
    "words",
    [
        ["TCP", "localhost"],
        ["TCP", "a:99999"],
        ["TCP", "x.example:80"],
        ["HTTP", "https://localhost:1/"],
        ["X", "127.0.0.1:1"],
    ],
)
def test_what_it_cannot_do_it_refuses(probe: Probe, words: list[str]) -> None:
    assert probe(*words) == (2, "")


def test_it_keeps_no_rights(probe_exe: Path, server: Make) -> None:
    """While it waits for an answer: no capabilities, no new ones, and only calls on sockets."""
    waiting, seen = threading.Event(), threading.Event()

    def hold(client: socket.socket, request: bytes) -> None:
        waiting.set()
        seen.wait(wait.PATIENCE)

    one = server(hold)
    with subprocess.Popen([probe_exe, "HTTP", f"http://localhost:{one.port}/"], stdout=subprocess.DEVNULL) as running:
        assert waiting.wait(wait.PATIENCE)
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{running.pid}/status").read_text().splitlines())
        seen.set()
    assert status["CapEff"] == status["CapPrm"] == "0" * 16
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == ("0" if "sanitized" in probe_exe.name else "2")
