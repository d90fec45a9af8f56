"""The wait before a restart: the exit command runs after it, and it can be ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.conmon.harness import Conmon
from tests.support import wait

Make = Callable[..., Conmon]
LONG = 3_600_000  # milliseconds: a wait that no test sees the end of


def start(conmon: Conmon, policy: str, delay: int) -> None:
    """Start with an exit command that keeps what the file `restart` said."""
    conmon.start(
        "--runtime-run", f"--persist-dir={conmon.bundle}", f"--restart={policy}", f"--restart-delay={delay}",
        "--exit-command=/bin/sh", "--exit-command-arg=-c",
        f"--exit-command-arg=cat {conmon.bundle}/restart > {conmon.bundle}/said; echo end >> {conmon.bundle}/said",
    ).started()  # fmt: skip


def said(conmon: Conmon) -> str:
    """What the exit command found; "" if it hasn't run."""
    path = conmon.bundle / "said"
    return path.read_text() if path.exists() else ""


def test_the_exit_command_waits_for_the_delay(container: Make) -> None:
    conmon = container("exit 3")
    start(conmon, "always", 300)
    conmon.wait()
    assert said(conmon) == "300 policy\nend\n"
    began, ended = (path.stat().st_mtime for path in (conmon.bundle / "said", conmon.exits / conmon.id))
    assert began - ended > 0.2


def test_a_good_end_is_no_failure(container: Make) -> None:
    conmon = container("exit 0")
    start(conmon, "on-failure", LONG)
    conmon.wait()
    assert said(conmon) == "end\n"


def test_a_failure_is_waited_for(container: Make) -> None:
    conmon = container("exit 1")
    start(conmon, "on-failure", 1)
    conmon.wait()
    assert said(conmon) == "1 policy\nend\n"


def test_the_file_is_there_before_the_exit_file_and_a_signal_ends_the_wait(container: Make) -> None:
    conmon = container("exit 3")
    start(conmon, "always", LONG)
    conmon.wait_for_exit_file()
    assert (conmon.bundle / "restart").read_text() == f"{LONG} policy\n"
    os.kill(conmon.pid, signal.SIGTERM)
    conmon.wait()
    assert said(conmon) == "0 stop\nend\n"


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        pytest.param("grep -q 8 said || exit 75", "1 policy\n2 policy\n4 policy\n8 policy\n", id="says-that-it-failed"),
        pytest.param("grep -q 4 said || kill -9 $$", "1 policy\n2 policy\n4 policy\n", id="is-killed"),
    ],
)
def test_an_exit_command_without_success_comes_again_after_twice_the_wait(
    container: Make, fails: str, told: str
) -> None:
    conmon = container("exit 3")
    conmon.start(
        "--runtime-run", f"--persist-dir={conmon.bundle}", "--restart=always", "--restart-delay=1",
        "--exit-command=/bin/sh", "--exit-command-arg=-c",
        f"--exit-command-arg=cd {conmon.bundle}; cat restart >> said; rm restart; {fails}",
    ).started()  # fmt: skip
    conmon.wait()
    assert said(conmon) == told


def test_who_ends_the_monitor_wants_no_restart(container: Make) -> None:
    conmon = container("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    start(conmon, "always", LONG)
    wait.until(lambda: b"ready" in conmon.log_path.read_bytes(), what="the container is ready")
    os.kill(conmon.pid, signal.SIGTERM)
    assert conmon.exit_code() == "5"
    assert said(conmon) == "0 stop\nend\n"


def test_another_policy_counts_at_once(container: Make) -> None:
    conmon = container("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    start(conmon, "no", 1)
    wait.until(lambda: b"ready" in conmon.log_path.read_bytes(), what="the container is ready")
    with open(conmon.bundle / "ctl", "w") as file:
        file.write("5 7 0\n5 2 0\n")
    os.kill(conmon.container, signal.SIGTERM)
    conmon.wait()
    assert said(conmon) == "1 policy\nend\n"


def test_a_killed_monitor_runs_nothing(container: Make) -> None:
    conmon = container("exit 3")
    start(conmon, "always", LONG)
    conmon.wait_for_exit_file()
    os.kill(conmon.pid, signal.SIGKILL)
    conmon.wait()
    assert said(conmon) == ""


def test_a_restart_can_be_forbidden_before_the_end(container: Make) -> None:
    conmon = container("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    start(conmon, "always", LONG)
    wait.until(lambda: b"ready" in conmon.log_path.read_bytes(), what="the container is ready")
    with open(conmon.bundle / "ctl", "w") as file:
        file.write("4 0 0\n")
    os.kill(conmon.container, signal.SIGTERM)
    assert conmon.exit_code() == "5"
    assert said(conmon) == "end\n"


def test_who_acknowledges_the_end_restarts_nothing(container: Make) -> None:
    conmon = container("exit 3")
    conmon.start("--runtime-run", f"--persist-dir={conmon.bundle}", "--restart=always", f"--restart-delay={LONG}",
                 waiter=True).started()  # fmt: skip
    assert conmon.waiter is not None
    conmon.waiter.settimeout(wait.PATIENCE)
    conmon.waiter.recv(4096)
    conmon.waiter.send(b"x")
    conmon.wait()
