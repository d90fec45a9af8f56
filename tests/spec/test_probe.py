"""Kubernetes' probes as words, and back."""

from __future__ import annotations

import pytest

from podpy.errors import UsageError
from podpy.image.documents.config import Healthcheck
from podpy.spec.health import Health, ReadinessCheck, from_dict, merged
from podpy.spec.probe import Probe, probe_of, sleep

WORDS = (
    (Probe(kind="http", port=8080), ["HTTP", "http://localhost:8080/"]),
    (Probe(kind="http", port=80, path="up?a=b/c"), ["HTTP", "http://localhost:80/up?a=b/c"]),
    (
        Probe(kind="http", scheme="https", host="::1", port=443, path="/", headers=[("Host", "a"), ("X", "b: c")]),
        ["HTTP", "https://[::1]:443/", "Host: a", "X: b: c"],
    ),
    (Probe(kind="tcp", host="10.0.0.1", port=5432), ["TCP", "10.0.0.1:5432"]),
    (Probe(kind="grpc", port=9000), ["GRPC", "localhost:9000"]),
    (Probe(kind="grpc", port=9000, service="a.B"), ["GRPC", "localhost:9000", "a.B"]),
)


@pytest.mark.parametrize("probe, words", WORDS, ids=lambda value: value[1] if isinstance(value, list) else "")
def test_a_probe_and_its_words_convert_into_each_other(probe: Probe, words: list[str]) -> None:
    assert probe.words() == words
    assert probe_of(words) is not None and probe_of(words).words() == words  # type: ignore[union-attr]


@pytest.mark.parametrize("words", [[], ["NONE"], ["CMD", "true"], ["HTTP"], ["HTTP", "x"], ["TCP", "http://a:1/"]])
def test_other_tests_are_not_probes(words: list[str]) -> None:
    assert probe_of(words) is None


@pytest.mark.parametrize(
    "probe, text",
    [
        (Probe(kind="http", host="example.com", port=80), 'probe host "example.com" is not an IP address'),
        (Probe(kind="tcp", port=0), "probe port 0 is not between 1 and 65535"),
        (Probe(kind="http", scheme="ftp", port=80), 'probe scheme "ftp" is neither HTTP nor HTTPS'),
        (Probe(kind="http", port=80, path="/\r\nX: y"), "probe: '/\\r\\nX: y' has control characters"),
        (Probe(kind="http", port=80, headers=[("a b", "c")]), 'probe header "a b" is not a name'),
    ],
)
def test_an_impossible_probe_is_refused(probe: Probe, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        probe.words()
    assert caught.value.args[0] == text


def test_a_hook_does_not_sleep_backwards() -> None:
    assert sleep(5) == ["SLEEP", "5"]
    with pytest.raises(UsageError):
        sleep(-1)


def test_an_images_test_is_never_a_probe() -> None:
    found = merged(None, Healthcheck(test=["TCP", "10.0.0.1:22"]))
    assert found is not None and found.test == ["CMD", "TCP", "10.0.0.1:22"]


def test_a_readiness_check_alone_is_kept() -> None:
    health = merged(Health(test=["NONE"], readiness=ReadinessCheck(test=["TCP", "localhost:1"], successes=2)), None)
    assert health is not None and health.has_checks and not health.is_checked
    assert from_dict(health.as_dict()) == health
