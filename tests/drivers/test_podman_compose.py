"""podman-compose 1.6.0 itself, with a project without a pod, and one in a pod, its default."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.drivers.conftest import Machine
from tests.support import programs, wait
from tests.support.engine import Result

PROJECT = """
x-podman: {in_pod: false}
services:
  web:
    image: localhost/busybox:latest
    command: ["sh", "-c", "trap 'exit 0' TERM; echo started with $$A; while :; do sleep 0.1; done"]
    network_mode: none
    environment: {A: "x y"}
    volumes: ["data:/data", "./:/src:ro"]
    healthcheck: {test: ["CMD", "true"], interval: 30s, timeout: 3s, retries: 3}
    restart: unless-stopped
    ulimits: {nofile: {soft: 100, hard: 200}}
    tmpfs: [/scratch]
    cap_drop: [ALL]
    read_only: true
    init: true
    user: "1000"
    hostname: webhost
    extra_hosts: ["db:10.0.0.1"]
    secrets: [token]
    logging: {driver: k8s-file, options: {max-size: 1m}}
  worker:
    image: localhost/busybox:latest
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    network_mode: "service:web"
    depends_on: {web: {condition: service_started}}
volumes:
  data: {}
secrets:
  token: {file: ./token}
"""

WITH_NETWORKS = """
services:
  web:
    image: localhost/busybox:latest
    command: ["nc", "-ll", "-p", "80", "-e", "hostname"]
    hostname: shop
    networks: [front, back]
    stop_signal: SIGKILL
  db:
    image: localhost/busybox:latest
    command: ["sleep", "1000"]
    networks: {back: {aliases: [store]}}
    stop_signal: SIGKILL
networks:
  front: {}
  back:
    internal: true
    driver_opts: {mtu: "1400"}
    ipam: {config: [{subnet: 10.44.0.0/24, gateway: 10.44.0.9}]}
"""

WITH_BUILDS = """
x-podman: {in_pod: false}
services:
  web:
    build: {context: ., dockerfile: Containerfile, target: final, args: {WORD: hi}, labels: {a: b}, secrets: [token]}
    image: localhost/web:1
    network_mode: none
  plain:
    build: ./plain
    network_mode: none
secrets:
  token: {file: ./token}
"""
STAGES = """FROM localhost/busybox AS base
ARG WORD=none
RUN --mount=type=secret,id=token echo "$WORD $(cat /run/secrets/token)" > /said
FROM base AS final
CMD ["cat", "/said"]
FROM nothing-like-it AS other
"""


class Project:
    """A directory `shop` with a compose.yaml."""

    def __init__(self, machine: Machine, text: str, program: Path) -> None:
        self.machine = machine
        self.environment = {"PYTHONPATH": str(program)}
        self.directory = machine.home / "shop"
        self.directory.mkdir()
        (self.directory / "compose.yaml").write_text(text)
        (self.directory / "token").write_text("open\n")

    def __call__(self, *args: str) -> Result:
        """Run podman-compose to its end."""
        command = [sys.executable, "-m", "podman_compose", *args]
        return self.machine.run(command, env=self.environment, cwd=self.directory)


@pytest.fixture(scope="session")
def program() -> Path:
    return programs.directory("podman-compose")


def test_a_project_comes_up_answers_and_goes_away(machine: Machine, program: Path) -> None:
    project = Project(machine, PROJECT, program)
    project("up", "-d").ok()
    names = machine.ok("ps", "--sort=names", "--format={{.Names}}").split()
    assert names == ["shop_web_1", "shop_worker_1"]
    project("up", "-d").ok()
    assert project("ps", "-q").ok().split() == machine.ok("ps", "-q").split()
    wait.until(lambda: "started with x y" in project("logs", "web").ok(), what="its first line is in the log")
    inside = "id -u; hostname; cat /run/secrets/token /src/token; grep -cw db /etc/hosts; ulimit -n; touch /data/x"
    assert project("exec", "-T", "web", "sh", "-c", inside).ok().split() == [
        "1000",
        "webhost",
        "open",
        "open",
        "1",
        "100",
    ]
    project("stop", "worker").ok()
    assert machine.ok("inspect", "--format={{.State.Running}}", "shop_worker_1") == "false"
    project("down", "-v").ok()
    assert machine.ok("ps", "-aq") == ""
    assert machine.ok("volume", "ls", "-q", "--filter=label=com.docker.compose.project=shop") == ""


def test_services_find_each_other_on_the_projects_networks(machine: Machine, program: Path) -> None:
    project = Project(machine, WITH_NETWORKS, program)
    project("up", "-d").ok()
    assert machine.ok("pod", "ls", "--format={{.Name}} {{.NumberOfContainers}}") == "pod_shop 2"
    assert machine.ok("network", "ls", "-q").split() == ["podman", "shop_back", "shop_front"]
    wait.until(lambda: machine("exec", "shop_db_1", "nc", "-w3", "web", "80").stdout == "shop\n", what="web answers")
    assert "10.44.0." in machine.ok("exec", "shop_web_1", "nslookup", "store")
    project("up", "-d").ok()
    project("down").ok()
    assert machine.ok("network", "ls", "-q") == "podman" and machine.ok("pod", "ls", "-q") == ""


def test_images_of_services_are_built(machine: Machine, program: Path) -> None:
    project = Project(machine, WITH_BUILDS, program)
    (project.directory / "Containerfile").write_text(STAGES)
    plain = project.directory / "plain"
    plain.mkdir()
    (plain / "Dockerfile").write_text('FROM localhost/busybox\nCOPY x /x\nCMD ["cat", "/x"]\n')
    (plain / "x").write_text("data\n")
    assert "COMMIT localhost/web:1" in project("build").ok()
    assert machine.ok("image", "inspect", "--format={{.Labels.a}}", "localhost/web:1") == "b"
    project("up").ok()
    assert machine.ok("logs", "shop_web_1") == "hi open"
    (plain / "x").write_text("newer\n")
    project("down").ok()
    project("up", "--build").ok()
    assert machine.ok("logs", "shop_plain_1") == "newer"
    project("down").ok()


def test_what_it_asks_of_networks_and_pods_is_answered(machine: Machine) -> None:
    """`down` asks for the project's networks, Ansible's podman_network_info and podman_pod_info for all."""
    labelled = ("--noheading", "--filter", "label=io.podman.compose.project=shop", "--format", "{{.Name}}")
    assert machine.ok("network", "ls", *labelled) == ""
    assert (machine.ok("network", "ls", "-q"), machine.ok("pod", "ls", "-q")) == ("podman", "")
    assert [network["name"] for network in json.loads(machine.ok("network", "ls", "--format=json"))] == ["podman"]
    machine("network", "exists", "shop_default").fails(1)
    labels = ("--label", "io.podman.compose.project=shop", "--label", "com.docker.compose.project=shop")
    assert machine.ok("network", "create", *labels, "shop_default") == "shop_default"
    assert machine.ok("network", "ls", *labelled) == "shop_default"
    machine.ok("network", "rm", "shop_default")
    machine("pod", "exists", "pod_shop").fails(1)
    machine.ok("pod", "create", "--name=pod_shop", "--infra=false", "--share=")
    machine.ok("pod", "exists", "pod_shop")
    machine.ok("pod", "rm", "pod_shop")
