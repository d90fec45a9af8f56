"""`podpy why`: the cause in plain words, the same facts for programs."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3

from podpy.storage.database.database import FILE_NAME
from tests.support.engine import Podpy, shared_directory

DETACHED = ("run", "-d", "--network=none")


def test_why_a_container_ended_or_never_started(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--network=none", "--name", "job", busybox, "sh", "-c", "echo out; echo wrong >&2; exit 3").fails(3)
    page = podpy.ok("why", "job")
    assert page.startswith("job (")
    assert "with exit code 3: the program's own word for what went wrong." in page
    assert "  The last that it wrote:\n    out\n    wrong\n" in page
    assert "podpy logs job" in page
    facts = podpy.json("why", "--json", "--latest")
    assert (facts["state"], facts["exit_code"], facts["last_lines"]) == ("exited", 3, ["out", "wrong"])

    podpy("run", "--network=none", "--name", "none", busybox, "no-such-command").fails(127)
    assert "It couldn't be started: " in (page := podpy.ok("why", "none"))
    assert f"podpy run --rm -it {busybox} sh" in page
    podpy.ok("create", "--name", "new", "--network=none", busybox, "true")
    assert "Nobody has started it yet." in podpy.ok("why", "new")

    with sqlite3.connect(podpy.graphroot / FILE_NAME) as connection:  # memory limits can't be tried everywhere
        connection.execute("UPDATE containers SET oom_killed = 1, exit_code = 137 WHERE name = 'job'")
        connection.execute(
            """UPDATE container_specs SET spec = json_set(spec, '$.resources.memory', 67108864)
                WHERE id = (SELECT id FROM containers WHERE name = 'job')"""
        )
    page = podpy.ok("why", "job")
    assert "the signal SIGKILL ended it" in page
    assert "its memory limit of 64MiB was used up" in page
    assert podpy.json("why", "--json", "job")["ended_by"] == "oom"

    podpy.ok("rm", "job")
    gone = podpy.ok("why", "job")
    assert "there is no such container any more" in gone
    assert "with exit code 3" in gone
    podpy("why", "never").fails(125, 'no container with name or ID "never" found: no such container')


def test_why_one_that_was_stopped_ended_and_who_is_at_it(podpy: Podpy, busybox: str) -> None:
    health = ("--health-cmd", "echo sick; exit 1", "--health-interval", "disable", "--health-retries", "1")
    podpy.ok(*DETACHED, "--name", "s", "--stop-timeout", "0", *health, busybox, "sleep", "1000")
    podpy("healthcheck", "run", "s").fails(1)
    page = podpy.ok("why", "s")
    assert "It has been running since it was started at " in page
    assert "Its health is unhealthy: the last check failed." in page
    assert "and ended with exit code 1." in page
    assert "    sick\n" in page
    facts = podpy.json("inspect", "s")[0]
    lock = os.open(podpy.runroot / "locks" / facts["Id"], os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert f"(pid {os.getpid()})" in podpy.ok("why", "s")
    os.close(lock)
    podpy.ok("stop", "s")
    page = podpy.ok("why", "s")
    assert "It was asked to end by podpy stop at " in page
    assert podpy.json("why", "s", "--json")["ended_by"] == "stop"


def test_why_a_file_cant_be_used_inside(podpy: Podpy, busybox: str) -> None:
    shared = shared_directory(podpy)
    private = shared / "private"
    private.mkdir(mode=0o700)
    (private / "file").write_text("x")
    for path in (private, private / "file"):
        os.chown(path, podpy.user.uid, podpy.user.gid)
    shared.chmod(0o755)
    podpy.ok(*DETACHED, "--name", "c", "--user", "1000", "-v", f"{shared}:/data:ro", busybox, "sleep", "1000")
    page = podpy.ok("why", "c", "/data/private/file")
    outside = f"(user {podpy.user.uid} of this machine)"
    assert (
        f"It may not go through /data/private: it belongs to user 0 inside {outside}, its mode is drwx------." in page
    )
    rows = [line.split() for line in page.splitlines() if line.startswith("  /")]
    assert rows[-1] == ["/data/private/file", "-rw-r--r--", "0", str(podpy.user.uid), "read"]
    assert "--userns=keep-id lets the container's user be you" in page
    assert f"chmod o+rx {private}" in page
    facts = podpy.json("why", "--json", "c", "/data/private/file")
    assert (facts["readable"], facts["stopped_at"]) == (False, "/data/private")

    page = podpy.ok("why", "c", "/data")
    assert "It can be read." in page
    assert "It can't be written to: it is mounted read-only." in page
    assert "There is no /data/none inside." in podpy.ok("why", "c", "/data/none/x")
    podpy.ok("stop", "-t", "0", "c")
    podpy("why", "c", "/data").fails(125, "is not running, so nobody can look into it")


def test_who_holds_a_port(podpy: Podpy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        facts = podpy.json("why", "--json", "--port", str(port))
        # Whose it is only its user, or root, can see.
        assert facts.get("pids") == [os.getpid()] or facts["uids"] == [os.getuid()]
    assert "Nobody holds it" in podpy.ok("why", "--port", "1/tcp")
    podpy("why", "--port", "x").fails(125, "x is no port")
    podpy("why", "--port", "1", "c").fails(125, "--port goes alone, without a container")


def test_why_one_runs_in_which_a_process_was_killed_for_lack_of_memory(podpy: Podpy, busybox: str) -> None:
    """The monitor's own notice is tested in tests/conmon/test_log.py, as it needs a controller."""
    container = podpy.ok(*DETACHED, "--name", "s", "--stop-timeout", "0", busybox, "sleep", "1000")
    assert "killed a process" not in podpy.ok("why", "s")
    (podpy.runroot / "containers" / container / "oom").touch()
    assert "The kernel killed a process in it: a memory limit above it was used up" in podpy.ok("why", "s")
    facts = podpy.json("why", "--json", "s")
    assert (facts["oom_killed"], facts["state"], facts.get("ended_by")) == (True, "running", None)
