"""Logs and events in a real journal."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.support import needs, wait
from tests.support.engine import Podpy

JOURNALD = ("--network=none", "--log-driver=journald")


@pytest.fixture(autouse=True)
def _journal() -> None:
    needs.require("systemd")


def entries(*match: str) -> list[dict[str, Any]]:
    """Return what the journal has."""
    command = ["journalctl", "--quiet", "--output=json", "--all", *match]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(podpy: Podpy, image: str, script: str, *options: str, name: str = "c") -> None:
    podpy.ok("run", f"--name={name}", *JOURNALD, *options, image, "sh", "-c", script)


def lines_are(podpy: Podpy, expected: list[str], *words: str) -> None:
    """Wait until `podpy logs` prints these lines: journald may need a moment."""
    wait.until(lambda: podpy.ok("logs", *words).splitlines() == expected, what=f"{expected[-1:]} is in the journal")


def test_entries_have_podmans_fields(podpy: Podpy, busybox: str) -> None:
    options = ("--log-opt=tag={{.Name}}/tag", "--log-opt=label=MY_FIELD={{.ImageName}}")
    run(podpy, busybox, "echo out; echo '<4>careful'; echo err >&2; printf 'no end'", *options)
    full = podpy.ok("inspect", "--format={{.Id}}", "c")
    wait.until(lambda: len(entries(f"CONTAINER_ID_FULL={full}")) == 4, what="four entries")
    found = {entry["MESSAGE"]: entry for entry in entries(f"CONTAINER_ID_FULL={full}")}
    for entry in found.values():
        expected = {
            "CONTAINER_ID": full[:12],
            "CONTAINER_NAME": "c",
            "CONTAINER_TAG": "c/tag",
            "SYSLOG_IDENTIFIER": "c/tag",
            "IMAGE_NAME": "localhost/busybox:latest",
            "MY_FIELD": "localhost/busybox:latest",
            "_UID": str(podpy.user.uid),
        }
        assert {name: entry[name] for name in expected} == expected
    priorities = {"out": "6", "careful": "4", "err": "3", "no end": "6"}
    assert {text: entry["PRIORITY"] for text, entry in found.items()} == priorities
    assert [text for text, entry in found.items() if "CONTAINER_PARTIAL_MESSAGE" in entry] == ["no end"]


def test_logs_reads_them_back_as_a_file(podpy: Podpy, busybox: str) -> None:
    script = "echo a; head -c 40000 /dev/zero | tr '\\0' x; echo; printf '\\377 b\\n\\n'; printf 'no end'"
    for name, driver in (("j", "journald"), ("f", "k8s-file")):
        podpy.ok("run", f"--name={name}", "--network=none", f"--log-driver={driver}", busybox, "sh", "-c", script)

    def printed(name: str, *words: str) -> bytes:
        return podpy.popen("logs", *words, name, stdout=subprocess.PIPE).communicate(timeout=wait.PATIENCE)[0]

    wait.until(lambda: printed("j") == printed("f"), what="all of it is in the journal")
    assert printed("j").rstrip(b"\n").endswith(b"\xff b\n\nno end")
    for words in (["--tail=0"], ["--tail=1"], ["--tail=3"], ["-f"], ["-f", "--tail=2"]):
        assert printed("j", *words) == printed("f", *words)


def test_time_spans_count_microseconds(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "for n in 1 2 3 4; do echo $n; sleep 0.01; done")
    lines_are(podpy, ["1", "2", "3", "4"], "c")
    times = [line.split()[0] for line in podpy.ok("logs", "-t", "c").splitlines()]
    assert podpy.ok("logs", f"--since={times[1]}", "c").split() == ["2", "3", "4"]
    assert podpy.ok("logs", f"--until={times[1]}", "c").split() == ["1", "2"]
    assert podpy.ok("logs", f"--since={times[1]}", f"--until={times[2]}", "--tail=1", "c").split() == ["3"]


def test_a_terminals_lines_keep_their_carriage_returns(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "echo one; echo two", "--tty")
    wait.until(lambda: "two" in podpy.run(podpy.command("logs", "c")).stdout, what="the last line")
    assert podpy.run(podpy.command("logs", "c")).stdout == "one\r\ntwo\r\n"


def test_several_logs_are_one_in_the_order_of_time(podpy: Podpy, busybox: str) -> None:
    run(podpy, busybox, "echo first", name="b")
    run(podpy, busybox, "echo second", name="a")
    lines_are(podpy, ["b first", "a second"], "--names", "a", "b")


def test_follow_tells_all_until_the_end(podpy: Podpy, busybox: str) -> None:
    script = "trap 'echo late; exit' TERM; seq 15; sleep 1000 & wait"
    podpy.ok("run", "-d", "--name=c", *JOURNALD, busybox, "sh", "-c", script)
    lines = [str(number) for number in range(1, 16)]
    lines_are(podpy, lines, "c")
    assert podpy.ok("logs", "-f", "--until=0s", "c").split() == lines
    following = podpy.popen("logs", "-f", "c", stdout=subprocess.PIPE)
    assert following.stdout is not None
    begun = wait.for_text(following.stdout, b"15\n")
    podpy.ok("stop", "c")
    assert (begun + following.communicate(timeout=wait.PATIENCE)[0]).decode().split() == [*lines, "late"]
    assert following.returncode == 0


def test_what_others_write_into_the_journal_is_no_log(podpy: Podpy, busybox: str) -> None:
    needs.require("root")
    run(podpy, busybox, "echo mine")
    full = podpy.ok("inspect", "--format={{.Id}}", "c")
    subprocess.run(["logger", "--journald"], input=f"CONTAINER_ID_FULL={full}\nMESSAGE=forged\n", text=True, check=True)
    wait.until(lambda: len(entries(f"CONTAINER_ID_FULL={full}")) == 2, what="both are in the journal")
    assert podpy.ok("logs", "c") == "mine"


def test_events_go_to_the_journal_with_podmans_fields_and_come_back(podpy: Podpy, busybox: str) -> None:
    settings = podpy.home / ".config/containers/containers.conf"
    podpy.run(["mkdir", "-p", os.fspath(settings.parent)]).ok()
    podpy.run(["tee", os.fspath(settings)], input='[engine]\nevents_logger = "journald"\n').ok()
    podpy.ok("run", "--rm", "--name=c", "--label=a=b", "--network=none", busybox, "true")
    told = podpy.ok("events", "--stream=false", "--since=1h", "--filter=container=c", "--format={{.Status}} {{.ID}}")
    statuses = [line.split()[0] for line in told.splitlines()]
    assert statuses == ["create", "init", "start", "attach", "died", "remove"]
    match = (f"PODMAN_ID={told.split()[-1]}", f"_UID={podpy.user.uid}")
    wait.until(lambda: len(entries(*match)) == len(statuses), what="all are in the journal")
    found = entries(*match)
    assert [entry["PODMAN_EVENT"] for entry in found] == statuses
    died = next(entry for entry in found if entry["PODMAN_EVENT"] == "died")
    expected = {
        "PODMAN_TYPE": "container",
        "PODMAN_NAME": "c",
        "PODMAN_IMAGE": "localhost/busybox:latest",
        "PODMAN_EXIT_CODE": "0",
        "PODMAN_LABELS": '{"a":"b"}',
        "SYSLOG_IDENTIFIER": "podman",
        "PRIORITY": "6",
    }
    assert {name: died[name] for name in expected} == expected
