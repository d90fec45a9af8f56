"""Health checks: when they run, what they make of the container, and that nothing is left of one that hangs."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.conmon.checks import Health, check_now, told
from tests.conmon.harness import Conmon, descriptors
from tests.support import needs, wait

Make = Callable[..., Conmon]
LOOP = "trap 'exit 9' TERM; touch /tmp/ready; while :; do sleep 0.05; done"
WHEN_READY = "until [ -e /tmp/ready ]; do sleep 0.02; done; "


def inside(conmon: Conmon, command: str) -> None:
    """Run a shell command in the container."""
    done = conmon.run_runtime("exec", conmon.id, "sh", "-c", command)
    assert done.returncode == 0, done.stderr


def below(pid: int) -> list[str]:
    """The names of all processes that a process has started, and of theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for child in map(int, children.read_text().split()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += [Path(f"/proc/{child}/comm").read_text().strip(), *below(child)]
    return found


def test_a_check_makes_a_container_healthy_or_unhealthy(container: Make, runtime: str) -> None:
    conmon = container("exec sleep 1000", runtime=runtime)
    health = Health(conmon.bundle).write("echo out; echo err >&2; test -f /tmp/well || exit 3")
    conmon.start("--runtime-run", health.option).started()
    found = health.until("unhealthy")
    assert found["FailingStreak"] >= 2  # a busy machine may look late
    # runc copies each stream through a pipe of its own.
    outputs = [(entry["ExitCode"], sorted(entry["Output"].split())) for entry in found["Log"]]
    assert outputs == [(3, ["err", "out"])] * len(outputs)
    assert found["Log"][0]["Start"] < found["Log"][0]["End"] < found["Log"][1]["Start"]
    inside(conmon, "touch /tmp/well")
    found = health.until("healthy")
    assert (found["FailingStreak"], found["Log"][-1]["ExitCode"]) == (0, 0)
    wait.until(lambda: health.noted() == ["unhealthy", "healthy"], what="both changes are noted")


def test_nothing_is_left_of_a_check_that_takes_too_long(container: Make, runtime: str) -> None:
    conmon = container("exec sleep 1000", runtime=runtime)
    health = Health(conmon.bundle)
    health.write("echo begun; (sleep 771 &); sleep 772 & sleep 773; echo not reached", timeout=1000, retries=1)
    conmon.start("--runtime-run", health.option).started()

    def outcomes() -> set[tuple[int, str]]:
        return {(entry["ExitCode"], entry["Output"]) for entry in health.result().get("Log") or ()}

    wait.until(lambda: (-1, "begun\n") in outcomes(), what="a check that had begun has taken too long")
    assert outcomes() <= {(-1, "begun\n"), (-1, "")}  # "": on a busy machine its time was over before
    assert health.result()["Status"] == "unhealthy"
    told(conmon, "3 -1 0")  # no further one

    def left() -> list[str]:
        commands = []
        for directory in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if f"NSpid:\t{directory.name}\n" not in (directory / "status").read_text():
                    commands.append(" ".join(words).strip())
        return [words for words in commands if words in ("sleep 771", "sleep 772", "sleep 773")]

    wait.until(lambda: not left(), what="all processes of the check have ended")
    assert Path(f"/proc/{conmon.container}").exists()


def test_output_is_cut_and_made_json(container: Make) -> None:
    conmon = container("exec sleep 1000")
    text = r"""printf '"\\\t\033[1m\377\303\244'; yes 0123456789 | head -c 100000"""
    health = Health(conmon.bundle).write(text, log_size=20, log_count=2)
    conmon.start("--runtime-run", health.option).started()
    found = health.until("healthy")
    assert found["Log"][0]["Output"] == '"\\\t\x1b[1m\ufffdä0123456789'
    wait.until(lambda: len(health.result()["Log"]) == 2, what="a second result")
    first = health.result()["Log"][0]["Start"]
    wait.until(lambda: health.result()["Log"][0]["Start"] != first, what="a third result")
    assert len(health.result()["Log"]) == 2


def test_results_without_end_have_an_end(container: Make) -> None:
    """0 is Podman's "without end": the newest that fit into one megabyte stay."""
    conmon = container("exec sleep 1000")
    text = r"head -c 70000 /dev/zero | tr '\0' '\1'"  # six bytes each in JSON
    health = Health(conmon.bundle).write(text, interval=0, log_size=0, log_count=0)
    conmon.start("--runtime-run", health.option).started()
    for _ in range(4):
        assert check_now(conmon, health) == "0"
    outputs = [entry["Output"] for entry in health.result()["Log"]]
    assert outputs == ["\1" * 65536] * 2


def test_the_monitor_of_a_health_check_holds_nothing_of_its_callers(container: Make, tmp_path: Path) -> None:
    conmon = container("exec sleep 1000")
    with open(tmp_path / "theirs", "w") as file:
        conmon.start(Health(conmon.bundle).write("true").option, pass_fds=(file.fileno(),)).started()
        held = descriptors(conmon.pid)
    assert held and str(tmp_path / "theirs") not in held


def test_failures_in_the_start_period_do_not_count(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).write("exit 1", start_period=3_600_000, retries=1)
    conmon.start("--runtime-run", health.option).started()
    wait.until(lambda: len(health.result().get("Log") or ()) >= 2, what="two results")
    assert (health.result()["Status"], health.result()["FailingStreak"]) == ("starting", 0)


def test_a_startup_check_gates_the_other(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle)
    health.write("echo regular; exit 1", startup="echo startup; test -f /tmp/up", startup_interval=1000,
                 startup_success=2, retries=1, log_count=1000)  # fmt: skip
    conmon.start("--runtime-run", health.option).started()
    wait.until(lambda: health.result().get("Log"), what="a result")
    assert health.result()["Status"] == "starting"
    inside(conmon, "touch /tmp/up")
    found = health.until("unhealthy")
    outputs = [entry["Output"] for entry in found["Log"]]
    first = outputs.index("regular\n")
    assert outputs[first - 2 : first] == ["startup\n"] * 2 and "startup\n" not in outputs[first:]
    wait.until(lambda: health.noted() == ["healthy", "unhealthy"], what="both changes are noted")


def test_a_startup_check_that_fails_too_often_ends_the_container_for_a_restart(container: Make) -> None:
    conmon = container(LOOP)
    health = Health(conmon.bundle)
    health.write("exit 0", startup=f"{WHEN_READY}exit 1", startup_interval=1000, startup_retries=2, stop_timeout=30000)
    log = conmon.bundle / "cleanup"
    conmon.start("--runtime-run", health.option, f"--persist-dir={conmon.bundle}", "--restart=no",
                 "--restart-delay=1", "--exit-command=/bin/sh", "--exit-command-arg=-c",
                 f"--exit-command-arg=cat {conmon.bundle}/restart > {log}").started()  # fmt: skip
    assert conmon.exit_code() == "9"
    assert log.read_text() == "1 health\n"


def test_a_check_is_run_when_it_is_asked_for(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).write("test -f /tmp/well || exit 4", interval=0, retries=1)
    conmon.start("--runtime-run", health.option).started()
    assert check_now(conmon, health) == "4"
    assert health.result()["Status"] == "unhealthy"
    inside(conmon, "touch /tmp/well")
    assert check_now(conmon, health) == "0"
    assert health.result()["Status"] == "healthy"
    told(conmon, "3 -1 0")
    assert check_now(conmon, health) == ""


def test_a_configuration_that_comes_later_is_followed(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle)
    conmon.start("--runtime-run", health.option).started()
    assert check_now(conmon, health) == ""
    health.write("exit 1", retries=1)
    told(conmon, "3 0 0")
    health.until("unhealthy")
    health.write("exit 0")
    health.until("healthy")
    (health.path / "config").unlink()
    told(conmon, "3 0 0")
    assert check_now(conmon, health) == ""


def test_an_unhealthy_container_is_killed_or_stopped(container: Make) -> None:
    for action, code, note in (("kill", "137", "none"), ("stop", "9", "0 stop\n")):
        conmon = container(LOOP)
        health = Health(conmon.bundle)
        check = f"{WHEN_READY}exit 1"
        health.write(check, retries=1, on_failure=action, stop_signal=signal.SIGTERM, stop_timeout=30000)
        conmon.start("--runtime-run", health.option, f"--persist-dir={conmon.bundle}", "--restart=no").started()
        assert conmon.exit_code() == code
        restart = conmon.bundle / "restart"
        assert (restart.read_text() if restart.exists() else "none") == note
        assert health.result()["Status"] == "unhealthy"


def test_what_takes_no_notice_of_the_signal_is_killed(container: Make) -> None:
    conmon = container("trap '' TERM; while :; do sleep 0.05; done")
    health = Health(conmon.bundle).write("exit 1", retries=1, on_failure="stop", stop_signal=15, stop_timeout=100)
    conmon.start("--runtime-run", health.option).started()
    assert conmon.exit_code() == "137"


def test_the_end_of_a_container_says_nothing_of_its_health(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).write("touch /tmp/begun; exec sleep 1000", retries=1)
    conmon.start("--runtime-run", health.option).started()
    begun = conmon.bundle / "rootfs/tmp/begun"
    wait.until(begun.exists, what="the check has begun")
    os.kill(conmon.container, signal.SIGKILL)
    assert conmon.exit_code() == "137"
    assert not health.result_file.exists()


def test_a_frozen_container_is_not_checked(container: Make) -> None:
    needs.require("mount")
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).write("true", interval=0, timeout=3_600_000)
    conmon.start("--runtime-run", health.option).started()
    assert check_now(conmon, health) == "0"
    paused = conmon.run_runtime("pause", conmon.id)
    assert paused.returncode == 0, paused.stderr
    assert check_now(conmon, health) == ""
    assert conmon.run_runtime("resume", conmon.id).returncode == 0
    assert check_now(conmon, health) == "0"


def test_a_check_says_nothing_of_a_container_that_was_frozen_meanwhile(container: Make) -> None:
    needs.require("mount")
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).write("exec tail -f /dev/null", timeout=2000, retries=1000)
    conmon.start("--runtime-run", health.option).started()
    wait.until(health.result, what="a check has taken too long")

    def freeze() -> float:
        """Freeze the container while a check hangs; return how many seconds old the check is at most."""
        wait.until(lambda: "tail" not in below(conmon.pid), what="the check before is over")
        began = time.monotonic()
        wait.until(lambda: "tail" in below(conmon.pid), what="a check hangs")
        assert conmon.run_runtime("pause", conmon.id).returncode == 0
        return time.monotonic() - began

    while freeze() > 1.5:  # its time may have been over before
        assert conmon.run_runtime("resume", conmon.id).returncode == 0
    before = int(health.result()["FailingStreak"])
    wait.until(lambda: "tail" not in below(conmon.pid), what="its time is over")
    assert check_now(conmon, health) == ""
    assert health.result()["FailingStreak"] == before
    assert conmon.run_runtime("resume", conmon.id).returncode == 0
    wait.until(lambda: health.result()["FailingStreak"] > before, what="the next one counts")


def test_another_check_begins_anew(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).write("true")
    conmon.start("--runtime-run", health.option).started()
    health.until("healthy")
    (health.path / "config").unlink()
    told(conmon, "3 0 0")
    assert check_now(conmon, health) == ""
    health.write("false", interval=0)
    told(conmon, "3 0 0")
    assert check_now(conmon, health) == "1"
    assert (health.result()["Status"], len(health.result()["Log"])) == ("starting", 1)


def test_who_asks_during_the_last_check_is_told_that_there_is_none(container: Make) -> None:
    conmon = container(LOOP.replace("exit 9", ":"))
    health = Health(conmon.bundle)
    health.write("sleep 1; false", retries=1, on_failure="stop", stop_timeout=3_600_000)
    conmon.start("--runtime-run", health.option).started()
    assert check_now(conmon, health) == ""


def test_a_wrong_configuration_is_no_configuration(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle)
    (health.path / "config").write_bytes(b"\0\xff interval\n  \nresult\nretries x\n" + b"k " * 20000)
    conmon.start("--runtime-run", health.option).started()
    assert check_now(conmon, health) == ""
    health.write("true", interval="-5", timeout="99999999999999999999", retries="-1", log_count="-1", log_size="1x")
    told(conmon, "3 0 0")
    assert check_now(conmon, health) == "0"
    assert health.result()["Status"] == "healthy"
