"""Docker's compose, unchanged, against the service."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable

import pytest

from tests.support import compose
from tests.support.engine import Result
from tests.support.service import Service

PROJECT = """
name: shop
services:
  db:
    image: {image}
    command: [sh, -c, "sleep 0.3; touch /tmp/ready; echo ready; exec sleep 1000"]
    healthcheck: {{test: [CMD, test, -f, /tmp/ready], interval: 1s, retries: 60}}
    networks: [back]
    volumes: ["data:/data"]
    stop_grace_period: 0s
  web:
    image: {image}
    command: [httpd, -f, -p, "8080", -h, /etc/site]
    depends_on: {{db: {{condition: service_healthy}}}}
    ports: ["127.0.0.1::8080"]
    networks: {{back: {{}}, front: {{aliases: [www]}}}}
    secrets: [token]
    configs: [{{source: page, target: /etc/site/index.html}}]
    stop_grace_period: 0s
  tools:
    image: {image}
    command: [sleep, "1000"]
    profiles: [extra]
    networks: [front]
    stop_grace_period: 0s
networks: {{back: {{}}, front: {{}}}}
volumes: {{data: {{}}}}
secrets: {{token: {{file: ./token}}}}
configs: {{page: {{content: hello from a config}}}}
"""

Compose = Callable[..., Result]


@pytest.fixture
def project(service: Service, busybox: str) -> Compose:
    """Docker's compose in a directory with the project."""
    program = compose.program()
    directory = service.podpy.home / "shop"
    directory.mkdir()
    (directory / "compose.yaml").write_text(PROJECT.format(image=busybox))
    (directory / "token").write_text("a secret")
    directory.chmod(0o755)
    (directory / "token").chmod(0o644)
    return lambda *words: service.podpy.run(
        [str(program), "--project-directory", str(directory), *words], env=service.docker_environment()
    )


def _containers(service: Service) -> set[str]:
    return {each["Names"][0] for each in service.get("/containers/json?all=1").json}


def test_a_project_comes_up_in_order_is_used_and_goes(service: Service, project: Compose) -> None:
    project("up", "-d").ok()
    states = {each["Service"]: each for each in map(json.loads, project("ps", "--format", "json").ok().splitlines())}
    assert {name: each["State"] for name, each in states.items()} == {"db": "running", "web": "running"}
    assert states["db"]["Health"] == "healthy"
    address = project("port", "web", "8080").ok()
    with urllib.request.urlopen(f"http://{address}/", timeout=60) as answer:
        assert answer.read() == b"hello from a config"
    assert project("exec", "-T", "web", "cat", "/run/secrets/token").ok() == "a secret"
    assert project("logs", "--no-log-prefix", "db").ok().endswith("ready")  # behind an escape sequence
    assert project("run", "--rm", "-T", "db", "echo", "ran").ok() == "ran"
    assert "Running" in project("up", "-d").stderr
    project("--profile", "extra", "up", "-d", "--scale", "db=2").ok()
    assert _containers(service) == {"/shop-db-1", "/shop-db-2", "/shop-web-1", "/shop-tools-1"}
    fetched = project("--profile", "extra", "exec", "-T", "tools", "wget", "-qO-", "http://www:8080/").ok()
    assert fetched == "hello from a config"
    project("restart", "web").ok()
    project("--profile", "extra", "down", "-v").ok()
    assert _containers(service) == set()
    assert [network["Name"] for network in service.get("/networks").json] == ["bridge"]
    assert service.get("/volumes").json["Volumes"] == []
