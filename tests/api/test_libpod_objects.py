"""Podman's own paths, by plain HTTP: objects and what is done with them, where no client's test comes by."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.service import Reply, Service

_V = "/v5.4.2/libpod"
SLEEPING = {"image": "localhost/busybox", "command": ["sleep", "1000"], "netns": {"nsmode": "none"}}


def made(service: Service, **fields: Any) -> str:
    """Create a container and start it; return its id."""
    reply = service.post(f"{_V}/containers/create", {**SLEEPING, **fields})
    assert reply.status == 201, reply
    identifier = str(reply.json["Id"])
    assert service.post(f"{_V}/containers/{identifier}/start").status == 204
    return identifier


def done(reply: Reply, status: int = 200) -> Any:
    """Return an answer's JSON; None if it has none."""
    assert reply.status == status, reply
    return reply.json if reply.body else None


def test_half_a_surrogate_pair_is_no_text(service: Service) -> None:
    body = b'{"Name": "v", "Labels": {"a": "x\\ud800y", "\\udfff": "\\ud83d\\ude00"}}'
    created = service.request("POST", f"{_V}/volumes/create", body, {"Content-Type": "application/json"})
    wanted = {"a": "x\N{REPLACEMENT CHARACTER}y", "\N{REPLACEMENT CHARACTER}": "\N{GRINNING FACE}"}
    assert done(created, 201)["Labels"] == wanted
    assert done(service.get(f"{_V}/volumes/json"))[0]["Labels"] == wanted
    assert service.podpy.json("volume", "inspect", "v")[0]["Labels"] == wanted


@pytest.mark.parametrize("value", ["x", [], True, {}, 1.5])
def test_a_limit_that_is_no_number_is_refused(service: Service, value: object) -> None:
    body = {**SLEEPING, "r_limits": [{"type": "RLIMIT_NOFILE", "soft": value, "hard": 5}]}
    refused = service.post(f"{_V}/containers/create", body)
    assert (refused.status, "of nofile: it must be a whole number" in refused.message) == (400, True)


def test_an_update_changes_the_restart_policy(service: Service, busybox: str) -> None:
    identifier = made(service)
    path = f"{_V}/containers/{identifier}"
    assert done(service.post(f"{path}/update?restartPolicy=on-failure&restartRetries=3"), 201)["Id"] == identifier
    host = done(service.get(f"{path}/json"))["HostConfig"]
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert service.post(f"{path}/update?restartPolicy=sometimes").status == 400
    assert service.post(f"{_V}/containers/none/update", {}).status == 404


def test_a_health_check_is_run_and_its_failures_are_counted(service: Service, busybox: str) -> None:
    check = {"Test": ["CMD-SHELL", "echo told; exit 1"], "Interval": 0, "Retries": 9}
    identifier = made(service, healthconfig=check)
    path = f"{_V}/containers/{identifier}/healthcheck"
    assert done(service.get(path))["FailingStreak"] == 1
    again = done(service.get(path))
    assert (again["FailingStreak"], again["Log"][-1]["ExitCode"], again["Log"][-1]["Output"].strip()) == (2, 1, "told")
    plain = made(service)
    assert service.get(f"{_V}/containers/{plain}/healthcheck").status == 409


def test_a_container_is_mounted_and_unmounted(service: Service, busybox: str) -> None:
    path = f"{_V}/containers/{made(service)}"
    place = done(service.post(f"{path}/mount"))
    assert place in done(service.get(f"{_V}/containers/showmounted")).values()
    assert service.post(f"{path}/unmount").status == 204
    assert service.post(f"{_V}/containers/none/mount").status == 404


@pytest.mark.parametrize("what", ["checkpoint", "restore"])
def test_checkpoints_are_refused_by_name(service: Service, busybox: str, what: str) -> None:
    refused = service.post(f"{_V}/containers/{made(service)}/{what}")
    assert (refused.status, refused.message) == (501, f"{what} isn't supported: podpy has no checkpoints")


def test_a_volume_goes_out_and_comes_in(service: Service, busybox: str) -> None:
    for name in "one", "two":
        done(service.post(f"{_V}/volumes/create", {"Name": name}), 201)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("directory/file")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"here"))
    kind = {"Content-Type": "application/x-tar"}
    assert service.request("POST", f"{_V}/volumes/one/import", packed.getvalue(), kind).status == 204
    exported = service.get(f"{_V}/volumes/one/export").body
    assert service.request("POST", f"{_V}/volumes/two/import", exported, kind).status == 204
    said = service.podpy.ok(
        "run", "--rm", "--network=none", "-v", "two:/v", "localhost/busybox", "cat", "/v/directory/file"
    )
    assert said == "here"
    junk = service.request("POST", f"{_V}/volumes/two/import", b"junk" * 1000, kind)
    assert (junk.status // 100, "internal error" in junk.message) == (5, False)
    for method, path in (("GET", "export"), ("POST", "import")):
        assert service.request(method, f"{_V}/volumes/none/{path}", b"").status == 404


def test_a_network_changes_and_containers_come_and_go(service: Service, busybox: str) -> None:
    network = {"name": "net1", "subnets": [{"subnet": "10.123.4.0/24", "gateway": "10.123.4.1"}]}
    assert done(service.post(f"{_V}/networks/create", network))["name"] == "net1"
    path = f"{_V}/networks/net1"
    assert service.post(f"{path}/update", {"adddnsservers": ["10.9.8.7"]}).status == 204
    assert done(service.get(f"{path}/json"))["network_dns_servers"] == ["10.9.8.7"]
    assert service.post(f"{path}/update", {"removednsservers": ["10.9.8.7"]}).status == 204
    assert not done(service.get(f"{path}/json")).get("network_dns_servers")
    created = done(service.post(f"{_V}/containers/create", {**SLEEPING, "netns": {"nsmode": "bridge"}}), 201)["Id"]
    connect = {"container": created, "static_ips": ["10.123.4.9"], "aliases": ["nine"]}
    assert done(service.post(f"{path}/connect", connect)) == "OK"
    networks = done(service.get(f"{_V}/containers/{created}/json"))["NetworkSettings"]["Networks"]
    assert "net1" in networks and "nine" in networks["net1"]["Aliases"]
    assert done(service.post(f"{path}/disconnect", {"Container": created})) == "OK"
    assert "net1" not in done(service.get(f"{_V}/containers/{created}/json"))["NetworkSettings"]["Networks"]
    for what in "connect", "disconnect":
        assert service.post(f"{path}/{what}", {}).status == 400
        name = "container" if what == "connect" else "Container"
        assert service.post(f"{_V}/networks/none/{what}", {name: created}).status == 404


def test_what_a_pods_containers_use(service: Service, busybox: str) -> None:
    done(service.post(f"{_V}/pods/create", {"name": "pod1", "netns": {"nsmode": "none"}}), 201)
    inside = done(service.post(f"{_V}/containers/create", {**SLEEPING, "pod": "pod1", "netns": {}}), 201)["Id"]
    done(service.post(f"{_V}/pods/pod1/start"))
    rows = done(service.get(f"{_V}/pods/stats?namesOrIDs=pod1"))
    assert inside[:12] in [row["CID"] for row in rows]
    assert {row["Pod"] for row in rows} == {done(service.get(f"{_V}/pods/pod1/json"))["Id"][:12]}
    assert service.get(f"{_V}/pods/stats?namesOrIDs=none").status == 404
    [listed] = done(service.get(f"{_V}/pods/json?filters={quote(json.dumps({'name': ['pod1']}))}"))
    assert (listed["Status"], inside in [each["Id"] for each in listed["Containers"]]) == ("Running", True)


def test_manifest_lists_are_made_changed_and_removed(service: Service, busybox: str) -> None:
    path = f"{_V}/manifests/localhost/list:1"
    assert service.get(f"{path}/exists").status == 404
    made = done(service.post(f"{path}?images=localhost/busybox"), 201)["Id"]
    assert service.get(f"{path}/exists").status == 204
    assert service.post(path).status == 500  # the name is taken
    [entry] = done(service.get(f"{path}/json"))["manifests"]
    change = {"operation": "annotate", "images": [entry["digest"]], "annotations": {"a": "b"}, "os_version": "7"}
    assert done(service.request("PUT", path, change))["images"] == [entry["digest"]]
    [changed] = done(service.get(f"{path}/json"))["manifests"]
    assert (changed["annotations"], changed["platform"]["os.version"]) == ({"a": "b"}, "7")
    gone = service.request("PUT", path, {"operation": "update", "images": ["localhost/none"]})
    assert (gone.status // 100, "internal error" in gone.message) in ((4, False), (5, False))
    assert service.request("PUT", path, {"operation": "turn", "images": []}).status == 400
    done(service.request("PUT", path, {"operation": "remove", "images": [entry["digest"]]}))
    assert not done(service.get(f"{path}/json"))["manifests"]
    done(service.request("PUT", path, {"operation": "update", "images": ["localhost/busybox"]}))
    assert len(done(service.get(f"{path}/json"))["manifests"]) == 1
    assert made
    report = done(service.request("DELETE", path))
    assert (report["ExitCode"], len(report["Deleted"])) == (0, 1)
    assert service.get(f"{_V}/images/localhost/busybox/exists").status == 204
    assert service.request("DELETE", path).status == 404
    assert done(service.request("DELETE", f"{path}?ignore=1"))["Deleted"] is None


def test_podmans_client_makes_manifest_lists(service: Service, busybox: str) -> None:
    service.podman("manifest", "create", "list:1", "localhost/busybox").ok()
    service.podman("manifest", "exists", "list:1").ok()
    shown = json.loads(service.podman("manifest", "inspect", "list:1").ok())
    assert len(shown["manifests"]) == 1
    service.podman("manifest", "remove", "list:1", shown["manifests"][0]["digest"]).ok()
    service.podman("manifest", "add", "list:1", "localhost/busybox").ok()
    service.podman("manifest", "rm", "list:1").ok()
    assert service.podman("manifest", "exists", "list:1").returncode == 1
