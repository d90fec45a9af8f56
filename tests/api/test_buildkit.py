"""BuildKit's protocol: Debian 13's and testing's own `docker build`, `docker buildx` and `docker compose build`."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import docker, wait
from tests.support.engine import Result
from tests.support.registry import Registry
from tests.support.service import Service

pytestmark = pytest.mark.usefixtures("busybox")

BASE = "FROM localhost/busybox\n"
NEWEST = "forky"


class Client:
    """A suite's client, in a directory of podpy's user that is the context."""

    def __init__(self, service: Service, suite: str) -> None:
        place = docker.newer(suite)
        self.podpy = service.podpy
        self.context = self._directory("context")
        config = self._directory("config")
        (config / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(place / "cli-plugins")]}))
        self.environment = service.docker_environment() | {"DOCKER_CONFIG": str(config)}
        self._program = str(place / "docker")

    def _directory(self, name: str) -> Path:
        path = self.podpy.home / name
        with self.podpy.user.impersonated():
            path.mkdir()
        return path

    def write(self, **files: str) -> None:
        """Write files of the context; `__` in a name is a dot."""
        for name, content in files.items():
            (self.context / name.replace("__", ".")).write_text(content)

    def __call__(self, *args: str, **options: Any) -> Result:
        env = self.environment | options.pop("env", {})
        return self.podpy.run([self._program, *args], cwd=self.context, env=env, **options)

    def build(self, *args: str, **options: Any) -> Result:
        """Build the context, told in plain lines."""
        return self("build", "--progress=plain", *args, ".", **options)

    def popen(self, *args: str) -> subprocess.Popen[bytes]:
        """Start the client."""
        return subprocess.Popen(
            [self._program, *args], cwd=self.context, env=self.podpy.environment(self.environment),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            **self.podpy.user.as_popen_arguments(),
        )  # fmt: skip


@pytest.fixture
def client(service: Service) -> Client:
    """The newest client."""
    return Client(service, NEWEST)


@pytest.mark.parametrize("suite", docker.SUITES)
def test_docker_build_builds(service: Service, suite: str) -> None:
    client = Client(service, suite)
    file = "FROM localhost/busybox AS one\nARG V=1\nCOPY . /there/\nRUN echo v=$V\n"
    secret = "RUN --mount=type=secret,id=s cat /run/secrets/s > /length; wc -c < /length\n"
    client.write(
        Dockerfile=f"{file}{secret}FROM one AS two\nLABEL x=y\nFROM one\nRUN exit 1\n", a="A", no="N", s="hidden"
    )
    client.write(__dockerignore="no\n")
    options = ("-t", "web:1", "-t", "web:2", "--target=two", "--build-arg", "V=2", "--label", "l=m")
    said = client.build(*options, "--secret", "id=s,src=s")
    said.ok()
    assert " v=2\n" in said.stderr and " 6\n" in said.stderr and "naming to localhost/web:1" in said.stderr
    again = client.build(*options, "--secret", "id=s,src=s")
    again.ok()
    assert "CACHED" in again.stderr and " v=2\n" not in again.stderr
    files = service.podpy.ok("run", "--rm", "--network=none", "web:2", "ls", "-A", "/there").split()
    assert files == [".dockerignore", "Dockerfile", "a", "s"]
    labels = service.podpy.json("image", "inspect", "--format", "{{json .Config.Labels}}", "web:1")
    assert labels == {"x": "y", "l": "m"}
    image = client("build", "-q", "--target=two", ".").ok()
    assert image.removeprefix("sha256:") in service.podpy.ok("images", "--no-trunc", "-q", "--all")


@pytest.mark.parametrize(
    "line, message",
    [
        ("RUN echo before; exit 7", "failed to solve: process \"/bin/sh -c echo before; exit 7\" did not complete "
         "successfully: exit code: 7"),
        ("RNU true", "failed to solve: dockerfile parse error on line 2: unknown instruction: RNU"),
    ],
)  # fmt: skip
def test_an_error_shows_its_line(client: Client, line: str, message: str) -> None:
    client.write(Dockerfile=f"{BASE}{line}\n")
    done = client.build()
    assert (done.returncode, message in done.stderr, f"\n   2 | >>> {line}\n" in done.stderr) == (1, True, True), done


def test_other_errors_are_one_line(client: Client) -> None:
    missing = client.build()
    assert (missing.returncode, "Dockerfile: no such file or directory" in missing.stderr) == (1, True)
    client.write(Dockerfile=BASE)
    target = client.build("--target=nowhere")
    assert (target.returncode, "nowhere" in target.stderr.splitlines()[-1]) == (1, True)
    check = client("build", "--check", ".")
    assert (check.returncode, "isn't supported: only builds are" in check.stderr) == (1, True)


def test_the_result_goes_to_the_client(client: Client) -> None:
    client.write(Dockerfile="FROM scratch\nCOPY a b /there/\n", a="A" * 100_000, b="")
    client.build("-o", "out").ok()
    assert {path.name: path.stat().st_size for path in (client.context / "out/there").iterdir()} == {
        "a": 100_000,
        "b": 0,
    }
    client.build("-o", "type=tar,dest=out.tar").ok()
    with tarfile.open(client.context / "out.tar") as tar:
        assert [(entry.name, entry.size) for entry in tar if entry.isfile()] == [("there/a", 100_000), ("there/b", 0)]


def test_a_build_comes_from_standard_input(client: Client) -> None:
    file = f"{BASE}RUN echo hello\n"
    said = client("build", "--progress=plain", "-", input=file)
    said.ok()
    assert " hello\n" in said.stderr
    client.write(Dockerfile=f"{BASE}COPY a /a\nRUN cat /a\n", a="of an archive\n")
    with tarfile.open(client.context / "c.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        for name in "Dockerfile", "a":
            tar.add(client.context / name, name)
    packed = (client.context / "c.tar").read_bytes()
    said = client("build", "--progress=plain", "-", input=packed)
    said.ok()
    assert " of an archive\n" in said.stderr


def test_hard_links_of_a_context_stay_one_file(client: Client) -> None:
    file = f"{BASE}COPY . /there/\nRUN cat /there/z/b && stat -c %h-links /there/a /there/z/b\n"
    client.write(Dockerfile=file)
    with client.podpy.user.impersonated():
        (client.context / "z").mkdir()
        (client.context / "a").write_text("of a\n")
        (client.context / "z/b").hardlink_to(client.context / "a")
    said = client.build()
    said.ok()
    assert " of a\n" in said.stderr and said.stderr.count(" 2-links\n") == 2


def test_a_dockerfile_may_be_a_link_inside_the_context_only(client: Client) -> None:
    client.write(real=f"{BASE}RUN echo of the link\n", a="A")
    (client.context / "Dockerfile").symlink_to("real")
    said = client.build()
    said.ok()
    assert " of the link\n" in said.stderr
    outside = client.context.parent / "outside"
    outside.write_text("RNU hidden\n")
    for link in "../outside", str(outside):
        (client.context / "Dockerfile").unlink()
        (client.context / "Dockerfile").symlink_to(link)
        refused = client.build()
        assert (refused.returncode, "hidden" in refused.stderr) == (1, False), refused
        assert "Dockerfile: no such file or directory" in refused.stderr


def test_an_ignore_file_may_be_a_link_inside_the_context_only(client: Client) -> None:
    client.write(Dockerfile=f"{BASE}COPY . /there/\nRUN echo there: $(ls /there)\n", no="N", rules="no\nrules\n")
    link = client.context / "Dockerfile.dockerignore"
    link.symlink_to("rules")
    said = client.build()
    said.ok()
    assert " there: Dockerfile Dockerfile.dockerignore\n" in said.stderr
    outside = client.context.parent / "outside"
    outside.write_text("[hidden\n")
    link.unlink()
    link.symlink_to(outside)
    beyond = client.build()
    beyond.ok()
    assert "hidden" not in beyond.stderr and " there: Dockerfile Dockerfile.dockerignore no rules\n" in beyond.stderr


def test_a_clients_login_is_there_for_the_images_of_a_build(client: Client, secure_registry: Registry) -> None:
    registry = secure_registry
    assert registry.ca is not None
    place = client.podpy.home / ".config/containers/certs.d" / registry.address
    with client.podpy.user.impersonated():
        place.mkdir(parents=True)
        (place / "ca.crt").write_bytes(registry.ca.read_bytes())
    name, login = f"{registry.address}/base:1", f"{registry.user}:{registry.password}"
    client.podpy.ok("push", "--creds", login, "localhost/busybox", name)
    client.write(Dockerfile=f"FROM {name}\nRUN echo with a login\n")
    assert client.build().returncode == 1
    config = Path(client.environment["DOCKER_CONFIG"]) / "config.json"
    auths = {registry.address: {"auth": base64.b64encode(login.encode()).decode()}}
    config.write_text(json.dumps(json.loads(config.read_text()) | {"auths": auths}))
    said = client.build()
    said.ok()
    assert " with a login\n" in said.stderr


def test_a_flood_of_output_is_clipped_as_buildkit_does(client: Client) -> None:
    client.write(Dockerfile=f"{BASE}RUN yes flood | head -c 5000000; echo the $((6 * 7))\nRUN echo next\n")
    said = client.build()
    said.ok()
    assert "[output clipped, log limit 2MiB reached]" in said.stderr
    assert " the 42\n" not in said.stderr and " next\n" in said.stderr
    assert said.stderr.count(" flood\n") in range(2 * 2**20 // 6 - 1, 2 * 2**20 // 6 + 2)


def test_a_call_that_fails_is_told_why(client: Client) -> None:
    client.podpy.ok("images")
    [database] = client.podpy.graphroot.glob("*.sqlite")
    kept = database.read_bytes()
    database.write_bytes(b"no database" * 1000)
    broken = client("buildx", "du")
    database.write_bytes(kept)
    assert (broken.returncode, "not a database" in broken.stderr) == (1, True), broken
    client("buildx", "du").ok()


def test_attestations_that_are_asked_for_are_refused(client: Client) -> None:
    client.write(Dockerfile=BASE)
    client.build("--provenance=false").ok()
    refused = client.build("--sbom=true")
    assert (refused.returncode, "ttestation" in refused.stderr) == (1, True), refused


def test_compose_builds_by_bake(client: Client) -> None:
    client.write(Dockerfile=f"{BASE}ARG V\nRUN echo v=$V > /v\n")
    build = "{context: ., args: {V: 9}}"
    client.write(compose__yaml=f"services:\n  one:\n    build: .\n  two:\n    build: {build}\n")
    client("compose", "build").ok()
    said = client.podpy.ok("run", "--rm", "--network=none", "context-two", "cat", "/v")
    assert (said, client.podpy.ok("run", "--rm", "--network=none", "context-one", "cat", "/v")) == ("v=9", "v=")


def test_a_command_sees_a_socket_of_the_clients_agent(client: Client) -> None:
    path = client.context.parent / "agent"
    with socket.socket(socket.AF_UNIX) as agent, client.podpy.user.impersonated():
        agent.bind(str(path))
        agent.listen()
    client.write(Dockerfile=f"{BASE}RUN --mount=type=ssh,required=true test -S $SSH_AUTH_SOCK\n")
    client.build("--ssh", "default", env={"SSH_AUTH_SOCK": str(path)}).ok()
    assert client.build("--no-cache").returncode == 1


def test_a_client_that_goes_ends_its_build(client: Client) -> None:
    client.write(Dockerfile=f"{BASE}RUN echo begun; sleep 1000\n")
    running = client.popen("build", "--progress=plain", ".")
    assert running.stdout is not None
    with running:
        assert any(line.rstrip().endswith(b" begun") for line in running.stdout)
        running.send_signal(signal.SIGKILL)
    wait.until(lambda: not client.podpy.ok("ps", "-aq", "--external").strip(), what="the command's container is gone")


def test_the_cache_is_told_of_and_pruned(client: Client) -> None:
    client.write(Dockerfile=f"{BASE}AS one\nRUN echo 1 > /a\n{BASE}COPY --from=one /a /b\n".replace("\nAS", " AS"))
    client.build().ok()
    assert "Total:" in client("buildx", "du").ok()
    client("buildx", "prune", "-f").ok()
    assert "podpy" not in client("buildx", "du").ok()
    assert "running" in client("buildx", "ls").ok()


def test_what_is_no_upgrade_is_refused(service: Service) -> None:
    for path in "/grpc", "/session":
        reply = service.post(path)
        assert (reply.status, reply.message) == (400, "no upgrade proto in request")
        other = service.request("POST", path, headers={"Connection": "Upgrade", "Upgrade": "tcp"})
        assert (other.status, other.message) == (400, "protocol tcp not supported")
