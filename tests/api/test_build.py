"""Builds for clients: POST /build with Docker's classic client and with plain requests, libpod's build, the cache."""

from __future__ import annotations

import base64
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support import programs, wait
from tests.support.service import Reply, Service

pytestmark = pytest.mark.usefixtures("busybox")

BASE = "FROM localhost/busybox\n"
CLASSIC = {"DOCKER_BUILDKIT": "0"}


def archive(**files: str) -> bytes:
    """Return a tar of files; `__` in a name is a slash."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size = len(content.encode())
            tar.addfile(entry, io.BytesIO(content.encode()))
    return packed.getvalue()


def context_of(service: Service, dockerfile: str) -> Path:
    """Return a directory with a Dockerfile."""
    directory = service.podpy.home / "context"
    directory.mkdir()
    (directory / "Dockerfile").write_text(dockerfile)
    return directory


def build(service: Service, body: bytes, path: str = "/build", **query: Any) -> Reply:
    """Send a build."""
    words = urlencode({name: json.dumps(value) if isinstance(value, dict) else value for name, value in query.items()})
    return service.request("POST", f"{path}?{words}", body, {"Content-Type": "application/x-tar"})


def lines(reply: Reply) -> list[dict[str, Any]]:
    """Return the lines of an answer."""
    assert reply.status == 200, reply.body
    return [json.loads(line) for line in reply.body.splitlines()]


def told(reply: Reply) -> str:
    """Return the text of an answer's lines."""
    return "".join(line.get("stream", "") for line in lines(reply))


def test_dockers_classic_client_builds(service: Service) -> None:
    context = context_of(service, "")
    (context / "a").write_text("A")
    (context / "no").write_text("N")
    (context / ".dockerignore").write_text("no\n")
    file = "FROM localhost/busybox AS one\nARG V=1\nRUN echo v=$V\nCOPY . /there/\nFROM one\nLABEL x=y\n"
    (context / "Dockerfile").write_text(file)
    command = ("build", "-t", "web:1", "-t", "web:2", "--build-arg", "V=2", "--label", "l=m", str(context))
    said = service.docker(*command, env=CLASSIC).ok()
    assert "\nv=2\n" in said and "Successfully tagged" in said
    again = service.docker(*command, env=CLASSIC).ok()
    assert " ---> Using cache\n" in again and "v=2" not in again
    labels = service.docker("run", "--rm", "--network=none", "web:2", "ls", "-A", "/there").ok().split()
    assert labels == [".dockerignore", "Dockerfile", "a"]
    shown = service.podpy.json("image", "inspect", "--format", "{{json .Config.Labels}}", "web:1")
    assert shown == {"x": "y", "l": "m"}
    quiet = service.docker("build", "-q", *command[1:], env=CLASSIC).ok().strip()
    assert quiet.removeprefix("sha256:") in service.podpy.ok("images", "--no-trunc", "-q")


DOCKER_PY = """
import docker, sys
client = docker.from_env()
for code in "0", "7":
    options = {"buildargs": {"V": "2", "CODE": code}, "labels": {"a": "b"}, "tag": "py:1"}
    for line in client.api.build(path=sys.argv[1], rm=True, decode=True, **options):
        print(line.get("stream") or line.get("error") or "", end="")
"""


def test_docker_py_builds(service: Service) -> None:
    context = context_of(service, f"{BASE}ARG V CODE=0\nRUN echo v=$V; exit $CODE\n")
    environment = service.docker_environment() | {"PYTHONPATH": str(programs.directory("docker-py"))}
    done = service.podpy.run([sys.executable, "-c", DOCKER_PY, str(context)], env=environment)
    said = done.ok()
    assert "\nv=2\n" in said and "Successfully tagged py:1\n" in said
    assert "The command '/bin/sh -c echo v=$V; exit $CODE' returned a non-zero code: 7" in said


def test_debians_client_builds_in_the_way_that_it_chooses(service: Service) -> None:
    context = context_of(service, f"{BASE}ARG V\nCOPY a /a\nRUN echo v=$V; cat /a\n")
    (context / "a").write_text("of the context\n")
    options = ("-t", "web:1", "--build-arg", "V=2", "--label", "l=m")
    done = service.docker("build", *options, str(context))
    done.ok()
    assert "v=2\n" in done.stdout + done.stderr and "of the context\n" in done.stdout + done.stderr
    labels = service.podpy.json("image", "inspect", "--format", "{{json .Config.Labels}}", "web:1")
    assert labels == {"l": "m"}
    (context / "Dockerfile").write_text(f"{BASE}RUN exit 3\n")
    failed = service.docker("build", str(context))
    assert (failed.returncode != 0, "/bin/sh -c exit 3" in failed.stderr) == (True, True)


def test_a_failed_command_has_its_code(service: Service) -> None:
    done = service.docker("build", str(context_of(service, f"{BASE}RUN echo before; exit 3\n")), env=CLASSIC)
    assert done.returncode == 3
    assert "The command '/bin/sh -c echo before; exit 3' returned a non-zero code: 3" in done.stderr
    assert "before" in done.stdout


@pytest.mark.parametrize(
    "body, query, status, message",
    [
        (archive(Dockerfile=f"{BASE}RNU x\n"), {}, 400, "dockerfile parse error on line 2: "),
        (archive(a="b"), {}, 500, "Cannot locate specified Dockerfile: Dockerfile"),
        (archive(Dockerfile=BASE), {"dockerfile": "../../etc/passwd"}, 500, "Cannot locate specified Dockerfile: "),
        (archive(Dockerfile=BASE), {"target": "nowhere"}, 400, "nowhere"),
        (archive(Dockerfile=BASE), {"t": "BAD NAME"}, 400, "BAD NAME"),
        (archive(Dockerfile=BASE), {"buildargs": "{"}, 400, "invalid buildargs"),
        (archive(Dockerfile=BASE), {"labels": '{"a": 1}'}, 400, "labels.a must be a string"),
        (archive(Dockerfile=BASE), {"version": "9"}, 400, "invalid version 9"),
        (archive(Dockerfile=BASE), {"version": "2"}, 501, "needs a session"),
        (archive(Dockerfile=BASE), {"memory": "1000"}, 400, "Minimum memory limit allowed is 6MB"),
        (b"", {}, 400, "it is empty"),
    ],
)
def test_what_is_wrong_before_the_first_step_has_a_status(
    service: Service, body: bytes, query: dict[str, str], status: int, message: str
) -> None:
    reply = build(service, body, **query)
    assert (reply.status, message in reply.message) == (status, True), reply.body


def test_the_lines_are_dockers_and_podmans(service: Service) -> None:
    body = archive(Dockerfile=f"{BASE}RUN echo hello; echo err >&2\n", extra__file="x")
    reply = build(service, body, t="one")
    found = lines(reply)
    image = found[-3]["aux"]["ID"].removeprefix("sha256:")
    assert found[0] == {"stream": "Step 1/2 : FROM localhost/busybox\n"}
    assert {"stream": "hello\n"} in found and {"stream": "\x1b[91merr\n\x1b[0m"} in found
    assert found[-2:] == [
        {"stream": f"Successfully built {image[:12]}\n"}, {"stream": "Successfully tagged one:latest\n"},
    ]  # fmt: skip
    assert service.podpy.json("image", "inspect", image)[0]["RepoTags"] == ["docker.io/library/one:latest"]
    assert lines(build(service, body, q="1")) == [{"stream": f"sha256:{image}\n"}]
    own = told(build(service, body, "/v5.0.0/libpod/build", t="two", dockerfile='["Dockerfile"]', labels='["a=b"]'))
    assert "STEP 2/3: RUN echo hello; echo err >&2\n" in own
    assert own.splitlines()[-1] == service.podpy.json("image", "inspect", "two")[0]["Id"]


def test_a_build_uses_its_clients_credentials_alone(service: Service) -> None:
    said = base64.urlsafe_b64encode(b'{"localhost:1": {"username": "u", "password": "p"}}').decode()
    body = archive(Dockerfile=f"{BASE}RUN true\n")
    reply = service.request("POST", "/build", body, {"X-Registry-Config": said})
    assert "Successfully built" in told(reply)
    wrong = service.request("POST", "/build", body, {"X-Registry-Config": "%%%"})
    assert (wrong.status, "isn't JSON" in wrong.message) == (400, True)


def test_a_client_that_goes_ends_its_build(service: Service) -> None:
    body = archive(Dockerfile=f"{BASE}RUN echo begun; sleep 1000\n")
    client = service.connect()
    head = f"POST /build HTTP/1.1\r\nHost: d\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    seen = b""
    while b"begun" not in seen:
        seen += client.recv(1 << 16)
    client.close()
    wait.until(lambda: not service.podpy.ok("ps", "-aq", "--external").strip(), what="the command's container is gone")


def test_the_cache_of_builds_is_pruned(service: Service) -> None:
    first = "FROM localhost/busybox AS one\nRUN head -c 100000 /dev/urandom > /a\n"
    lines(build(service, archive(Dockerfile=f"{first}{BASE}COPY --from=one /etc/passwd /p\n")))
    found = service.post("/build/prune?all=1&filters=&keep-storage=0")
    assert (found.status, len(found.json["CachesDeleted"]) > 0, found.json["SpaceReclaimed"] > 0) == (200, True, True)
    assert service.docker("builder", "prune", "-af").ok() == "Total reclaimed space: 0B"
    assert service.post("/build/prune?keep-storage=5").status == 501


def test_cancel_wants_an_id(service: Service) -> None:
    assert (service.post("/build/cancel?id=nobody").status, service.post("/build/cancel").status) == (200, 400)


def test_a_character_may_come_in_two_pieces(service: Service) -> None:
    command = "printf a; yes é | head -c 300000 | tr -d '\\n'"
    for path in "/build", "/libpod/build":
        said = told(build(service, archive(Dockerfile=f"{BASE}RUN {command}\n"), path, nocache="1"))
        assert "\N{REPLACEMENT CHARACTER}" not in said and said.count("é") == 100_001


def test_an_ignore_file_of_an_archive_is_read_inside_it(service: Service, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("[hidden\n")
    packed = io.BytesIO(archive(Dockerfile=f"{BASE}COPY . /there/\nRUN echo there: $(ls /there)\n"))
    with tarfile.open(fileobj=packed, mode="a") as tar:
        link = tarfile.TarInfo("Dockerfile.dockerignore")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        tar.addfile(link)
    for path in "/build", "/libpod/build":
        assert "there: Dockerfile Dockerfile.dockerignore\n" in told(
            build(service, packed.getvalue(), path, nocache="1")
        )


@pytest.mark.parametrize("given", ["[1]", '{"a": 7}', '{"a": {"Value": []}}', '{"a": null}', '{"a": {}}'])
def test_wrong_named_contexts_are_refused(service: Service, given: str) -> None:
    refused = build(service, archive(Dockerfile=BASE), "/libpod/build", additionalbuildcontexts=given)
    assert refused.status in (400, 501) and "additionalbuildcontexts" in refused.message
