"""Pushes to a registry that misbehaves: cut connections, refusals, tokens, other hosts, Ctrl-C."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from podpy.image.incoming.assemble import Blob
from podpy.image.progress import Progress
from podpy.image.registry import write as upload
from podpy.image.registry.http import Connection
from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.images import MANIFEST_TYPE, Image, sha256
from tests.support.registry import Registry

FAST = ("--retry-delay", "10ms")
NAME = "localhost/bulky:latest"


@pytest.fixture
def here(podpy: Podpy, odd: OddRegistry, bulky: Image, session_base: Path) -> str:
    """An image with one layer of 1 MB in the store, and a configuration that allows the odd registry."""
    configure(podpy, insecure(odd.address))
    podpy.ok("load", "-q", "-i", str(bulky.write_oci_archive(session_base / "bulky.tar", NAME)))
    return NAME


@pytest.fixture
def repository(odd: OddRegistry) -> upload.WritableRepository:
    """The repository `x`, without the command line."""
    return upload.WritableRepository(Connection(odd.address, insecure=True, retry_delay=0.01), "x")


def blob(size: int = 1_000_000) -> tuple[Blob, bytes]:
    data = random.Random(2).randbytes(size)
    return Blob(digest=sha256(data), size=size, read=lambda offset: iter((data[offset:],))), data


def check_pushed(odd: OddRegistry, bulky: Image) -> None:
    """The registry has exactly this image."""
    manifest, blobs = bulky.blobs()
    assert odd.manifests["x/latest"][0] == manifest
    assert odd.blobs == {digest: data for digest, data in blobs.items() if digest != sha256(manifest)}


def test_a_cut_connection_goes_on_where_it_stopped(podpy: Podpy, odd: OddRegistry, bulky: Image, here: str) -> None:
    odd.uploads.cuts = [300_000, 200_000, 100_000, 50_000, 20_000]  # more cuts than retries: each brings something
    done = podpy("push", *FAST, here, f"{odd.address}/x")
    done.ok()
    total = sum(map(len, odd.blobs.values()))
    assert odd.uploads.received == total
    assert "retrying" in done.stderr
    check_pushed(odd, bulky)


def test_an_upload_that_the_registry_forgets_begins_anew(
    podpy: Podpy, odd: OddRegistry, bulky: Image, here: str
) -> None:
    odd.uploads.cuts, odd.uploads.forgets = [300_000, 200_000], True
    podpy.ok("push", *FAST, here, f"{odd.address}/x")
    check_pushed(odd, bulky)


def test_a_push_that_gets_nowhere_fails_and_the_next_one_sends_only_what_lacks(
    podpy: Podpy, odd: OddRegistry, bulky: Image, here: str
) -> None:
    odd.uploads.cuts = [0] * 20
    podpy("push", *FAST, "--retry", "2", here, f"{odd.address}/x").fails(125, "stopped at 0 of", "Push again")
    assert odd.manifests == {}
    odd.uploads.cuts = []
    podpy.ok("push", here, f"{odd.address}/x")
    check_pushed(odd, bulky)


def test_a_connection_that_loses_whole_requests_gets_pieces(
    odd: OddRegistry, repository: upload.WritableRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PIECE", 100_000)
    odd.uploads.cuts, odd.uploads.buffers = [700_000, 100_000, 100_000, 50_000], True
    source, data = blob()
    assert repository.put_blob(source) == upload.SENT
    assert odd.blobs[source.digest] == data
    # What was sent in vain: most of the whole, and half a piece.
    assert odd.uploads.received == 700_000 + 50_000 + len(data)


def test_a_registry_that_takes_no_pieces_gets_all_at_once(
    odd: OddRegistry, repository: upload.WritableRepository
) -> None:
    odd.uploads.cuts, odd.uploads.buffers, odd.uploads.refuses_pieces = [700_000], True, True
    source, data = blob()
    assert repository.put_blob(source) == upload.SENT
    assert odd.blobs[source.digest] == data


def test_too_many_requests_and_server_errors_pass(podpy: Podpy, odd: OddRegistry, bulky: Image, here: str) -> None:
    odd.uploads.statuses = [(429, {"Retry-After": "0"}), (503, {}), (500, {})]
    done = podpy("push", *FAST, here, f"{odd.address}/x")
    done.ok()
    assert "answered 429; retrying in 0 s" in done.stderr
    assert "answered 503" in done.stderr
    check_pushed(odd, bulky)


def test_an_upload_to_another_host_gets_no_credentials(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, here: str
) -> None:
    other.blobs, other.uploads.data = odd.blobs, odd.uploads.data
    odd.uploads.elsewhere = other.address
    odd.wants_token, odd.tokens_for = True, {"alice": "pw"}
    podpy.ok("push", "--creds", "alice:pw", here, f"{odd.address}/x")
    assert len(other.requests) == 2
    assert all("Authorization" not in headers for _, _, headers in other.requests)


def test_one_token_for_pull_and_push_is_enough(podpy: Podpy, odd: OddRegistry, here: str) -> None:
    odd.wants_token, odd.tokens_for = True, {"alice": "pw"}
    podpy("push", here, f"{odd.address}/x").fails(125, "wants credentials", f"podpy login {odd.address}")
    odd.requests.clear()
    podpy.ok("push", "--creds", "alice:pw", here, f"{odd.address}/x")
    asked = {path for path in odd.paths() if path.startswith("/token")}
    assert asked == {"/token?service=odd&scope=repository%3Ax%3Apull%2Cpush&account=alice"}


def test_what_is_there_is_asked_for_by_head_only(podpy: Podpy, odd: OddRegistry, here: str) -> None:
    podpy.ok("push", here, f"{odd.address}/x")
    odd.requests.clear()
    done = podpy("push", here, f"{odd.address}/x")
    done.ok()
    assert "skipped: already exists" in done.stderr
    methods = [method for method, path, _ in odd.requests if path != "/v2/"]
    assert methods == ["HEAD", "HEAD", "PUT"]  # the layer, the configuration, and the manifest


def test_a_mount_costs_no_second_upload(odd: OddRegistry, repository: upload.WritableRepository) -> None:
    source, _ = blob()
    odd.uploads.mountable = {"b": source.digest}
    assert repository.put_blob(source, mount_from=["a", "b"]) == upload.MOUNTED
    assert odd.uploads.received == 0
    assert odd.uploads.data == {}  # the upload that the registry began instead of the first mount is given up
    odd.uploads.mountable = {}
    odd.requests.clear()
    assert repository.put_blob(source, mount_from=["a"]) == upload.SENT
    assert [method for method, _, _ in odd.requests] == ["HEAD", "POST", "PUT"]


REFUSALS = {
    "denied": (403, b'{"errors": [{"code": "DENIED", "message": "requested access is denied"}]}', "access is denied"),
    "unknown": (404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "no such repository"}]}', "name unknown"),
    "large": (413, b"<html>", "413: too large"),
    "invalid": (400, b'{"errors": [{"code": "MANIFEST_INVALID", "message": "bad"}]}', "manifest invalid: bad"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_one_line(podpy: Podpy, odd: OddRegistry, here: str, kind: str) -> None:
    status, body, text = REFUSALS[kind]
    odd.uploads.manifest_statuses = [(status, body)] * 2
    done = podpy("push", "-q", here, f"{odd.address}/x").fails(125, text)
    assert len(done.complaints) == 1


WRONG_FORMAT = {
    "quay": (415, "MANIFEST_INVALID", "manifest invalid"),
    "openshift": (400, "MANIFEST_INVALID", "manifest invalid"),
    "old": (400, "TAG_INVALID", "manifest tag did not match URI"),
    "amazon": (405, "UNSUPPORTED", "Invalid parameter at 'ImageManifest' failed to satisfy: 'Invalid JSON syntax'"),
    "proxy": (415, "", ""),
}


def answer(status: int, *codes: str, message: str = "") -> tuple[int, bytes]:
    """Return an answer with these codes of the distribution specification."""
    return status, json.dumps({"errors": [{"code": code, "message": message} for code in codes]}).encode()


@pytest.mark.parametrize("kind", WRONG_FORMAT)
def test_a_registry_that_knows_only_dockers_format_gets_that(
    podpy: Podpy, odd: OddRegistry, here: str, kind: str
) -> None:
    status, code, message = WRONG_FORMAT[kind]
    refusal = answer(status, code, message=message) if code else (status, b"")
    odd.uploads.manifest_statuses = [refusal]
    done = podpy("push", here, f"{odd.address}/x")
    done.ok()
    assert "trying the other format" in done.stderr
    assert odd.manifests["x/latest"][1] == "application/vnd.docker.distribution.manifest.v2+json"
    odd.uploads.manifest_statuses = [refusal]
    podpy("push", "--format", "oci", here, f"{odd.address}/x").fails(125, f"({status})", "Another --format")


@pytest.mark.parametrize(
    "refusal",
    [
        answer(400, "NAME_INVALID", "MANIFEST_INVALID", message="no"),
        answer(400, "MANIFEST_UNVERIFIED", message="no"),
        answer(405, "UNSUPPORTED", message="no"),
        (400, b"<html>no"),
        (400, b'{"errors": "no"}'),
    ],
)
def test_no_other_refusal_changes_an_images_format(
    podpy: Podpy, odd: OddRegistry, here: str, refusal: tuple[int, bytes]
) -> None:
    odd.uploads.manifest_statuses = [refusal]
    done = podpy("push", "-q", here, f"{odd.address}/x").fails(125, "no", f"({refusal[0]})")
    assert len(done.complaints) == 1
    assert odd.manifests == {}


def test_a_damaged_blob_is_the_registrys_to_find(podpy: Podpy, odd: OddRegistry, bulky: Image, here: str) -> None:
    _, blobs = bulky.blobs()
    large = next(digest for digest, data in blobs.items() if len(data) > 10_000)
    path = podpy.graphroot / "blobs/sha256" / large[7:]
    data = bytearray(path.read_bytes())
    data[5000:6000] = b"y" * 1000
    path.write_bytes(data)
    podpy("push", here, f"{odd.address}/x").fails(125, "digest invalid")
    path.write_bytes(data[:-1000])
    podpy("push", here, f"{odd.address}/x").fails(125, "1000 bytes less than it should", "podpy system check")


def test_interrupted_by_the_user(podpy: Podpy, odd: OddRegistry, bulky: Image, here: str) -> None:
    odd.uploads.hold = threading.Event()
    process = podpy.popen("push", here, f"{odd.address}/x", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert odd.uploads.reached.wait(60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    odd.uploads.hold.set()
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert out == b""
    wait.until(lambda: not odd.uploads.held, what="the registry has given up")
    odd.uploads.hold = None
    podpy.ok("push", here, f"{odd.address}/x")
    check_pushed(odd, bulky)


@pytest.mark.parametrize(
    "passing",
    [
        answer(400, "MANIFEST_BLOB_UNKNOWN", message="blob unknown to registry"),
        answer(404, "BLOB_UNKNOWN", message="blob unknown to registry"),
        answer(400, "DIGEST_INVALID", message="provided digest did not match uploaded content"),
        answer(400, "MANIFEST_INVALID", "DIGEST_INVALID", message="provided digest did not match uploaded content"),
    ],
)
def test_a_registry_that_is_at_the_same_blobs_for_another_push_is_asked_again(
    podpy: Podpy, odd: OddRegistry, bulky: Image, here: str, passing: tuple[int, bytes]
) -> None:
    odd.uploads.manifest_statuses = [passing] * 3
    done = podpy("push", *FAST, here, f"{odd.address}/x")
    done.ok()
    assert done.stderr.count("retrying in") == 3
    assert "other format" not in done.stderr
    check_pushed(odd, bulky)
    odd.uploads.manifest_statuses = [passing] * 2
    again = podpy("push", *FAST, "--retry", "1", "--format", "oci", here, f"{odd.address}/x")
    again.fails(125, json.loads(passing[1])["errors"][0]["message"])


def test_docker_registry_is_asked_again_while_it_writes_what_leads_to_a_blob(registry: Registry, bulky: Image) -> None:
    manifest, blobs = bulky.blobs()
    for digest, data in blobs.items():
        if digest != sha256(manifest):
            registry.push_blob("x", data)
    (link, *_) = registry.data.rglob("repositories/x/_layers/sha256/*/link")
    whole = link.read_bytes()
    told: list[str] = []

    class Mend(Progress):
        def message(self, text: str) -> None:
            """Finish the other push's write at the first retry."""
            told.append(text)
            link.write_bytes(whole)

    link.write_bytes(b"")  # as the registry has it between open(2) and write(2)
    with Connection(registry.address, insecure=True, retry_delay=0.01, progress=Mend()) as connection:
        repository = upload.WritableRepository(connection, "x")
        assert repository.put_manifest(manifest, MANIFEST_TYPE, "1") == sha256(manifest)
    assert len(told) == 1
    assert "digest invalid" in told[0]
