"""Health checks: what users see of them. Their states are tests/conmon/test_health.py's."""

from __future__ import annotations

import os
import signal
from typing import Any

from tests.libpod.test_sdnotify import Manager
from tests.support import wait
from tests.support.engine import Podpy, shared_directory
from tests.support.images import BUSYBOX, Image

QUICK = ("--health-interval=1s", "--health-retries=1")


def start(podpy: Podpy, image: str, *options: str, name: str = "c") -> str:
    """Start a container that ends with 9 at SIGTERM, and return its id."""
    words = ("run", "-d", f"--name={name}", "--network=none", *options, image, "sh", "-c")
    return podpy.ok(*words, "trap 'exit 9' TERM; touch /tmp/ready; while :; do sleep 0.1; done")


def state(podpy: Podpy, name: str = "c") -> dict[str, Any]:
    """Return what inspect says of its state."""
    return dict(podpy.json("inspect", name)[0]["State"])


def health_events(podpy: Podpy) -> list[str]:
    """Return the states that are told, in their order."""
    events = podpy.ok("events", "--stream=false", "--filter=event=health_status", "--format={{.HealthStatus}}")
    return events.split()


def test_a_container_is_starting_then_unhealthy_then_healthy(podpy: Podpy, busybox: str) -> None:
    gate = shared_directory(podpy)
    command = "echo looked; [ -e /gate/well ]"
    start(podpy, busybox, f"--volume={gate}:/gate", "--health-cmd", command, *QUICK, "--health-interval=1h")
    config = podpy.json("inspect", "c")[0]["Config"]
    assert config["Healthcheck"] == {
        "Test": ["CMD-SHELL", command], "Interval": 3600 * 10**9, "Timeout": 30 * 10**9, "Retries": 1,
    }  # fmt: skip
    names = ("HealthcheckOnFailureAction", "HealthLogDestination", "HealthcheckMaxLogCount", "HealthcheckMaxLogSize")
    assert [config[name] for name in names] == ["none", "local", 5, 500]
    assert podpy.ok("wait", "--condition=unhealthy", "c") == "-1"
    assert "(unhealthy)" in podpy.ok("ps", "--format", "{{.Status}}")
    assert "(unhealthy)" in podpy.ok("ps", "-a")
    failed = podpy("healthcheck", "run", "c")
    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "unhealthy\n", "")
    assert podpy("healthcheck", "run", "--ignore-result", "c").returncode == 0
    assert podpy.ok("ps", "-q", "--filter", "health=healthy") == ""
    (gate / "well").touch()
    assert podpy.ok("healthcheck", "run", "c") == ""
    found = state(podpy)["Health"]
    assert (found["Status"], found["FailingStreak"], len(found["Log"])) == ("healthy", 0, 4)
    assert set(found["Log"][0]) == {"Start", "End", "ExitCode", "Output"}
    assert found["Log"][0]["Output"] == "looked\n"
    assert podpy.ok("inspect", "--format", "{{.State.Health.Status}} {{.State.Healthcheck.FailingStreak}}", "c") == (
        "healthy 0"
    )
    assert podpy.ok("ps", "--filter", "health=healthy", "--format", "{{.Names}}") == "c"
    assert health_events(podpy) == ["unhealthy", "healthy"]
    podpy.ok("rm", "-f", "-t0", "c")
    assert not list((podpy.runroot / "health").iterdir())


def test_the_check_runs_as_the_container_does(podpy: Podpy, busybox: str) -> None:
    options = ("--user=1000", "--cap-drop=all", "--env=GREETING=hello", "--workdir=/tmp")
    start(podpy, busybox, *options, "--health-cmd", "id -u; echo $GREETING; pwd; grep CapEff /proc/self/status", *QUICK)
    podpy.ok("wait", "--condition=healthy", "c")
    output = state(podpy)["Health"]["Log"][0]["Output"].split()
    assert output == ["1000", "hello", "/tmp", "CapEff:", "0000000000000000"]
    assert podpy.ok("exec", "c", "true") == ""


def test_an_image_brings_its_check_and_the_user_has_the_last_word(podpy: Podpy, busybox_image: Image) -> None:
    check = {"Test": ["CMD", "false"], "Interval": 10**9, "Timeout": 2 * 10**9, "Retries": 7, "StartPeriod": 10**9}
    image = Image(busybox_image.layers, {**busybox_image.settings, "Healthcheck": check})
    archive = image.write_docker_archive(podpy.home / "checked.tar", "localhost/checked:latest")
    podpy.ok("load", "-i", str(archive))

    def config(*options: str) -> dict[str, Any]:
        podpy.ok("create", "--name=made", *options, "localhost/checked", "true")
        found = podpy.json("inspect", "made")[0]["Config"]
        podpy.ok("rm", "made")
        return dict(found.get("Healthcheck", {}))

    assert config() == check
    assert config("--health-interval=5s", "--health-retries=2") == {**check, "Interval": 5 * 10**9, "Retries": 2}
    assert config("--no-healthcheck") == {"Test": ["NONE"]} == config("--health-cmd=none")
    own = {"Test": ["CMD-SHELL", "true"], "Interval": 30 * 10**9, "Timeout": 30 * 10**9, "Retries": 3}
    assert config("--health-cmd=true") == own
    assert "Interval" not in config("--health-interval=disable")


def test_a_running_container_gets_another_check(podpy: Podpy, busybox: str) -> None:
    start(podpy, busybox)
    podpy("update", "--health-interval=3s", "c").fails(125, "must define a healthcheck command")
    podpy("update", "--health-startup-interval=3s", "c").fails(125, "startup healthcheck command is not set")
    podpy("update", "--no-healthcheck", "--health-cmd=true", "c").fails(125, "cannot specify both --no-healthcheck and")
    podpy.ok("update", "--health-cmd=false", *QUICK, "c")
    podpy.ok("wait", "--condition=unhealthy", "c")
    podpy.ok("update", "--health-cmd=true", "c")
    podpy.ok("wait", "--condition=healthy", "c")
    check = podpy.json("inspect", "c")[0]["Config"]["Healthcheck"]
    assert check == {"Test": ["CMD-SHELL", "true"], "Interval": 10**9, "Timeout": 30 * 10**9, "Retries": 1}
    podpy.ok("update", "--no-healthcheck", "c")
    assert "healthy" not in podpy.ok("ps", "--format", "{{.Status}}")
    podpy("healthcheck", "run", "c").fails(125, "has no defined healthcheck")


def test_a_container_that_was_made_ready_is_checked_from_its_start_on(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=c", "--network=none", "--health-cmd=true", *QUICK, busybox, "sleep", "300")
    podpy.ok("init", "c")
    podpy("healthcheck", "run", "c").fails(125, "is not running")
    assert state(podpy)["Health"]["Log"] is None
    podpy.ok("start", "c")
    podpy.ok("wait", "--condition=healthy", "c")


def test_what_is_done_about_an_unhealthy_container(podpy: Podpy, busybox: str) -> None:
    start(podpy, busybox, "--health-cmd=false", *QUICK, "--health-on-failure=kill", name="killed")
    # Stopped for its health: the policy doesn't start it again.
    end = ("--health-cmd=test ! -e /tmp/ready", "--health-on-failure=stop", "--restart=always")
    start(podpy, busybox, *end, *QUICK, name="stopped")
    start(podpy, busybox, "--health-cmd=false", *QUICK, "--health-on-failure=restart", name="again")
    assert podpy.ok("wait", "killed") == "137"
    assert podpy.ok("wait", "stopped") == "9"
    wait.until(lambda: podpy.json("inspect", "again")[0]["RestartCount"] >= 1, what="it is started again")
    podpy.ok("stop", "-t0", "again")
    wait.until(lambda: not podpy.ok("ps", "-q"), what="all have ended")
    assert state(podpy, "stopped")["Health"]["Status"] == "unhealthy"
    assert "(unhealthy)" in podpy.ok("ps", "-a", "--filter", "name=killed", "--format", "{{.Status}}")


def test_a_check_that_hangs_is_killed_and_its_time_is_said(podpy: Podpy, busybox: str) -> None:
    start(podpy, busybox, "--init", "--health-cmd", "sleep 771; true", "--health-timeout=1s", *QUICK)
    podpy.ok("exec", "c", "sh", "-c", "until [ -e /tmp/ready ]; do sleep 0.05; done")
    podpy("healthcheck", "run", "c").fails(125, "healthcheck command exceeded timeout of 1s")
    podpy.ok("wait", "--condition=unhealthy", "c")
    podpy.ok("kill", "-s", "TERM", "c")
    assert podpy.ok("wait", "c") == "9"


def test_a_check_that_can_not_be_run_is_an_error(podpy: Podpy, busybox: str) -> None:
    full = start(podpy, busybox, "--health-cmd=true", "--health-interval=disable", name="killed")
    none = start(podpy, busybox, name="none")
    assert state(podpy, "killed")["Health"] == {"Status": "starting", "FailingStreak": 0, "Log": None}
    podpy("healthcheck", "run", "none").fails(125, f"container {none} has no defined healthcheck")
    podpy("wait", "--condition=healthy", "none").fails(125, f"container {none} has no healthcheck")
    podpy("healthcheck", "run", "nosuch").fails(125, 'no container with name or ID "nosuch" found')
    os.kill(state(podpy, "killed")["ConmonPid"], signal.SIGKILL)
    wait.until(lambda: podpy("healthcheck", "run", "killed").returncode == 125, what="the monitor has ended")
    podpy("healthcheck", "run", "killed").fails(125, "doesn't run the health check")
    podpy.ok("kill", "killed")
    podpy("healthcheck", "run", "killed").fails(125, f"container {full} is not running")
    podpy("wait", "--condition=healthy", "killed").fails(125, "container is stopped")


def test_bad_values_are_refused_in_podmans_words(podpy: Podpy, busybox: str) -> None:
    for words, text in (
        (["--health-cmd=true", "--no-healthcheck"], "cannot specify both --no-healthcheck and --health-cmd"),
        (["--health-cmd=true", "--health-interval=x"], 'invalid healthcheck-interval: time: invalid duration "x"'),
        (["--health-cmd=true", "--health-timeout=5"], 'healthcheck-timeout: time: missing unit in duration "5"'),
        (["--health-cmd=true", "--health-timeout=0"], "healthcheck-timeout must be at least 1 second"),
        (["--health-cmd=true", "--health-retries=0"], "healthcheck-retries must be greater than 0"),
        (["--health-cmd=true", "--health-start-period=-1s"], "healthcheck-start-period must be 0 seconds or greater"),
        (["--health-cmd=[]"], "must define a healthcheck command for all healthchecks"),
        (["--health-on-failure=pray"], 'invalid on-failure action "pray" for health check'),
        (["--health-startup-cmd=true"], "cannot set a startup healthcheck when there is no regular healthcheck"),
        (["--health-log-destination=/nosuch"], "HealthCheck Log '/nosuch' destination error"),
        (["--sdnotify=healthy"], 'sdnotify policy "healthy" requires a healthcheck to be set'),
    ):
        podpy("create", *words, busybox, "true").fails(125, text)
    assert podpy.ok("ps", "-aq") == ""


def test_results_go_to_a_directory_and_to_systemd(podpy: Podpy, busybox: str) -> None:
    logs = shared_directory(podpy)
    manager = Manager(podpy)
    options = ("--sdnotify=healthy", "--health-cmd=true", f"--health-log-destination={logs}")
    words = ("run", "-d", "--name=c", "--network=none", *options, busybox, "sleep", "300")
    container = podpy.ok(*words, env=manager.env)
    try:
        # Either may come first: the check runs as soon as the container does.
        heard = {manager.hears().partition("=")[0] for _ in range(2)}
        assert heard == {"MAINPID", "READY"}
    finally:
        manager.close()
    assert '"Status":"healthy"' in (logs / f"{container}-healthcheck.log").read_text()
    assert BUSYBOX in podpy.ok("ps")
