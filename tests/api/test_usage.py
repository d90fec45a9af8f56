"""What containers do and use: top, stats; and events."""

from __future__ import annotations

import json
import time

import pytest

from tests.support import wait
from tests.support.service import Service


@pytest.fixture(autouse=True)
def web(service: Service, busybox: str) -> str:
    """A running container."""
    return service.podpy.ok("run", "-d", "--name", "web", "--network=none", "--label=a=b", busybox, "sleep", "1000")


def test_top_lists_the_processes(service: Service) -> None:
    data = service.get("/containers/web/top").json
    assert len(data["Titles"]) == len(data["Processes"][0])
    assert [row[-1] for row in data["Processes"]] == ["sleep 1000"]
    assert "sleep 1000" in service.docker("top", "web", "-o", "pid,args").ok()
    assert service.get("/containers/web/top?ps_args=--nonsense").status == 500


def test_top_of_a_stopped_container_is_a_conflict(service: Service) -> None:
    service.docker("stop", "-t", "0", "web").ok()
    assert service.get("/containers/web/top").status == 409


def test_stats_once_and_again(service: Service, web: str) -> None:
    line = service.docker("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "web").ok()
    assert line.split()[0] == "web"
    once = service.get("/containers/web/stats?stream=0&one-shot=1").json
    assert ("name" in once, once["precpu_stats"]["cpu_usage"]["total_usage"]) == (False, 0)
    with service.connect() as client:
        client.sendall(b"GET /containers/web/stats HTTP/1.0\r\nHost: d\r\n\r\n")
        answer = client.makefile("rb")
        while answer.readline().strip():
            pass
        first, second = json.loads(answer.readline()), json.loads(answer.readline())
    assert (first["name"], first["id"]) == ("/web", web)
    assert second["precpu_stats"]["cpu_usage"] == first["cpu_stats"]["cpu_usage"]


def test_stats_of_a_stopped_container_are_empty(service: Service) -> None:
    service.docker("stop", "-t", "0", "web").ok()
    data = service.get("/containers/web/stats?stream=0").json
    assert (data["read"], data["memory_stats"]) == ("0001-01-01T00:00:00Z", {})


def test_past_events_have_dockers_words(service: Service, web: str) -> None:
    service.docker("rm", "-f", "web").ok()
    until = str(int(time.time()) + 1)
    said = service.docker("events", "--since", "1", "--until", until, "--filter", "container=web", "--format",
                          "{{.Type}} {{.Action}}").ok().splitlines()  # fmt: skip
    wanted = ["container create", "container start", "container die", "container destroy"]
    assert [line for line in said if line in wanted] == wanted
    died = service.docker(
        "events", "--since", "1", "--until", until, "--filter", "event=die", "--format", "{{json .}}"
    ).ok()
    event = json.loads(died)
    assert event["Actor"]["ID"] == event["id"] == web
    assert event["Actor"]["Attributes"]["a"] == "b"
    assert event["Actor"]["Attributes"]["exitCode"] == "137"


def test_new_events_come_as_they_happen(service: Service) -> None:
    with service.connect() as client:
        client.sendall(b'GET /events?filters={"event":["pause","stop","die"]} HTTP/1.0\r\nHost: d\r\n\r\n')
        answer = client.makefile("rb")
        while answer.readline().strip():
            pass
        service.docker("stop", "-t", "0", "web").ok()
        assert {json.loads(answer.readline())["Action"] for _ in range(2)} == {"die", "stop"}
        answer.close()
    children = f"/proc/{service.process.pid}/task/{service.process.pid}/children"
    with open(children) as file:
        wait.until(lambda: not (file.seek(0) or file.read()), what="the worker has gone with its client")


def test_a_span_of_time_the_wrong_way_round_is_refused(service: Service) -> None:
    assert service.get("/events?since=20&until=10").status == 400
