"""Registries, and hosts that they name, that want what isn't theirs: other contents, credentials, a crash."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from pathlib import Path

import pytest

from tests.image.odd_registry import INDEX_TYPE, OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support.engine import Podpy
from tests.support.images import MANIFEST_TYPE, Image, sha256

CREDENTIALS = ("--creds", "alice:secret")


@pytest.fixture
def name(podpy: Podpy, odd: OddRegistry, small: Image) -> str:
    """The small image in the odd registry."""
    odd.add("x", "latest", small)
    configure(podpy, insecure(odd.address))
    return f"{odd.address}/x"


def challenge(odd: OddRegistry, path: str = "/token") -> dict[str, str]:
    """Return the header that names a registry's token server."""
    return {"WWW-Authenticate": f'Bearer realm="http://{odd.address}{path}",service="odd"'}


# Digests


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_a_pinned_digest_is_compared_whatever_its_algorithm(
    podpy: Podpy, odd: OddRegistry, small: Image, name: str, algorithm: str
) -> None:
    manifest = small.blobs()[0]
    right = f"{algorithm}:{hashlib.new(algorithm, manifest).hexdigest()}"
    wrong = f"{algorithm}:{hashlib.new(algorithm, b'other').hexdigest()}"
    for digest in (right, wrong):
        odd.manifests[f"x/{digest}"] = (manifest, MANIFEST_TYPE)
    podpy("pull", f"{name}@{wrong}").fails(125, "isn't what its digest", wrong)
    assert podpy.ok("images", "-q") == ""
    podpy.ok("pull", f"{name}@{right}")


def test_an_entry_of_an_index_is_compared_whatever_its_digests_algorithm(
    podpy: Podpy, odd: OddRegistry, small: Image, name: str
) -> None:
    manifest = small.blobs()[0]
    digest = f"sha512:{hashlib.sha512(b'other').hexdigest()}"
    platform = {"architecture": small.architecture, "os": "linux"}
    entry = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": len(manifest), "platform": platform}
    index = odd.add_manifest(
        "x", "multi", {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}, INDEX_TYPE
    )
    odd.manifests[f"x/{digest}"] = (manifest, MANIFEST_TYPE)
    podpy("pull", f"{name}@{sha256(index)}").fails(125, "isn't what its digest", digest)


# Credentials


def test_only_the_registry_itself_may_name_a_token_server(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, name: str
) -> None:
    odd.redirect_to = other.address
    other.statuses = [(401, challenge(other))] * 4
    podpy("pull", *CREDENTIALS, name).fails(125, "unauthorized")
    assert [path for path in other.paths() if path.startswith("/token")] == []
    assert not any("Authorization" in headers for _, _, headers in other.requests)


def test_an_identity_token_does_not_follow_a_redirect(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, name: str
) -> None:
    auth = podpy.home / "auth.json"
    auth.write_text(json.dumps({"auths": {odd.address: {"identitytoken": "refresh-me"}}}))
    odd.manifest_statuses = [(401, challenge(odd, "/v2/x/blobs/token"))] * 4
    odd.statuses = [(307, {"Location": f"http://{other.address}/token"})]
    other.identity_token = "refresh-me"
    podpy("pull", "--authfile", str(auth), name).fails(125, "redirects", other.address)
    assert other.requests == []


def test_a_proxy_gets_the_password_in_its_address(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("x", "latest", small)
    configure(podpy, insecure("registry.example:5000"))
    proxy = f"http://user:p%40ss@{odd.address}"
    podpy.ok("pull", "registry.example:5000/x", env={"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy})
    given = {headers.get("Proxy-Authorization") for _, _, headers in odd.requests}
    assert given == {"Basic " + base64.b64encode(b"user:p@ss").decode()}


@pytest.mark.parametrize("address", ["x:@OTHER/v2/more", "x://OTHER/v2/more", "//OTHER/v2/more", "data:more"])
def test_the_next_page_of_a_list_is_on_the_same_registry(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, name: str, address: str
) -> None:
    link = f'<{address.replace("OTHER", other.address)}>; rel="next"'
    odd.pages["/v2/x/tags/list"] = ({"tags": ["one"]}, link)
    podpy("search", "--list-tags", *CREDENTIALS, name).fails(125)
    assert other.requests == []


def test_what_is_asked_by_a_search_does_not_go_where_pulls_are_sent(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, name: str
) -> None:
    odd.pages["/v2/x/tags/list"] = ({"tags": ["one"]}, "")
    configure(podpy, f'[[registry]]\nprefix = "{odd.address}"\nlocation = "{other.address}"\ninsecure = true\n')
    assert podpy.ok("search", "--list-tags", *CREDENTIALS, "--format", "{{.Tag}}", name) == "one"
    assert other.requests == []


def test_a_search_asks_no_registry_that_is_blocked(podpy: Podpy) -> None:
    configure(podpy, '[[registry]]\nlocation = "docker.io"\nblocked = true\n')
    podpy("search", "docker.io/x").fails(125, "registry docker.io is blocked")


def test_from_https_nothing_leads_to_http(podpy: Podpy, other: OddRegistry, small: Image, session_base: Path) -> None:
    directory = Path(tempfile.mkdtemp(dir=session_base))
    directory.chmod(0o755)
    with OddRegistry.start(directory) as secure:
        secure.add("x", "latest", small)
        other.blobs = secure.blobs
        (directory / "ca.crt").write_bytes((directory / "cert.pem").read_bytes())
        pull = ("pull", "-q", "--cert-dir", str(directory), *CREDENTIALS, f"{secure.address}/x")
        secure.manifest_statuses = [(401, challenge(other))]
        podpy(*pull).fails(125, f"wants the password sent to {other.address} over HTTP")
        secure.manifest_statuses, secure.redirect_to = [], other.address
        podpy(*pull).fails(125, "redirects from HTTPS to HTTP")
        assert other.requests == []
        secure.redirect_to = ""
        podpy.ok(*pull)


# What is no answer


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (307, {"Location": "http://[/x"}),
        (401, {"WWW-Authenticate": 'Bearer realm="http://[/token"'}),
        (429, {"Retry-After": "\u00b2"}),
        (429, {"Retry-After": "Mon, 01 Jan 0001 00:00:00 +2359"}),
        (206, {"Content-Range": "bytes \u00b2-3/4"}),
        (206, {"Content-Range": f"bytes {'9' * 5000}-3/4"}),
    ],
)
def test_headers_that_mean_nothing_are_one_line(
    podpy: Podpy, odd: OddRegistry, name: str, status: int, headers: dict[str, str]
) -> None:
    odd.statuses = [(status, headers)] * 8
    result = podpy("pull", "--retry", "1", "--retry-delay", "10ms", "-q", name).fails(125)
    assert "internal error" not in result.stderr, result.describe()
    assert len(result.complaints) == 1, result.describe()


def test_the_body_of_a_redirect_is_not_waited_for(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, small: Image, name: str
) -> None:
    path = f"/v2/x/blobs/{sha256(small.config())}"  # what is asked for first
    other.blobs = odd.blobs
    odd.statuses = [(307, {"Location": f"http://{other.address}{path}", "Content-Length": str(1 << 40)})]
    podpy("pull", "-q", name).ok()
    assert other.paths() == [path]


def test_a_token_that_is_cut_is_one_line(podpy: Podpy, odd: OddRegistry, name: str) -> None:
    odd.manifest_statuses = [(401, challenge(odd, "/v2/x/blobs/token"))]
    odd.statuses = [(200, {"Content-Length": "100", "Connection": "close"})]
    result = podpy("pull", "-q", name).fails(125)
    assert "internal error" not in result.stderr, result.describe()
