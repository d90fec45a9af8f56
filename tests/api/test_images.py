"""Images by Docker's command line and by plain HTTP."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.support.registry import PASSWORD, USER, Registry
from tests.support.service import Service


@pytest.fixture(autouse=True)
def image(busybox: str) -> str:
    """Every test has the image."""
    return busybox


def _lines(body: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in body.splitlines()]


def test_an_image_gets_names_is_listed_and_loses_them(service: Service, image: str) -> None:
    service.docker("tag", image, "mine:1").ok()
    listed = service.docker("images", "--format", "{{.Repository}}:{{.Tag}}").ok().splitlines()
    assert sorted(listed) == [image, "mine:1"]
    assert service.podpy.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "mine") == "docker.io/library/mine:1"
    [data] = service.get("/images/json?filters=" + '{"reference":["mine"]}').json
    assert sorted(data["RepoTags"]) == [image, "mine:1"]
    assert data["Id"].startswith("sha256:")
    assert service.docker("inspect", "--type", "image", "-f", "{{.Id}} {{json .Config.Cmd}}", "mine:1").ok() == (
        f'{data["Id"]} ["sh"]'
    )
    assert service.docker("rmi", "mine:1").ok() == "Untagged: mine:1"
    service.docker("rmi", "mine:1").fails(1, "No such image: mine:1")
    assert "tests" in service.docker("history", image).ok()


def test_an_image_that_a_container_uses_loses_its_name_alone_and_by_force(service: Service, image: str) -> None:
    service.docker("create", "--name", "web", image).ok()
    service.docker("rmi", image).fails(1, "conflict: unable to remove repository reference")
    service.docker("rmi", "-f", service.docker("images", "-q").ok()).fails(
        1, "image is being used by stopped container"
    )
    assert service.docker("rmi", "-f", image).ok() == f"Untagged: {image}"
    assert service.get("/images/json").json[0]["RepoTags"] == []
    assert service.get("/v1.40/images/json").json[0]["RepoTags"] == ["<none>:<none>"]
    assert service.docker("image", "prune", "-f").ok().startswith("Total reclaimed space: 0B")
    service.docker("rm", "web").ok()
    assert "deleted: sha256:" in service.docker("image", "prune", "-f").ok()


def test_push_and_pull(service: Service, image: str, registry: Registry) -> None:
    name = f"{registry.address}/team/app:1"
    service.docker("tag", image, name).ok()
    pushed = service.docker("push", name).ok()
    assert "Pushed" in pushed and "1: digest: sha256:" in pushed
    assert "Layer already exists" in service.docker("push", name).ok()
    platforms = service.get(f"/distribution/{name}/json").json
    assert pushed.split("digest: ")[1].split()[0] == platforms["Descriptor"]["digest"]
    assert [each["os"] for each in platforms["Platforms"]] == ["linux"]
    service.docker("rmi", name, image).ok()
    pulled = service.docker("pull", name).ok()
    assert "Pull complete" in pulled and f"Status: Downloaded newer image for {name}" in pulled
    assert f"Status: Image is up to date for {name}" in service.docker("pull", name).ok()
    service.docker("tag", name, name.replace(":1", ":2")).ok()
    service.docker("push", "-a", name.removesuffix(":1")).ok()
    service.docker("rmi", name, name.replace(":1", ":2")).ok()
    service.docker("pull", "-a", name.removesuffix(":1")).ok()
    assert len(service.get("/images/json").json[0]["RepoTags"]) == 2


def test_what_a_registry_has_not_is_told_before_any_line(service: Service, registry: Registry) -> None:
    missing = service.request("POST", f"/images/create?fromImage={registry.address}/none&tag=1")
    assert (missing.status, "not found: manifest unknown" in missing.message) == (404, True)
    assert service.request("POST", "/images/create?fromImage=UPPER&tag=1").status == 400
    assert service.request("POST", "/images/create").status == 400
    assert service.get(f"/distribution/{registry.address}/none:1/json").status == 404
    unpushed = service.request("POST", f"/images/{registry.address}/none/push?tag=1")
    [_, failed] = _lines(unpushed.body)
    assert (unpushed.status, failed["error"]) == (
        200,
        f"An image does not exist locally with the tag: {registry.address}/none",
    )


def test_a_login_is_tried_and_a_pull_brings_its_own(service: Service, image: str, secure_registry: Registry) -> None:
    registry = secure_registry
    user = {"username": registry.user, "password": registry.password, "serveraddress": registry.address}
    assert service.post("/auth", user).json == {"IdentityToken": "", "Status": "Login Succeeded"}
    assert service.post("/auth", {**user, "password": "wrong"}).status == 401
    assert (registry.user, registry.password) == (USER, PASSWORD)
    service.docker("tag", image, f"{registry.address}/app:1").ok()
    push = f"/images/{registry.address}/app/push?tag=1"
    assert "error" in _lines(service.request("POST", push).body)[-1]
    header = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(user).encode()).decode()}
    assert "aux" in _lines(service.request("POST", push, headers=header).body)[-1]
    pull = f"/images/create?fromImage={registry.address}/app&tag=1"
    assert service.request("POST", pull).status == 500
    assert "up to date" in str(_lines(service.request("POST", pull, headers=header).body)[-1]["status"])


def test_save_and_load(service: Service, image: str, tmp_path: Path) -> None:
    service.docker("tag", image, "mine:1").ok()
    archive = service.get(f"/images/get?names={image}&names=mine:1").body
    tmp_path.joinpath("two.tar").write_bytes(archive)
    service.docker("rmi", image, "mine:1").ok()
    loaded = service.request("POST", "/images/load", archive)
    assert sorted(str(line["stream"]) for line in _lines(loaded.body)) == [
        f"Loaded image: {image}\n",
        "Loaded image: mine:1\n",
    ]
    broken = service.request("POST", "/images/load", b"nonsense")
    assert (broken.status, "error" in _lines(broken.body)[-1]) == (200, True)
    assert service.get("/images/none/get").status == 404
    assert service.docker("run", "--rm", "--network=none", "mine:1", "echo", "hi").ok() == "hi"


def test_a_tar_becomes_an_image(service: Service, image: str) -> None:
    service.docker("create", "--name", "web", image).ok()
    tar = service.get("/containers/web/export").body
    made = service.request("POST", "/images/create?fromSrc=-&repo=made&tag=1&changes=CMD+%5B%22id%22%5D&message=m", tar)
    [line] = _lines(made.body)
    assert str(line["status"]).startswith("sha256:")
    data = service.get("/images/made:1/json").json
    assert (data["Id"], data["Config"]["Cmd"], data["Comment"]) == (line["status"], ["id"], "m")
    wrong = service.request("POST", "/images/create?fromSrc=-&repo=made&changes=RUN+x", tar)
    assert (wrong.status, "RUN" in wrong.message) == (400, True)


def test_the_disk_usage_has_all_kinds(service: Service, image: str) -> None:
    service.docker("run", "-d", "--name", "web", "--network=none", "-v", "data:/data", image, "sleep", "1000").ok()
    data = service.get("/system/df").json
    assert [len(data[kind]) for kind in ("Images", "Containers", "Volumes")] == [1, 1, 1]
    assert data["Volumes"][0]["UsageData"]["RefCount"] == 1
    assert data["Images"][0]["Containers"] == 1
    assert data["LayersSize"] > 0
    assert service.docker("system", "df", "--format", "{{.Type}} {{.TotalCount}}").ok().splitlines()[:3] == [
        "Images 1",
        "Containers 1",
        "Local Volumes 1",
    ]
    only = service.get("/system/df?type=volume").json
    assert (only["Images"], len(only["Volumes"])) == (None, 1)
    assert service.get("/system/df?type=x").message == "unknown object type: x"


def test_a_search_has_a_limit(service: Service, registry: Registry, image: str) -> None:
    service.docker("tag", image, f"{registry.address}/app:1").ok()
    service.docker("push", f"{registry.address}/app:1").ok()
    assert service.get("/images/search?term=x&limit=1000").message == "limit 1000 is outside the range of [1, 100]"
    [found] = service.get(f"/images/search?term={registry.address}/app").json
    assert found["name"] == f"{registry.address}/app"
