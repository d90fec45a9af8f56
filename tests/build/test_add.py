"""ADD of addresses."""

from __future__ import annotations

import http.server
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build.building import Builder
from tests.support.images import sha256


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a web server with x.txt."""
    (tmp_path / "x.txt").write_text("from the web")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    def handler(*args: object, **named: object) -> Quiet:
        return Quiet(*args, directory=str(tmp_path), **named)  # type: ignore[arg-type]

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_of_the_web_is_added(build: Builder, site: str, tmp_path: Path) -> None:
    right = sha256(b"from the web")
    text = f"ADD {site}/x.txt /d/\nADD --checksum={right} {site}/x.txt /named\n"
    made = build.ok(text)
    assert build.read(made, "d/x.txt") == build.read(made, "named") == b"from the web"
    assert build.files(made)["named"].mode == 0o600
    assert build(text).ok().count("--> Using cache ") == 2
    (tmp_path / "x.txt").write_text("changed")
    assert build(text).returncode == 125, "the checksum is another one"
    assert build.read(build.ok(f"ADD {site}/x.txt /d/\n"), "d/x.txt") == b"changed"
    build(f"ADD --checksum={right} {site}/x.txt /x\n").fails(125, "unexpected response digest for")
    build(f"ADD {site}/nope /x\n").fails(125, "the server answered 404")
    build.write({"a": ""})
    build(f"ADD --checksum={right} a /x\n").fails(125, "checksum flag is not supported for local sources")


def test_unpacking_is_said(build: Builder, site: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("inner"))
    build.write({"x.tar.gz": (tmp_path / "x.tar.gz").read_bytes()})
    made = build.ok(f"ADD --unpack {site}/x.tar.gz /web/\nADD --unpack=false x.tar.gz /whole/\nADD x.tar.gz /local/\n")
    assert {"web/inner", "whole/x.tar.gz", "local/inner"} <= {*build.files(made)}
    assert "web/x.txt" in build.files(build.ok(f"ADD --unpack {site}/x.txt /web/\n"))  # no archive
