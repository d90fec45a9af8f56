"""`podpy search`: the search of version 1, the catalog of version 2, tags."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support.engine import Podpy
from tests.support.images import Image
from tests.support.registry import Registry

LONG = "Busybox base image,\nwith a text that goes on and on and on."
MINE = "44 characters are what a table has room for."[:44]
RESULTS = [
    {"name": "busybox", "description": LONG, "star_count": 3000, "is_official": True, "is_automated": False},
    {"name": "me/busybox", "description": MINE, "star_count": 3, "is_official": False, "is_automated": True},
]


@pytest.fixture
def hub(odd: OddRegistry, podpy: Podpy) -> OddRegistry:
    """A registry with the search of version 1."""
    for count in (1, 25):
        odd.pages[f"/v1/search?q=busybox&n={count}"] = ({"results": RESULTS}, "")
    configure(podpy, insecure(odd.address))
    return odd


def test_the_search_of_version_1(podpy: Podpy, hub: OddRegistry) -> None:
    place = hub.address
    first = f"{place}/busybox".ljust(len(f"{place}/me/busybox"))
    assert podpy.ok("search", f"{place}/busybox").splitlines() == [
        "NAME".ljust(len(first)) + "  DESCRIPTION",
        first + "  Busybox base image, with a text that goes on...",
        f"{place}/me/busybox  {MINE}",
    ]
    assert "goes on and on and on." in podpy.ok("search", "--no-trunc", f"{place}/busybox")
    heading, official, automated = podpy.ok("image", "search", "--compatible", f"{place}/busybox").splitlines()
    assert heading.split() == ["NAME", "DESCRIPTION", "STARS", "OFFICIAL", "AUTOMATED"]
    assert official.split()[-2:] == ["3000", "[OK]"]
    assert automated.split()[-2:] == ["3", "[OK]"]
    assert podpy.json("search", "--format", "json", "--limit", "1", f"{place}/busybox") == [
        {
            "Index": place,
            "Name": f"{place}/busybox",
            "Description": LONG.replace("\n", " "),
            "Stars": 3000,
            "Official": "[OK]",
            "Automated": "",
            "Tag": "",
        }
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["stars=10"], ["busybox"]),
        (["is-automated"], ["me/busybox"]),
        (["is-official=false"], ["me/busybox"]),
        (["stars=1,is-official=true"], ["busybox"]),
        (["stars=9999"], []),
    ],
)
def test_filters(podpy: Podpy, hub: OddRegistry, filters: list[str], expected: list[str]) -> None:
    options = [word for text in filters for word in ("--filter", text)]
    said = podpy.ok("search", *options, "--format", "{{.Name}}", f"{hub.address}/busybox")
    assert said.splitlines() == [f"{hub.address}/{name}" for name in expected]


def test_what_makes_no_sense(podpy: Podpy) -> None:
    podpy("search", "--filter", "stars", "x").fails(125, 'invalid filter "stars", should be stars=<value>')
    podpy("search", "--filter", "stars=x", "x").fails(125, "incorrect value type for stars filter")
    podpy("search", "--filter", "foo=1", "x").fails(125, 'invalid filter type "foo=1"')
    podpy("search", "--list-tags", "--filter", "stars=1", "x").fails(125, "not applicable to list tags")
    podpy("search", "127.0.0.1:1/x").fails(125, "Error: 127.0.0.1:1: Connection refused")
    podpy("search", "/x").fails(125, "nothing to search for")


def test_the_catalog_and_tags_of_a_registry_with_a_password(
    podpy: Podpy, secure_registry: Registry, small: Image
) -> None:
    place, access = secure_registry.address, ["--creds", "alice:wonderland", "--cert-dir"]
    directory = podpy.home / "certs"
    directory.mkdir()
    assert secure_registry.ca is not None
    shutil.copy(secure_registry.ca, directory / "ca.crt")
    (directory / "ca.crt").chmod(0o644)
    access.append(str(directory))
    for repository, tag in (("a/small", "1"), ("a/small", "2"), ("b/small", "1"), ("other", "1")):
        secure_registry.push(repository, tag, small)
    said = podpy.ok("search", *access, "--format", "{{.Name}}", f"{place}/small")
    assert said.splitlines() == [f"{place}/a/small", f"{place}/b/small"]
    assert podpy.ok("search", *access, f"{place}/nothing") == ""
    podpy("search", "--cert-dir", str(directory), f"{place}/small").fails(125, "wants credentials", "podpy login")
    tags = ["search", *access, "--list-tags"]
    assert sorted(podpy.ok(*tags, f"{place}/a/small").split()) == sorted(
        ["NAME", "TAG", f"{place}/a/small", "1", f"{place}/a/small", "2"]
    )
    (found,) = podpy.json(*tags, "--format", "json", f"{place}/a/small")
    assert (found["Name"], sorted(found["Tags"])) == (f"{place}/a/small", ["1", "2"])
    podpy(*tags, f"{place}/none").fails(125, "list of tags")


def test_lists_of_several_pages(podpy: Podpy, odd: OddRegistry) -> None:
    next_page = '</v2/_catalog?last=b&n=2>; rel="next"'
    odd.pages["/v2/_catalog"] = ({"repositories": ["a/x", "b"]}, next_page)
    odd.pages["/v2/_catalog?last=b&n=2"] = ({"repositories": ["c/x", "d"]}, "")
    odd.pages["/v2/r/tags/list"] = ({"tags": ["1", "2"]}, '<http://elsewhere.invalid/v2/r/tags/list?last=2>;rel="next"')
    odd.pages["/v2/r/tags/list?last=2"] = ({"tags": [str(number) for number in range(3, 100)]}, "")
    configure(podpy, insecure(odd.address))
    said = podpy.ok("search", "--format", "{{.Name}}", f"{odd.address}/x")
    assert said.splitlines() == [f"{odd.address}/a/x", f"{odd.address}/c/x"]
    said = podpy.ok("search", "--list-tags", "--format", "{{.Tag}}", f"docker://{odd.address}/r")
    assert said.split() == [str(number) for number in range(1, 26)]
    assert len(podpy.ok("search", "--list-tags", "--limit", "80", "--format", "x", f"{odd.address}/r").split()) == 80


def test_without_a_registry_all_that_are_configured_are_asked(
    podpy: Podpy, hub: OddRegistry, other: OddRegistry
) -> None:
    search = json.dumps([hub.address, other.address])
    other.pages["/v2/_catalog"] = ({"repositories": ["x/busybox"]}, "")
    both = insecure(hub.address, other.address)
    configure(podpy, f"unqualified-search-registries = {search}\n" + both)
    said = podpy.ok("search", "--format", "{{.Name}}", "busybox").splitlines()
    assert said == [f"{hub.address}/busybox", f"{hub.address}/me/busybox", f"{other.address}/x/busybox"]
    search = json.dumps([hub.address, "127.0.0.1:1"])
    configure(podpy, f"unqualified-search-registries = {search}\n" + both)
    done = podpy("search", "--format", "{{.Name}}", "busybox")
    assert len(done.ok().splitlines()) == 2
    assert "WARNING: 127.0.0.1:1: Connection refused" in done.stderr
    configure(podpy, "unqualified-search-registries = []\n")
    done = podpy("search", "busybox")
    assert done.ok() == ""
    assert "podpy search docker.io/busybox" in done.stderr
