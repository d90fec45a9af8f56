"""`podpy system reset`: nothing of podpy's stays, and nothing else goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import processes, wait
from tests.support.engine import Podpy


@pytest.fixture
def full(podpy: Podpy, busybox: str) -> Podpy:
    """A store with everything in it."""
    podpy.ok("run", "-d", "--name=runs", "--network=none", "-v", "kept:/v", busybox, "sleep", "1000")
    podpy.ok("create", "--name=created", "--network=none", "-v", "/anonymous", busybox)
    podpy.ok("secret", "create", "s", "-", input="marker")
    podpy.ok("manifest", "create", "list")
    (podpy.home / "file").write_text("text")
    podpy.ok("artifact", "add", "localhost/a:1", str(podpy.home / "file"))
    return podpy


def test_everything_goes_and_podpy_begins_anew(full: Podpy, busybox_archive: Path) -> None:
    said = full("system", "reset", input="y\n").ok()
    assert said.startswith("WARNING! This will remove:\n        - all containers\n")
    assert f'the graphRoot directory: "{full.graphroot}"' in said
    assert not full.graphroot.exists()
    assert full.ok("ps", "-aq") == full.ok("images", "-q") == full.ok("volume", "ls", "-q") == ""
    full.ok("load", "-q", "-i", str(busybox_archive))
    assert full.ok("run", "--rm", "--network=none", "localhost/busybox", "echo", "hi") == "hi"


def test_no_means_no(full: Podpy) -> None:
    full("system", "reset", input="n\n").ok()
    full("system", "reset").fails(125, "there is no answer")
    assert full.ok("ps", "--format", "{{.Names}}") == "runs"


def test_what_is_not_podpys_stays(full: Podpy) -> None:
    others = [full.graphroot / "mine", full.graphroot / "volumes/theirs/_data"]
    for path in others:
        path.mkdir(parents=True)
        (path / "file").write_text("text")
    full.ok("system", "reset", "--force")
    assert [sorted(os.listdir(path)) for path in others] == [["file"], ["file"]]
    assert sorted(os.listdir(full.graphroot)) == ["mine", "volumes"]


def test_a_database_that_can_not_be_read(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", "-v", "kept:/v", busybox)
    (podpy.graphroot / "podpy.sqlite").write_bytes(b"no database" * 1000)
    assert podpy("ps").returncode == 125
    podpy.ok("system", "reset", "--force")
    assert os.listdir(podpy.graphroot) == ["volumes"]
    assert podpy.ok("ps", "-aq") == ""
    podpy.ok("system", "reset", "--force")


def test_a_reset_that_is_killed_leaves_a_store_that_works(full: Podpy) -> None:
    container = full.json("inspect", "runs")[0]["State"]["Pid"]
    process = full.popen("system", "reset", "--force")
    wait.for_end(container)
    process.kill()
    process.wait()
    assert full.ok("system", "check", "--repair").count(": repaired") >= 0
    full.ok("system", "reset", "--force")
    assert not full.graphroot.exists()


def test_nothing_runs_afterwards(podpy: Podpy, busybox: str) -> None:
    for number in range(5):
        podpy.ok("run", "-d", f"--name=c{number}", "--network=none", busybox, "sleep", "1000")
    podpy.ok("system", "reset", "--force")
    left = [processes.describe(pid) for pid in processes.mentioning([podpy.home, podpy.runtime_dir], podpy.marker)]
    assert left == [], "neither a pause process, nor a monitor whose last call would make one"
