"""A server of ours that says exactly what a test wants, byte by byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Server:
    """Runs one script for each connection; `heads` are the heads of the requests that came."""

    def __init__(self, scripts: list[Script]) -> None:
        self.scripts = scripts
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.connections = 0

    def serve(self) -> None:
        for script in self.scripts:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # closed: the test is over
                return
            self.connections += 1
            with connection:
                try:
                    script(connection)
                except OSError:
                    pass


@contextmanager
def serving(*scripts: Script) -> Iterator[Server]:
    server = Server(list(scripts))
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


def head(connection: socket.socket) -> bytes:
    """Read a request's head. Raises ConnectionError if it doesn't come."""
    data = b""
    while b"\r\n\r\n" not in data:
        byte = connection.recv(1)
        if not byte:
            raise ConnectionError
        data += byte
    return data


def says(*answers: bytes) -> Script:
    """Return a script that answers one request after the other, and closes."""

    def script(connection: socket.socket) -> None:
        for answer in answers:
            head(connection)
            connection.sendall(answer)

    return script
