"""`podpy push` to a real registry: HTTP, TLS with a password; formats, compressions, mounts, what others then read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.test_pull import configure, insecure
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, MANIFEST_TYPE, Image, Layer, sha256
from tests.support.registry import Registry

DOCKER_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
NAME = "localhost/small:latest"


@pytest.fixture
def place(session_base: Path) -> Iterator[Path]:
    directory = session_base / f"push-{os.urandom(4).hex()}"
    directory.mkdir(mode=0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def here(podpy: Podpy, small: Image, session_base: Path) -> str:
    """An image with compressed layers, which podpy keeps."""
    podpy.ok("load", "-q", "-i", str(small.write_oci_archive(session_base / "small.tar", NAME)))
    return NAME


def manifest(registry: Registry, repository: str, reference: str) -> bytes:
    """Return a manifest's bytes as the registry has them."""
    accepted = {"Accept": f"{MANIFEST_TYPE}, {DOCKER_TYPE}"}
    return registry.request("GET", f"/v2/{repository}/manifests/{reference}", headers=accepted).read()


def test_push_keeps_the_digest_and_prints_podmans_lines(
    podpy: Podpy, registry: Registry, here: str, small: Image
) -> None:
    done = podpy("push", "--tls-verify=false", "--digestfile", "digest", here, f"{registry.address}/x/small:v1")
    assert done.ok() == ""
    lines = done.stderr.splitlines()
    assert sum(line.startswith("Copying blob sha256:") for line in lines) == 2
    assert lines[-2:] == [f"Copying config {sha256(small.config())}", "Writing manifest to image destination"]
    expected = small.blobs()[0]
    assert manifest(registry, "x/small", "v1") == expected
    assert (podpy.home / "digest").read_text() == sha256(expected)


def test_the_name_is_the_destination_if_none_is_given(podpy: Podpy, registry: Registry, here: str) -> None:
    configure(podpy, insecure(registry.address))
    podpy.ok("tag", here, f"{registry.address}/mine")
    done = podpy("image", "push", "-q", f"{registry.address}/mine")
    assert (done.ok(), done.stderr) == ("", "")
    assert manifest(registry, "mine", "latest")
    image_id = podpy.ok("images", "-q", "--no-trunc", here).removeprefix("sha256:")
    podpy("push", image_id).fails(125, "has no name to push it to", "podpy push")
    podpy("push", "nothing").fails(125, "image not known")


@pytest.mark.parametrize(
    ("own", "typed"),
    [("localhost/me/x:1", "me/x:1"), ("localhost/x:1", "x:1"), ("quay.example/me/x:1", "x:1")],
)
def test_a_short_name_without_a_destination_goes_to_docker(podpy: Podpy, here: str, own: str, typed: str) -> None:
    configure(podpy, '[[registry]]\nlocation = "docker.io"\nblocked = true\n')
    podpy.ok("tag", here, own)
    podpy("push", typed).fails(125, "registry docker.io is blocked")


def test_http_is_refused_unless_allowed(podpy: Podpy, registry: Registry, here: str) -> None:
    podpy("push", here, f"{registry.address}/x").fails(125, "speaks HTTP, not HTTPS", "--tls-verify=false")


def test_tls_with_a_password(podpy: Podpy, secure_registry: Registry, here: str, small: Image) -> None:
    assert secure_registry.ca is not None
    certificates = podpy.home / "certs"
    certificates.mkdir()
    shutil.copy(secure_registry.ca, certificates / "ca.crt")
    (certificates / "ca.crt").chmod(0o644)
    name = f"{secure_registry.address}/small"
    options = ("--cert-dir", str(certificates), here, f"docker://{name}")
    podpy("push", here, name).fails(125, "certificate isn't trusted")
    podpy("push", *options).fails(125, "wants credentials", f"podpy login {secure_registry.address}")
    podpy("push", "--creds", "alice:wrong", *options).fails(125, "invalid username/password")
    podpy.ok("push", "--creds", "alice:wonderland", *options)
    assert manifest(secure_registry, "small", "latest") == small.blobs()[0]


def test_uncompressed_layers_are_compressed_and_come_back_as_the_same_image(
    podpy: Podpy, registry: Registry, busybox: str
) -> None:
    configure(podpy, insecure(registry.address))
    name = f"{registry.address}/bb"
    podpy.ok("push", busybox, name)
    (layer,) = json.loads(manifest(registry, "bb", "latest"))["layers"]  # of Docker's kind: so was the archive
    assert layer["mediaType"] == "application/vnd.docker.image.rootfs.diff.tar.gzip"
    image_id = podpy.ok("images", "-q", "--no-trunc", busybox)
    podpy.ok("rmi", busybox)
    assert f"sha256:{podpy.ok('pull', '-q', name)}" == image_id
    assert podpy.ok("run", "--rm", name, "echo", "x") == "x"


def test_what_was_compressed_once_is_known_by_its_digest(podpy: Podpy, registry: Registry, busybox: str) -> None:
    configure(podpy, insecure(registry.address))
    name = f"{registry.address}/bb"
    for options in ((), ("--compression-level", "1")):
        podpy.ok("push", *options, busybox, f"{name}:1")
        # Without the bytes that the layer is made of, only a push that needn't make it can succeed.
        recipes = podpy.graphroot / "recipes"
        recipes.rename(podpy.graphroot / "away")
        done = podpy("push", *options, busybox, f"{name}:2")
        (podpy.graphroot / "away").rename(recipes)
        done.ok()
        assert "skipped: already exists" in done.stderr
        assert manifest(registry, "bb", "1") == manifest(registry, "bb", "2")
    podpy.ok("push", busybox, f"{registry.address}/elsewhere")  # which hasn't it: so it is made again
    assert manifest(registry, "elsewhere", "latest")


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_compression_that_is_asked_for(podpy: Podpy, registry: Registry, here: str, small: Image, kind: str) -> None:
    configure(podpy, insecure(registry.address))
    name = f"{registry.address}/packed"
    podpy.ok("push", "--compression-format", kind, "--compression-level", "3", here, name)
    document = json.loads(manifest(registry, "packed", "latest"))
    assert [layer["mediaType"].rpartition("+")[2] for layer in document["layers"]] == [kind, kind]
    same = sha256(manifest(registry, "packed", "latest")) == sha256(small.blobs()[0])
    assert same == (kind == "gzip")  # what is of this kind already goes as it is
    assert f"sha256:{podpy.ok('pull', '-q', name)}" == sha256(small.config())


def test_compressions_that_cannot_be(podpy: Podpy, registry: Registry, here: str) -> None:
    name = f"{registry.address}/x"
    podpy("push", "--compression-format", "zstd:chunked", here, name).fails(125, "zstd:chunked is not supported")
    podpy("push", "--compression-format", "zstd", "--format", "v2s2", "--tls-verify=false", here, name).fails(
        125, "no zstd layers"
    )
    podpy("push", "--format", "v2s1", here, name).fails(125, "v2s1")
    podpy("push", "--format", "x", here, name).fails(125, 'unknown format "x"')
    podpy("push", "--compress", here, name).fails(125, "dir:")
    podpy("push", "--sign-by", "me", here, name).fails(125, "no signatures")
    podpy("push", "--encryption-key", "jwe:x", here, name).fails(125, "encrypts no images")


def test_another_format_changes_the_manifest_only(podpy: Podpy, registry: Registry, here: str, small: Image) -> None:
    configure(podpy, insecure(registry.address))
    podpy.ok("push", here, f"{registry.address}/x:oci")
    done = podpy("push", "--format", "v2s2", here, f"{registry.address}/x:docker")
    done.ok()
    assert done.stderr.count("skipped: already exists") == 2
    document = json.loads(manifest(registry, "x", "docker"))
    original = json.loads(small.blobs()[0])
    assert document["mediaType"] == DOCKER_TYPE
    assert [layer["digest"] for layer in document["layers"]] == [layer["digest"] for layer in original["layers"]]
    assert {layer["mediaType"] for layer in document["layers"]} == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}
    assert document["config"]["digest"] == original["config"]["digest"]
    # And back again: from what came as Docker's to an OCI manifest, the first one's.
    podpy.ok("rmi", here)
    podpy.ok("pull", f"{registry.address}/x:docker")
    podpy.ok("push", "--format", "oci", f"{registry.address}/x:docker", f"{registry.address}/x:back")
    back = json.loads(manifest(registry, "x", "back"))
    assert back["layers"] == original["layers"]


def test_a_blob_of_another_repository_is_mounted(podpy: Podpy, registry: Registry, here: str) -> None:
    configure(podpy, insecure(registry.address))
    podpy.ok("tag", here, f"{registry.address}/one/a:1")
    podpy.ok("push", f"{registry.address}/one/a:1")
    done = podpy("push", here, f"{registry.address}/two/b:1")
    done.ok()
    assert done.stderr.count("skipped: already exists") == 2


def test_a_push_goes_where_its_name_says_and_not_where_pulls_are_sent(
    podpy: Podpy, registry: Registry, here: str
) -> None:
    blocked = '[[registry]]\nlocation = "bad.example"\nblocked = true\n'
    moved = f'[[registry]]\nprefix = "{registry.address}"\nlocation = "elsewhere.example"\ninsecure = true\n'
    configure(podpy, moved + blocked)
    podpy.ok("push", here, f"{registry.address}/moved")
    assert manifest(registry, "moved", "latest")
    podpy("push", here, "bad.example/small").fails(125, "bad.example is blocked")


def events(output: str) -> list[dict[str, object]]:
    """Return what `--progress json` told, without what comes on a slow machine only."""
    told = [json.loads(line) for line in output.splitlines()]
    return [event for event in told if event["event"] != "layer-advanced"]


def test_events_for_programs(podpy: Podpy, registry: Registry, here: str, small: Image) -> None:
    name = f"{registry.address}/x:1"
    told = events(podpy.ok("push", "--tls-verify=false", "--progress", "json", here, name))
    kinds = [str(event["event"]) for event in told]
    assert sorted(kinds[:4]) == ["layer-done", "layer-done", "layer-started", "layer-started"]
    assert kinds[4:] == ["config", "committing", "pushed"]
    assert told[-1] == {"event": "pushed", "name": name, "digest": sha256(small.blobs()[0])}
    again = events(podpy.ok("push", "-q", "--tls-verify=false", "--progress", "json", here, name))
    assert [event["event"] for event in again[:2]] == ["layer-exists", "layer-exists"]
    failed = podpy("push", "--progress", "json", here, name).fails(125, "speaks HTTP, not HTTPS")
    assert [(event["event"], event["name"]) for event in events(failed.stdout)] == [("error", name)]
    assert len(failed.complaints) == 1
    plain = podpy("push", "--progress", "plain", "--tls-verify=false", here, name)
    assert (plain.ok(), plain.stderr.count("Copying blob")) == ("", 2)


def test_a_push_to_a_digest(podpy: Podpy, registry: Registry, here: str, small: Image) -> None:
    configure(podpy, insecure(registry.address))
    digest = sha256(small.blobs()[0])
    podpy.ok("push", here, f"{registry.address}/x@{digest}")
    assert manifest(registry, "x", digest) == small.blobs()[0]
    podpy("push", here, f"{registry.address}/x@sha256:{'0' * 64}").fails(125, "the manifest's digest is")
    podpy("push", here, f"{registry.address}/x:1@{digest}").fails(125, "a tag or a digest")


def test_empty_and_repeated_layers_are_sent_once(podpy: Podpy, registry: Registry, session_base: Path) -> None:
    layer, empty = Layer().add("a", b"1").tar(), Layer().tar()
    twice = Image([layer, empty, layer, empty])
    podpy.ok("load", "-q", "-i", str(twice.write_oci_archive(session_base / "twice.tar", "localhost/twice:1")))
    done = podpy("push", "--tls-verify=false", "twice:1", f"{registry.address}/twice")
    done.ok()
    assert done.stderr.count("Copying blob") == 2
    assert manifest(registry, "twice", "latest") == twice.blobs()[0]


def test_what_is_pushed_skopeo_and_podman_read(
    podpy: Podpy, registry: Registry, here: str, small: Image, place: Path
) -> None:
    if shutil.which("skopeo") is None:
        pytest.fail("skopeo isn't installed: apt install skopeo")
    for form, tag in (("oci", "1"), ("v2s2", "2")):
        name = f"{registry.address}/small:{tag}"
        podpy.ok("push", "--tls-verify=false", "--format", form, here, name)
        digest = subprocess.run(
            ["skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", f"docker://{name}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        copy = ["skopeo", "copy", "-q", "--insecure-policy", "--src-tls-verify=false", f"docker://{name}"]
        subprocess.run([*copy, f"dir:{place}/{tag}"], check=True, capture_output=True)
        assert sha256((place / tag / "manifest.json").read_bytes()) == digest
        if os.geteuid() == 0:
            assert podman_pulls(name) == sha256(small.config())[7:]


def podman_pulls(name: str) -> str:
    """Return the id of the image that Podman makes of it."""
    run = tempfile.mkdtemp(prefix="pt-", dir="/tmp")  # Podman allows 50 characters
    own = ["podman", "--root", run + "/root", "--runroot", run, "--storage-driver", "vfs"]
    try:
        pull = [*own, "pull", "-q", "--tls-verify=false", name]
        done = subprocess.run(pull, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
    finally:
        subprocess.run([*own, "rmi", "-af"], check=False, capture_output=True)
        shutil.rmtree(run, ignore_errors=True)


@pytest.mark.parametrize("kind", ["dir", "oci", "oci-archive", "docker-archive"])
def test_other_places(podpy: Podpy, here: str, small: Image, kind: str) -> None:
    target = f"{kind}:{podpy.home}/out" + ("" if kind == "dir" else ":example.com/small:2")
    podpy.ok("push", here, target)
    podpy.ok("rmi", here)
    assert f"sha256:{podpy.ok('pull', '-q', target)}" == sha256(small.config())
    if kind != "docker-archive":
        podpy.ok("push", "--digestfile", "digest", sha256(small.config())[7:], target)
        assert (podpy.home / "digest").read_text() == sha256(small.blobs()[0])


def test_places_that_are_refused(podpy: Podpy, here: str) -> None:
    podpy("push", here, "docker-daemon:x:1").fails(125, "docker-daemon: is no destination")
    podpy("push", here, "containers-storage:x").fails(125, "containers-storage: is no destination")
    podpy("push", "--digestfile", "d", here, "docker-archive:x.tar").fails(125, "--digestfile")
    podpy("push", here, "oci:/nonexistent/x").fails(125, "/nonexistent")


def test_a_directory_gets_compressed_layers_if_asked_for(podpy: Podpy, busybox: str) -> None:
    for options, suffix in ((), "tar"), (("--compress",), "gzip"):
        podpy.ok("push", *options, "--format", "v2s2", busybox, "dir:out")
        document = json.loads((podpy.home / "out/manifest.json").read_text())
        assert document["mediaType"] == DOCKER_TYPE
        assert document["layers"][0]["mediaType"].endswith(suffix)


def test_two_pushes_at_once(podpy: Podpy, registry: Registry, busybox: str) -> None:
    names = [f"{registry.address}/x:{number}" for number in range(2)]
    pushes = [
        podpy.popen("push", "--tls-verify=false", BUSYBOX, name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in names
    ]
    for process in pushes:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert b"other format" not in err
    assert manifest(registry, "x", "0") == manifest(registry, "x", "1")
    assert not any((podpy.graphroot / "tmp").glob("[0-9]*"))
