"""One image that came by several manifests: every digest of it means it, and what goes out is what was asked for."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.image.conftest import OTHER
from tests.image.odd_registry import INDEX_TYPE, OddRegistry
from tests.image.test_manifest_lists import DOCKER_LIST
from tests.image.test_pull import configure, insecure
from tests.image.test_push import DOCKER_TYPE, manifest
from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE, MANIFEST_TYPE, Image, compact, sha256
from tests.support.registry import Registry

KILLED = -9


class Forms:
    """A repository `x` of the odd registry with one image under several manifests; `digests` are theirs, by tag.

    gzip, docker: the same layers; slow: compressed differently; all: an index with gzip for this machine.
    """

    def __init__(self, odd: OddRegistry, image: Image) -> None:
        self.image = image
        self.name = f"{odd.address}/x"
        self.digests = {"gzip": odd.add("x", "gzip", image)}
        self.plain = image.blobs()[0]
        document = json.loads(self.plain)
        config = {**document["config"], "mediaType": "application/vnd.docker.container.image.v1+json"}
        layers = [
            {**layer, "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"} for layer in document["layers"]
        ]
        self._add(odd, "docker", {**document, "mediaType": DOCKER_TYPE, "config": config, "layers": layers})
        slow = [gzip.compress(layer, compresslevel=9, mtime=1) for layer in image.layers]
        odd.blobs.update({sha256(data): data for data in slow})
        layers = [
            {**layer, "digest": sha256(data), "size": len(data)}
            for layer, data in zip(document["layers"], slow, strict=True)
        ]
        self.slow = self._add(odd, "slow", {**document, "layers": layers})
        self._add(odd, "all", self.index({ARCHITECTURE: self.plain}))

    def index(self, entries: dict[str, bytes]) -> dict[str, object]:
        """Return an index with these manifests, by architecture."""
        described = [
            {
                "mediaType": MANIFEST_TYPE,
                "digest": sha256(data),
                "size": len(data),
                "platform": {"architecture": architecture, "os": "linux"},
            }
            for architecture, data in entries.items()
        ]
        return {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": described}

    def by(self, tag: str) -> str:
        """Return the name with the digest that a tag has."""
        return f"{self.name}@{self.digests[tag]}"

    def _add(self, odd: OddRegistry, tag: str, document: dict[str, object]) -> bytes:
        data = odd.add_manifest("x", tag, document, str(document["mediaType"]))
        self.digests[tag] = sha256(data)
        return data


@pytest.fixture
def forms(podpy: Podpy, odd: OddRegistry, busybox_image: Image) -> Forms:
    """The registry with the image's manifests; podpy may speak to it."""
    configure(podpy, insecure(odd.address))
    return Forms(odd, busybox_image)


def inspect(podpy: Podpy, name: str, field: str) -> str:
    return podpy.ok("image", "inspect", "--format", "{{." + field + "}}", name)


def test_every_digest_that_an_image_came_by_means_it(podpy: Podpy, forms: Forms) -> None:
    """What is shown where was found out with Podman 5.4.2."""
    for tag in ("gzip", "slow", "all"):
        image = podpy.ok("pull", "-q", f"{forms.name}:{tag}")
    came = [forms.by(tag) for tag in ("gzip", "slow", "all")]
    for name in came:
        assert podpy.ok("run", "--rm", "--pull=never", "--network=none", name, "echo", "hi") == "hi"
        assert podpy.ok("images", "-q", "--filter", f"digest={name.partition('@')[2]}") == image[:12]
        # By a digest, that one is shown; by a name the manifest that came last; by its id and in lists the first one.
        assert f"{forms.name}@{inspect(podpy, name, 'Digest')}" == name
    assert inspect(podpy, f"{forms.name}:gzip", "Digest") == forms.digests["gzip"]  # it came once more, by the index
    assert inspect(podpy, image, "Digest") == forms.digests["gzip"]
    podpy.ok("pull", "-q", f"{forms.name}:slow")
    assert inspect(podpy, f"{forms.name}:gzip", "Digest") == forms.digests["slow"]
    shown = {tuple(line.split()[1:3]) for line in podpy.ok("images", "-n", "--digests").splitlines()}
    assert shown == {(tag, forms.digests["gzip"]) for tag in ("gzip", "slow", "all")}
    assert podpy.json("image", "inspect", image)[0]["RepoDigests"] == sorted(came)
    summaries = podpy.json("images", "--format", "json")
    assert [(each["Digest"], each["RepoDigests"]) for each in summaries] == [(forms.digests["gzip"], sorted(came))] * 3
    assert sorted(each["Tag"] for each in summaries) == ["all", "gzip", "slow"]
    listed = podpy.ok("images", "--format", "{{.Digest}} {{.RepoDigests}}").splitlines()
    assert listed == [f"{forms.digests['gzip']} [{' '.join(sorted(came))}]"] * 3
    assert podpy("image", "exists", forms.by("docker")).returncode == 1
    # A name that the image gets later has them, too; a name that it lost has none.
    podpy.ok("tag", image, "mine:1")
    podpy.ok("image", "exists", f"mine@{forms.digests['slow']}")
    podpy.ok("image", "exists", f"x@{forms.digests['slow']}")
    podpy.ok("untag", image, *(f"{forms.name}:{tag}" for tag in ("gzip", "slow", "all")))
    assert podpy("image", "exists", forms.by("gzip")).returncode == 1


def test_an_image_that_came_by_an_index_shows_the_indexs_digest(podpy: Podpy, odd: OddRegistry, forms: Forms) -> None:
    image = podpy.ok("pull", "-q", f"{forms.name}:all")
    assert podpy.ok("images", "-n", "--format", "{{.Digest}}") == forms.digests["all"]
    assert inspect(podpy, f"{forms.name}:all", "Digest") == forms.digests["gzip"]
    podpy.ok("create", "--name", "c", forms.by("all"), "true")
    assert podpy.ok("inspect", "--format", "{{.ImageName}} {{.ImageDigest}}", "c").split() == [
        forms.by("all"), forms.digests["all"],
    ]  # fmt: skip
    odd.requests.clear()
    assert podpy.ok("pull", "-q", "--policy", "newer", f"{forms.name}:all") == image
    assert odd.paths() == []  # HEAD alone says that the index is the one that is here


@pytest.mark.parametrize("first", [False, True])
def test_of_an_index_for_several_platforms_this_machines_image_is_meant(
    podpy: Podpy, odd: OddRegistry, forms: Forms, bulky: Image, first: bool
) -> None:
    """Of images of the same age the store lists the one with the smaller id first: `first` if that is ours."""
    ours = sha256(forms.image.config())
    others = (Image(bulky.layers, {"Labels": {"number": str(number)}}, OTHER) for number in range(10_000))
    other = next(image for image in others if (sha256(image.config()) > ours) == first)
    odd.add("x", "other", other)
    both = odd.add_manifest("x", "both", forms.index({OTHER: other.blobs()[0], ARCHITECTURE: forms.plain}), INDEX_TYPE)
    name = f"{forms.name}@{sha256(both)}"
    podpy.ok("pull", "-q", f"{forms.name}:both")
    podpy.ok("tag", f"{forms.name}:both", f"{forms.name}:mine")
    theirs = podpy.ok("pull", "-q", "--arch", OTHER, f"{forms.name}:both")
    assert inspect(podpy, name, "Id") == sha256(forms.image.config())[7:] != theirs
    assert podpy.ok("run", "--rm", "--pull=never", "--network=none", name, "echo", "hi") == "hi"


def test_what_is_pushed_or_saved_by_a_digest_has_that_manifest(podpy: Podpy, forms: Forms, registry: Registry) -> None:
    for tag in ("all", "docker"):
        podpy.ok("pull", "-q", f"{forms.name}:{tag}")
    configure(podpy, insecure(registry.address))
    for source, tag in ((f"{forms.name}:all", "docker"), (forms.by("gzip"), "gzip"), (forms.by("all"), "gzip")):
        podpy.ok("push", "-q", source, f"{registry.address}/y:1")
        assert sha256(manifest(registry, "y", "1")) == forms.digests[tag]
    podpy.ok("save", "--format", "oci-archive", "-o", "x.tar", forms.by("gzip"))
    podpy.ok("rmi", "-a")
    assert podpy.ok("load", "-i", "x.tar") == f"Loaded image: {forms.by('gzip')}"
    assert podpy.json("image", "inspect", forms.by("gzip"))[0]["RepoDigests"] == [forms.by("gzip")]


def test_layers_that_are_here_stay_as_the_blobs_that_they_came_as(
    podpy: Podpy, odd: OddRegistry, forms: Forms, registry: Registry
) -> None:
    """Another compression of them isn't fetched, and the blobs of the older manifest are kept for it."""
    podpy.ok("pull", "-q", f"{forms.name}:gzip")
    blobs = sorted(path.name for path in (podpy.graphroot / "blobs/sha256").iterdir())
    odd.requests.clear()
    podpy.ok("pull", "-q", f"{forms.name}:slow")
    assert odd.blob_requests() == []
    podpy.ok("image", "prune", "-f")
    assert sorted(path.name for path in (podpy.graphroot / "blobs/sha256").iterdir()) == blobs
    assert podpy.ok("system", "check") == ""
    configure(podpy, insecure(registry.address))
    podpy.ok("push", "-q", forms.by("gzip"), f"{registry.address}/y:1")
    assert manifest(registry, "y", "1") == forms.plain
    # With the image all of it goes.
    podpy.ok("rmi", "--force", inspect(podpy, forms.by("slow"), "Id"))
    assert [*(podpy.graphroot / "blobs/sha256").iterdir()] == [*(podpy.graphroot / "layers").iterdir()] == []
    assert podpy.json("system", "df", "--format", "json")[0]["RawSize"] == 0


def test_rmi_and_untag_by_a_digest(podpy: Podpy, forms: Forms) -> None:
    """As Podman: a digest is no name. It goes with the last name, or if the image was pulled by it."""
    for tag in ("gzip", "slow"):
        podpy.ok("pull", "-q", f"{forms.name}:{tag}")
    podpy("rmi", forms.by("gzip")).fails(125, "tag not known", f"its names are {forms.name}:slow, {forms.name}:gzip")
    podpy("rmi", "--force", forms.by("gzip")).fails(125, "tag not known")
    podpy("untag", f"{forms.name}:gzip", forms.by("gzip")).fails(125, "tag not known")
    podpy.ok("pull", "-q", forms.by("slow"))
    assert podpy.ok("rmi", forms.by("slow")) == f"Untagged: {forms.by('slow')}"
    podpy.ok("image", "exists", forms.by("slow"))
    podpy.ok("rmi", f"{forms.name}:slow")
    lines = podpy.ok("rmi", forms.by("slow")).splitlines()
    assert lines == [f"Untagged: {forms.name}:gzip", f"Deleted: {sha256(forms.image.config())[7:]}"]


@pytest.mark.parametrize("point", ["commit:synced:after", "commit:inserted", "commit:committed"])
def test_a_pull_of_another_manifest_is_killed(podpy: Podpy, forms: Forms, point: str) -> None:
    image = podpy.ok("pull", "-q", f"{forms.name}:gzip")
    assert podpy("pull", f"{forms.name}:slow", env={"PODPY_CRASH_AT": point}).returncode == KILLED
    there = point == "commit:committed"
    assert podpy("image", "exists", forms.by("slow")).returncode == (0 if there else 1)
    assert inspect(podpy, f"{forms.name}:gzip", "Digest") == forms.digests["slow" if there else "gzip"]
    assert podpy.ok("run", "--rm", "--pull=never", "--network=none", forms.by("gzip"), "echo", "hi") == "hi"
    assert podpy.ok("system", "check") == ""
    assert podpy.ok("pull", "-q", f"{forms.name}:slow") == image
    podpy.ok("image", "exists", forms.by("slow"))


def test_an_archive_that_claims_another_images_digest_is_refused(podpy: Podpy, forms: Forms, bulky: Image) -> None:
    good = forms.by("gzip")
    for write in (bulky.write_oci_archive, bulky.write_docker_archive):
        podpy("load", "-i", str(write(podpy.home / "claim.tar", good))).fails(125, "another digest than its name says")
    assert podpy.ok("images", "-q") == ""


def test_a_manifest_list_has_only_the_digest_of_its_contents(podpy: Podpy, forms: Forms) -> None:
    podpy.ok("pull", "-q", f"{forms.name}:gzip")
    podpy.ok("pull", "-q", f"{forms.name}:slow")
    podpy.ok("manifest", "create", "mine")
    before = inspect_list(podpy)
    podpy.ok("manifest", "add", "mine", forms.by("gzip"))
    after = inspect_list(podpy)
    assert before != after
    assert [entry["digest"] for entry in podpy.json("manifest", "inspect", "mine")["manifests"]] == [
        forms.digests["gzip"]
    ]
    assert podpy.json("images", "--format", "json", "--filter", "manifest=true")[0]["RepoDigests"] == [
        f"localhost/mine@{after}"
    ]
    # The list's entry is this manifest, whichever has come last.
    assert inspect(podpy, "mine", "Digest") == forms.digests["gzip"]


def inspect_list(podpy: Podpy) -> str:
    return podpy.ok("images", "--filter", "manifest=true", "--format", "{{.Digest}}")


def test_a_lists_push_sends_the_manifest_that_it_names(podpy: Podpy, forms: Forms, registry: Registry) -> None:
    for tag in ("gzip", "docker"):
        podpy.ok("pull", "-q", f"{forms.name}:{tag}")
    podpy.ok("manifest", "create", "mine", forms.by("gzip"))
    configure(podpy, insecure(registry.address))
    podpy.ok("manifest", "push", "mine", f"{registry.address}/y:1")
    accepted = {"Accept": f"{INDEX_TYPE}, {DOCKER_LIST}"}
    pushed = json.loads(registry.request("GET", "/v2/y/manifests/1", headers=accepted).read())
    assert [entry["digest"] for entry in pushed["manifests"]] == [forms.digests["gzip"]]


def test_a_list_whose_image_is_gone_says_what_is_missing(podpy: Podpy, forms: Forms) -> None:
    podpy.ok("pull", "-q", f"{forms.name}:gzip")
    podpy.ok("manifest", "create", "mine", f"{forms.name}:gzip")
    podpy.ok("manifest", "create", "far", f"docker://{forms.name}:gzip")
    podpy.ok("rmi", f"{forms.name}:gzip")
    missing = f"its image for linux/{ARCHITECTURE}, {forms.digests['gzip']}, isn't in the store"
    for name in ("mine", "localhost/mine"):
        done = podpy("run", "--rm", name, "true").fails(125, "manifest list localhost/mine:latest", missing)
        assert "short-name" not in done.stderr
    podpy("run", "--rm", "--pull=never", "mine", "true").fails(125, missing)
    podpy("run", "--rm", "far", "true").fails(125, missing, f"podpy pull {forms.by('gzip')}")
    podpy.ok("pull", "-q", forms.by("gzip"))
    assert podpy.ok("run", "--rm", "--network=none", "far", "echo", "hi") == "hi"


def test_manifest_inspect_of_a_single_image(podpy: Podpy, odd: OddRegistry, forms: Forms) -> None:
    """As Podman 5: Docker's is shown as an empty list, with a warning; OCI's is an error."""
    podpy.ok("pull", "-q", f"{forms.name}:docker")  # the store's image is none, too: the registry is asked
    done = podpy("manifest", "inspect", f"{forms.name}:docker")
    assert json.loads(done.ok()) == {"schemaVersion": 2, "mediaType": DOCKER_TYPE, "manifests": None}
    assert f"The manifest type {DOCKER_TYPE} is not a manifest list but a single image." in done.stderr
    podpy("manifest", "inspect", f"{forms.name}:gzip").fails(125, "is not a manifest list but a single image")
    podpy.ok("tag", f"{forms.name}:docker", "mine:1")
    podpy("manifest", "inspect", "mine:1").fails(125, "mine:1: image is not a manifest list")
    odd.add_manifest("x", "dlist", compact({**forms.index({}), "mediaType": DOCKER_LIST}), DOCKER_LIST)
    assert podpy.json("manifest", "inspect", f"{forms.name}:dlist")["mediaType"] == DOCKER_LIST
