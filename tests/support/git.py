"""Repositories of git, and servers of them on 127.0.0.1: git daemon, and git-http-backend behind a web server."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import ports, wait

_HTTP_BACKEND = "/usr/lib/git-core/git-http-backend"


class Repository:
    """A repository at `path`, with a name and an address of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        """Run git there, and return what it prints."""
        own = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "safe.directory=*"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.path), "LC_ALL": "C"}
        command = ["git", *own, "-C", str(self.path), *words]
        return subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout.strip()

    def commit(self, **files: str) -> str:
        """Commit files (`__` in a name is a slash), and return the commit's id."""
        for name, content in files.items():
            path = self.path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")
        return self.git("rev-parse", "HEAD")


@contextmanager
def daemon(base: Path) -> Iterator[str]:
    """Serve the repositories below a directory; yield the address of it."""
    port = ports.free()
    command = [
        "git", "-c", "safe.directory=*", "daemon", "--reuseaddr", "--export-all", f"--base-path={base}",
        "--listen=127.0.0.1", f"--port={port}", str(base),
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(base)}
    with subprocess.Popen(command, env=environment, start_new_session=True) as running:
        try:
            wait.until(lambda: _listens(port), what="git daemon listens")
            yield f"git://127.0.0.1:{port}"
        finally:
            os.killpg(running.pid, 15)


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def web(base: Path) -> Iterator[str]:
    """Serve them by git-http-backend; yield the address of the directory."""

    class Backend(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _answer(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            environment = {
                "PATH": os.environ["PATH"], "HOME": str(base), "GIT_PROJECT_ROOT": str(base),
                "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type") or "", "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "", "GIT_CONFIG_COUNT": "1",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
                "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            }  # fmt: skip
            done = subprocess.run([_HTTP_BACKEND], input=body, env=environment, stdout=subprocess.PIPE, check=False)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
