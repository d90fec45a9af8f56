"""One request and its answer."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import repeat
from time import monotonic, process_time

import pytest

from podpy.errors import RegistryError, StorageError
from podpy.http import curl
from podpy.http.curl import HTTPError, Lines, Request, Response
from podpy.http.trust import Trust
from podpy.image.registry.http import Connection
from tests.image.scripted_server import OK, head, says, serving
from tests.support.registry import Registry

TRIES = 5  # the best one counts: other tests run beside this one


def ask(lines: Lines, url: str, method: str = "GET", **options: object) -> Response:
    return Response(lines, Request(method=method, url=url, headers={}, trust=Trust(is_checked=False), **options))  # type: ignore[arg-type]


def test_a_connection_is_kept_for_the_next_request() -> None:
    with serving(says(OK, OK)) as server:
        lines = Lines()
        for _ in range(2):
            assert b"".join(ask(lines, server.url).stream()) == b"hi"
        assert server.connections == 1


def test_interim_answers_are_none_and_headers_may_come_twice() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    challenges = b"www-authenticate: Basic realm=a\r\nWWW-Authenticate: Bearer b=c\r\n"
    final = b"HTTP/1.1 401 Nope\r\n" + challenges + b"Content-Length: 0\r\n\r\n"
    with serving(says(interim + final)) as server:
        answer = ask(Lines(), server.url)
        assert answer.status == 401
        assert answer.headers.getlist("Www-Authenticate") == ["Basic realm=a", "Bearer b=c"]
        assert answer.headers.get("Link", "none") == "none"
        assert list(answer.stream()) == []


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/x", "dict://127.0.0.1/x"])
def test_no_other_protocol_is_spoken_whatever_an_address_says(address: str) -> None:
    with pytest.raises(HTTPError) as raised:
        ask(Lines(), address)
    assert raised.value.code == curl.pycurl.E_UNSUPPORTED_PROTOCOL
    assert not raised.value.may_pass


def test_what_came_before_a_cut_is_given() -> None:
    with serving(says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")) as server:
        answer = ask(Lines(), server.url)
        came = b""
        with pytest.raises(HTTPError, match="the connection was cut") as raised:
            for piece in answer.stream():
                came += piece
        assert came == b"abc"
        assert raised.value.may_pass


def test_an_answer_that_nobody_reads_on_costs_its_connection_only() -> None:
    endless = says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + bytes(1 << 20))
    with serving(endless, says(OK)) as server:
        lines = Lines()
        stream = ask(lines, server.url).stream()
        assert next(stream)
        stream.close()
        assert b"".join(ask(lines, server.url).stream()) == b"hi"
        assert server.connections == 2


def test_silence_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curl, "READ_TIMEOUT", 0.05)
    monkeypatch.setattr(curl, "_STEP", 0.02)
    over = threading.Event()

    def silent(_: socket.socket) -> None:
        over.wait(60)

    with serving(silent) as server:
        with pytest.raises(HTTPError, match="nothing came for"):
            ask(Lines(), server.url)
        over.set()


def test_a_body_is_sent_whole_and_what_its_source_raises_comes_out() -> None:
    received = []

    def script(connection: socket.socket) -> None:
        request = head(connection)
        received.append(request)
        while len(received[-1]) < 700_000:
            received[-1] += connection.recv(1 << 20)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    def broken() -> Iterator[bytes]:
        yield b"abc"
        raise StorageError("the disk is gone")

    def reads_on(connection: socket.socket) -> None:
        while connection.recv(1 << 16):
            pass

    with serving(script, reads_on) as server:
        lines = Lines()
        pieces = [bytes(300_000), b"", bytes(400_000)]
        answer = ask(lines, server.url, "PATCH", size=700_000, chunks=lambda: iter(pieces))
        assert answer.status == 201
        answer.close()
        assert received[0].startswith(b"PATCH / HTTP/1.1\r\n")
        assert b"Content-Length: 700000\r\n" in received[0]
        assert b"Expect" not in received[0]
        assert b"chunked" not in received[0]
        lines.close()
        with pytest.raises(StorageError, match="the disk is gone"):
            ask(lines, server.url, "PUT", size=10, chunks=broken)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_ctrl_c_is_not_lost_whenever_it_comes(method: str) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def endless(connection: socket.socket) -> None:
        head(connection)
        if method == "GET":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
            while True:
                connection.sendall(bytes(1 << 16))
        while connection.recv(1 << 16):
            pass

    before = signal.signal(signal.SIGPROF, interrupted)
    lines = Lines()
    try:
        with serving(*[endless] * 30) as server:
            for count in range(30):
                with pytest.raises(KeyboardInterrupt):
                    signal.setitimer(signal.ITIMER_PROF, 0.001 + count / 20_000)
                    body = {"size": 1 << 40, "chunks": lambda: repeat(bytes(1 << 16))} if method == "PUT" else {}
                    for _ in ask(lines, server.url, method, **body).stream():
                        pass
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        lines.close()


def test_a_proxys_password_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy:port")
    with Connection("registry.example") as connection, pytest.raises(RegistryError) as raised:
        connection.open("GET", "/", {}, what="x")
    assert raised.value.message.startswith("x: the proxy failed: ")
    assert "secret" not in raised.value.message


def test_what_a_server_says_is_printable_in_errors() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \x1b[31mx\r\n\r\n"
    with serving(says(answer)) as server, pytest.raises(HTTPError) as raised:
        ask(Lines(), server.url)
    assert raised.value.reason.isprintable()


def test_a_body_that_has_begun_is_not_sent_again_behind_the_callers_back() -> None:
    """A registry may have kept what came of it, and would append the same bytes."""

    def cuts(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(OK)
        head(connection)
        connection.recv(50_000)

    def takes(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(OK)

    with serving(cuts, takes) as server:
        lines = Lines()
        assert b"".join(ask(lines, server.url).stream()) == b"hi"
        with pytest.raises(HTTPError) as raised:
            ask(lines, server.url, "PUT", size=200_000, chunks=lambda: (bytes(200_000),))
        assert raised.value.may_pass
        assert server.connections == 1


def test_a_host_whose_ipv6_address_is_silent_costs_no_second() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(*[says(OK)] * TRIES))
        port = int(server.url.rpartition(":")[2].rstrip("/"))
        silent = stack.enter_context(socket.socket(socket.AF_INET6))
        silent.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        silent.bind(("::1", port))
        silent.listen(0)
        for _ in range(4):  # a full backlog: the kernel drops what comes now
            waiting = stack.enter_context(socket.socket(socket.AF_INET6))
            waiting.setblocking(False)
            waiting.connect_ex(("::1", port))
        times = []
        while not times or (times[-1] >= 0.9 and len(times) < TRIES):
            began = monotonic()
            assert ask(Lines(), f"http://localhost:{port}/").status == 200
            times.append(monotonic() - began)
        assert times[-1] < 0.9, times


def test_a_process_with_many_open_files_does_not_spin() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, limits[1]))
    files: list[int] = []
    try:
        while not files or files[-1] < 1024:
            files.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
        answers = threading.Event()

        def late(connection: socket.socket) -> None:
            head(connection)
            answers.wait(0.5)
            connection.sendall(OK)

        with serving(late) as server:
            began = process_time()
            assert ask(Lines(), server.url).status == 200
            assert process_time() - began < 0.1
    finally:
        for descriptor in files:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_the_rest_of_pycurl_is_there_for_others() -> None:
    code = "import podpy.http.curl, pycurl, sys; assert 'pycurl.async_multi' not in sys.modules; "
    code += "from pycurl import AsyncCurlMulti; assert pycurl.AsyncCurlMulti is AsyncCurlMulti is not None"
    if not hasattr(curl.pycurl, "AsyncCurlMulti"):  # before 7.46
        code = "import podpy.http.curl"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("a b", b"/a%20b"),
        ("\xe9?\xe9=%20", b"/%C3%A9?%C3%A9=%20"),
        ("a%2Fb?x=%2f&y=a+b~(c)", b"/a%2Fb?x=%2f&y=a+b~(c)"),
    ],
)
def test_an_address_is_sent_in_ascii(address: str, asked: bytes) -> None:
    heads = []

    def redirects(connection: socket.socket) -> None:
        heads.append(head(connection))
        connection.sendall(f"HTTP/1.1 302 There\r\nLocation: {address}\r\nContent-Length: 0\r\n\r\n".encode())
        heads.append(head(connection))
        connection.sendall(OK)

    with serving(redirects) as server, Connection("x", insecure=True) as connection:
        assert connection.open_url("GET", server.url + address, {}, what="x").status == 200
    assert [one.split(b" ")[1] for one in heads] == [asked, asked]


def test_a_host_that_is_no_name_is_said() -> None:
    host = "\xfc" * 70 + ".example"
    with Connection(host) as connection, pytest.raises(RegistryError, match="no such host"):
        connection.open("GET", "/", {}, what="x")
    with Connection("b\xfccher.invalid", retries=0) as connection, pytest.raises(RegistryError, match="no such host"):
        connection.open("GET", "/", {}, what="x")


def test_an_empty_post_says_that_it_is_empty() -> None:
    heads = []

    def script(connection: socket.socket) -> None:
        heads.append(head(connection))
        connection.sendall(OK)

    with serving(script) as server:
        assert ask(Lines(), server.url, "POST").status == 200
    assert b"POST / HTTP/1.1\r\n" in heads[0]
    assert b"Content-Length: 0\r\n" in heads[0]


def test_a_header_with_a_line_break_is_not_sent() -> None:
    with pytest.raises(HTTPError, match="unprintable"):
        Response(Lines(), Request(method="GET", url="http://127.0.0.1:1/", headers={"X": "a\r\nY: b"}, trust=Trust()))


def splice(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until one of them closes."""
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def connect_through(connection: socket.socket, port: int) -> None:
    """Join a client's connection with a port of 127.0.0.1 until both are done: a proxy's work."""
    with socket.create_connection(("127.0.0.1", port)) as target:
        back = threading.Thread(target=splice, args=(target, connection))
        back.start()
        splice(connection, target)
        back.join()


def test_what_a_proxy_says_of_its_tunnel_is_not_the_answer(secure_registry: Registry) -> None:
    heads = []

    def tunnel(connection: socket.socket) -> None:
        heads.append(head(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
        connect_through(connection, secure_registry.port)

    with serving(tunnel) as server:
        lines = Lines()
        answer = ask(lines, "https://registry.example/v2/", proxy=server.url)
        assert answer.status == 401
        assert answer.headers.get("Docker-Distribution-Api-Version") == "registry/2.0"
        assert answer.headers.get("X-Proxy") == ""
        answer.close()
        lines.close()
    assert heads[0].startswith(b"CONNECT registry.example:443 HTTP/1.1\r\n")


def test_a_socks_proxy_finds_the_host(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def socks(connection: socket.socket) -> None:  # RFC 1928
        count = connection.recv(2)[1]
        connection.recv(count)
        connection.sendall(b"\x05\x00")
        length = connection.recv(5)[4]
        asked.append(connection.recv(length))
        connection.recv(2)
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        connect_through(connection, registry.port)

    with serving(socks) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url.replace("http://", "socks5://").rstrip("/"))
        with Connection("registry.example", insecure=True) as connection:
            connection.open_url("GET", "http://registry.example/v2/", {}, what="x").close()
    assert asked == [b"registry.example"]


def test_a_proxy_that_refuses_is_named() -> None:
    with serving(says(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as server:
        with pytest.raises(HTTPError) as raised:
            ask(Lines(), "https://registry.example/", proxy=server.url)
        assert raised.value.is_proxy
        assert not raised.value.may_pass
