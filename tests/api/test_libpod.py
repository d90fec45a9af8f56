"""Podman's own paths (`/v5.4.2/libpod/…`), by plain HTTP: what no client shows."""

from __future__ import annotations

import base64

import pytest

from tests.support import wait
from tests.support.service import Service

_V = "/v5.4.2/libpod"


@pytest.mark.parametrize("version", ["/v4.0.0", "/v5.4.2", "/v6.2.0", "/v1.41", ""])
def test_any_version_is_answered(service: Service, version: str) -> None:
    reply = service.get(f"{version}/libpod/_ping")
    assert (reply.status, reply.body, reply.headers["libpod-api-version"]) == (200, b"OK", "5.4.2")
    assert service.get(f"{version}/libpod/version").json["Version"] == "5.4.2"


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/containers/none/json", 404, 'no container with name or ID "none" found: no such container'),
        ("GET", "/images/none/json", 404, "failed to find image none: none: image not known"),
        ("GET", "/images/a/b/none/json", 404, "failed to find image a/b/none: a/b/none: image not known"),
        ("GET", "/volumes/none/json", 404, "no such volume none"),
        ("GET", "/networks/none/json", 404, "network none: unable to find network with name or ID none"),
        ("GET", "/secrets/none/json", 404, 'no secret with name or id "none": no such secret'),
        ("GET", "/pods/none/json", 404, "unable to find pod none"),
        ("GET", "/exec/none/json", 404, "No such exec instance: none"),
        ("POST", "/containers/none/checkpoint", 404, "no such container"),
        ("POST", "/images/pull", 400, "reference is required"),
        ("POST", "/images/pull?reference=x&policy=y", 400, "unsupported pull policy 'y'"),
        ("GET", "/images/export", 400, "references is required"),
        ("GET", "/generate/kube", 400, "names is required"),
        ("POST", "/commit", 400, "container is required"),
        ("POST", "/kube/play", 400, "the body must be Kubernetes YAML"),
        ("POST", "/secrets/create", 400, "name is required"),
        ("GET", "/containers/json?filters=x", 400, "invalid filter"),
    ],
)
def test_errors_have_cause_message_and_status(
    service: Service, method: str, path: str, status: int, message: str
) -> None:
    reply = service.request(method, _V + path)
    assert (reply.status, reply.json["response"], message in reply.message) == (status, status, True), reply
    assert reply.message.endswith(reply.json["cause"])


@pytest.mark.parametrize("kind", ["containers", "images", "volumes", "networks", "pods", "secrets"])
def test_exists_is_204_or_404(service: Service, kind: str) -> None:
    assert service.get(f"{_V}/{kind}/none/exists").status == 404


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "must set root filesystem source to either image or rootfs"),
        ({"image": "none"}, 404, "image not known"),
        ({"image": "IMAGE", "name": "bad/name"}, 400, "names must match"),
        ({"image": "IMAGE", "env": ["A=b"]}, 400, "env must be an object"),
        ({"image": "IMAGE", "portmappings": [{"container_port": 70000}]}, 400, "invalid port mapping"),
        ({"image": "IMAGE", "portmappings": [{"container_port": 1, "protocol": "x"}]}, 400, "invalid port protocol"),
        ({"image": "IMAGE", "mounts": [{"type": "bind", "source": "x", "destination": "/y"}]}, 400, "absolute"),
        ({"image": "IMAGE", "mounts": [{"type": "odd", "destination": "/y"}]}, 400, "invalid mount type 'odd'"),
        ({"image": "IMAGE", "cap_add": ["ODD"]}, 400, "ODD"),
        ({"image": "IMAGE", "storage_opts": {"size": "1"}}, 501, "storage_opts isn't supported"),
        ({"image": "IMAGE", "netns": {"nsmode": "host"}, "networks": {"a": {}}}, 400, "exclude each other"),
        ({"image": "IMAGE", "health_check_on_failure_action": 9}, 400, "must be 0 (none) to 4 (stop)"),
        ({"image": "IMAGE", "pod": "none"}, 404, "none"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(
    service: Service, busybox: str, body: dict[str, object], status: int, text: str
) -> None:
    given = {**body, **({"image": busybox} if body.get("image") == "IMAGE" else {})}
    reply = service.post(f"{_V}/containers/create", given)
    assert (reply.status, text in reply.message) == (status, True), reply


def test_clients_that_name_no_content_type_are_understood(service: Service, busybox: str) -> None:
    body = b'{"image": "%s", "name": "web", "command": ["true"]}' % busybox.encode()
    reply = service.request("POST", f"{_V}/containers/create", body)
    assert (reply.status, [*reply.json]) == (201, ["Id", "Warnings"])
    assert service.post(f"{_V}/containers/web/start").status == 204
    assert service.post(f"{_V}/containers/web/wait").json == 0
    assert service.post(f"{_V}/containers/web/wait?condition=exited&condition=stopped").json == 0
    [listed] = service.get(f"{_V}/containers/json?all=true").json
    assert (listed["Names"], listed["State"], listed["ExitCode"]) == (["web"], "exited", 0)
    assert service.request("DELETE", f"{_V}/containers/web").json == [{"Id": reply.json["Id"]}]
    assert service.request("DELETE", f"{_V}/containers/web?ignore=true").json == []


def test_inspect_has_the_types_of_the_clients_version(service: Service, busybox: str) -> None:
    service.podpy.ok("create", "--name", "web", "--entrypoint", '["sh","-c"]', busybox, "true")
    new = service.get(f"{_V}/containers/web/json").json["Config"]
    old = service.get("/v4.3.1/libpod/containers/web/json").json["Config"]
    assert (new["Entrypoint"], new["StopSignal"]) == (["sh", "-c"], "SIGTERM")
    assert (old["Entrypoint"], old["StopSignal"]) == ("sh -c", 15)


def test_a_login_that_is_no_json_is_refused(service: Service) -> None:
    for text in ("!", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"username": 1}').decode()):
        reply = service.request("POST", f"{_V}/images/pull?reference=x", headers={"X-Registry-Auth": text})
        assert (reply.status, "X-Registry-Auth must be" in reply.message) == (400, True), text


def test_prune_tells_what_went(service: Service, busybox: str) -> None:
    made = service.podpy.ok("create", busybox, "true")
    [report] = service.post(f"{_V}/containers/prune").json
    assert report["Id"] == made
    service.podpy.ok("volume", "create", "named")
    assert service.post(f"{_V}/volumes/prune").json == []
    assert service.post(f'{_V}/volumes/prune?filters={{"all":["true"]}}').json[0]["Id"] == "named"
    report = service.post(f"{_V}/system/prune?all=true").json
    assert report["ImagePruneReports"]


def test_a_removal_of_images_tells_each(service: Service, busybox: str) -> None:
    report = service.request("DELETE", f"{_V}/images/remove?images={busybox}&images=none").json
    assert report["Untagged"] == [f"{busybox}:latest" if ":" not in busybox else busybox]
    assert (len(report["Deleted"]), report["ExitCode"], len(report["Errors"])) == (1, 1, 1)


def test_an_exec_that_has_ended_is_forgotten_and_one_that_runs_only_by_force(service: Service, busybox: str) -> None:
    service.podpy.ok("run", "--detach", "--name", "web", "--network", "none", busybox, "sleep", "1000")

    def started(*command: str) -> str:
        identifier = str(service.post(f"{_V}/containers/web/exec", {"Cmd": command}).json["Id"])
        assert service.post(f"{_V}/exec/{identifier}/start", {"Detach": True}).status in (200, 204)
        return identifier

    def remove(identifier: str, body: dict[str, bool]) -> int:
        return service.post(f"{_V}/exec/{identifier}/remove", body).status

    running, ended = started("sleep", "1000"), started("true")
    wait.until(lambda: not service.get(f"{_V}/exec/{ended}/json").json["Running"], what="the command's end")
    codes = remove(running, {"Force": False}), remove(running, {"Force": True}), remove(ended, {}), remove(ended, {})
    assert codes == (409, 200, 200, 404)
