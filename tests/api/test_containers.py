"""Containers by Docker's command line and by plain HTTP."""

from __future__ import annotations

import json
import re

import pytest

from tests.support import wait
from tests.support.service import Service

ID = re.compile("[0-9a-f]{64}")


@pytest.fixture(autouse=True)
def image(busybox: str) -> str:
    """Every test has the image."""
    return busybox


def test_a_detached_container_runs_is_listed_and_goes(service: Service, image: str) -> None:
    said = service.docker("run", "-d", "--name", "web", "--label", "a=b", image, "sleep", "1000").ok()
    assert ID.fullmatch(said)
    listed = service.docker("ps", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Image}} {{.State}}").ok()
    assert listed == f"{said} web {image} running"
    service.docker("stop", "-t", "0", "web").ok()
    assert service.docker("ps", "-q").ok() == ""
    assert service.docker("ps", "-aq", "--filter", "label=a=b", "--no-trunc").ok() == said
    assert service.docker("wait", "web").ok() == "137"
    service.docker("rm", "web").ok()
    service.docker("rm", "web").fails(1, "No such container: web")


def test_what_a_container_has_written_comes_on_the_right_stream(service: Service, image: str) -> None:
    script = "echo out; echo err >&2; printf part"
    service.podpy.ok("run", "--name", "talker", "--network=none", image, "sh", "-c", script)
    result = service.docker("logs", "talker")
    assert (result.stdout, result.stderr) == ("out\npart\n", "err\n") or (result.stdout, result.stderr) == (
        "out\npart",
        "err\n",
    )
    service.podpy.ok("run", "--name", "single", "--network=none", image, "sh", "-c", "echo one; echo two")
    assert service.docker("logs", "--tail", "1", "single").stdout == "two\n"  # streams have no common order
    stamped = service.docker("logs", "-t", "talker").stdout.splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out", stamped)


def test_logs_follow_until_the_container_ends(service: Service, image: str) -> None:
    service.docker("run", "-d", "--name", "talker", image, "sh", "-c", "echo one; sleep 1; echo two").ok()
    assert service.docker("logs", "-f", "talker").ok() == "one\ntwo"


def test_logs_without_a_stream_are_refused(service: Service, image: str) -> None:
    service.docker("create", "--name", "c", image).ok()
    reply = service.get("/containers/c/logs")
    assert (reply.status, reply.message) == (400, "Bad parameters: you must choose at least one stream")


def test_a_missing_image_is_told_in_dockers_words(service: Service) -> None:
    reply = service.post("/containers/create", {"Image": "nosuch"})
    assert (reply.status, reply.message) == (404, "No such image: nosuch:latest")


def test_a_taken_name_is_a_conflict(service: Service, image: str) -> None:
    first = service.post("/containers/create?name=c1", {"Image": image}).json["Id"]
    reply = service.post("/containers/create?name=c1", {"Image": image})
    assert reply.status == 409
    assert reply.message == (
        f'Conflict. The container name "/c1" is already in use by container "{first}". You have to remove (or rename) '
        "that container to be able to reuse that name."
    )


@pytest.mark.parametrize(
    ("name", "body", "status", "text"),
    [
        ("-bad", {}, 400, "Invalid container name (-bad), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
        ("", {"HostConfig": {"Memory": 1}}, 400, "Minimum memory limit allowed is 6MB"),
        ("", {"HostConfig": {"RestartPolicy": {"Name": "zz"}}}, 400, "invalid restart policy: unknown policy 'zz'"),
        ("", {"HostConfig": {"Runtime": "zz"}}, 400, "unknown or invalid runtime name: zz"),
        ("", {"HostConfig": {"Links": ["a:b"]}}, 501, "HostConfig.Links isn't supported"),
        ("", {"HostConfig": {"Mounts": [{"Type": "bind", "Source": "/none", "Target": "/x"}]}}, 400,
         'invalid mount config for type "bind": bind source path does not exist: /none'),
        ("", {"HostConfig": {"AutoRemove": True, "RestartPolicy": {"Name": "always"}}}, 400, "AutoRemove"),
        ("", {"HostConfig": {"PortBindings": {"80/xx": []}}}, 400, "xx"),
        ("", {"User": 7}, 400, "invalid JSON: User must be a string"),
        ("", {"Env": [1]}, 400, "invalid JSON: Env[0] must be a string"),
        ("", {"HostConfig": {"Binds": "x"}}, 400, "invalid JSON: HostConfig.Binds must be a list"),
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused(
    service: Service, image: str, name: str, body: dict[str, object], status: int, text: str
) -> None:
    reply = service.post(f"/containers/create?name={name}", {"Image": image, **body})
    assert (reply.status, text in reply.message) == (status, True), reply


def test_a_container_that_is_in_that_state_is_no_error(service: Service, image: str) -> None:
    service.docker("run", "-d", "--name", "web", image, "sleep", "1000").ok()
    assert service.post("/containers/web/start").status == 304
    assert service.post("/containers/web/stop?t=0").status == 204
    assert service.post("/containers/web/stop").status == 304


def test_a_wrong_state_is_a_conflict(service: Service, image: str) -> None:
    made = service.post("/containers/create?name=c", {"Image": image, "Cmd": ["sleep", "1000"]}).json["Id"]
    reply = service.post("/containers/c/kill")
    assert reply.message == f"cannot kill container: c: container {made} is not running"
    assert reply.status == 409
    assert service.post("/containers/c/kill?signal=ZZ").message == "cannot kill container: c: invalid signal: ZZ"
    assert service.post("/containers/c/start").status == 204
    reply = service.request("DELETE", "/containers/c")
    assert (reply.status, "is running: stop the container" in reply.message) == (409, True)
    assert service.request("DELETE", "/containers/c?force=1").status == 204


def test_a_command_that_is_not_there_is_dockers_exit_code(service: Service, image: str) -> None:
    service.docker("run", "-d", image, "/nope").fails(127, "no such file or directory")
    service.docker("run", "-d", "--rm", image, "nope").fails(127, "executable file not found in $PATH")
    service.docker("run", "-d", image, "/etc").fails(126)


@pytest.mark.parametrize("condition", ["", "not-running", "next-exit", "removed"])
def test_wait_tells_the_exit_code(service: Service, image: str, condition: str) -> None:
    remove = condition == "removed"
    body = {"Image": image, "Cmd": ["sh", "-c", "exit 7"], "HostConfig": {"AutoRemove": remove}}
    made = service.post("/containers/create", body).json["Id"]
    with service.connect() as client:
        path = f"/containers/{made}/wait?condition={condition}"
        if condition in ("", "not-running"):
            service.post(f"/containers/{made}/start")
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        answer = client.makefile("rb")
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"  # it comes at once, so that a client may start now
        if condition not in ("", "not-running"):
            assert service.post(f"/containers/{made}/start").status == 204
        assert b'{"StatusCode":7}\n' in answer.read()
    assert service.get(f"/containers/{made}/json").status == (404 if remove else 200)


def test_inspect_has_what_clients_look_for(service: Service, image: str) -> None:
    service.docker(
        "run", "-d", "--name", "web", "-e", "A=b", "-p", "127.0.0.1::80", "-v", "data:/data", "-m", "64m",
        "--restart", "on-failure:3", image, "sleep", "1000",
    ).ok()  # fmt: skip
    [data] = json.loads(service.docker("inspect", "web").ok())
    assert data["Name"] == "/web"
    assert (data["Path"], data["Args"]) == ("sleep", ["1000"])
    assert data["State"]["Status"] == "running"
    assert "A=b" in data["Config"]["Env"]
    assert data["HostConfig"]["NetworkMode"] == "bridge"
    assert data["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert data["HostConfig"]["Memory"] == 64 << 20
    assert data["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == data["NetworkSettings"]["IPAddress"] != ""
    [bound] = data["NetworkSettings"]["Ports"]["80/tcp"]
    assert bound["HostIp"] == "127.0.0.1"
    assert service.docker("port", "web", "80").ok() == f"127.0.0.1:{bound['HostPort']}"
    [mount] = data["Mounts"]
    assert (mount["Type"], mount["Name"], mount["Destination"], mount["RW"]) == ("volume", "data", "/data", True)


def test_names_pausing_and_pruning(service: Service, image: str) -> None:
    service.docker("run", "-d", "--name", "one", image, "sleep", "1000").ok()
    service.docker("rename", "one", "two").ok()
    assert service.post("/containers/two/rename?name=").status == 400
    assert service.post("/containers/two/unpause").status == 500
    service.docker("kill", "two").ok()
    assert service.docker("wait", "two").ok() == "137"
    assert "Total reclaimed space" in service.docker("container", "prune", "-f").ok()
    assert service.post("/containers/prune").json == {"ContainersDeleted": None, "SpaceReclaimed": 0}


@pytest.mark.parametrize(
    ("filters", "status", "text"),
    [
        ('{"foo":["x"]}', 400, "invalid filter 'foo'"),
        ('{"status":["x"]}', 400, "invalid filter 'status=x': invalid value for state (x): must be one of"),
    ],
)
def test_wrong_filters_are_refused(service: Service, filters: str, status: int, text: str) -> None:
    reply = service.get(f"/containers/json?filters={filters}")
    assert (reply.status, text in reply.message) == (status, True), reply


def test_both_forms_of_filters_are_understood(service: Service, image: str) -> None:
    made = service.post("/containers/create?name=c1", {"Image": image, "Labels": {"a": "b"}}).json["Id"]
    for filters in ('{"label":["a=b"]}', '{"label":{"a=b":true}}'):
        assert [each["Id"] for each in service.get(f"/containers/json?all=1&filters={filters}").json] == [made]
    assert service.get("/containers/json").json == []


def test_a_stop_and_a_restart_take_a_signal(service: Service, image: str) -> None:
    script = "trap 'exit 5' USR1; trap '' TERM; echo ready; while :; do sleep 0.1; done"
    service.docker("run", "-d", "--name", "web", "--network=none", image, "sh", "-c", script).ok()
    wait.until(lambda: "ready" in service.docker("logs", "web").ok(), what="the traps are set")
    assert service.request("POST", "/containers/web/stop?signal=ZZ").message == "invalid signal: ZZ"
    assert service.request("POST", "/containers/web/stop?signal=USR1&t=60").status == 204
    assert service.get("/containers/web/json").json["State"]["ExitCode"] == 5
    service.docker("start", "web").ok()
    first = service.get("/containers/web/json").json["State"]["Pid"]
    assert service.request("POST", "/containers/web/restart?signal=KILL&t=60").status == 204
    assert service.get("/containers/web/json").json["State"]["Pid"] not in (0, first)


def test_an_image_for_another_platform_is_not_taken(service: Service, image: str) -> None:
    made = service.post("/containers/create?platform=linux/s390x", {"Image": image})
    assert (made.status, "does not match the specified platform (linux/s390x)" in made.message) == (404, True)
    platform = service.get("/info").json["OSType"] + "/" + service.get("/version").json["Arch"]
    assert service.post(f"/containers/create?platform={platform}", {"Image": image}).status == 201


def test_only_exposed_ports_are_published(service: Service, image: str) -> None:
    service.podpy.ok("commit", "--change", "EXPOSE 82", service.podpy.ok("create", image), "exposing")
    bound = {f"{port}/tcp": [{"HostPort": ""}] for port in (80, 81, 82)}
    body = {"Image": "exposing", "Cmd": ["sleep", "1000"], "ExposedPorts": {"80/tcp": {}}}
    made = service.post("/containers/create", {**body, "HostConfig": {"PortBindings": bound}}).json["Id"]
    service.request("POST", f"/containers/{made}/start")
    ports = service.get(f"/containers/{made}/json").json["NetworkSettings"]["Ports"]
    assert {port for port, places in ports.items() if places} == {"80/tcp", "82/tcp"}
