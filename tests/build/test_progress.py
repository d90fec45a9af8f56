"""--progress: BuildKit's events, the live view on a terminal, and Podman's lines."""

from __future__ import annotations

import base64
import json
import os
import pty
from typing import Any

from podpy.build.events import Events, Log, Vertex
from podpy.build.options import StepName
from tests.build.building import BASE, Builder
from tests.support import wait

STAGES = "FROM localhost/busybox AS made\nRUN echo one; echo two >&2\nFROM scratch\nCOPY --from=made /bin /bin\n"


def _events(text: str) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Return the vertices, in their order, and what each has written."""
    vertices: list[dict[str, Any]] = []
    written: dict[str, bytes] = {}
    for line in text.splitlines():
        told = json.loads(line)
        vertices += told.get("vertexes", [])
        for log in told.get("logs", []):
            written[log["vertex"]] = written.get(log["vertex"], b"") + base64.b64decode(log["data"])
    return vertices, written


def test_rawjson_is_what_buildkit_would_tell(build: Builder) -> None:
    done = build(STAGES, "--progress=rawjson", "-t", "x", base="")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 1  # the id alone
    vertices, written = _events(done.stderr)
    over = {one["name"]: one for one in vertices if "completed" in one}
    assert [*over] == [
        "[made 1/2] FROM localhost/busybox AS made",
        "[made 2/2] RUN echo one; echo two >&2",
        "[stage-1 1/2] FROM scratch",
        "[stage-1 2/2] COPY --from=made /bin /bin",
        "exporting to image",
        "naming to localhost/x:latest",
    ]
    command = over["[made 2/2] RUN echo one; echo two >&2"]
    assert {*written[command["digest"]].splitlines()} == {b"one", b"two"}
    assert command["inputs"] == [over["[made 1/2] FROM localhost/busybox AS made"]["digest"]]
    assert all(one["started"] <= one["completed"] and "error" not in one for one in over.values())
    begun = [one["digest"] for one in vertices if "completed" not in one]
    assert [one["digest"] for one in over.values()][: len(begun)] == begun
    again, _ = _events(build(STAGES, "--progress=rawjson", "-t", "x", "--jobs=2", base="").stderr)
    cached = [one["name"] for one in again if "completed" in one and one.get("cached")]
    assert cached == ["[made 2/2] RUN echo one; echo two >&2", "[stage-1 2/2] COPY --from=made /bin /bin"]


def test_a_failed_step_is_told(build: Builder) -> None:
    done = build("RUN echo before; exit 3\n", "--progress=rawjson")
    assert done.returncode == 3
    *told, error, hint = done.stderr.splitlines()
    vertices, written = _events("\n".join(told))
    assert "exit status 3" in vertices[-1]["error"] and written[vertices[-1]["digest"]] == b"before\n"
    assert error.startswith('Error: building at STEP "RUN echo before; exit 3"') and hint.startswith("Hint: It is line")
    broken = build("COPY nothing /\n", "--progress=rawjson").stderr.splitlines()
    assert any("error" in one for line in broken if line.startswith("{") for one in json.loads(line)["vertexes"])


def test_a_terminal_shows_steps_while_they_are_at_work(build: Builder) -> None:
    build.write({"Dockerfile": BASE + "RUN echo 'tail \x1b[2J of it'; read x < /w/f; echo $x; exit 3\n"})
    path = build.podpy.home / "f"
    os.mkfifo(path)
    path.chmod(0o666)
    fifo = os.open(path, os.O_RDWR)
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    with open(ours, "rb", buffering=0) as screen:
        command = ["build", "-v", f"{build.podpy.home}:/w", str(build.context)]
        with build.podpy.popen(*command, env=terminal, stdin=theirs, stdout=theirs, stderr=theirs) as running:
            os.close(theirs)
            seen = wait.for_text(screen, b"tail")
            assert b"RUN echo" in seen
            os.write(fifo, b"done\n")
            seen += wait.for_text(screen, b"Hint:")
            assert running.wait(wait.PATIENCE) == 3
    os.close(fifo)
    assert b"ERROR" in seen and b"Error: building at STEP" in seen
    assert b"\x1b[2J" not in seen  # what a command writes doesn't move the cursor


def test_styles_are_checked(build: Builder) -> None:
    build("", "--progress=fancy").fails(125, "invalid progress mode fancy")
    build("", "--progress=tty").fails(125, "standard error is no terminal")
    assert "STEP 2/2: RUN true" in build("RUN true\n", "--progress=plain").ok()
    assert len(build("RUN true\n", "--progress=quiet").ok().split()) == 1


def test_options_count_as_steps_from_the_first_line_on(build: Builder) -> None:
    told = build("USER 5\n", "--label", "a=b", "--env", "c=d").ok()
    assert [line.partition(":")[0] for line in told.splitlines() if line.startswith("STEP")] == [
        "STEP 1/4", "STEP 2/4", "STEP 3/4", "STEP 4/4",
    ]  # fmt: skip


def test_stages_at_the_same_time_have_a_step_each() -> None:
    heard: list[object] = []
    events = Events(heard.append, clock=iter(range(1, 99)).__next__)
    stages = [events.of_stage(number, 2) for number in (1, 2)]
    for number, stage in enumerate(stages, 1):
        stage.begins(StepName(stage=number, stages=2, number=2, total=2, text="RUN x"))
    stages[0].output(1, b"a")
    stages[1].ends("bad")
    stages[0].cached("id")
    stages[0].ends()
    one, other, log, failed, done = heard
    assert isinstance(one, Vertex) and isinstance(other, Vertex) and isinstance(log, Log)
    assert one.digest == log.vertex != other.digest
    assert failed == other.replace(completed=4, error="bad")
    assert done == one.replace(completed=5, cached=True)
