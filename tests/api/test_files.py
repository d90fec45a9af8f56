"""Files of containers: `docker cp`, export, diff; archives by plain HTTP."""

from __future__ import annotations

import base64
import io
import json
import tarfile

import pytest

from tests.support.service import Service


@pytest.fixture(autouse=True)
def web(service: Service, busybox: str) -> str:
    """A running container."""
    return service.podpy.ok("run", "-d", "--name", "web", "--network=none", busybox, "sleep", "1000")


def tar_of(name: str, data: bytes, mode: int = 0o640) -> bytes:
    """Return a tar with one file."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), mode
        archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def test_cp_copies_files_and_directories_both_ways(service: Service) -> None:
    home = service.podpy.home
    service.podpy.run(["sh", "-c", "mkdir -p in/sub; echo one >in/a; echo two >in/sub/b"]).ok()
    service.docker("cp", "in", "web:/tmp/there").ok()
    assert service.docker("exec", "web", "cat", "/tmp/there/a", "/tmp/there/sub/b").ok() == "one\ntwo"
    service.docker("cp", "web:/tmp/there/sub", "out").ok()
    assert (home / "out/b").read_text() == "two\n"
    service.docker("cp", "web:/nope", "out").fails(1, "web")


def test_cp_of_a_large_file_is_whole(service: Service) -> None:
    service.docker("exec", "web", "sh", "-c", "seq 1000000 >/big").ok()
    service.docker("cp", "web:/big", "big").ok()
    assert (service.podpy.home / "big").read_text() == "".join(f"{number}\n" for number in range(1, 1000001))
    service.docker("cp", "big", "web:/back").ok()
    assert service.docker("exec", "web", "cmp", "/big", "/back").ok() == ""


def test_the_head_of_an_archive_tells_what_is_there(service: Service) -> None:
    service.docker("exec", "web", "sh", "-c", "echo hi >/f; chmod 4751 /f; ln -s f /l").ok()

    def told(path: str) -> dict[str, object]:
        reply = service.request("HEAD", f"/containers/web/archive?path={path}")
        assert reply.status == 200
        found: dict[str, object] = json.loads(base64.b64decode(reply.headers["x-docker-container-path-stat"]))
        return found

    file = told("/f")
    assert (file["name"], file["size"], file["mode"], file["linkTarget"]) == ("f", 3, 1 << 23 | 0o751, "")
    link = told("/l")
    assert (link["mode"], link["linkTarget"]) == (1 << 27 | 0o777, "f")
    assert told("/tmp")["mode"] == 1 << 31 | 1 << 20 | 0o777
    assert service.request("HEAD", "/containers/web/archive?path=/none").status == 404


def test_an_archive_is_unpacked_where_the_path_says(service: Service) -> None:
    put = service.request("PUT", "/containers/web/archive?path=/tmp", tar_of("f", b"data"))
    assert (put.status, put.body) == (200, b"")
    reply = service.get("/containers/web/archive?path=/tmp/f")
    with tarfile.open(fileobj=io.BytesIO(reply.body)) as archive:
        [entry] = archive.getmembers()
        read = archive.extractfile(entry)
        assert read is not None
        assert (entry.name, entry.mode, read.read()) == ("f", 0o640, b"data")


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("", b"", 400, "bad parameter: path"),
        ("/none", tar_of("f", b""), 404, "Could not find the file /none"),
        ("/etc/passwd", tar_of("f", b""), 400, "extraction point is not a directory"),
        ("/tmp", b"nonsense" * 1000, 400, "archive"),
    ],
)
def test_an_archive_that_cannot_be_unpacked_is_refused(
    service: Service, path: str, body: bytes, status: int, text: str
) -> None:
    service.docker("exec", "web", "sh", "-c", "mkdir -p /etc; touch /etc/passwd").ok()
    reply = service.request("PUT", f"/containers/web/archive?path={path}", body)
    assert (reply.status, text in reply.message) == (status, True), reply


def test_export_has_the_whole_file_system(service: Service) -> None:
    service.docker("exec", "web", "touch", "/mark").ok()
    service.docker("export", "-o", "all.tar", "web").ok()
    with tarfile.open(service.podpy.home / "all.tar") as archive:
        assert {"mark", "bin/busybox"} <= {name.removeprefix("./") for name in archive.getnames()}


def test_diff_lists_what_has_changed(service: Service, busybox: str) -> None:
    service.docker("exec", "web", "sh", "-c", "touch /new; rm -f /bin/cat").ok()
    assert {"A /new", "D /bin/cat"} <= set(service.docker("diff", "web").ok().splitlines())
    made = service.post("/containers/create", {"Image": busybox}).json["Id"]
    assert service.get(f"/containers/{made}/changes").body == b"null\n"
    assert service.get("/containers/none/changes").status == 404
