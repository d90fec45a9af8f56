"""What Kubernetes' pods ask of the monitor: probes from outside, readiness, hooks, its waits before restarts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.conmon.checks import Health, check_now, told
from tests.conmon.harness import Conmon
from tests.conmon.test_health import below, inside
from tests.support import wait

Make = Callable[..., Conmon]
ENDS = "trap 'echo signal; exit 9' TERM; touch /tmp/ready; while :; do sleep 0.05; done"
STUBBORN = "trap '' TERM; touch /tmp/ready; while :; do sleep 0.05; done"
SERVES = "cd /tmp; busybox httpd -p 127.0.0.1:8080; while :; do sleep 0.05; done"


def ready(conmon: Conmon) -> None:
    """Wait until the container has set its trap."""
    wait.until((conmon.bundle / "rootfs/tmp/ready").exists, what="the container is ready")


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_a_probe_is_in_the_containers_network(container: Make, probe_exe: Path) -> None:
    conmon = container(SERVES, network=True)
    health = Health(conmon.bundle).program("process", probe_exe, "HTTP", "http://localhost:8080/live")
    health.write("", retries=1, interval=1000)
    conmon.start("--runtime-run", health.option).started()
    health.until("unhealthy")
    inside(conmon, "echo -n well > /tmp/live")
    assert health.until("healthy")["Log"][-1]["Output"] == "well"
    inside(conmon, "rm /tmp/live")
    found = health.until("unhealthy")["Log"][-1]
    assert (found["ExitCode"], found["Output"].splitlines()[0]) == (1, "HTTP probe failed with statuscode: 404")
    # It keeps nothing of the container's network: the monitor itself hasn't moved.
    assert os.readlink(f"/proc/{conmon.pid}/ns/net") == os.readlink("/proc/self/ns/net")


def test_a_probe_is_ended_at_its_timeout(container: Make, probe_exe: Path) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).program("process", probe_exe, "SLEEP", "1000").write("", timeout=1000, retries=1)
    conmon.start("--runtime-run", health.option).started()
    found = health.until("unhealthy")["Log"][0]
    assert (found["ExitCode"], found["Output"]) == (-1, "context deadline exceeded\n")
    told(conmon, "3 -1 0")
    wait.until(lambda: probe_exe.name not in below(conmon.pid), what="no probe is left")


def test_a_killed_monitor_takes_its_probe_along(container: Make, probe_exe: Path) -> None:
    conmon = container("exec sleep 1000", network=True)
    health = Health(conmon.bundle).program("process", probe_exe, "SLEEP", "1000").write("", timeout=3_600_000)
    conmon.start("--runtime-run", health.option).started()
    children = Path(f"/proc/{conmon.pid}/task/{conmon.pid}/children")
    name = probe_exe.name[:15]  # as the kernel keeps it

    def is_probe(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip() == name
        except OSError:  # another child, which has ended
            return False

    def probes() -> list[int]:
        return [pid for pid in map(int, children.read_text().split()) if is_probe(pid)]

    pid = wait.until(probes, what="the probe runs")[0]
    os.kill(conmon.pid, signal.SIGKILL)
    wait.for_end(pid)


def test_a_program_that_is_not_there_is_a_failure(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).program("process", "/no/such/program", "x").write("", interval=0, retries=1)
    conmon.start("--runtime-run", health.option).started()
    assert check_now(conmon, health) == "127"
    assert health.result()["Log"][0]["Output"] == "/no/such/program: No such file or directory\n"


def test_a_programs_words_are_its_own_after_one_with_more(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).program("process", "/bin/echo", *"abcdefgh").write("", interval=0, retries=1)
    conmon.start("--runtime-run", health.option).started()
    check_now(conmon, health)
    health.program("process", "/bin/echo", "z")
    check_now(conmon, health, 8)
    assert [entry["Output"] for entry in health.result()["Log"]] == ["a b c d e f g h\n", "z\n"]


def test_readiness_changes_nothing_else(container: Make) -> None:
    conmon = container(ENDS)
    health = Health(conmon.bundle).hook("readiness", "test -f /tmp/go")
    health.write("true", readiness=1, readiness_interval=1000, readiness_timeout=30000, readiness_retries=2,
                 readiness_success=2, readiness_result=conmon.bundle / "readiness", on_failure="kill")  # fmt: skip
    conmon.start("--runtime-run", health.option).started()
    health.until("unready", "readiness")
    inside(conmon, "touch /tmp/go")
    found = health.until("ready", "readiness")
    assert [entry["ExitCode"] for entry in found["Log"][-2:]] == [0, 0]
    inside(conmon, "rm /tmp/go")
    found = health.until("unready", "readiness")
    assert found["FailingStreak"] == 2
    assert health.until("healthy")["FailingStreak"] == 0
    wait.until(lambda: health.noted() == ["healthy", "ready", "unready"], what="all changes are noted")


def test_a_startup_check_holds_readiness_up_and_may_be_the_only_other(container: Make) -> None:
    conmon = container(ENDS)
    health = Health(conmon.bundle).hook("readiness", "echo asked >> /tmp/asked")
    health.write("touch /tmp/wrong", startup="echo started >> /tmp/asked; test -f /tmp/up", startup_interval=1000,
                 without_check=1, readiness=1, readiness_interval=1000,
                 readiness_result=conmon.bundle / "readiness")  # fmt: skip
    conmon.start("--runtime-run", health.option).started()
    asked = conmon.bundle / "rootfs/tmp/asked"
    wait.until(lambda: len(lines(asked)) >= 2, what="two startup checks")
    assert set(lines(asked)) == {"started"}
    inside(conmon, "touch /tmp/up")
    health.until("healthy")
    health.until("ready", "readiness")
    found = lines(asked)
    assert found.index("asked") == len(found) - found[::-1].index("started")
    assert check_now(conmon, health) == "0"
    assert not (conmon.bundle / "rootfs/tmp/wrong").exists()


def test_a_container_that_does_not_come_up_may_be_left(container: Make) -> None:
    conmon = container(ENDS)
    health = Health(conmon.bundle)
    health.write("true", startup="until [ -e /tmp/ready ]; do sleep 0.02; done; exit 1", startup_interval=1000,
                 startup_retries=1, startup_stops=1, stop_timeout=3_600_000)  # fmt: skip
    conmon.start("--runtime-run", health.option, f"--persist-dir={conmon.bundle}", "--restart=always").started()
    assert conmon.exit_code() == "9"
    assert (conmon.bundle / "restart").read_text() == "0 stop\n"


def test_a_first_check_waits_for_its_delay(container: Make) -> None:
    conmon = container("exec sleep 1000")
    health = Health(conmon.bundle).hook("readiness", "true")
    health.write("true", initial_delay=1500, readiness=1, readiness_interval=3_600_000,
                 readiness_result=conmon.bundle / "readiness")  # fmt: skip
    conmon.start("--runtime-run", health.option).started()
    first, other = (health.until(*what)["Log"][0]["Start"] for what in (("healthy",), ("ready", "readiness")))
    assert (datetime.fromisoformat(first[:26]) - datetime.fromisoformat(other[:26])).total_seconds() > 1


def test_post_start_comes_before_the_checks(container: Make) -> None:
    conmon = container(ENDS)
    health = Health(conmon.bundle).hook("post_start", "echo hook >> /tmp/order; echo said")
    health.write("echo check >> /tmp/order", post_start=1, hook_result=conmon.bundle / "hook")
    conmon.start("--runtime-run", health.option).started()
    health.until("healthy")
    assert lines(conmon.bundle / "rootfs/tmp/order")[:2] == ["hook", "check"]
    found = health.result("hook")
    assert (found["Status"], found["FailingStreak"], found["Log"][0]["Output"]) == ("postStart", 0, "said\n")


def test_a_container_whose_post_start_fails_is_ended_and_its_policy_counts(container: Make) -> None:
    conmon = container(ENDS)
    health = Health(conmon.bundle).hook("post_start", "until [ -e /tmp/ready ]; do sleep 0.02; done; echo why; exit 4")
    health.write("touch /tmp/checked", post_start=1, hook_result=conmon.bundle / "hook", stop_timeout=3_600_000)
    conmon.start("--runtime-run", health.option, f"--persist-dir={conmon.bundle}", "--restart=on-failure",
                 "--restart-delay=1").started()  # fmt: skip
    assert conmon.exit_code() == "9"
    assert (conmon.bundle / "restart").read_text() == "1 policy\n"
    found = health.result("hook")
    assert (found["Status"], found["FailingStreak"], found["Log"][0]["ExitCode"]) == ("postStart", 1, 4)
    assert health.noted() == ["FailedPostStartHook"]
    assert not (conmon.bundle / "rootfs/tmp/checked").exists()


def test_pre_stop_comes_before_the_signal(container: Make) -> None:
    """Also where a check is just running, which is ended."""
    conmon = container(ENDS)
    health = Health(conmon.bundle).hook("pre_stop", "echo hook; exit 3")
    health.write("touch /tmp/checking; exec sleep 1000", timeout=3_600_000, pre_stop=1, stop_signal=15,
                 hook_result=conmon.bundle / "hook")  # fmt: skip
    conmon.start("--runtime-run", health.option).started()
    ready(conmon)
    wait.until((conmon.bundle / "rootfs/tmp/checking").exists, what="a check runs")
    told(conmon, "6 3600000 0")
    assert conmon.exit_code() == "9"
    found = health.result("hook")
    assert (found["Status"], found["Log"][0]["Output"], found["Log"][0]["ExitCode"]) == ("preStop", "hook\n", 3)
    assert health.noted() == ["FailedPreStopHook"]
    assert not health.result_file.exists()


def test_pre_stop_counts_into_the_grace_period(container: Make) -> None:
    conmon = container(STUBBORN)
    health = Health(conmon.bundle).hook("pre_stop", "exec sleep 1000")
    health.write("true", interval=0, pre_stop=1, hook_result=conmon.bundle / "hook")
    conmon.start("--runtime-run", health.option).started()
    ready(conmon)
    told(conmon, "6 300 0")
    assert conmon.exit_code() == "137"
    assert health.result("hook")["Log"][0]["ExitCode"] == -1


def test_a_second_stop_changes_the_time(container: Make) -> None:
    conmon = container(STUBBORN)
    health = Health(conmon.bundle).hook("pre_stop", "touch /tmp/hooked; exec sleep 1000")
    health.write("true", interval=0, pre_stop=1)
    conmon.start("--runtime-run", health.option).started()
    ready(conmon)
    told(conmon, "6 -1 0")
    wait.until((conmon.bundle / "rootfs/tmp/hooked").exists, what="the hook runs")
    told(conmon, "6 100 0")
    assert conmon.exit_code() == "137"


def test_a_stop_without_a_hook_is_the_signal_and_then_the_kill(container: Make) -> None:
    conmon = container(STUBBORN)
    conmon.start("--runtime-run", Health(conmon.bundle).option).started()
    ready(conmon)
    told(conmon, "6 100 0")
    assert conmon.exit_code() == "137"


def test_kubernetes_waits_ten_seconds_before_the_second_restart(container: Make) -> None:
    conmon = container("exit 3")
    said = conmon.bundle / "said"
    conmon.start(
        "--runtime-run", f"--persist-dir={conmon.bundle}", "--restart=always", "--restart-delay=1",
        "--restart-backoff=kubernetes", "--exit-command=/bin/sh", "--exit-command-arg=-c",
        f"--exit-command-arg=cat {conmon.bundle}/restart >> {said}; exit 75",
    ).started()  # fmt: skip
    wait.until(lambda: lines(conmon.bundle / "restart") == ["10000 policy"], what="the next wait")
    os.kill(conmon.pid, signal.SIGTERM)
    conmon.wait()
    assert lines(said) == ["1 policy", "0 stop"]
