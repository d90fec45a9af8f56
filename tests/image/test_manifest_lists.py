"""`podpy manifest`: lists in the store, what they say, and which image of one is meant."""

from __future__ import annotations

import gzip
import json
import subprocess
from typing import Any

from tests.image.conftest import OTHER
from tests.image.odd_registry import INDEX_TYPE
from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE, MANIFEST_TYPE, Image, Layer, sha256
from tests.support.registry import Registry

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def entries(podpy: Podpy, name: str = "all") -> list[dict[str, Any]]:
    found = podpy.json("manifest", "inspect", name)
    assert isinstance(found, dict)
    return found["manifests"] or []


def test_an_empty_list_is_listed_tagged_and_removed(podpy: Podpy) -> None:
    list_id = podpy.ok("manifest", "create", "all")
    assert len(list_id) == 64
    assert podpy.json("manifest", "inspect", "all") == {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": None}
    podpy("manifest", "create", "all").fails(
        125, 'image name "localhost/all:latest" is already associated with image "'
    )
    assert podpy.ok("manifest", "create", "--amend", "all") == list_id
    shown = podpy.json("images", "--format", "json")[0]
    assert (shown["Id"], shown["IsManifestList"], shown["Names"]) == (list_id, True, ["localhost/all:latest"])
    assert podpy.ok("images", "-q", "--filter", "manifest=true") == list_id[:12]
    podpy.ok("tag", "all", "second:1")
    podpy.ok("manifest", "exists", "second:1")
    assert podpy.ok("rmi", "second:1") == "Untagged: localhost/second:1"
    assert podpy.ok("rmi", "all").splitlines() == ["Untagged: localhost/all:latest", f"Deleted: {list_id}"]
    assert podpy("manifest", "exists", "all").returncode == 1


def test_images_are_added_with_their_platform(podpy: Podpy, two: tuple[str, str]) -> None:
    list_id = podpy.ok("manifest", "create", "all", "here", "localhost/other")
    found = entries(podpy)
    assert [entry["digest"] for entry in found] == [*two]
    assert [entry["platform"]["architecture"] for entry in found] == [ARCHITECTURE, OTHER]
    assert podpy.json("manifest", "inspect", list_id[:12])["mediaType"] == INDEX_TYPE
    podpy("manifest", "add", "here", "other").fails(125, "here: image is not a manifest list")
    podpy("manifest", "add", "nope", "other").fails(125, "nope: image not known")
    podpy("manifest", "add", "all", "containers-storage:nope").fails(125, "nope: image not known")
    podpy("manifest", "add", "all", "docker-archive:/x").fails(125, "podpy load it")
    podpy("manifest", "add", "all", "dir:/nowhere").fails(125, "/nowhere: no such file")


def test_what_an_entry_says_is_changed(podpy: Podpy, two: tuple[str, str]) -> None:
    here, other = two
    podpy.ok("manifest", "create", "all", "here")
    changes = ("--arch", "arm", "--variant", "v7", "--os-version", "5", "--features", "a,b", "--os-features", "c")
    podpy.ok("manifest", "add", *changes, "all", "other")
    assert entries(podpy)[1]["platform"] == {
        "architecture": "arm", "os": "linux", "os.version": "5", "os.features": ["c"], "variant": "v7",
        "features": ["a", "b"],
    }  # fmt: skip
    assert podpy.json("manifest", "inspect", "all")["mediaType"] == DOCKER_LIST  # only it can say features
    podpy.ok("manifest", "annotate", "--annotation", "k=v=w", "--arch", "s390x", "all", other)
    podpy.ok("manifest", "annotate", "--annotation", "name=here", "all", "here")
    found = entries(podpy)
    assert (found[1]["platform"]["architecture"], found[1]["annotations"]) == ("s390x", {"k": "v=w"})
    assert "variant" not in found[1]["platform"]
    assert found[0]["annotations"] == {"name": "here"}
    podpy("manifest", "annotate", "all", "sha256:" + "0" * 64).fails(125, "no instance matching digest")
    podpy("manifest", "annotate", "--annotation", "k", "all", here).fails(125, "key=value")
    podpy("manifest", "annotate", "--arch", "arm", "all").fails(125, "expected an instance digest")


def test_the_list_itself_is_annotated(podpy: Podpy, two: tuple[str, str]) -> None:
    podpy.ok("manifest", "create", "--annotation", "a=b", "all", "here")
    podpy.ok("manifest", "annotate", "--index", "--annotation", "c=d", "--subject", "other", "all")
    found = podpy.json("manifest", "inspect", "all")
    assert found["annotations"] == {"a": "b", "c": "d"}
    assert found["subject"]["digest"] == two[1]
    podpy("manifest", "annotate", "--index", "all", two[0]).fails(125, "did not expect image")
    podpy("manifest", "annotate", "--index", "--arch", "x", "all").fails(125, "an instance digest is needed")


def test_entries_are_taken_out_and_lists_removed(podpy: Podpy, two: tuple[str, str]) -> None:
    list_id = podpy.ok("manifest", "create", "all", "here", "other")
    assert podpy.ok("manifest", "remove", "all", two[0]) == list_id
    assert [entry["digest"] for entry in entries(podpy)] == [two[1]]
    podpy("manifest", "remove", "all", two[0]).fails(125, "no instance matching digest")
    podpy("manifest", "remove", "all", "here").fails(125, "is not a digest")
    podpy("manifest", "rm", "here").fails(125, "not a manifest list")
    podpy("manifest", "rm", "nope").fails(1, "nope: image not known")
    podpy.ok("manifest", "rm", "--ignore", "nope")
    assert podpy.ok("manifest", "rm", "all").splitlines()[-1] == f"Deleted: {list_id}"
    podpy.ok("image", "exists", "here")


def test_one_of_several_names_is_taken_from_a_list(podpy: Podpy, two: tuple[str, str]) -> None:
    list_id = podpy.ok("manifest", "create", "all", "here")
    podpy.ok("tag", "all", "more")
    podpy("manifest", "rm", list_id).fails(125, "several names")
    assert podpy.ok("manifest", "rm", "more") == "Untagged: localhost/more:latest"
    assert entries(podpy)[0]["digest"] == two[0]


def test_a_list_means_the_image_for_this_machine(podpy: Podpy, busybox: str, two: tuple[str, str]) -> None:
    podpy.ok("manifest", "create", "all", "other")
    podpy("run", "--rm", "--pull", "never", "all", "true").fails(
        125, f"no image found in the image index for linux/{ARCHITECTURE}"
    )
    podpy.ok("manifest", "add", "all", busybox)
    assert podpy.ok("run", "--rm", "--network", "none", "all", "echo", "hi") == "hi"
    assert podpy.ok("pull", "-q", "--policy", "missing", "all") == podpy.json("image", "inspect", "all")[0]["Id"]
    wanted = podpy.json("image", "inspect", "other")[0]["Id"]
    assert podpy.ok("pull", "-q", "--policy", "missing", "--arch", OTHER, "all") == wanted
    podpy.ok("save", "-o", "all.tar", "all")
    podpy.ok("rmi", busybox)
    assert podpy("image", "exists", "all").returncode == 1
    podpy("save", "-o", "gone.tar", "all").fails(125, "isn't in the store")
    podpy.ok("manifest", "exists", "all")
    assert podpy.ok("load", "-i", "all.tar") == "Loaded image: localhost/all:latest"


def test_a_registrys_index(podpy: Podpy, registry: Registry, index: str) -> None:
    remote = podpy.json("manifest", "inspect", "--tls-verify=false", index)
    assert [entry["platform"]["architecture"] for entry in remote["manifests"]] == [ARCHITECTURE, OTHER]
    podpy("manifest", "inspect", "--tls-verify=false", f"{registry.address}/x/all:{OTHER}").fails(125, "single image")
    podpy.ok("manifest", "create", "--all", "--tls-verify=false", "all", f"docker://{index}")
    assert entries(podpy) == remote["manifests"]
    podpy.ok("manifest", "create", "--tls-verify=false", "one", index)
    assert entries(podpy, "one") == remote["manifests"][:1]
    podpy.ok("manifest", "add", "--tls-verify=false", "--arch", OTHER, "one", index)
    assert entries(podpy, "one") == remote["manifests"]
    podpy("manifest", "add", "all", f"{registry.address}/nope").fails(125, "speaks HTTP")
    podpy("manifest", "inspect", "--tls-verify=false", f"{registry.address}/nope").fails(125, "nope")


def test_an_oci_layout(podpy: Podpy, small: Image) -> None:
    small.write_oci_directory(podpy.home / "layout", "v1")
    podpy.ok("manifest", "create", "all", "oci:layout:v1")
    assert entries(podpy)[0]["digest"] == sha256(small.blobs()[0])
    podpy("manifest", "add", "all", "oci:layout:v2").fails(125, 'no descriptor found for reference "v2"')
    podpy("manifest", "add", "all", "oci:nowhere").fails(125, "nowhere: no such file")


def test_inspecting_a_compressed_archive_clears_up_after_a_killed_load(podpy: Podpy, small: Image) -> None:
    """What is left belongs to a subordinate id: only the namespaces' root can remove it."""
    owned = Image([Layer().add("d", mode=0o700, uid=7).add("d/f", b"f", uid=7).tar()])
    archive = owned.write_docker_archive(podpy.home / "owned.tar", "localhost/owned:latest")
    podpy("load", "-i", str(archive), env={"PODPY_CRASH_AT": "commit:synced:before"})
    path = small.write_oci_archive(podpy.home / "a.tar", "localhost/a:latest")
    path.write_bytes(gzip.compress(path.read_bytes()))
    podpy("manifest", "inspect", f"oci-archive:{path}").fails(125, "not a manifest list but a single image")
    assert {path.name for path in podpy.graphroot.glob("tmp/*")} <= {"blobs"}


def test_a_hostile_layout_is_one_line(podpy: Podpy, small: Image) -> None:
    layout = small.write_oci_directory(podpy.home / "layout", "localhost/layout:latest")
    podpy.ok("manifest", "create", "all")
    whole = (layout / "index.json").read_bytes()
    inner = json.loads(whole)["manifests"][0]

    def put(document: dict[str, Any], kind: str) -> dict[str, Any]:
        data = json.dumps(document).encode()
        (layout / "blobs/sha256" / sha256(data)[7:]).write_bytes(data)
        return {"mediaType": kind, "digest": sha256(data), "size": len(data)}

    manifest = json.loads((layout / "blobs" / inner["digest"].replace(":", "/")).read_bytes())
    (layout / "index.json").write_text(json.dumps(manifest))
    podpy("manifest", "add", "all", f"oci:{layout}").fails(125, "index.json lists no image")
    empty = put({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}, MANIFEST_TYPE)
    index = put({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [empty]}, INDEX_TYPE)
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [index]}))
    podpy("manifest", "add", "--all", "all", f"oci:{layout}").fails(125, "is an index, not what")
    config = {**json.loads(small.config()), "os.features": 5}
    manifest["config"].update(put(config, manifest["config"]["mediaType"]))
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [put(manifest, MANIFEST_TYPE)]}))
    podpy.ok("manifest", "add", "all", f"oci:{layout}")
    assert len(entries(podpy)) == 1


def test_an_artifact_of_files_is_an_entry(podpy: Podpy, two: tuple[str, str]) -> None:
    (podpy.home / "bill.json").write_text('{"a": 1}')
    (podpy.home / "notes").write_text("<html> and so on")
    podpy.ok("manifest", "create", "all")
    podpy("manifest", "add", "--artifact-type", "x/y", "all", "notes").fails(125, "--artifact-type requires --artifact")
    podpy("manifest", "add", "--artifact", "all", "nofile").fails(125, "nofile: No such file")
    podpy("manifest", "add", "--artifact", "all", "/dev/null").fails(125, "not a regular file")
    options = ("--artifact", "--artifact-type", "x/y", "--artifact-subject", "here", "--annotation", "k=v")
    podpy.ok("manifest", "add", *options, "all", "bill.json", "notes")
    entry = entries(podpy)[0]
    assert (entry["artifactType"], entry["annotations"]) == ("x/y", {"k": "v"})
    assert entry["files"] == [str(podpy.home / "bill.json"), str(podpy.home / "notes")]
    blobs = sorted(path.name for path in podpy.graphroot.glob("blobs/sha256/*"))
    wanted = [sha256(text.encode())[7:] for text in ('{"a": 1}', "<html> and so on", "{}")]
    assert set(wanted) < set(blobs)
    podpy.ok("manifest", "annotate", "--os", "linux", "all", "notes")
    assert entries(podpy)[0]["platform"]["os"] == "linux"
    assert podpy.ok("system", "check") == ""
    podpy.ok("manifest", "remove", "all", entry["digest"])
    assert not set(wanted) & {path.name for path in podpy.graphroot.glob("blobs/sha256/*")}


def test_two_changes_at_once_both_count(podpy: Podpy, two: tuple[str, str]) -> None:
    podpy.ok("manifest", "create", "all")
    running = [podpy.popen("manifest", "add", "all", name, stdout=subprocess.DEVNULL) for name in ("here", "other")]
    assert [process.wait() for process in running] == [0, 0]
    assert {entry["digest"] for entry in entries(podpy)} == {*two}
