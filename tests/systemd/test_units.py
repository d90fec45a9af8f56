"""Units that run containers: once `systemctl stop` has returned, nothing is left of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import needs, processes, wait
from tests.support.engine import Podpy
from tests.support.units import Manager, SystemManager, UserManager, system_manager, user_manager

pytestmark = pytest.mark.xdist_group("units")  # names of units in one user's systemd
ROUNDS = 8  # what is left, if anything, depends on who is faster
NAME = "podpy-test-unit"
COMMAND = "sh -c 'trap \"exit 0\" TERM; sleep 1000 & wait'"
RUN = "{podpy} run --name {name} --replace --rm --network=none"

UNITS = {
    "the guide's": """
Type=notify
NotifyAccess=all
ExecStart={podpy} run --rm --replace --name {name} --sdnotify=conmon -d --network=none {image} {command}
ExecStop={podpy} stop {name}
Restart=on-failure
""",
    "notify": """
Type=notify
NotifyAccess=all
ExecStart={podpy} run --rm --name {name} --sdnotify=conmon --network=none {image} {command}
""",
    "notify, stopped by signals alone": f"""
Type=notify
NotifyAccess=all
ExecStart={RUN} --sdnotify=conmon -d {{image}} {{command}}
""",
    "Quadlet's": f"""
Type=notify
NotifyAccess=all
KillMode=mixed
Delegate=yes
ExecStart={RUN} --cidfile=%t/%N.cid --cgroups=split --sdnotify=conmon -d {{image}} {{command}}
ExecStop={{podpy}} rm -v -f -i --cidfile=%t/%N.cid
ExecStopPost=-{{podpy}} rm -v -f -i --cidfile=%t/%N.cid
""",
    "Quadlet's, KillMode=control-group": f"""
Type=notify
NotifyAccess=all
KillMode=control-group
Delegate=yes
ExecStart={RUN} --cidfile=%t/%N.cid --cgroups=split --sdnotify=conmon -d {{image}} {{command}}
ExecStop={{podpy}} rm -v -f -i --cidfile=%t/%N.cid
ExecStopPost=-{{podpy}} rm -v -f -i --cidfile=%t/%N.cid
""",
    "split, stopped by signals alone": f"""
Type=notify
NotifyAccess=all
KillMode=mixed
Delegate=yes
ExecStart={RUN} --cgroups=split --sdnotify=conmon -d {{image}} {{command}}
""",
    "without a cgroup": f"""
Type=notify
NotifyAccess=all
ExecStart={RUN} --cgroups=disabled --sdnotify=conmon -d {{image}} {{command}}
""",
    "generate systemd's": f"""
Type=notify
NotifyAccess=all
ExecStart={RUN} --cidfile=%t/%n.ctr-id --cgroups=no-conmon --sdnotify=conmon -d {{image}} {{command}}
ExecStop={{podpy}} stop --ignore -t 10 --cidfile=%t/%n.ctr-id
ExecStopPost={{podpy}} rm -f --ignore -t 10 --cidfile=%t/%n.ctr-id
""",
    "forking": """
Type=forking
PIDFile={runtime}/pid
ExecStart={podpy} run --rm -d --name {name} --conmon-pidfile={runtime}/pid --network=none {image} {command}
ExecStop={podpy} stop --time=5 {name}
""",
    "forking, stopped by signals alone": """
Type=forking
PIDFile={runtime}/pid
ExecStart={podpy} run --rm -d --name {name} --conmon-pidfile={runtime}/pid --network=none {image} {command}
""",
    "simple": """
ExecStart={podpy} run --rm --name {name} --network=none {image} {command}
ExecStop={podpy} stop {name}
""",
    "exec, stopped by signals alone": f"""
Type=exec
ExecStart={RUN} {{image}} {{command}}
""",
    "exec, split": f"""
Type=exec
KillMode=mixed
Delegate=yes
ExecStart={RUN} --cgroups=split {{image}} {{command}}
""",
}


@pytest.fixture
def manager(podpy: Podpy) -> Iterator[UserManager]:
    with user_manager(podpy) as found:
        yield found


@pytest.fixture
def system(podpy: Podpy) -> Iterator[SystemManager]:
    with system_manager(podpy) as found:
        yield found


def stop_again_and_again(manager: Manager, image: str) -> None:
    for _ in range(ROUNDS):
        manager.systemctl("start", NAME).ok()
        wait.until(lambda: manager.engine("ps", "-q").ok() != "", what="the container runs")
        manager.systemctl("stop", NAME).ok()
        assert manager.engine("ps", "--all").ok().count("\n") == 0
        assert manager.engine("run", "--rm", "--name", NAME, "--network=none", image, "echo", "free").ok() == "free"
        assert manager.engine("system", "check").ok() == ""
    podpy = manager.podpy
    conmons = [pid for pid in processes.mentioning([podpy.home], podpy.marker) if "conmon" in processes.describe(pid)]
    assert conmons == []
    assert manager.show(NAME, "Result", "ActiveState") == {"ActiveState": "inactive", "Result": "success"}


@pytest.mark.parametrize("kind", UNITS)
def test_a_stopped_unit_leaves_nothing_and_the_name_is_free(busybox: str, manager: UserManager, kind: str) -> None:
    manager.load(NAME, UNITS[kind], image=busybox, command=COMMAND)
    stop_again_and_again(manager, busybox)


@pytest.mark.parametrize("kind", ["the guide's", "Quadlet's", "generate systemd's", "forking", "exec, split"])
def test_so_does_a_users_unit_of_the_systems_manager(busybox: str, system: SystemManager, kind: str) -> None:
    text = UNITS[kind].replace("%t", "{runtime}")
    system.load(NAME, text, image=busybox, command=COMMAND)
    stop_again_and_again(system, busybox)


DEAF = "sh -c 'trap \"\" TERM; while :; do sleep 1; done'"


@pytest.mark.parametrize("kind", ["notify, stopped by signals alone", "split, stopped by signals alone",
                                  "without a cgroup", "forking, stopped by signals alone",
                                  "exec, stopped by signals alone", "exec, split"])  # fmt: skip
def test_a_container_that_ignores_sigterm_ends_with_its_unit(busybox: str, manager: UserManager, kind: str) -> None:
    text = UNITS[kind].replace("--network=none", "--network=none --stop-timeout=1")
    manager.load(NAME, text, image=busybox, command=DEAF)
    manager.systemctl("start", NAME).ok()
    wait.until(lambda: manager.engine("ps", "-q").ok() != "", what="the container runs")
    manager.systemctl("stop", NAME).ok()
    assert manager.engine("ps", "--all").ok().count("\n") == 0
    assert manager.engine("system", "check").ok() == ""
    shown = manager.show(NAME, "Result", "ExecMainStatus")
    assert shown == {"Result": "exit-code", "ExecMainStatus": "137"}, shown  # not systemd's "timeout"


@pytest.mark.parametrize("delegate", ["yes", "no"])
def test_a_command_is_run_in_a_unit_of_the_systems_manager(busybox: str, system: SystemManager, delegate: str) -> None:
    text = UNITS["the guide's"].replace("Restart=on-failure", f"Delegate={delegate}")
    system.load(NAME, text, image=busybox, command=COMMAND)
    system.systemctl("start", NAME).ok()
    assert system.engine("exec", NAME, "echo", "here").ok() == "here"


@pytest.mark.parametrize("kind", ["the guide's", "Quadlet's", "forking", "exec, split"])
def test_the_unit_ends_with_the_containers_exit_code(busybox: str, manager: UserManager, kind: str) -> None:
    text = UNITS[kind].replace("Restart=on-failure", "")
    manager.load(NAME, text, image=busybox, command="sh -c 'sleep 1; exit 7'")
    manager.systemctl("start", NAME)
    wait.until(lambda: manager.show(NAME, "ActiveState")["ActiveState"] == "failed", what="the unit has failed")
    assert manager.show(NAME, "ExecMainStatus", "Result") == {"ExecMainStatus": "7", "Result": "exit-code"}


def test_a_oneshot_unit_waits_for_the_containers_end(busybox: str, manager: UserManager) -> None:
    text = f"Type=oneshot\nExecStart={RUN} --cgroups=split {{image}} {{command}}\nDelegate=yes"
    manager.load(NAME, text, image=busybox, command="sh -c 'sleep 1; exit 7'")
    assert manager.systemctl("start", NAME).returncode == 1
    assert manager.show(NAME, "ExecMainStatus", "Result") == {"ExecMainStatus": "7", "Result": "exit-code"}
    assert manager.engine("ps", "--all", "-q").ok() == ""


def test_systemd_follows_the_monitor_and_the_container_is_in_its_unit(busybox: str, manager: UserManager) -> None:
    manager.load(NAME, UNITS["Quadlet's"], image=busybox, command=COMMAND)
    manager.systemctl("start", NAME).ok()
    shown = manager.show(NAME, "MainPID", "ControlGroup")
    told = manager.engine("inspect", "--format", "{{.State.ConmonPid}} {{.State.CgroupPath}} {{.Id}}", NAME).ok()
    monitor, path, container = told.split()
    assert shown["MainPID"] == monitor
    assert path == f"{shown['ControlGroup']}/libpod-payload-{container}"
    with open(f"/proc/{monitor}/cgroup", encoding="utf-8") as file:
        assert file.read().endswith(f"{shown['ControlGroup']}/runtime\n")
    assert manager.engine("exec", NAME, "echo", "here").ok() == "here"


def test_what_other_containers_need_outlives_the_unit_that_started_it(busybox: str, manager: UserManager) -> None:
    """Of a user network: its resolver and its way out, which the first container on any network starts."""
    manager.engine("network", "create", "both").ok()
    manager.engine("system", "migrate").ok()  # so that the holder of the namespaces is started by the unit, too
    text = UNITS["Quadlet's"].replace("--network=none", "--network=both")
    for name in (NAME, f"{NAME}-2"):
        manager.load(name, text, image=busybox, command=COMMAND)
        manager.systemctl("start", name).ok()
    manager.systemctl("stop", NAME).ok()
    assert manager.engine("run", "-d", "--rm", "--name=third", "--network=both", busybox, "sleep", "1000").ok()
    found = manager.engine("exec", f"{NAME}-2", "nslookup", "third").ok()
    assert "third" in found
    manager.engine("rm", "-ft0", "third").ok()
    holder = (manager.podpy.runroot / "holder").read_text().split()[0]
    with open(f"/proc/{holder}/cgroup", encoding="utf-8") as file:
        assert f"/podpy-{holder}.scope" in file.read()


def test_the_monitors_of_a_pod_all_leave_the_login_session(busybox: str, manager: UserManager) -> None:
    needs.require("login-session")
    podpy = manager.engine
    podpy("pod", "create", "--name=together").ok()
    names = ["one", "two", "three"]
    for name in names:
        podpy("create", f"--name={name}", "--pod=together", busybox, "sleep", "1000").ok()
    podpy("pod", "start", "together").ok()
    infra = podpy("pod", "inspect", "--format={{.InfraContainerID}}", "together").ok()
    monitors = podpy("inspect", "--format={{.State.ConmonPid}}", infra, *names).ok().split()
    assert len(monitors) == len(names) + 1
    below = f"/user@{manager.podpy.user.uid}.service/"
    for monitor in monitors:
        wait.until(lambda pid=monitor: below in _cgroup(pid), what="it has left")  # type: ignore[misc]
    podpy("pod", "rm", "-f", "-t0", "together").ok()


def _cgroup(pid: str) -> str:
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        return file.read()


def test_limits_of_the_unit_and_of_the_container_both_hold(busybox: str, manager: UserManager) -> None:
    needs.require("cgroup-delegation")
    text = UNITS["Quadlet's"].replace("--network=none", "--network=none --memory=64m --cpus=0.5") + "MemoryMax=96M\n"
    manager.load(NAME, text, image=busybox, command=COMMAND)
    manager.systemctl("start", NAME).ok()
    read = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max"
    assert manager.engine("exec", NAME, "sh", "-c", read).ok().split() == ["67108864", "50000", "100000"]
    assert manager.show(NAME, "MemoryMax") == {"MemoryMax": str(96 << 20)}
