"""`podpy events`: what is told, when, in which form; nothing is told that didn't happen, and nothing happens untold."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from podpy import Runtime, fastjson
from podpy.errors import UsageError
from podpy.libpod.containers.table import ContainerRow, ContainerTable
from podpy.libpod.system.events import EventStream
from podpy.storage.database import event_journal
from podpy.storage.database.database import FILE_NAME, Database
from podpy.storage.database.events import tell
from podpy.storage.volumes.table import VolumeTable
from tests.storage.stores import paths_under
from tests.support import wait
from tests.support.engine import CHECKOUT, Podpy

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})? [+-]\d{4} \w+"


def told(podpy: Podpy, *args: str) -> list[str]:
    """Return "type action" of the events so far."""
    lines = podpy.ok("events", "--stream=false", "--format", "{{.Type}} {{.Status}}", *args)
    return lines.splitlines()


def of_containers(podpy: Podpy) -> list[str]:
    return [line.partition(" ")[2] for line in told(podpy, "--filter", "type=container")]


def test_a_life_leaves_its_events_in_order(podpy: Podpy) -> None:
    podpy.ok("run", "--rm", "--network=none", "--name", "c", "-l", "a=b", "hello")
    assert of_containers(podpy) == ["create", "init", "start", "attach", "died", "remove"]
    lines = podpy.ok("system", "events", "--stream=false").splitlines()
    assert re.fullmatch(rf"{TIME} image pull [0-9a-f]{{64}} hello", lines[0])
    facts = r"image=localhost/hello:latest, name=c, a=b, io\.podpy\.\S+=, org\.opencontainers\.image\.title=hello"
    assert re.fullmatch(rf"{TIME} container create [0-9a-f]{{64}} \({facts}\)", lines[1])
    short = podpy.ok("events", "--stream=false", "--no-trunc=false", "--filter", "event=die")
    assert re.search(r" container died [0-9a-f]{12} \(", short)


def test_what_is_done_to_a_container_is_told(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "c", "--network=none", busybox, "sleep", "1000")
    podpy.ok("rename", "c", "d")
    podpy.ok("init", "d")
    podpy.ok("start", "d")
    podpy("exec", "d", "sh", "-c", "exit 3").fails(3)
    podpy.ok("restart", "-t", "0", "d")
    podpy.ok("stop", "-t", "0", "d")
    podpy.ok("start", "d")
    podpy.ok("kill", "d")
    podpy.ok("wait", "d")
    podpy.ok("start", "d")
    podpy.ok("rm", "-f", "-t", "0", "d")
    assert [action for action in of_containers(podpy) if action != "cleanup"] == [
        "create", "rename", "init", "start", "exec", "exec_died", "died", "restart", "init", "start",
        "stop", "died", "init", "start", "kill", "died", "init", "start", "died", "remove",
    ]  # fmt: skip
    lines = podpy.ok("events", "--stream=false", "--format", "json", "--filter", "event=exec_died").splitlines()
    assert [fastjson.loads(line)["ContainerExitCode"] for line in lines] == [3]


def test_the_end_of_a_command_in_the_background_is_told(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name", "box", busybox, "sleep", "1000")
    podpy.ok("exec", "-d", "box", "sh", "-c", "exit 4")
    ends = ("events", "--stream=false", "--filter", "event=exec_died", "--format", "{{.ContainerExitCode}}")
    wait.until(lambda: podpy.ok(*ends) == "4", what="its end is told")
    assert podpy.json("inspect", "box")[0]["ExecIDs"] == []
    podpy.ok("export", "-o", str(podpy.home / "box.tar"), "box")
    assert of_containers(podpy)[-3:] == ["exec", "exec_died", "export"]


def test_json_has_podmans_keys_in_podmans_order(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--network=none", "-l", "a=b<c", "-v", "v:/v", "--name", "c", busybox, "sh", "-c", "exit 3").fails(3)
    podpy.ok("rm", "-v", "c")
    lines = podpy.ok("events", "--stream=false", "--format", "json").splitlines()
    by_action = {(event["Type"], event["Status"]): event for event in map(fastjson.loads, lines)}
    assert of_containers(podpy) == ["create", "init", "start", "attach", "died", "cleanup", "remove"]
    created, died = by_action["container", "create"], by_action["container", "died"]
    assert [*created] == ["ID", "Image", "Name", "Status", "time", "timeNano", "Type", "Attributes"]
    assert [*died] == ["ContainerExitCode", *created]
    assert (died["ContainerExitCode"], died["Attributes"]["a"], died["Image"]) == (3, "b<c", busybox)
    assert '"a":"b\\u003cc"' in lines[-1]  # as Go writes it
    assert by_action["container", "remove"]["ContainerExitCode"] == 3
    assert died["timeNano"] // 1_000_000_000 == died["time"]
    volume = by_action["volume", "create"]
    assert [*volume] == ["Name", "Status", "time", "timeNano", "Type", "Attributes"]
    assert [*by_action["image", "loadfromarchive"]] == [
        "ID",
        "Name",
        "Status",
        "time",
        "timeNano",
        "Type",
        "Attributes",
    ]
    assert by_action["image", "loadfromarchive"]["Attributes"] is None


def test_images_tell_how_they_come_and_go(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    podpy.ok("tag", busybox, "other")
    podpy.ok("untag", busybox, "localhost/other:latest")
    podpy.ok("save", "-q", "-o", str(podpy.home / "saved.tar"), busybox)
    podpy("pull", "--policy=never", "localhost/none").fails(125)
    podpy.ok("rmi", busybox)
    actions = [line.partition(" ")[2] for line in told(podpy, "--filter", "type=image")]
    assert actions == ["loadfromarchive", "tag", "untag", "save", "pull-error", "untag", "remove"]
    failed = podpy.ok("events", "--stream=false", "--filter", "event=pull-error")
    assert failed.rstrip().endswith("image pull-error  localhost/none localhost/none: image not known")
    podpy.ok("artifact", "add", "thing", str(podpy.home / "saved.tar"))
    podpy.ok("artifact", "rm", "thing")
    assert told(podpy, "--filter", "type=artifact") == ["artifact create", "artifact remove"]


def test_volumes_tell_their_labels(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "--label", "a=b", "data")
    podpy.ok("volume", "rename", "data", "other")
    podpy.ok("volume", "prune", "--all", "--force")
    form = "{{.Status}} {{.Name}} {{.Attributes.a}}"
    lines = podpy.ok("events", "--stream=false", "--filter", "type=volume", "--format", form).splitlines()
    assert lines == ["create data b", "rename other b", "remove other b", "prune other b"]


def test_an_oom_kill_is_told_with_the_end(database: Database) -> None:
    table = ContainerTable(database)
    table.insert(row("a"))
    table.update("a" * 64, "died", status="exited", exit_code=137, oom_killed=1)
    event = next(stream(database, filters=["event=die"]))
    assert (event.exit_code, event.oom_killed, event.attributes) == (137, True, {})


def test_who_follows_hears_of_each_event_and_ends_at_its_time(podpy: Podpy) -> None:
    podpy.ok("run", "--rm", "--network=none", "hello")
    with podpy.popen("events", "--filter", "type=container", stdout=subprocess.PIPE) as follower:
        assert follower.stdout is not None
        wait.for_poll(follower.pid)
        podpy.ok("create", "--name", "c", "--network=none", "hello")
        seen = wait.for_text(follower.stdout, b"name=c")
        podpy.ok("rm", "c")
        seen += wait.for_text(follower.stdout, b"container remove")
        follower.send_signal(signal.SIGINT)
        assert (follower.wait(), seen.count(b"\n")) == (130, 2)  # nothing of what was before
    assert podpy.ok("events", "--since", "1h", "--until", "1ms", "--filter", "event=rename") == ""


def test_filters_of_one_key_are_alternatives_and_keys_must_all_be_true(database: Database) -> None:
    table = ContainerTable(database)
    table.insert(row("a", labels='{"x":"1"}'))
    table.insert(row("b", labels='{"y":"2"}'))
    table.update("b" * 64, "pause", status="paused")
    with database.transaction():
        tell(database, "volume", "create", "data", "data", {})
        tell(database, "secret", "create", "5ec", "key")
        tell(database, "network", "connect", "a" * 64, "name-a", network="net")
        tell(database, "network", "create", "1d", "net2", {"driver": "bridge"})

    def names(*filters: str) -> list[str]:
        found = [*stream(database, filters=filters)]
        return [f"{event.status} {event.name or event.network}" for event in found]

    assert names("container=name-a", "container=bbb", "event=create") == ["create name-a", "create name-b"]
    assert names("Event=pause") == names("status=pause") == ["pause name-b"]
    assert names("label=x", "label=y=2", "event=create") == ["create name-a", "create name-b"]
    assert names("label=y=1") == names("type=nonsense") == names("container=data") == []
    assert names("volume=da") == ["create data"]
    assert names("secret=key") == names("secret=5e") == ["create key"]
    assert names("network=net") == ["connect name-a"]
    assert names("network=net2", "network=1d") == ["create net2"]
    with pytest.raises(UsageError, match="failed to parse event filters: foo is an invalid filter"):
        names("foo=bar")
    lines = "".join(stream(database, filters=["type=network"]).texts()).splitlines()
    assert lines[0].endswith(f"network connect {'a' * 64} (container={'a' * 64}, name=net)")
    assert lines[1].endswith("network create 1d (name=net2, type=bridge)")


def test_bounds_of_time_are_exclusive_and_order_is_that_of_time(database: Database) -> None:
    insert = "INSERT INTO events (time, type, action, id, name) VALUES (?, 'system', ?, '', '')"
    for at, action in ((30, "c"), (10, "a"), (20, "b"), (40, "d")):
        database.execute(insert, (at, action))
    assert [event.status for event in stream(database, since=10, until=40)] == ["b", "c"]
    assert [event.time for event in stream(database)] == [10, 20, 30, 40]


def test_old_events_go(database: Database) -> None:
    database.execute("INSERT INTO events (number, time, type, action, id, name) VALUES (1, 1, 'x', 'x', 'x', 'x')")
    database.execute("INSERT INTO events (number, time, type, action, id, name) VALUES (101000, 1, 'x', 'x', 'x', 'x')")
    assert database.query("SELECT number FROM events") == [(101000,)]


def test_a_library_follows_until_another_thread_ends_it(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    with Runtime(paths) as runtime, runtime.events(follow=True, past=False) as events:
        heard: list[str] = []
        listens = threading.Thread(target=lambda: heard.extend(event.name for event in events))
        listens.start()
        other = VolumeTable(paths, Database.open(paths))
        # The follower may begin later: what is made before isn't its business.
        numbers = iter(range(10_000))
        wait.until(lambda: other.create(f"v{next(numbers)}") and heard, what="the follower heard of a volume")
        events.close()
        listens.join(wait.PATIENCE)
        assert not listens.is_alive()
        assert heard[0].startswith("v")


CHANGES = """
import sys
from pathlib import Path
from podpy.storage.database.database import Database
from podpy.storage.volumes.table import VolumeTable
from tests.storage.stores import paths_under

paths = paths_under(Path(sys.argv[1]))
volumes = VolumeTable(paths, Database.open(paths))
for number in range(int(sys.argv[2]), 1 << 30):
    volumes.create(f"v{number}")
    if number % 3 == 0:
        volumes.remove(f"v{number}")
    print(number, flush=True)
"""


def test_a_kill_parts_no_change_from_its_event(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    random.seed(os.getpid())
    for attempt in range(8):
        command = [sys.executable, "-c", textwrap.dedent(CHANGES), str(tmp_path), str(attempt * 100_000)]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, env=pythons_path()) as changer:
            assert changer.stdout is not None
            wait.for_text(changer.stdout, b"\n")
            time.sleep(random.random() / 50)  # the moment of the kill
            changer.kill()
    with sqlite3.connect(Path(paths.graphroot) / FILE_NAME) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM volumes")}
        events = connection.execute("SELECT action, name FROM events ORDER BY number").fetchall()
    created = {name for action, name in events if action == "create"}
    removed = {name for action, name in events if action == "remove"}
    assert created - removed == there
    assert len(created) >= 8


def pythons_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "src")])}


def test_the_journal_gets_each_event_once_with_podmans_fields(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_journal, "SOCKET", str(tmp_path / "journal"))
    database.on_events = event_journal.hand_on
    table = ContainerTable(database)
    with monkeypatch.context() as full:
        full.setattr(
            "_socket.socket", lambda *_: os.open("/nonexistent/EMFILE", 0)
        )  # an OSError, as without a free one
        table.insert(row("a", labels='{"x":"two\\nlines"}'))  # nobody listens: it is sent with the next one
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "journal"))
        journal.settimeout(wait.PATIENCE)
        table.update("a" * 64, "died", status="exited", exit_code=3)
        table.tell("a" * 64, "cleanup")
        got = [fields_of(journal.recv(1 << 16)) for _ in range(3)]
        journal.setblocking(False)
        with pytest.raises(BlockingIOError):
            journal.recv(1)
    assert [fields["PODMAN_EVENT"] for fields in got] == ["create", "died", "cleanup"]
    died = got[1]
    assert died["MESSAGE"].partition(" container ")[2] == f"died {'a' * 64} (image=, name=name-a, x=two\nlines)"
    wanted = {"PODMAN_TYPE": "container", "PODMAN_ID": "a" * 64, "PODMAN_NAME": "name-a", "PODMAN_EXIT_CODE": "3",
              "PODMAN_LABELS": '{"x":"two\\nlines"}', "SYSLOG_IDENTIFIER": "podman", "PRIORITY": "6"}  # fmt: skip
    assert {name: died[name] for name in wanted} == wanted
    assert "PODMAN_EXIT_CODE" not in got[0]


def fields_of(data: bytes) -> dict[str, str]:
    """Return the fields of a datagram (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
    found = {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + size], rest[9 + size :]
        found[name.decode()] = value.decode()
        data = rest
    return found


def test_without_a_logger_nothing_is_kept(podpy: Podpy) -> None:
    podpy.ok("--events-backend", "none", "run", "--rm", "--network=none", "hello")
    assert podpy.ok("events", "--stream=false") == ""


def test_bad_times_are_refused_in_podmans_words(podpy: Podpy) -> None:
    text = "Error: failed to parse event filters: unable to convert until time of abc: unable to interpret time value"
    podpy("events", "--until", "abc").fails(125, text)


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """An empty database."""
    return Database.open(paths_under(tmp_path_factory.mktemp("state")))


def row(character: str, **more: Any) -> ContainerRow:
    return ContainerRow(id=character * 64, name=f"name-{character}", spec="{}", created=1, **more)


class _Engine:
    """What a stream needs of an engine."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.health_events_directory = f"{database.path}-health"


def stream(database: Database, **how: Any) -> EventStream:
    return EventStream(_Engine(database), **how)  # type: ignore[arg-type]
