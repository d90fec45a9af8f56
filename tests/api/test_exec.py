"""Other commands in a container: `docker exec`, and its calls one by one."""

from __future__ import annotations

import json

import pytest

from tests.api.test_attach import frames, hijacked, terminal
from tests.support import wait
from tests.support.service import Service


@pytest.fixture
def web(service: Service, busybox: str) -> str:
    """A running container."""
    return service.podpy.ok("run", "-d", "--name", "web", "--network=none", busybox, "sleep", "1000")


def wanted(service: Service, *command: str, **more: object) -> str:
    """Create an exec of the container `web` and return its id."""
    body = {"Cmd": [*command], "AttachStdout": True, "AttachStderr": True, **more}
    return str(service.post("/containers/web/exec", body).json["Id"])


def started(service: Service, identifier: str, **more: object) -> bytes:
    """Start an exec and return all that came."""
    client, _ = hijacked(service, f"/exec/{identifier}/start", json.dumps(more).encode())
    with client:
        return client.makefile("rb").read()


def test_exec_shows_both_streams_and_ends_with_the_commands_code(service: Service, web: str) -> None:
    result = service.docker("exec", "-e", "A=b", "-w", "/tmp", "web", "sh", "-c", "echo $A; pwd >&2; exit 4")
    assert (result.returncode, result.stdout, result.stderr) == (4, "b\n", "/tmp\n")


def test_exec_passes_standard_input_on(service: Service, web: str) -> None:
    data = "\n".join(map(str, range(50000))) + "\n"
    assert service.docker("exec", "-i", "web", "cat", input=data).stdout == data


def test_exec_in_a_terminal(service: Service, web: str) -> None:
    with terminal(service, "exec", "-it", "web", "sh") as (stream, process):
        wait.for_text(stream, b"# ")
        stream.write(b"until stty size | grep 100; do sleep 0.1; done\n")
        wait.for_text(stream, b"30 100")
        stream.write(b"exit 6\n")
        assert process.wait(wait.PATIENCE) == 6


@pytest.mark.parametrize(("word", "code", "why"), [
    ("/nope", 127, 'exec: "/nope": stat /nope: no such file or directory'),
    ("nope", 127, 'exec: "nope": executable file not found in $PATH'),
    ("/etc", 126, 'exec: "/etc": permission denied'),
])  # fmt: skip
def test_a_command_that_cannot_run_is_told_in_runcs_words(
    service: Service, web: str, word: str, code: int, why: str
) -> None:
    result = service.docker("exec", "web", word)
    assert result.returncode == code
    assert f"OCI runtime exec failed: exec failed: unable to start container process: {why}" in result.stdout
    reply = service.post(f"/exec/{wanted(service, word)}/start", {"Detach": True})
    assert (reply.status, why in reply.message) == (400, True)


def test_a_command_in_the_background_tells_its_end(service: Service, web: str) -> None:
    service.docker("exec", "-d", "web", "touch", "/there").ok()
    wait.until(lambda: service.docker("exec", "web", "ls", "/there").returncode == 0, what="it has run")
    made = wanted(service, "sh", "-c", "exit 7")
    reply = service.post(f"/exec/{made}/start", {"Detach": True})
    assert (reply.status, reply.body) == (200, b"")
    ended = wait.until(
        lambda: (state := service.get(f"/exec/{made}/json").json)["ExitCode"] is not None and state, what="its end"
    )
    assert (ended["ExitCode"], ended["Running"]) == (7, False)


def test_inspect_tells_before_while_and_after(service: Service, web: str) -> None:
    made = wanted(service, "sh", "-c", "read x", AttachStdin=True, User="0")
    state = service.get(f"/exec/{made}/json").json
    assert (state["Running"], state["ExitCode"], state["Pid"], state["ContainerID"]) == (False, None, 0, web)
    assert state["ProcessConfig"] == {
        "tty": False, "entrypoint": "sh", "arguments": ["-c", "read x"], "privileged": False, "user": "0",
    }  # fmt: skip
    client, head = hijacked(service, f"/exec/{made}/start", b"{}")
    with client:
        assert head.startswith(b"HTTP/1.1 101 UPGRADED\r\n")
        state = wait.until(lambda: (now := service.get(f"/exec/{made}/json").json)["Pid"] and now, what="it runs")
        assert (state["Running"], state["ExitCode"]) == (True, None)
        client.sendall(b"x\n")
        assert client.makefile("rb").read() == b""
    state = service.get(f"/exec/{made}/json").json
    assert (state["Running"], state["ExitCode"]) == (False, 0)


def test_it_runs_once(service: Service, web: str) -> None:
    made = wanted(service, "echo", "hi")
    assert frames(started(service, made)) == [(1, b"hi\n")]
    assert frames(started(service, made)) == [(1, f"exec command {made} has already run\r\n".encode())]


def test_frames_follow_the_start(service: Service, web: str) -> None:
    made = wanted(service, "sh", "-c", "test -t 1 && echo tty", Tty=True)
    assert started(service, made, Tty=True) == b"tty\r\n"


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/containers/none/exec", {"Cmd": ["x"]}, 404, "No such container: none"),
        ("/containers/web/exec", {}, 400, "No exec command specified"),
        ("/containers/web/exec", {"Cmd": [1]}, 400, "invalid JSON: Cmd"),
        ("/exec/none/start", {}, 404, "No such exec instance: none"),
        ("/exec/../../x/start", {}, 404, ""),
        ("/containers/web/resize", None, 400, 'invalid resize height "": invalid syntax'),
    ],
)
def test_what_makes_no_sense_is_refused(
    service: Service, web: str, path: str, body: object, status: int, text: str
) -> None:
    reply = service.post(path, body)
    assert (reply.status, text in reply.message) == (status, True), reply


def test_exec_in_a_stopped_container_is_a_conflict(service: Service, web: str) -> None:
    service.docker("stop", "-t", "0", "web").ok()
    reply = service.post("/containers/web/exec", {"Cmd": ["true"]})
    assert (reply.status, reply.message) == (409, f"container {web} is not running")
