"""Which proxy is taken, and for which addresses none is."""

from __future__ import annotations

import pytest

from podpy.http.proxies import proxy_for


@pytest.mark.parametrize(
    ("netloc", "expected"),
    [
        ("quay.io", "http://proxy:3128"),
        ("quay.io:443", "http://proxy:3128"),
        ("example.com", ""),
        ("a.example.com:5000", ""),
        ("notexample.com", "http://proxy:3128"),
        ("10.1.2.3:5000", ""),
        ("11.1.2.3", "http://proxy:3128"),
        ("localhost:5000", ""),
        ("127.0.0.1:5000", ""),
        ("[::1]:5000", ""),
        ("dot.org", "http://proxy:3128"),
        ("a.dot.org", ""),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, netloc: str, expected: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")
    monkeypatch.setenv("NO_PROXY", "example.com, 10.0.0.0/8,.dot.org")
    assert proxy_for("https", netloc) == expected


def test_without_variables_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_for("https", "quay.io") == ""
    assert proxy_for("http", "quay.io") == ""
