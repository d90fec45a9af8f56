"""`podpy manifest push`, `push` of a list and `artifact push`: to docker-registry; Skopeo and Podman read it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import OTHER
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE, Image, sha256
from tests.support.registry import Registry

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def raw(name: str) -> bytes:
    """Return what a registry says a name is, as skopeo reads it."""
    command = ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def entries(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(raw(name))["manifests"]
    return found


def copied(name: str, directory: Path) -> None:
    """Copy all of a list with skopeo: every blob is there and has its digest."""
    source = f"docker://{name}"
    command = ["skopeo", "copy", "-q", "--all", "--src-tls-verify=false", source, f"dir:{directory}"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("command", [("manifest", "push"), ("push",)])
def test_a_list_goes_with_its_images(
    podpy: Podpy, registry: Registry, two: tuple[str, str], tmp_path: Path, command: tuple[str, ...]
) -> None:
    name = f"{registry.address}/x/all:1"
    podpy.ok("manifest", "create", "--annotation", "a=b", "all", "here", "other")
    done = podpy(*command, "--tls-verify=false", "--digestfile", "digest", "all", f"docker://{name}")
    assert done.ok() == ""
    assert "Writing manifest to image destination" in done.stderr
    found = raw(name)
    assert (
        (podpy.home / "digest").read_text()
        == sha256(found)
        == podpy.json("images", "--format", "json", "all")[0]["Digest"]
    )
    assert [entry["digest"] for entry in json.loads(found)["manifests"]] == [*two]
    copied(name, tmp_path / "copy")
    podpy.ok("rmi", "-f", "here", "other")
    podpy.ok("pull", "-q", "--tls-verify=false", "--arch", OTHER, name)
    assert podpy.json("image", "inspect", name)[0]["Digest"] == two[1]


def test_without_a_destination_a_list_goes_where_its_name_leads(
    podpy: Podpy, registry: Registry, two: tuple[str, str]
) -> None:
    """The name that was typed, whichever else the list has."""
    names = [f"{registry.address}/x/{name}:1" for name in ("a", "b", "c")]
    podpy.ok("manifest", "create", "all", "here")
    podpy.ok("tag", "all", *names)
    podpy.ok("manifest", "push", "-q", "--tls-verify=false", names[1])
    assert [entry["digest"] for entry in entries(names[1])] == [two[0]]
    for name in (names[0], names[2]):
        podpy("manifest", "inspect", "--tls-verify=false", f"docker://{name}").fails(125, "unknown")
    list_id = podpy.ok("images", "-q", "--no-trunc", names[1]).removeprefix("sha256:")
    podpy("manifest", "push", list_id).fails(125, "has no name to push it to")


def test_the_format_can_be_chosen(podpy: Podpy, registry: Registry, two: tuple[str, str], tmp_path: Path) -> None:
    name = f"{registry.address}/x/all:1"
    podpy.ok("manifest", "create", "all", "here", "other")
    podpy.ok("manifest", "push", "-q", "--tls-verify=false", "--format", "v2s2", "all", name)
    assert json.loads(raw(name))["mediaType"] == DOCKER_LIST
    assert {entry["mediaType"] for entry in entries(name)} == {DOCKER_MANIFEST}
    copied(name, tmp_path / "copy")
    podpy("manifest", "push", "--format", "v3", "all", name).fails(125, 'unknown format "v3"')
    podpy("manifest", "push", "here", name).fails(125, "not a manifest list")


@pytest.mark.parametrize("transport", ["oci", "dir"])
def test_a_list_goes_into_a_directory(
    podpy: Podpy, registry: Registry, two: tuple[str, str], tmp_path: Path, transport: str
) -> None:
    name = f"{registry.address}/x/all:1"
    place = f"{transport}:there" + (":mine" if transport == "oci" else "")
    podpy.ok("manifest", "create", "all", "here", "other")
    podpy.ok("manifest", "push", "-q", "--digestfile", "digest", "all", place)
    podpy.ok("manifest", "push", "-q", "all", place)  # once more: it stays one
    source = f"{transport}:{podpy.home}/there" + (":mine" if transport == "oci" else "")
    command = ["skopeo", "copy", "-q", "--all", "--dest-tls-verify=false", source, f"docker://{name}"]
    subprocess.run(command, check=True, capture_output=True)
    assert (podpy.home / "digest").read_text() == sha256(raw(name))
    assert [entry["digest"] for entry in entries(name)][:2] == [*two]
    podpy.ok("rmi", "-f", "here", "other")
    assert podpy.ok("pull", "-q", place)
    if transport == "oci":
        assert len(json.loads((podpy.home / "there/index.json").read_bytes())["manifests"]) == 1


def test_an_artifact_goes_with_its_list_into_a_layout(podpy: Podpy, registry: Registry) -> None:
    (podpy.home / "file").write_text("text")
    podpy.ok("manifest", "create", "all")
    podpy.ok("manifest", "add", "--artifact", "all", "file")
    podpy.ok("manifest", "push", "-q", "all", "oci:there:x")
    blob = podpy.home / "there/blobs" / sha256(b"text").replace(":", "/")
    assert blob.read_text() == "text"


def test_where_a_list_can_not_go(podpy: Podpy, two: tuple[str, str]) -> None:
    podpy.ok("manifest", "create", "all", "here", "other")
    podpy("manifest", "push", "all", "docker-archive:file").fails(125, "has no room for a list")
    podpy("manifest", "push", "all", "docker-daemon:x:1").fails(125, "docker-daemon: is no destination")
    podpy("manifest", "push", "--format", "v2s2", "all", "oci:there").fails(125, "holds only OCI images")
    for directory in ("full", "odd"):
        (podpy.home / directory / "blobs/sha256").mkdir(parents=True)
    podpy("manifest", "push", "all", "dir:full").fails(125, "don't want to overwrite")
    (podpy.home / "odd/index.json").write_text("[]")
    podpy("manifest", "push", "all", "oci:odd").fails(125, "odd/index.json")


def test_compressions_are_added(podpy: Podpy, registry: Registry, two: tuple[str, str], tmp_path: Path) -> None:
    name = f"{registry.address}/x/all:1"
    podpy.ok("manifest", "create", "all", "here", "other")
    podpy("manifest", "push", "--add-compression", "zstd:chunked", "all", name).fails(125, "is not supported")
    podpy.ok("manifest", "push", "-q", "--tls-verify=false", "--add-compression", "gzip,zstd", "all", name)
    found = entries(name)
    assert [entry["digest"] for entry in found[:2]] == [*two]
    assert [entry["platform"]["architecture"] for entry in found] == [ARCHITECTURE, OTHER] * 2
    assert found[2]["annotations"] == {"io.github.containers.compression.zstd": "true"}
    variant = json.loads(raw(f"{registry.address}/x/all@{found[2]['digest']}"))
    assert all(layer["mediaType"].endswith("+zstd") for layer in variant["layers"])
    copied(name, tmp_path / "copy")


def test_images_of_other_places_are_copied(
    podpy: Podpy, registry: Registry, index: str, small: Image, bulky: Image, session_base: Path, tmp_path: Path
) -> None:
    bulky.write_oci_directory(podpy.home / "layout", "v1")
    podpy.ok("manifest", "create", "--all", "--tls-verify=false", "all", index)
    podpy.ok("manifest", "add", "--arch", "s390x", "all", "oci:layout:v1")
    with Registry.start(session_base) as second:
        name = f"{second.address}/y/all:2"
        podpy.ok("manifest", "push", "-q", "--tls-verify=false", "all", name)
        assert [entry["digest"] for entry in entries(name)][:2] == [entry["digest"] for entry in entries(index)]
        assert entries(name)[2]["platform"]["architecture"] == "s390x"
        copied(name, tmp_path / "copy")
        podpy.ok("manifest", "push", "-q", "--tls-verify=false", "--format", "v2s2", "all", f"{second.address}/z")
        copied(f"{second.address}/z", tmp_path / "docker")
    podpy.ok("manifest", "push", "-q", "--tls-verify=false", "--rm", "all", f"{registry.address}/y/all")
    assert podpy("manifest", "exists", "all").returncode == 1
    copied(f"{registry.address}/y/all", tmp_path / "same")


def test_an_image_that_is_gone(podpy: Podpy, registry: Registry, two: tuple[str, str]) -> None:
    name = f"{registry.address}/x/all:1"
    podpy.ok("manifest", "create", "all", "here")
    podpy("manifest", "push", "--tls-verify=false", "--all=false", "all", name).fails(125)
    podpy.ok("rmi", "here")
    podpy("manifest", "push", "--tls-verify=false", "all", name).fails(
        125, f"the list's image {two[0]} isn't in the store"
    )
    podpy("manifest", "push", "nope", name).fails(125, "nope: image not known")


def test_an_artifact_in_a_list(podpy: Podpy, registry: Registry, two: tuple[str, str], tmp_path: Path) -> None:
    name = f"{registry.address}/x/all:1"
    (podpy.home / "notes.txt").write_text("notes")
    podpy.ok("manifest", "create", "all", "here")
    podpy.ok("manifest", "add", "--artifact", "--artifact-type", "x/y", "all", "notes.txt")
    (podpy.home / "notes.txt").unlink()
    podpy.ok("manifest", "push", "-q", "--tls-verify=false", "all", name)
    assert entries(name)[1]["artifactType"] == "x/y"
    manifest = json.loads(raw(f"{registry.address}/x/all@{entries(name)[1]['digest']}"))
    digest = manifest["layers"][0]["digest"]
    assert registry.request("GET", f"/v2/x/all/blobs/{digest}").read() == b"notes"
    podpy("manifest", "push", "--tls-verify=false", "-f", "v2s2", "all", name).fails(125, "v2s2 has no place for")


def test_podman_makes_the_same_list_of_the_same_images(podpy: Podpy, registry: Registry, index: str) -> None:
    if shutil.which("podman") is None:
        pytest.fail("podman isn't installed: apt install podman")
    podpy.ok("manifest", "create", "--all", "--tls-verify=false", "all", f"docker://{index}")
    podpy.ok("manifest", "push", "-q", "--tls-verify=false", "all", f"{registry.address}/podpy")
    (podpy.home / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry.address}"\ninsecure = true\n')
    directory = podpy.home / "theirs"
    podman = ["podman", "--root", f"{directory}/root", "--runroot", f"{podpy.runtime_dir}/theirs"]
    podman += ["--storage-driver", "vfs", "--log-level", "error"]
    env = {"CONTAINERS_REGISTRIES_CONF": str(podpy.home / "registries.conf")}
    podpy.run([*podman, "manifest", "create", "--all", "all", f"docker://{index}"], env=env).ok()
    ours, theirs = (
        json.loads(podpy.run([*podman, "manifest", "inspect", name], env=env).ok())
        for name in (f"{registry.address}/podpy", "all")
    )
    assert ours["manifests"] == theirs["manifests"]
    assert podpy.json("manifest", "inspect", "all")["manifests"] == theirs["manifests"]
    podpy.run([*podman, "unshare", "rm", "-rf", str(directory)], env=env).ok()
    pause = int((podpy.runtime_dir / "libpod/tmp/pause.pid").read_text())  # the process that it keeps
    podpy.run(["kill", "-KILL", str(pause)]).ok()
    wait.for_end(pause)


def test_artifact_push(podpy: Podpy, secure_registry: Registry) -> None:
    (podpy.home / "model").write_bytes(b"x" * 100_000)
    name = f"{secure_registry.address}/my/model:1"
    digest = podpy.ok("artifact", "add", "--type", "x/y", name, "model")
    podpy("artifact", "push", "--tls-verify=false", name).fails(125, "wants credentials")
    creds = ("--tls-verify=false", "--creds", "alice:wonderland")
    done = podpy("artifact", "push", *creds, "--digestfile", "digest", name)
    assert done.ok() == ""
    assert (podpy.home / "digest").read_text() == f"sha256:{digest}"
    podpy.ok("artifact", "rm", name)
    assert [*podpy.graphroot.glob("blobs/sha256/*")] == []
    podpy.ok("artifact", "pull", "-q", *creds, name)
    assert podpy.json("artifact", "inspect", name)["Digest"] == f"sha256:{digest}"
    podpy.ok("artifact", "extract", name, "out")
    assert (podpy.home / "out").read_bytes() == b"x" * 100_000
    podpy("artifact", "push", *creds, f"{secure_registry.address}/nope:1").fails(125, "artifact does not exist")


def test_one_image_of_a_list_goes_alone(podpy: Podpy, registry: Registry, two: tuple[str, str]) -> None:
    podpy.ok("manifest", "create", "all", "here", "other")
    push = ("push", "-q", "--tls-verify=false", "--digestfile=digest")
    name = f"{registry.address}/x/alone:1"
    podpy.ok(*push, f"--platform=linux/{OTHER}", "all", name)
    assert sha256(raw(name)) == (podpy.home / "digest").read_text() == two[1]
    podpy.ok(*push, f"--platform=linux/{ARCHITECTURE}", "here", name)
    assert sha256(raw(name)) == two[0]
    podpy(*push, f"--platform=linux/{OTHER}", "here", name).fails(125, f"is for linux/{ARCHITECTURE}, not for linux/")
    podpy(*push, "--platform=linux/s390x", "all", name).fails(125, "linux/s390x")
