"""Podman's command line as a client: `podman --remote` of Debian (4.3 or later) against the service."""

from __future__ import annotations

import json

import pytest

from tests.support.registry import Registry
from tests.support.service import Service

_POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: main, image: localhost/busybox, command: [sleep, "1000"]}
"""


@pytest.fixture
def podman(service: Service, busybox: str) -> Service:
    """The service, with an image and podman as its client."""
    return service


def test_run_is_podmans_run(podman: Service, busybox: str) -> None:
    assert podman.podman("run", "--rm", "-i", busybox, "cat", input="hello\n").stdout == "hello\n"
    result = podman.podman("run", "--rm", busybox, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.returncode, result.stdout, result.stderr) == (7, "out\n", "err\n")
    podman.podman("run", "--rm", busybox, "nope").fails(127, "nope")
    assert podman.podman("ps", "-aq").ok() == ""


def test_a_container_has_all_that_was_asked_for(podman: Service, busybox: str) -> None:
    (podman.podpy.home / "there").write_text("file\n")
    made = podman.podman(
        "create", "--name", "web", "-e", "A=b", "-l", "x=y", "-v", "data:/data", "-v", f"{podman.podpy.home}:/h:ro",
        "--tmpfs", "/t", "-p", "127.0.0.1::80", "--user", "7:8", "--workdir", "/h", "--hostname", "box", "--cap-add",
        "SYS_TIME", "--cap-drop", "CHOWN", "--read-only", "--restart", "on-failure:3", "--stop-timeout", "3",
        "--stop-signal", "INT", "--ulimit", "nofile=100:200", "--security-opt", "no-new-privileges", "--init",
        "--health-cmd", "true", "--health-retries", "2", "--add-host", "other:10.0.0.1", "--entrypoint", "sh",
        "--expose", "90", "--uts", "private", busybox, "-c", "cat there; exit 3",
    ).ok()  # fmt: skip
    [data] = json.loads(podman.podpy.ok("inspect", "web"))
    config, host = data["Config"], data["HostConfig"]
    assert data["Id"] == made
    assert "A=b" in config["Env"]
    assert (config["Labels"]["x"], config["User"], config["WorkingDir"]) == ("y", "7:8", "/h")
    assert (config["Hostname"], config["Entrypoint"], config["Cmd"]) == ("box", ["sh"], ["-c", "cat there; exit 3"])
    assert (config["StopTimeout"], config["StopSignal"], config["Healthcheck"]["Retries"]) == (3, "SIGINT", 2)
    assert {mount["Destination"] for mount in data["Mounts"]} == {"/data", "/h"}
    assert host["ReadonlyRootfs"] is host["Init"] is True
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert (host["CapAdd"], host["CapDrop"]) == (["CAP_SYS_TIME"], ["CAP_CHOWN"])
    assert {"Name": "RLIMIT_NOFILE", "Soft": 100, "Hard": 200} in host["Ulimits"]
    assert host["ExtraHosts"] == ["other:10.0.0.1"]
    assert "/t" in host["Tmpfs"]
    assert set(data["NetworkSettings"]["Ports"]) == {"80/tcp", "90/tcp"}
    shown = podman.podman("inspect", "web", "--format", "{{.Id}} {{.Config.StopSignal}} {{.Config.Entrypoint}}").ok()
    assert shown.startswith(made)


def test_a_containers_life(podman: Service, busybox: str) -> None:
    made = podman.podman("run", "-d", "--name", "web", busybox, "sleep", "1000").ok()
    assert podman.podman("ps", "--format", "{{.ID}} {{.Names}} {{.Image}}").ok() == f"{made[:12]} web {busybox}"
    result = podman.podman("exec", "web", "sh", "-c", "echo in; exit 3")
    assert (result.returncode, result.stdout) == (3, "in\n")
    assert "sleep 1000" in podman.podman("top", "web").ok()
    assert podman.podman("stats", "--no-stream", "--format", "{{.Name}}", "web").ok() == "web"
    podman.podman("exec", "web", "touch", "/made").ok()
    assert "A /made" in podman.podman("diff", "web").ok()
    podman.podman("commit", "-q", "web", "localhost/mine").ok()
    assert podman.podman("run", "--rm", "localhost/mine", "ls", "/made").ok() == "/made"
    podman.podman("rename", "web", "two").ok()
    podman.podman("stop", "-t", "0", "two").ok()
    assert podman.podman("wait", "two").ok() == "137"
    podman.podman("start", "two").ok()
    podman.podman("rm", "two").fails(2, "running")
    podman.podman("rm", "-f", "-t", "0", "two").ok()
    podman.podman("container", "exists", "two").fails(1)
    podman.podman("start", "two").fails(125, "no container with name or ID")


def test_ps_tells_health_behind_its_own_words(podman: Service, busybox: str) -> None:
    health = ["--health-cmd", "true", "--health-interval", "1s"]
    podman.podpy.ok("run", "--detach", "--name", "plain", "--network", "none", busybox, "sleep", "1000")
    podman.podpy.ok("run", "--detach", "--name", "web", "--network", "none", *health, busybox, "sleep", "1000")
    podman.podpy.ok("wait", "--condition", "healthy", "web")
    told = dict(
        line.split(" ", 1) for line in podman.podman("ps", "--format", "{{.Names}} {{.Status}}").ok().splitlines()
    )
    assert told["web"].startswith("Up ") and told["web"].endswith(" (healthy)")
    assert told["plain"].startswith("Up ") and "(" not in told["plain"]


def test_files_and_logs(podman: Service, busybox: str) -> None:
    (podman.podpy.home / "file").write_text("text\n")
    podman.podman("run", "--name", "web", busybox, "sh", "-c", "echo one; echo two >&2").ok()
    result = podman.podman("logs", "web")
    assert (result.stdout, result.stderr) == ("one\n", "two\n")
    assert podman.podman("logs", "--tail", "1", "web").stderr == "two\n"
    podman.podman("cp", f"{podman.podpy.home}/file", "web:/tmp").ok()
    podman.podman("cp", "web:/tmp/file", f"{podman.podpy.home}/back").ok()
    assert (podman.podpy.home / "back").read_text() == "text\n"
    statuses = podman.podman("events", "--stream=false", "--filter", "container=web", "--format", "{{.Status}}").ok()
    assert [each for each in statuses.split() if each in ("create", "start", "died")] == ["create", "start", "died"]


def test_images(podman: Service, busybox: str) -> None:
    home = podman.podpy.home
    podman.podman("tag", busybox, "localhost/other:1").ok()
    assert "localhost/other" in podman.podman("images").ok()
    assert podman.podman("image", "inspect", "localhost/other:1", "--format", "{{.Os}}").ok() == "linux"
    assert podman.podman("history", "-q", "localhost/other:1").ok()
    podman.podman("save", "-o", f"{home}/saved.tar", "localhost/other:1").ok()
    podman.podman("rmi", "localhost/other:1").ok()
    assert "localhost/other:1" in podman.podman("load", "-i", f"{home}/saved.tar").ok()
    podman.podman("export", "-o", f"{home}/root.tar", podman.podman("create", busybox, "true").ok()).ok()
    podman.podman("import", "-q", f"{home}/root.tar", "localhost/imported").ok()
    assert podman.podman("run", "--rm", "localhost/imported", "echo", "hi").ok() == "hi"
    podman.podman("rmi", "nosuch").fails(1, "image not known")
    podman.podman("image", "exists", "localhost/none").fails(1)
    podman.podman("image", "prune", "-f").ok()
    assert podman.podman("system", "df", "--format", "{{.Type}} {{.Total}}").ok().splitlines()[0] == "Images 2"


def test_volumes_networks_and_secrets(podman: Service, busybox: str) -> None:
    podman.podman("volume", "create", "--label", "a=b", "data").ok()
    assert podman.podman("volume", "ls", "--filter", "label=a=b", "-q").ok() == "data"
    assert podman.podman("volume", "inspect", "data", "--format", "{{.Labels.a}}").ok() == "b"
    podman.podman("volume", "rm", "data").ok()
    podman.podman("network", "create", "--subnet", "10.99.7.0/24", "shop").ok()
    assert "10.99.7.0/24" in podman.podman("network", "inspect", "shop").ok()
    address = podman.podman("run", "--rm", "--network", "shop", busybox, "ip", "-4", "addr", "show", "eth0").ok()
    assert "10.99.7." in address
    podman.podman("network", "rm", "shop").ok()
    podman.podman("network", "rm", "podman").fails(125, "default network podman cannot be removed")
    podman.podman("secret", "create", "word", "-", input="hush").ok()
    assert podman.podman("run", "--rm", "--secret", "word", busybox, "cat", "/run/secrets/word").stdout == "hush"
    podman.podman("secret", "rm", "word").ok()
    assert podman.podman("secret", "ls", "-q").ok() == ""


def test_pods_and_kubernetes_files(podman: Service, busybox: str) -> None:
    made = podman.podman("pod", "create", "--name", "shop", "-l", "a=b").ok()
    podman.podman("run", "-d", "--pod", "shop", "--name", "member", busybox, "sleep", "1000").ok()
    assert podman.podman("pod", "ps", "--format", "{{.Name}} {{.Status}}").ok() == "shop Running"
    assert podman.podman("pod", "inspect", "shop", "--format", "{{.ID}} {{.NumContainers}}").ok() == f"{made} 2"
    assert "sleep 1000" in podman.podman("pod", "top", "shop").ok()
    podman.podman("pod", "stop", "-t", "0", "shop").ok()
    podman.podman("pod", "start", "shop").ok()
    podman.podman("pod", "rm", "-f", "-t", "0", "shop").ok()
    podman.podman("pod", "exists", "shop").fails(1)
    path = podman.podpy.home / "pod.yaml"
    path.write_text(_POD)
    podman.podman("kube", "play", str(path)).ok()
    assert podman.podman("ps", "--format", "{{.Names}}", "--filter", "pod=web").ok().split().count("web-main") == 1
    assert "name: web" in podman.podman("generate", "kube", "web").ok()
    podman.podman("kube", "down", str(path)).ok()
    assert podman.podman("pod", "ps", "-q").ok() == ""


def test_pull_and_push(podman: Service, busybox: str, registry: Registry) -> None:
    place = registry.address
    podman.podman("push", "--tls-verify=false", busybox, f"{place}/pushed:1").ok()
    result = podman.podman("pull", "--tls-verify=false", f"{place}/pushed:1")
    assert len(result.ok()) == 64
    podman.podman("pull", "--tls-verify=false", f"{place}/none:1").fails(125, "none")


def test_the_versions_of_both_sides_are_told(podman: Service) -> None:
    assert podman.podman("version", "--format", "{{.Server.APIVersion}}").ok() == "5.4.2"
    socket = podman.podman("info", "--format", "{{.Host.RemoteSocket.Path}}").ok()
    assert socket == f"unix://{podman.path}"


def test_attach_sees_what_a_container_writes(podman: Service, busybox: str) -> None:
    podman.podman("create", "-i", "--name", "web", busybox, "cat").ok()
    result = podman.podman("start", "-a", "-i", "web", input="line\n")
    assert result.stdout == "line\n"
