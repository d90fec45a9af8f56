"""`podpy artifact`: files in, out, over a registry and away again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.images import Image, Layer, sha256
from tests.support.registry import Registry

NAME = "example.com/my/thing:1"
EMPTY = "application/vnd.oci.empty.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
TITLE = "org.opencontainers.image.title"


@pytest.fixture
def files(podpy: Podpy) -> list[str]:
    """Two files in the home directory."""
    (podpy.home / "one.txt").write_text("one\n")
    (podpy.home / "two.gz").write_bytes(b"\x1f\x8b\x08 not really")
    return ["one.txt", "two.gz"]


def blobs(podpy: Podpy) -> list[str]:
    return [path.name for path in podpy.graphroot.glob("blobs/sha256/*")]


def artifact(registry: Registry | OddRegistry, files: dict[str, bytes]) -> bytes:
    """Return the manifest of an artifact whose blobs are in the registry's repository `thing`."""
    layers = []
    for title, data in files.items():
        if isinstance(registry, Registry):
            registry.push_blob("thing", data)
        else:
            registry.blobs[sha256(data)] = data
        layers.append({"mediaType": "x/y", "digest": sha256(data), "size": len(data), "annotations": {TITLE: title}})
    config = {"mediaType": EMPTY, "digest": sha256(b"{}"), "size": 2}
    if isinstance(registry, Registry):
        registry.push_blob("thing", b"{}")
    else:
        registry.blobs[sha256(b"{}")] = b"{}"
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "a/b", "config": config, "layers": layers}
    return json.dumps(document).encode()


def test_files_become_an_artifact(podpy: Podpy, files: list[str]) -> None:
    digest = podpy.ok("artifact", "add", "--type", "a/b", "--annotation", "k=v", NAME, *files)
    found = podpy.json("artifact", "inspect", NAME)
    assert (found["Name"], found["Digest"]) == (NAME, f"sha256:{digest}")
    manifest = found["Manifest"]
    assert (manifest["artifactType"], manifest["config"]["mediaType"]) == ("a/b", EMPTY)
    assert manifest["annotations"]["k"] == "v"
    assert [layer["annotations"] for layer in manifest["layers"]] == [
        {TITLE: "one.txt", "k": "v"},
        {TITLE: "two.gz", "k": "v"},
    ]
    assert [layer["mediaType"] for layer in manifest["layers"]] == ["text/plain; charset=utf-8", "application/x-gzip"]
    template = "{{.Digest}} {{.TotalSizeBytes}} {{.Manifest.ArtifactType}} {{(index .Manifest.Layers 0).Size}}"
    assert podpy.ok("artifact", "inspect", "-f", template, digest[:10]) == f"sha256:{digest} 18 a/b 4"
    assert podpy.ok("images", "-q") == ""
    assert podpy.ok("system", "check") == ""


def test_the_list(podpy: Podpy, files: list[str]) -> None:
    assert podpy.ok("artifact", "ls").split() == ["REPOSITORY", "TAG", "DIGEST", "CREATED", "SIZE"]
    digest = podpy.ok("artifact", "add", NAME, *files)
    assert podpy.ok("artifact", "ls", "-n").split()[:3] == ["example.com/my/thing", "1", digest[:12]]
    assert podpy.ok("artifact", "list", "-n", "--no-trunc").split()[2] == digest
    assert podpy.ok("artifact", "ls", "--format", "{{.Size}} {{.VirtualSize}}") == "18B 18"
    assert podpy.json("artifact", "ls", "--format", "json")[0]["Digest"] == digest[:12]


def test_names(podpy: Podpy, files: list[str]) -> None:
    podpy("artifact", "add", f"{NAME}@sha256:{'0' * 64}", *files).fails(125, "tagged and digested")
    podpy.ok("artifact", "add", "example.com/x", *files)
    podpy("artifact", "add", "example.com/x:latest", *files).fails(125, "already exists", "--replace")
    podpy("artifact", "inspect", "example.com/y").fails(125, "artifact does not exist")
    podpy("artifact", "inspect", "abcdef0123").fails(125, "artifact does not exist")
    podpy("artifact", "add", NAME, "nofile").fails(125, "nofile: No such file")
    podpy("artifact", "add", NAME, ".").fails(125, "not a regular file")
    digest = podpy.json("artifact", "inspect", "example.com/x")["Digest"]
    assert podpy.json("artifact", "inspect", f"example.com/x@{digest}")["Name"] == "example.com/x:latest"


@pytest.mark.parametrize("name", ["short", "me/short:2", "cafe"])
def test_a_short_name_is_a_local_one_and_in_registries_dockers(podpy: Podpy, files: list[str], name: str) -> None:
    configure(podpy, '[[registry]]\nlocation = "docker.io"\nblocked = true\n')
    digest = podpy.ok("artifact", "add", name, *files)
    assert podpy.ok("artifact", "add", f"docker.io/{name}", *files)
    full = f"localhost/{name}" if ":" in name else f"localhost/{name}:latest"
    inspected = podpy.json("artifact", "inspect", name)
    assert (inspected["Name"], inspected["Digest"]) == (full, f"sha256:{digest}")
    podpy("artifact", "add", f"localhost/{name}", *files).fails(125, "already exists")
    podpy("artifact", "push", name).fails(125, "registry docker.io is blocked")
    podpy("artifact", "pull", name).fails(125, "registry docker.io is blocked")
    assert podpy.ok("artifact", "rm", name) == digest
    assert podpy.json("artifact", "inspect", name)["Name"].startswith("docker.io/")


def test_append_and_replace(podpy: Podpy, files: list[str]) -> None:
    podpy("artifact", "add", "--append", NAME, "one.txt").fails(125, "does not exist")
    podpy.ok("artifact", "add", NAME, "one.txt")
    created = podpy.json("artifact", "inspect", NAME)["Manifest"]["annotations"]
    podpy("artifact", "add", "--append", NAME, "one.txt").fails(125, "one.txt: file already exists in artifact")
    podpy("artifact", "add", "--append", "--type", "x", NAME, "two.gz").fails(125, "not compatible")
    podpy("artifact", "add", "--append", "--replace", NAME, "two.gz").fails(125, "cannot be used together")
    podpy.ok("artifact", "add", "--append", "--file-type", "my/type", NAME, "two.gz")
    manifest = podpy.json("artifact", "inspect", NAME)["Manifest"]
    assert [layer["mediaType"] for layer in manifest["layers"]] == ["text/plain; charset=utf-8", "my/type"]
    assert manifest["annotations"] == created
    podpy.ok("artifact", "add", "--replace", NAME, "two.gz")
    assert len(podpy.json("artifact", "inspect", NAME)["Manifest"]["layers"]) == 1
    assert sha256(b"one\n")[7:] not in blobs(podpy)


def test_extract(podpy: Podpy, files: list[str]) -> None:
    podpy.ok("artifact", "add", NAME, *files)
    out = podpy.home / "out"
    podpy("artifact", "extract", NAME, "out").fails(125, "several blobs", "--title")
    podpy.ok("artifact", "extract", "--title", "one.txt", NAME, "out")
    assert out.read_text() == "one\n"
    out.write_text("longer than the file")
    digest = sha256((podpy.home / "two.gz").read_bytes())
    podpy.ok("artifact", "extract", "--digest", digest, NAME, "out")
    assert out.read_bytes() == (podpy.home / "two.gz").read_bytes()
    out.unlink()
    podpy.run(["mkdir", "out"]).ok()
    podpy.ok("artifact", "extract", NAME, "out")
    assert sorted(os.listdir(out)) == files
    assert out.joinpath("one.txt").stat().st_uid == podpy.user.uid
    podpy.ok("artifact", "extract", "--digest", digest, NAME, "out")
    assert digest.replace(":", "-") in os.listdir(out)
    assert podpy("artifact", "extract", "--title", "one.txt", NAME, "/dev/stdout").stdout == "one\n"
    podpy("artifact", "extract", "--title", "three", NAME, "out").fails(125, 'no blob with the title "three"')
    podpy("artifact", "extract", "--title", "a", "--digest", "b", NAME, "out").fails(125, "both digest and title")
    podpy("artifact", "extract", NAME, "no/where").fails(125, "several blobs")


def test_a_title_leads_nowhere_else(podpy: Podpy, odd: OddRegistry) -> None:
    for title in ("../evil", "/evil", "..", "."):
        odd.add_manifest("thing", "1", artifact(odd, {"good": b"1", title: b"2"}), MANIFEST)
        podpy.ok("artifact", "pull", "-q", "--tls-verify=false", f"{odd.address}/thing:1")
        podpy.run(["mkdir", "-p", "out"]).ok()
        podpy("artifact", "extract", f"{odd.address}/thing:1", "out").fails(125, "invalid name")
        assert not (podpy.home / "evil").exists()
        assert os.listdir(podpy.home / "out") == []


def test_a_hostile_artifact_spoils_no_list(podpy: Podpy, odd: OddRegistry) -> None:
    document = json.loads(artifact(odd, {"\ud800": b"1"}))
    odd.add_manifest("thing", "1", {**document, "annotations": [1], "subject": [7]}, MANIFEST)
    name = f"{odd.address}/thing:1"
    podpy.ok("artifact", "pull", "-q", "--tls-verify=false", name)
    assert podpy.ok("artifact", "ls", "-n", "--format", "{{.Repository}}:{{.Tag}}") == name
    shown = podpy.json("artifact", "inspect", name)["Manifest"]
    assert shown["layers"][0]["annotations"] == {TITLE: "\ufffd"}


def test_what_a_hostile_manifest_says_is_no_traceback(podpy: Podpy, odd: OddRegistry) -> None:
    data = artifact(odd, {"good": b"1", "half \ud800": b"2"})
    odd.add_manifest("thing", "1", data, MANIFEST)
    name = f"{odd.address}/thing:1"
    podpy.ok("artifact", "pull", "--quiet", "--tls-verify=false", name)
    podpy.run(["mkdir", "out"]).ok()
    podpy.ok("artifact", "extract", name, "out")
    assert sorted(os.listdir(podpy.home / "out")) == ["good", "half \ufffd"]
    document = json.loads(data)
    document["layers"][0]["annotations"] = ["no object"]
    odd.add_manifest("thing", "1", json.dumps(document).encode(), MANIFEST)
    podpy.ok("artifact", "pull", "--quiet", "--tls-verify=false", name)
    (podpy.home / "more").write_text("more")
    podpy.ok("artifact", "add", "--append", name, "more")


def test_an_artifact_that_is_removed_while_it_is_extracted(podpy: Podpy, files: list[str]) -> None:
    (podpy.home / "three").write_text("three")
    podpy.ok("artifact", "add", NAME, *files, "three")
    podpy.run(["mkdir", "out"]).ok()
    podpy.run(["mkfifo", "out/two.gz"]).ok()
    extraction = podpy.popen("artifact", "extract", NAME, "out")
    wait.until(lambda: (podpy.home / "out/one.txt").exists(), what="the first file is there")
    podpy.ok("artifact", "rm", NAME)
    with (podpy.home / "out/two.gz").open("rb") as second:  # until now it waits for a reader
        assert second.read() == (podpy.home / "two.gz").read_bytes()
    assert extraction.wait(60) == 0
    assert (podpy.home / "out/three").read_text() == "three"
    assert blobs(podpy) == []
    assert podpy.ok("system", "check") == ""


def test_an_extraction_clears_up_after_a_killed_load(podpy: Podpy, files: list[str], session_base: Path) -> None:
    """What is left belongs to a subordinate id, in a directory of its own: only the namespaces' root can remove it."""
    podpy.ok("artifact", "add", NAME, files[0])
    owned = Layer().add("d", mode=0o700, uid=7).add("d/f", b"f", uid=7).tar()
    archive = Image([owned]).write_docker_archive(session_base / "owned.tar", "localhost/owned:latest")
    podpy("load", "-i", str(archive), env={"PODPY_CRASH_AT": "commit:synced:before"})
    assert podpy("artifact", "extract", NAME, "/dev/stdout").ok() == "one"
    assert {path.name for path in podpy.graphroot.glob("tmp/*")} <= {"blobs"}


def test_rm(podpy: Podpy, files: list[str]) -> None:
    first = podpy.ok("artifact", "add", NAME, "one.txt")
    second = podpy.ok("artifact", "add", "example.com/x:1", *files)
    podpy("artifact", "rm").fails(125, "at least one artifact name or digest")
    podpy("artifact", "rm", "--all", NAME).fails(125, "--all")
    podpy("artifact", "rm", "example.com/nope").fails(125, "does not exist")
    podpy.ok("artifact", "rm", "--ignore", "example.com/nope")
    assert podpy.ok("artifact", "rm", NAME) == first
    assert len(blobs(podpy)) == 3
    assert podpy.ok("artifact", "rm", second[:12]) == second
    assert blobs(podpy) == []
    third = podpy.ok("artifact", "add", NAME, "one.txt")
    assert podpy.ok("artifact", "rm", "--all") == third


def test_pull(podpy: Podpy, registry: Registry) -> None:
    manifest = artifact(registry, {"model": b"x" * 1000, "card": b"# card"})
    registry.push_manifest("thing", "1", manifest, MANIFEST)
    name = f"{registry.address}/thing:1"
    podpy("artifact", "pull", name).fails(125, "speaks HTTP")
    podpy("pull", "--tls-verify=false", name).fails(
        125, f"{name}: it is not a container image but an artifact", "podpy artifact pull"
    )
    done = podpy("artifact", "pull", "--tls-verify=false", name)
    done.ok()
    assert f"Copying blob {sha256(b'# card')}" in done.stderr
    assert podpy.json("artifact", "inspect", name)["Digest"] == sha256(manifest)
    podpy.run(["mkdir", "out"]).ok()
    podpy.ok("artifact", "extract", name, "out")
    assert (podpy.home / "out/model").read_bytes() == b"x" * 1000
    podpy("artifact", "pull", "--tls-verify=false", f"{registry.address}/nope:1").fails(125, "nope")
    assert podpy.ok("system", "check") == ""


def test_a_pull_that_is_cut_goes_on(podpy: Podpy, odd: OddRegistry) -> None:
    data = hashlib.sha256(b"seed").digest() * 10_000
    odd.add_manifest("thing", "1", artifact(odd, {"model": data}), MANIFEST)
    odd.cuts = [100_000, 0, 0]
    podpy("artifact", "pull", "--tls-verify=false", "--retry", "0", f"{odd.address}/thing:1").fails(125, "stopped at")
    podpy.ok("artifact", "pull", "--tls-verify=false", f"{odd.address}/thing:1")
    assert any("Range" in headers or "range" in headers for headers in odd.blob_requests())
    podpy.ok("artifact", "extract", f"{odd.address}/thing:1", "out")
    assert (podpy.home / "out").read_bytes() == data


def test_blobs_are_shared_with_images(podpy: Podpy, small: Image, registry: Registry) -> None:
    registry.push("small", "1", small)
    image = f"{registry.address}/small:1"
    podpy.ok("pull", "--tls-verify=false", image)
    layer = next(iter(podpy.graphroot.glob("blobs/sha256/*")))
    copy = podpy.home / "layer"
    copy.write_bytes(layer.read_bytes())
    copy.chmod(0o644)
    podpy.ok("artifact", "add", NAME, "layer")
    podpy.ok("rmi", image)
    assert layer.name in blobs(podpy)
    podpy.ok("pull", "--tls-verify=false", image)
    podpy.ok("artifact", "rm", NAME)
    assert layer.name in blobs(podpy)
    podpy.ok("rmi", image)
    assert blobs(podpy) == []


def test_a_lost_blob_is_found(podpy: Podpy, files: list[str]) -> None:
    podpy.ok("artifact", "add", NAME, *files)
    digest = sha256(b"one\n")
    (podpy.graphroot / "blobs/sha256" / digest[7:]).unlink()
    found = podpy("system", "check", "--repair")
    assert f"artifact {NAME}: blob {digest} is missing: pull or add it again" in found.stdout
    assert found.returncode == 1  # not 0 as where all could be mended
    podpy("artifact", "extract", "--title", "one.txt", NAME, "out").fails(125, "is missing")
    podpy.ok("artifact", "add", "--replace", NAME, *files)
    assert podpy.ok("system", "check") == ""


def test_events_for_programs(podpy: Podpy, registry: Registry, files: list[str]) -> None:
    name = f"{registry.address}/events:1"
    digest = "sha256:" + podpy.ok("artifact", "add", name, *files)

    def told(*arguments: str) -> list[dict[str, str]]:
        lines = podpy.ok(*arguments, "--tls-verify=false", "--progress", "json", name).splitlines()
        return [json.loads(line) for line in lines]

    assert told("artifact", "push")[-1] == {"event": "pushed", "name": name, "digest": digest}
    podpy.ok("artifact", "rm", name)
    pulled = told("artifact", "pull")
    assert [event["event"] for event in pulled].count("layer-done") == 2
    assert pulled[-1] == {"event": "artifact", "name": name, "digest": digest}
    failed = podpy("artifact", "push", "--progress", "json", "localhost/nothing").fails(125, "does not exist")
    assert json.loads(failed.stdout)["event"] == "error"
