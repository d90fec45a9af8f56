"""Checks and hooks of a container's specification as Kubernetes' probes and lifecycle."""

from __future__ import annotations

from typing import Any

import pytest

from podpy.kube.generate.probes import lifecycle, probes
from podpy.spec.container import ContainerSpec
from podpy.spec.health import SECOND, Health, ReadinessCheck, StartupCheck
from podpy.spec.probe import Probe, sleep

HEADERS = [("Host", "shop.example.com")]
ACTIONS: list[tuple[list[str], dict[str, Any]]] = [
    (["CMD", "a", "$(B)"], {"exec": {"command": ["a", "$$(B)"]}}),
    (["CMD-SHELL", "a b"], {"exec": {"command": ["/bin/sh", "-c", "a b"]}}),
    (Probe(kind="http", port=80).words(), {"httpGet": {"port": 80, "path": "/"}}),
    (
        Probe(kind="http", port=443, host="10.0.0.1", scheme="https", path="/up?a=b", headers=HEADERS).words(),
        {
            "httpGet": {
                "port": 443,
                "host": "10.0.0.1",
                "scheme": "HTTPS",
                "path": "/up?a=b",
                "httpHeaders": [{"name": "Host", "value": "shop.example.com"}],
            }
        },
    ),
    (Probe(kind="tcp", port=5432).words(), {"tcpSocket": {"port": 5432}}),
    (Probe(kind="grpc", port=9000, service="a.B").words(), {"grpc": {"port": 9000, "service": "a.B"}}),
]


@pytest.mark.parametrize(("test", "action"), ACTIONS, ids=[str([*action]) for _, action in ACTIONS])
def test_a_check_is_a_liveness_probe(test: list[str], action: dict[str, Any]) -> None:
    health = Health(test=test, interval=1_500_000_000, timeout=1, retries=3, start_period=5 * SECOND)
    assert probes(health)["livenessProbe"] == {
        **action, "periodSeconds": 2, "timeoutSeconds": 1, "failureThreshold": 3, "initialDelaySeconds": 5,
    }  # fmt: skip


def test_each_check_is_its_own_probe() -> None:
    startup = StartupCheck(test=["CMD", "a"], interval=SECOND, timeout=SECOND, successes=2)
    readiness = ReadinessCheck(test=["CMD", "b"], interval=SECOND, timeout=SECOND, successes=2, initial_delay=SECOND)
    found = probes(Health(test=["NONE"], startup=startup, readiness=readiness))
    usual = {"periodSeconds": 1, "timeoutSeconds": 1}
    assert found == {
        "startupProbe": {"exec": {"command": ["a"]}, **usual, "failureThreshold": 2147483647},
        "readinessProbe": {
            "exec": {"command": ["b"]}, **usual, "failureThreshold": 3, "successThreshold": 2, "initialDelaySeconds": 1,
        },
    }  # fmt: skip


@pytest.mark.parametrize("health", [None, Health(), Health(test=["NONE"]), Health(test=["CMD", "a"], interval=0)])
def test_without_a_check_that_runs_by_itself_there_is_no_probe(health: Health | None) -> None:
    assert probes(health) == {}


def test_hooks_are_the_lifecycle() -> None:
    spec = ContainerSpec(post_start=["CMD", "warm", "$(A)"], pre_stop=sleep(5))
    assert lifecycle(spec) == {
        "postStart": {"exec": {"command": ["warm", "$(A)"]}},
        "preStop": {"sleep": {"seconds": 5}},
    }
    assert lifecycle(ContainerSpec()) == {}
