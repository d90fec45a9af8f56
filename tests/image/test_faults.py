"""Pulls from a registry that misbehaves: cut connections, lies, refusals, redirects, tokens, Ctrl-C."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import signal
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from podpy.errors import RegistryError, StorageError
from podpy.image.incoming.pipeline import IncomingLayer, _Stopped, growing, receive
from podpy.storage.blobs import BlobWriter
from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure, insecure
from tests.storage.stores import open_store
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.images import Image, Layer, sha256

FAST = ("--retry-delay", "10ms")


@pytest.fixture
def name(podpy: Podpy, odd: OddRegistry, bulky: Image) -> str:
    """An image with one layer of 1 MB in the odd registry."""
    odd.add("x", "latest", bulky)
    configure(podpy, insecure(odd.address))
    return f"{odd.address}/x"


def layer_of(image: Image) -> tuple[str, int]:
    """Return the digest and size of the first layer's blob."""
    layer = json.loads(image.blobs()[0])["layers"][0]
    return layer["digest"], layer["size"]


def check_tree(podpy: Podpy, bulky: Image) -> None:
    """The store has exactly this image and nothing that waits."""
    assert podpy.ok("images", "-q", "--no-trunc") == sha256(bulky.config())
    partial = list((podpy.graphroot / "tmp").glob("**/*"))
    assert [path for path in partial if path.is_file()] == []


def test_a_cut_connection_goes_on_where_it_stopped(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    odd.cuts = [300_000, 200_000, 0, 100_000]
    podpy.ok("pull", *FAST, name)
    ranges = [headers.get("Range", "") for headers in odd.blob_requests() if "Range" in headers]
    _, size = layer_of(bulky)
    assert ranges[0].endswith(f"-{size - 1}")
    assert odd.bytes_sent < size + 10_000
    check_tree(podpy, bulky)


def test_a_server_that_ignores_ranges(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    odd.cuts, odd.ignores_range = [300_000], True
    podpy.ok("pull", *FAST, name)
    check_tree(podpy, bulky)


def test_a_server_that_refuses_ranges(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    odd.cuts, odd.no_range = [300_000], True
    podpy.ok("pull", *FAST, name)
    check_tree(podpy, bulky)


def test_a_pull_that_fails_is_continued_by_the_next_one(
    podpy: Podpy, odd: OddRegistry, bulky: Image, name: str
) -> None:
    odd.cuts = [400_000] + [0] * 10
    podpy("pull", *FAST, name).fails(125, "stopped at", "it goes on from there")
    assert podpy("image", "exists", name).returncode == 1
    sent, odd.cuts = odd.bytes_sent, []
    done = podpy("pull", name)
    done.ok()
    _, size = layer_of(bulky)
    assert "going on at" in done.stderr
    assert odd.bytes_sent - sent < size - 200_000
    check_tree(podpy, bulky)


def test_the_rest_arrives_while_what_is_here_is_unpacked(tmp_path: Path) -> None:
    """To unpack it takes longer than many a try: a pull that is broken off each time would never get on."""
    data = os.urandom(2_000_000)
    first = BlobWriter(str(tmp_path), sha256(data))
    first.write(data[:1_000_000])
    first.abort()
    blob, all_is_here = BlobWriter(str(tmp_path), sha256(data)), threading.Event()

    def arriving() -> Generator[bytes]:
        for start in range(blob.offset, len(data), 1000):
            blob.write(data[start : start + 1000])
            yield b""
        all_is_here.set()

    chunks = growing(blob, arriving(), threading.Event())
    start = next(chunks)  # and nobody asks for more
    assert all_is_here.wait(60)
    assert start + b"".join(chunks) == data
    blob.finish()


@pytest.mark.parametrize("ending", ["error", "stop", "close"])
def test_what_ends_a_pull_ends_the_arrival_of_the_rest(tmp_path: Path, ending: str) -> None:
    data = os.urandom(100_000)
    blob, stop, others = BlobWriter(str(tmp_path), sha256(data)), threading.Event(), {*threading.enumerate()}
    blob.write(data[:50_000])
    begun, hung_up = threading.Event(), threading.Event()

    def arriving() -> Generator[bytes]:
        try:
            while True:
                blob.write(data[50_000:50_010])
                yield b""
                if ending == "error" and begun.wait(60):
                    raise RegistryError("gone")
        finally:
            hung_up.set()

    chunks = growing(blob, arriving(), stop)
    assert next(chunks)
    begun.set()
    if ending == "close":
        chunks.close()
    else:
        if ending == "stop":
            stop.set()
        with pytest.raises(RegistryError if ending == "error" else _Stopped):
            b"".join(chunks)
    assert not {*threading.enumerate()} - others
    assert hung_up.is_set()
    blob.abort()


def test_a_layer_that_cannot_be_begun_gives_its_blob_back(tmp_path: Path) -> None:
    """The same call's next image may need it, and would wait for it forever."""
    store = open_store(tmp_path)
    os.rmdir(store.staging.path())
    layer = sha256(b"layer")
    source = IncomingLayer(diff_id=layer, chain_id=layer, parent="", digest=layer, size=5, read=lambda _: iter(()))
    with pytest.raises(StorageError, match="can't be stored"):
        receive(store, [source])
    (partial,) = tmp_path.rglob("*.partial")
    with partial.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    store.close()


@pytest.mark.parametrize("begun", [0, 100_000])
def test_interrupted_by_the_user(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str, begun: int) -> None:
    """Also where an earlier pull has begun: then another thread receives."""
    if begun:
        odd.cuts = [begun] + [0] * 10
        podpy("pull", *FAST, name).fails(125, "stopped at")
        odd.cuts = []
    odd.hold = threading.Event()
    process = podpy.popen("pull", name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # What the server has sent isn't yet what podpy has kept: only that can be gone on from.
    kept = podpy.graphroot / "tmp/blobs"
    wait.until(
        lambda: any(path.stat().st_size > begun for path in kept.glob("*.partial")), what="more of the blob is kept"
    )
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)  # the registry sends no more until `hold` is set
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert out == b""
    odd.hold.set()
    odd.hold = None
    done = podpy("pull", name)
    done.ok()
    assert "going on at" in done.stderr
    check_tree(podpy, bulky)


def test_a_damaged_rest_from_an_earlier_pull_is_thrown_away(
    podpy: Podpy, odd: OddRegistry, bulky: Image, name: str
) -> None:
    odd.cuts = [400_000] + [0] * 10
    podpy("pull", *FAST, name).fails(125, "stopped at")
    (partial,) = (podpy.graphroot / "tmp/blobs").glob("*.partial")
    data = bytearray(partial.read_bytes())
    data[1000:2000] = b"x" * 1000
    partial.write_bytes(data)
    odd.cuts = []
    podpy.ok("pull", name)
    check_tree(podpy, bulky)


def test_so_is_one_that_is_no_tar_any_more(podpy: Podpy, odd: OddRegistry) -> None:
    """An uncompressed layer has no checksum but its digest, and the unpacker sees the damage long before its end."""
    image = Image([Layer().add("a", b"a").add("large", os.urandom(24 << 20)).tar()])
    manifest, blobs = image.blobs(compressed=False)
    odd.blobs |= blobs
    odd.add_manifest("x", "latest", manifest)
    name = f"{odd.address}/x"
    configure(podpy, insecure(odd.address))
    odd.cuts = [16 << 20] + [0] * 10
    podpy("pull", *FAST, name).fails(125, "stopped at")
    (partial,) = (podpy.graphroot / "tmp/blobs").glob("*.partial")
    with partial.open("r+b") as file:
        file.write(b"x" * 512)
    odd.cuts = []
    podpy.ok("pull", name)
    check_tree(podpy, image)


def test_a_layer_with_the_wrong_bytes(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    digest, _ = layer_of(bulky)
    data = bytearray(odd.blobs[digest])
    data[5000:6000] = b"y" * 1000
    odd.blobs[digest] = bytes(data)
    podpy("pull", name).fails(125, "arrived with the digest", digest)
    assert podpy.ok("images", "-q") == ""
    assert [*podpy.graphroot.glob("layers/*")] == []


def test_a_layer_whose_contents_are_not_the_configurations(podpy: Podpy, odd: OddRegistry, bulky: Image) -> None:
    other = Image([Layer().add("other", b"1").tar()])
    manifest, blobs = other.blobs()
    config = bulky.config()
    document = json.loads(manifest)
    document["config"] |= {"digest": sha256(config), "size": len(config)}
    odd.blobs |= blobs
    odd.blobs[sha256(config)] = config
    odd.add_manifest("x", "latest", document)
    configure(podpy, insecure(odd.address))
    podpy("pull", f"{odd.address}/x").fails(125, "unpacks to the digest")
    assert podpy.ok("images", "-q") == ""


def test_a_layer_that_is_longer_than_its_manifest_says(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    digest, _ = layer_of(bulky)
    odd.blobs[digest] += b"more" * 1000
    podpy("pull", name).fails(125, "more bytes than")


def test_a_layer_that_is_shorter_than_its_manifest_says(
    podpy: Podpy, odd: OddRegistry, bulky: Image, name: str
) -> None:
    digest, _ = layer_of(bulky)
    odd.blobs[digest] = odd.blobs[digest][:-1000]
    podpy("pull", *FAST, name).fails(125, "stopped at")


def test_too_many_requests_and_server_errors_pass(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    odd.manifest_statuses = [(429, {"Retry-After": "0"})]
    odd.statuses = [(503, {}), (500, {})]
    done = podpy("pull", *FAST, name)
    done.ok()
    assert "answered 429" in done.stderr
    assert "answered 503" in done.stderr
    check_tree(podpy, bulky)


def test_too_many_requests_for_good(podpy: Podpy, odd: OddRegistry, name: str) -> None:
    odd.manifest_statuses = [(429, {"Retry-After": "0"})] * 20
    podpy("pull", "--retry", "1", name).fails(125, "429: too many requests")


def test_a_redirect_gets_no_credentials(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, bulky: Image, name: str
) -> None:
    other.blobs = odd.blobs
    odd.redirect_to, odd.wants_token, odd.tokens_for = other.address, True, {"alice": "pw"}
    podpy.ok("pull", "--creds", "alice:pw", name)
    assert odd.requests[-1][2]["Authorization"] == "Bearer good"
    assert len(other.requests) == 2
    assert all("Authorization" not in headers for _, _, headers in other.requests)
    check_tree(podpy, bulky)


def test_an_endless_redirect(podpy: Podpy, odd: OddRegistry, name: str) -> None:
    odd.redirect_to = odd.address
    podpy("pull", name).fails(125, "redirects")


def test_an_anonymous_token(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    odd.wants_token = odd.anonymous_token = True
    podpy.ok("pull", name)
    asked = [path for path in odd.paths() if path.startswith("/token")]
    assert asked == ["/token?service=odd&scope=repository%3Ax%3Apull"]
    check_tree(podpy, bulky)


def test_a_token_for_a_user(podpy: Podpy, odd: OddRegistry, name: str) -> None:
    odd.wants_token, odd.tokens_for = True, {"alice": "pw"}
    podpy("pull", name).fails(125, "wants credentials", "podpy login")
    podpy("pull", "--creds", "alice:no", name).fails(125, "invalid username/password")
    podpy.ok("pull", "--creds", "alice:pw", name)


def test_an_identity_token(podpy: Podpy, odd: OddRegistry, name: str, tmp_path: Path) -> None:
    odd.wants_token, odd.identity_token = True, "refresh-me"
    auth = podpy.home / "auth.json"
    auth.write_text(json.dumps({"auths": {odd.address: {"identitytoken": "refresh-me"}}}))
    podpy.ok("pull", "--authfile", str(auth), name)
    assert ("POST", "/token") in [(method, path) for method, path, _ in odd.requests]


def test_the_most_specific_credentials_win(podpy: Podpy, odd: OddRegistry, name: str) -> None:
    odd.wants_token, odd.tokens_for = True, {"alice": "pw"}

    def pair(text: str) -> dict[str, str]:
        return {"auth": base64.b64encode(text.encode()).decode()}

    auth = podpy.home / "auth.json"
    auth.write_text(json.dumps({"auths": {odd.address: pair("bob:x"), f"{odd.address}/x": pair("alice:pw")}}))
    podpy.ok("pull", name, env={"REGISTRY_AUTH_FILE": str(auth)})


def test_two_pulls_at_once_share_the_work(podpy: Podpy, odd: OddRegistry, bulky: Image, name: str) -> None:
    pulls = [podpy.popen("pull", name, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    for process in pulls:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out.decode().strip() == sha256(bulky.config())[7:]
    _, size = layer_of(bulky)
    assert odd.bytes_sent < 2 * size
    check_tree(podpy, bulky)


def test_a_layer_that_was_given_up_is_free_for_the_next_image_of_the_same_call(
    podpy: Podpy, session_base: Path
) -> None:
    """Its bytes come faster than it can be unpacked, so whoever reads them waits when the other layer fails."""
    large = Layer().add("large", b"".join(os.urandom(4096) * 15 for _ in range(2000))).tar()
    cut_off = Layer().add("small", os.urandom(4 << 20)).tar()[: 2 << 20]
    broken = Image([large, cut_off]).write_oci_archive(session_base / "broken.tar", "localhost/broken")
    good = Image([large]).write_oci_archive(session_base / "good.tar", "localhost/good")
    said = podpy("pull", "-q", f"oci-archive:{broken}", f"oci-archive:{good}").fails(125, "the archive is cut off")
    assert said.stdout.strip() == sha256(Image([large]).config())[7:]


HOSTILE = {
    "no JSON": b"<html>",
    "schema 1": b'{"schemaVersion": 1, "fsLayers": []}',
    "nested": b"[" * 100_000,
    "no layers": b'{"schemaVersion": 2, "config": {}}',
    "huge": b" " * (5 << 20),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_manifest_is_one_line(podpy: Podpy, odd: OddRegistry, kind: str) -> None:
    odd.add_manifest("x", "latest", HOSTILE[kind])
    configure(podpy, insecure(odd.address))
    done = podpy("pull", "-q", f"{odd.address}/x").fails(125)
    assert len(done.complaints) == 1
    assert "internal error" not in done.stderr
