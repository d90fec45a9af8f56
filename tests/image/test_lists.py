"""`images`, `rmi`, `tag`, `untag`, `image exists|inspect|prune|tree`, `history`: output and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.engine import Podpy
from tests.support.images import Image, Layer, compact, sha256


@pytest.fixture
def loaded(
    podpy: Podpy, small: Image, bulky: Image, tmp_path_factory: pytest.TempPathFactory, session_base: Path
) -> str:
    """localhost/small:v1 and example.com/ns/bulky:2 are in the store; the id of the first."""
    podpy.ok("load", input=small.write_docker_archive(session_base / "lists-1.tar", "localhost/small:v1").read_bytes())
    podpy.ok("load", input=bulky.write_oci_archive(session_base / "lists-2.tar", "example.com/ns/bulky:2").read_bytes())
    return sha256(small.config())[7:]


def names(podpy: Podpy, *options: str) -> list[str]:
    return podpy.ok("images", "-n", "--format", "{{.Repository}}:{{.Tag}}", "--sort", "repository", *options).split()


def test_the_table(podpy: Podpy, loaded: str) -> None:
    lines = podpy.ok("images", "--sort", "repository").splitlines()
    assert lines[0].split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert lines[2].split()[:3] == ["localhost/small", "v1", loaded[:12]]
    assert lines[2].endswith(" B")
    assert len(podpy.ok("images", "--noheading").splitlines()) == 2
    assert "DIGEST" in podpy.ok("images", "--digests")


def test_an_empty_store_has_a_heading_only(podpy: Podpy) -> None:
    assert podpy.ok("images") == "REPOSITORY  TAG         IMAGE ID    CREATED     SIZE"
    assert podpy.json("images", "--format", "json") == []


def test_json(podpy: Podpy, loaded: str) -> None:
    found = podpy.json("images", "--format", "json", "small")[0]
    assert found["Id"] == loaded
    assert found["Names"] == ["localhost/small:v1"]
    assert found["Labels"] == {"color": "red"}
    assert found["Containers"] == 0
    assert found["Created"] == 1767225600
    assert found["CreatedAt"] == "2026-01-01T00:00:00Z"
    assert found["RepoDigests"] == [f"localhost/small@{found['Digest']}"]
    podpy.ok("tag", "small:v1", "example.com/other:2")
    both = podpy.json("images", "--format", "json", "-f", f"id={loaded}", "--sort", "repository")
    assert [(each["Repository"], each["Tag"]) for each in both] == [
        ("example.com/other", "2"),
        ("localhost/small", "v1"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reference=small", ["localhost/small:v1"]),
        ("reference=*small*", ["localhost/small:v1"]),
        ("reference=example.com/ns/*", ["example.com/ns/bulky:2"]),
        ("reference=bulky:2", ["example.com/ns/bulky:2"]),
        ("reference=bulky:3", []),
        ("label=color", ["localhost/small:v1"]),
        ("label=color=blue", []),
        ("label!=color", ["example.com/ns/bulky:2"]),
        ("dangling=true", []),
        ("containers=true", []),
        ("until=2020-01-01T00:00:00Z", []),
        ("until=1h", ["example.com/ns/bulky:2", "localhost/small:v1"]),
    ],
)
def test_filters(podpy: Podpy, loaded: str, text: str, expected: list[str]) -> None:
    assert names(podpy, "--filter", text) == expected


def test_an_image_without_a_date_is_as_old_as_its_stay(podpy: Podpy, session_base: Path) -> None:
    class Undated(Image):
        def config(self) -> bytes:
            return compact({name: value for name, value in json.loads(super().config()).items() if name != "created"})

    image = Undated([Layer().add("f", b"x").tar()])
    podpy.ok("load", "-qi", str(image.write_docker_archive(session_base / "undated.tar", "undated:1")))
    assert podpy.ok("images", "-n", "--format", "{{.Created}}").endswith((" second ago", " seconds ago"))
    assert podpy.json("image", "inspect", "undated:1")[0]["Created"] is None


def test_names_that_an_image_had(podpy: Podpy, loaded: str) -> None:
    podpy.ok("tag", "small:v1", "newer:1")
    podpy.ok("untag", "small:v1", "newer:1")
    assert podpy.ok("images", "-n", "--history", "small:v1").split()[-2:] == [
        "localhost/newer:1,",
        "localhost/small:v1",
    ]
    assert podpy.json("image", "inspect", "small:v1")[0]["NamesHistory"] == ["localhost/newer:1", "localhost/small:v1"]


def test_the_name_that_was_given_last_is_the_first(podpy: Podpy, loaded: str) -> None:
    """As in Podman: scripts take `{{index .RepoTags 0}}`."""
    podpy.ok("tag", "small:v1", "a.io/x:2", "b.io/x:1")
    podpy.ok("tag", "small:v1", "a.io/x:2")
    expected = ["a.io/x:2", "b.io/x:1", "localhost/small:v1"]
    assert podpy.json("image", "inspect", loaded)[0]["RepoTags"] == expected
    assert podpy.json("images", "--format", "json", "-f", f"id={loaded}")[0]["Names"] == expected
    listed = podpy.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "-f", f"id={loaded}")
    assert listed.splitlines() == expected


def test_wrong_filters(podpy: Podpy, loaded: str) -> None:
    podpy("images", "--filter", "foo=1").fails(125, "foo is an invalid filter")
    podpy("images", "--filter", "dangling").fails(125, "KEY=VALUE")
    podpy("images", "--filter", "since=nope").fails(125, "nope: image not known")


@pytest.mark.parametrize("length", [64, 12, 5])
def test_an_image_is_found_by_its_id(podpy: Podpy, loaded: str, length: int) -> None:
    assert podpy.ok("image", "inspect", "--format", "{{.Id}}", loaded[:length]) == loaded
    assert podpy.ok("image", "inspect", "--format", "{{.ID}}", "sha256:" + loaded[:length]) == loaded


@pytest.mark.parametrize("text", ["small:v1", "localhost/small:v1", "bulky:2", "ns/bulky:2"])
def test_an_image_is_found_by_short_and_full_names(podpy: Podpy, loaded: str, text: str) -> None:
    podpy.ok("image", "exists", text)


@pytest.mark.parametrize("text", ["small", "small:v2", "mall:v1", "other/bulky:2", "zz", "localhost/x"])
def test_an_image_that_isnt_there(podpy: Podpy, loaded: str, text: str) -> None:
    assert podpy("image", "exists", text).returncode == 1


def test_tag_and_untag(podpy: Podpy, loaded: str) -> None:
    podpy.ok("tag", "small:v1", "other", "a.io/x:2")
    assert names(podpy, "--filter", f"id={loaded}") == ["a.io/x:2", "localhost/other:latest", "localhost/small:v1"]
    podpy("untag", "other", "a.io/y").fails(125, "a.io/y: tag not known")
    podpy.ok("untag", "other", "a.io/x:2")
    podpy.ok("untag", loaded)
    assert podpy.ok("images", "-n", "--filter", "dangling=true").split()[:2] == ["<none>", "<none>"]
    podpy("tag", "nope", "x").fails(125, "nope: image not known")
    podpy("tag", loaded, "Upper").fails(125, 'normalizing name "Upper": repository name must be lowercase')


@pytest.mark.parametrize("name", ["a b", "Upper", "", "-"])
def test_what_cannot_be_a_name_is_no_missing_image(podpy: Podpy, name: str) -> None:
    for command in (["rmi"], ["rmi", "-f"], ["rmi", "--ignore"], ["image", "exists"]):
        podpy(*command, "--", name).fails(125, f'Error: parsing reference "{name}": ')
    for command in (["tag", "--", name, "x"], ["history", "--", name], ["run", "--", name]):
        podpy(*command).fails(125, f'Error: parsing reference "{name}": ')
    podpy("inspect", "--", name).fails(125, "no such object")


@pytest.mark.parametrize("name", ["a b", "-x", ".x", "a/b"])
def test_what_cannot_be_a_containers_name(podpy: Podpy, loaded: str, name: str) -> None:
    podpy.ok("create", "--name=there", loaded, "x")
    for command in (["create", f"--name={name}", loaded, "x"], ["run", f"--name={name}", loaded, "x"]):
        podpy(*command).fails(125, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument")
    podpy("rename", "there", "--", name).fails(125, "names must match [a-zA-Z0-9]")
    podpy("rm", "--", name).fails(1, "no such container")
    podpy("container", "exists", "--", name).fails(1)


def test_rmi(podpy: Podpy, loaded: str) -> None:
    podpy("rmi", "nope").fails(1, "nope: image not known")
    podpy.ok("rmi", "--ignore", "nope")
    podpy.ok("tag", "small:v1", "second")
    assert podpy.ok("rmi", "second") == "Untagged: localhost/second:latest"
    podpy.ok("tag", "small:v1", "second")
    assert podpy.ok("rmi", "second", "second") == "Untagged: localhost/second:latest"
    podpy.ok("tag", "small:v1", "second")
    podpy("rmi", loaded).fails(125, "several names")
    assert podpy.ok("rmi", "-f", loaded).splitlines()[-1] == f"Deleted: {loaded}"
    podpy("rmi", "nope", "bulky:2").fails(1, "nope")
    assert podpy.ok("images", "-q") == ""
    assert [*podpy.graphroot.glob("layers/*")] == []
    assert [*podpy.graphroot.glob("blobs/sha256/*")] == []
    podpy("rmi").fails(125)
    podpy.ok("rmi", "--all")


def test_rmi_of_an_image_that_a_container_uses(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "user-of-it", busybox, "true")
    podpy("rmi", busybox).fails(2, "in use")
    assert podpy.ok("image", "prune", "-af") == ""
    assert podpy.ok("images", "-q", "--filter", "containers=true") != ""
    podpy.ok("rmi", "--force", busybox)
    assert podpy.ok("images", "-q") == ""
    assert podpy.ok("ps", "-aq") == ""


def test_prune_removes_what_has_no_name(podpy: Podpy, loaded: str) -> None:
    podpy.ok("untag", "small:v1")
    assert podpy.ok("image", "prune", input="n\n").endswith("[y/N] ") or True
    assert podpy.ok("image", "exists", loaded) == ""
    assert podpy.ok("image", "prune", "--force") == loaded
    assert names(podpy) == ["example.com/ns/bulky:2"]
    podpy.ok("image", "prune", "--force", "--all")
    assert names(podpy) == []


def test_history(podpy: Podpy, loaded: str) -> None:
    lines = podpy.ok("history", "small:v1").splitlines()
    assert lines[0].split() == ["ID", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert lines[1].startswith(loaded[:12])
    assert lines[2].startswith("<missing>")
    steps = podpy.json("history", "--format", "json", "small:v1")
    assert steps[0]["id"] == loaded
    assert steps[0]["tags"] == ["localhost/small:v1"]
    assert steps[0]["CreatedBy"] == "tests"
    assert podpy.ok("history", "-q", "small:v1").splitlines() == [loaded[:12], "<missing>"]


def test_tree(podpy: Podpy, loaded: str) -> None:
    lines = podpy.ok("image", "tree", "small:v1").splitlines()
    assert lines[0] == f"Image ID: {loaded[:12]}"
    assert lines[1] == "Tags:     [localhost/small:v1]"
    assert lines[4].startswith("├── ID: ")
    assert lines[5].endswith("Top Layer of: [localhost/small:v1]")


def test_inspect(podpy: Podpy, loaded: str) -> None:
    found = podpy.json("image", "inspect", "small:v1")[0]
    assert found["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert found["Labels"] == {"color": "red"}
    assert found["Architecture"]
    assert found["RootFS"]["Type"] == "layers"
    assert len(found["RootFS"]["Layers"]) == 2
    assert podpy.json("inspect", "small:v1")[0]["Id"] == loaded
    done = podpy("image", "inspect", "small:v1", "nope")
    done.fails(125, "nope: image not known")
    assert loaded in done.stdout


def test_an_id_that_is_not_unique_is_said_so(podpy: Podpy, session_base: Path) -> None:
    by_digit: dict[str, str] = {}
    for number in range(17):
        image = Image([Layer().add("f", b"x").tar()], {"Labels": {"n": str(number)}})
        identity = sha256(image.config())[7:]
        path = image.write_docker_archive(session_base / "many.tar", f"localhost/many:{number}")
        podpy.ok("load", "-q", "-i", str(path))
        if identity[0] in by_digit:
            podpy("image", "inspect", identity[0]).fails(125, "more than one image")
            return
        by_digit[identity[0]] = identity
    raise AssertionError("17 ids, 16 digits")


def test_tree_of_what_is_built_on_an_image(podpy: Podpy, busybox: str, busybox_image: Image) -> None:
    for name in ("one", "two"):
        built = Image([*busybox_image.layers, Layer().add(name, b"x").tar()], busybox_image.settings)
        podpy.ok("load", "-i", str(built.write_docker_archive(podpy.home / f"{name}.tar", f"localhost/{name}:latest")))
    lines = podpy.ok("image", "tree", "--whatrequires", busybox).splitlines()
    assert lines[3] == "Image Layers"
    assert lines[4].startswith("└── ID: ")
    assert lines[4].endswith(f"Top Layer of: [{busybox}]")
    assert [line[:8] for line in lines[5:]] == ["    ├── ", "    └── "]
    assert sorted(line.rpartition(": ")[2] for line in lines[5:]) == [
        "[localhost/one:latest]",
        "[localhost/two:latest]",
    ]
