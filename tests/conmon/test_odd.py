"""Runtimes and containers that don't behave."""

from __future__ import annotations

import os
import signal
import subprocess

from tests.conmon.harness import Conmon, read_all
from tests.support import wait


def test_a_runtime_that_dies_before_the_pid_file_leaves_no_process(odd: Conmon) -> None:
    mark = odd.bundle / "left"
    odd.start(
        env={
            "ODD": "die",
            "ODD_COMMAND": f"echo $$ > {mark}.new; mv {mark}.new {mark}; exec sleep 1000",
            "ODD_WAIT": str(mark),
        }
    )
    report = odd.report()
    assert report["data"] == -1 and "signal 9" in report["message"]
    odd.wait()
    wait.for_end(int(mark.read_text()), timeout=10)  # of itself it would end after 1000 s
    assert odd.exit_code() == "none"


def test_a_runtime_without_a_pid_file_is_an_error(odd: Conmon) -> None:
    (odd.bundle / "pidfile").write_text(str(os.getpid()))  # an old one
    odd.start(env={"ODD": "nopid"})
    report = odd.report()
    assert report["data"] == -1 and "pidfile" in report["message"]


def test_the_exit_status_of_somebody_elses_child_is_unknown(odd: Conmon) -> None:
    with subprocess.Popen(["sleep", "1000"]) as other:
        odd.start(env={"ODD": "foreign", "ODD_PID": str(other.pid)}).started()
        assert odd.container == other.pid
        os.kill(odd.pid, signal.SIGTERM)
        assert other.wait(wait.PATIENCE) == -signal.SIGTERM
    assert odd.exit_code() == "-1"


def test_a_runtime_that_floods_its_stderr_is_not_blocked(odd: Conmon) -> None:
    odd.start(env={"ODD": "chatty", "ODD_COMMAND": "echo done"}).started()
    assert odd.exit_code() == "0"
    assert odd.log_text("stdout") == b"done\n"
    assert len(odd.log_text("stderr")) == 1 << 20


def test_an_error_text_with_quotes_and_newlines_arrives_whole(odd: Conmon) -> None:
    odd.start(env={"ODD": "fail"})
    assert odd.report() == {"data": -1, "message": 'odd: "quoted"\n\tand more\n'}


def test_the_words_of_a_runtime_that_takes_long_to_fail_are_told(odd: Conmon) -> None:
    odd.start(env={"ODD": "late"})
    assert odd.report() == {"data": -1, "message": "late\n"}


def test_a_container_that_has_ended_before_its_pid_was_read_keeps_its_code(odd: Conmon) -> None:
    odd.start(env={"ODD_COMMAND": "exit 11"}).started()
    assert odd.exit_code() == "11"


def test_processes_that_outlive_the_container_are_not_waited_for(odd: Conmon) -> None:
    command = f"sleep 1000 & echo $! > {odd.bundle}/left; yes | cat & echo $! >> {odd.bundle}/left; echo said; exit 2"
    odd.start(env={"ODD_COMMAND": command}).started()
    assert odd.wait_for_exit_file() == "2"
    assert b"said\n" in odd.log_text()
    for pid in (odd.bundle / "left").read_text().split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_the_legacy_api_tells_pid_for_create(odd: Conmon) -> None:
    argv = odd.argv
    odd.argv = lambda: [word for word in argv() if word not in ("--api-version", "1")]  # type: ignore[method-assign]
    odd.start(env={"ODD_COMMAND": "exit 0"})
    assert odd.report()["pid"] > 0


def test_without_full_attach_a_link_leads_to_the_bundle_and_goes_at_the_end(odd: Conmon) -> None:
    argv = odd.argv
    odd.argv = lambda: [word for word in argv() if word != "--full-attach"]  # type: ignore[method-assign]
    links = odd.bundle / "links"
    links.mkdir()
    odd.start("--socket-dir-path", str(links), "--stdin", env={"ODD_COMMAND": "cat; exit 1"}).started()
    assert (links / odd.id).readlink() == odd.bundle
    client = odd.attach()
    client.shutdown(1)
    assert read_all(client)[2] == b""
    assert odd.exit_code() == "1"
    assert not (links / odd.id).is_symlink()
