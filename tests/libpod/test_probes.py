"""Kubernetes' probes, hooks and waits, from a container's spec to what users see. More of them: tests/conmon."""

from __future__ import annotations

import http.server
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podpy.spec.health import SECOND, Health, ReadinessCheck
from podpy.spec.probe import Probe, sleep
from tests.support import wait
from tests.support.engine import Podpy, Result, shared_directory
from tests.support.registry import make_certificate

SCRIPT = """
import json, sys
from podpy import Runtime
from podpy.spec.container import ContainerSpec

with Runtime() as runtime:
    runtime.create(ContainerSpec.from_dict(json.loads(sys.argv[1]))).start()
"""
ENDS = "trap 'echo signal >> /gate/order; exit 9' TERM; touch /gate/ready; while :; do sleep 0.05; done"
QUICK: dict[str, Any] = {"interval": SECOND, "timeout": 30 * SECOND}


def try_to_start(podpy: Podpy, command: str, **spec: Any) -> tuple[Path, Result]:
    """Start a container `c` from a spec; return a directory that it has as /gate, and the call's result."""
    gate = shared_directory(podpy)
    health = spec.pop("health", None)
    values = {
        "version": 1, "image": "localhost/busybox", "name": "c", "network": "none", "command": ["sh", "-c", command],
        "mounts": [{"type": "bind", "source": str(gate), "target": "/gate"}],
        "health": health.as_dict() if health else None, **spec,
    }  # fmt: skip
    environment = {"PYTHONPATH": str(podpy.launcher.parents[2])}
    return gate, podpy.run([sys.executable, "-c", SCRIPT, json.dumps(values)], env=environment)


def start(podpy: Podpy, command: str, **spec: Any) -> Path:
    """Start a container `c` from a spec; return a directory that it has as /gate."""
    gate, result = try_to_start(podpy, command, **spec)
    result.ok()
    return gate


def state(podpy: Podpy) -> dict[str, Any]:
    """Return what inspect says of its state."""
    return dict(podpy.json("inspect", "c")[0]["State"])


def test_probes_need_no_program_of_the_image(podpy: Podpy, busybox: str) -> None:
    live, go = (Probe(kind="http", port=8080, path=f"/{name}").words() for name in ("live", "go"))
    health = Health(test=live, retries=1, readiness=ReadinessCheck(test=go, **QUICK), **QUICK)
    gate = start(podpy, "cd /gate; httpd -p 127.0.0.1:8080; while :; do sleep 0.05; done", health=health)
    assert podpy.ok("wait", "--condition=unhealthy", "c") == "-1"
    wait.until(lambda: "404" in str(state(podpy)), what="the server answers")
    assert "(unhealthy, unready)" in podpy.ok("ps")
    failed = podpy("healthcheck", "run", "c")
    assert (failed.returncode, failed.stdout) == (1, "unhealthy\n")
    assert state(podpy)["Health"]["Log"][-1]["Output"].startswith("HTTP probe failed with statuscode: 404\n")
    why = podpy.ok("why", "c")
    assert "Its health is unhealthy" in why and "It is unready" in why and "statuscode: 404" in why
    (gate / "go").touch()
    wait.until(lambda: state(podpy)["Readiness"]["Status"] == "ready", what="it is ready")
    (gate / "live").write_text("well\n")
    assert podpy.ok("healthcheck", "run", "c") == ""
    assert "(healthy, ready)" in podpy.ok("ps", "-a", "--filter", "health=healthy")
    told = podpy.ok("events", "--stream=false", "--filter=event=health_status", "--format={{.HealthStatus}}").split()
    assert {*told} == {"unhealthy", "ready", "healthy"}
    config = podpy.json("inspect", "c")[0]["Config"]
    assert config["Healthcheck"]["Test"] == ["HTTP", "http://localhost:8080/live"]
    assert config["ReadinessHealthCheck"]["Test"] == ["HTTP", "http://localhost:8080/go"]
    assert podpy.ok("inspect", "--format", "{{.State.Readiness.Status}}", "c") == "ready"
    podpy.ok("rm", "-f", "-t0", "c")
    assert not list((podpy.runroot / "health").iterdir())


@pytest.fixture
def https(tmp_path: Path) -> Iterator[int]:
    """A server with a certificate of its own: its port. /moved leads to /well, all else is an error."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/moved": 302, "/well": 200}.get(self.path, 500))
            self.send_header("Location", "/well")
            self.end_headers()
            self.wfile.write(f"{self.path} for {self.headers['Host']}".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(tmp_path), tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_https_takes_any_certificate(podpy: Podpy, busybox: str, https: int) -> None:
    moved = Probe(kind="http", scheme="https", port=https, path="/moved", headers=[("Host", "web")])
    bad = moved.replace(path="/bad")
    health = Health(test=moved.words(), interval=0, readiness=ReadinessCheck(test=bad.words(), **QUICK))
    start(podpy, "exec sleep 1000", network="host", health=health)
    assert podpy.ok("healthcheck", "run", "c") == ""
    assert state(podpy)["Health"]["Log"][0]["Output"] == "/well for web"
    found = wait.until(lambda: state(podpy)["Readiness"]["Log"], what="the other one has run")
    assert (found[0]["ExitCode"], found[0]["Output"]) == (1, "HTTP probe failed with statuscode: 500\n/bad for web")


def test_hooks(podpy: Podpy, busybox: str) -> None:
    post_start, pre_stop = (["CMD", "sh", "-c", f"echo {name} >> /gate/order"] for name in ("post", "pre"))
    gate = start(podpy, ENDS, post_start=post_start, pre_stop=pre_stop)
    wait.until(lambda: (gate / "ready").exists() and (gate / "order").exists(), what="it is up")
    assert podpy.ok("stop", "c") == "c"
    assert (gate / "order").read_text() == "post\npre\nsignal\n"
    found = state(podpy)
    assert (found["Status"], found["ExitCode"], found["Hook"]["Status"]) == ("exited", 9, "preStop")
    config = podpy.json("inspect", "c")[0]["Config"]
    assert (config["PostStart"], config["PreStop"]) == (post_start, pre_stop)


def test_a_post_start_that_fails_ends_the_container(podpy: Podpy, busybox: str) -> None:
    wrong = ["CMD", "sh", "-c", "until [ -e /gate/ready ]; do sleep 0.02; done; echo because; exit 3"]
    _gate, result = try_to_start(podpy, ENDS, post_start=wrong)
    assert result.returncode == 1 and "its hook postStart has failed with exit code 3" in result.stderr
    assert podpy.ok("wait", "c") == "9"
    assert "Its hook postStart failed, so it was ended." in podpy.ok("why", "c")
    assert "because" in podpy.ok("why", "c")
    told = podpy.ok("events", "--stream=false", "--filter=event=health_status", "--format={{.HealthStatus}}")
    assert told == "FailedPostStartHook"


def test_a_stop_that_is_killed_goes_on(podpy: Podpy, busybox: str) -> None:
    hook = "touch /gate/hooked; until [ -e /gate/go ]; do sleep 0.05; done"
    gate = start(podpy, ENDS, pre_stop=["CMD", "sh", "-c", hook], stop_timeout=3600)
    wait.until((gate / "ready").exists, what="it is up")
    with podpy.popen("stop", "c") as caller:
        wait.until((gate / "hooked").exists, what="the hook runs")
        caller.kill()
    (gate / "go").touch()
    assert podpy.ok("wait", "c") == "9"
    assert podpy.ok("ps", "-a", "--format", "{{.State}}") == "exited"


def test_a_hook_that_is_too_slow_is_cut_short(podpy: Podpy, busybox: str) -> None:
    gate = start(podpy, ENDS, pre_stop=sleep(3600))
    wait.until((gate / "ready").exists, what="it is up")
    assert podpy.ok("stop", "-t1", "c") == "c"
    hook = state(podpy)["Hook"]
    assert (hook["FailingStreak"], hook["Log"][0]["ExitCode"], state(podpy)["ExitCode"]) == (1, -1, 9)


def test_kubernetes_back_off(podpy: Podpy, busybox: str) -> None:
    start(podpy, "exit 3", restart_policy="always", restart_backoff="kubernetes")
    wait.until(lambda: podpy.json("inspect", "c")[0]["RestartCount"] == 1, what="the first restart, at once")
    wait.until(lambda: state(podpy)["Status"] == "restarting", what="it waits for the second one")
    assert (podpy.runroot / "containers" / podpy.json("inspect", "c")[0]["Id"] / "restart").read_text() == (
        "10000 policy\n"
    )
    assert "starts it again 10 seconds after its end; it has done so once." in podpy.ok("why", "c")
    assert podpy.json("inspect", "c")[0]["HostConfig"]["RestartPolicy"]["Backoff"] == "kubernetes"
    podpy.ok("rm", "-f", "c")
