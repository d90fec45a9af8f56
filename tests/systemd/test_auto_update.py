"""Units of the user's systemd get new images, and the former ones back where those don't work."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import wait
from tests.support.engine import Podpy, Result
from tests.support.images import Image
from tests.support.registry import Registry
from tests.support.units import UserManager, user_manager

pytestmark = pytest.mark.xdist_group("units")  # names of units in one user's systemd
NAME = "podpy-test-update"
OTHER = f"{NAME}-2"
UNIT = """
Type=notify
NotifyAccess=all
KillMode=mixed
Delegate=yes
Environment=PODMAN_SYSTEMD_UNIT=%n
ExecStart={podpy} run --name {name} --replace --rm --network=none --cgroups=split --sdnotify=conmon -d \\
    --tls-verify=false --stop-timeout=0 --label io.containers.autoupdate={policy} {options} {image}
ExecStop={podpy} rm -f -t0 --ignore {name}
"""
HEALTHY = "--health-cmd=true --health-interval=1s --health-retries=1"
LOCAL = "localhost/app:1"


@pytest.fixture
def manager(podpy: Podpy) -> Iterator[UserManager]:
    with user_manager(podpy) as found:
        yield found


class Machine:
    """Units, and the images that they get."""

    def __init__(self, manager: UserManager, image: Image) -> None:
        self.manager = manager
        self._image = image

    def image(self, *command: str, **settings: Any) -> Image:
        """Return busybox with another command."""
        return replace(self._image, settings={**self._image.settings, "Cmd": [*command], **settings})

    def have(self, *command: str, name: str = LOCAL, **settings: Any) -> None:
        """Let a name mean an image with this command."""
        archive = self.manager.podpy.home / "app.tar"
        self.image(*command, **settings).write_docker_archive(archive, name)
        self.manager.podpy.ok("load", "-i", os.fspath(archive))

    def start(self, image: str, policy: str, *, name: str = NAME, options: str = HEALTHY, text: str = UNIT) -> None:
        """Start a unit with a container of the same name."""
        self.manager.load(name, text, image=image, policy=policy, options=options)
        self.manager.systemctl("start", name).ok()

    def update(self, *words: str) -> Result:
        """Run auto-update."""
        return self.manager.engine("auto-update", "--tls-verify=false", *words)

    def updated(self, *words: str) -> dict[str, str]:
        """Run auto-update, which must end with 0; return by unit what was done."""
        text = self.update("--format={{.Unit}}={{.Updated}}", *words).ok()
        return {unit.removesuffix(".service"): how for unit, how in (line.split("=") for line in text.splitlines())}

    def command(self, name: str = NAME) -> str:
        """Return the command that a container runs."""
        return self.manager.engine("inspect", "--format={{.Config.Cmd}}", name).ok()

    def history(self) -> list[tuple[str, str]]:
        """Return policies and results of the updates so far."""
        text = self.manager.engine("auto-update", "--history", "--format={{.Policy}}={{.Updated}}").ok()
        return [(policy, how) for policy, how in (line.split("=") for line in text.splitlines())]


@pytest.fixture
def machine(manager: UserManager, busybox_image: Image) -> Machine:
    return Machine(manager, busybox_image)


def test_a_container_gets_what_its_registry_has(machine: Machine, registry: Registry) -> None:
    image = f"{registry.address}/app:1"
    registry.push("app", "1", machine.image("sleep", "1001"))
    machine.start(image, "registry")
    assert machine.updated() == {NAME: "false"}
    registry.push("app", "1", machine.image("sleep", "1002"))
    assert machine.updated("--dry-run") == {NAME: "pending"}
    assert (machine.command(), machine.history()) == ("[sleep 1001]", [])
    done = machine.update()
    heading, line = done.ok().splitlines()
    assert heading.split() == ["UNIT", "CONTAINER", "IMAGE", "POLICY", "UPDATED"]
    unit, _, container, *rest = line.split()
    assert (unit, container, rest) == (f"{NAME}.service", f"({NAME})", [image, "registry", "true"])
    assert "Trying to pull" in done.stderr
    assert (machine.command(), machine.history()) == ("[sleep 1002]", [("registry", "true")])
    assert machine.updated() == {NAME: "false"}


def test_an_image_that_does_not_start_gives_way_to_the_former_one(machine: Machine, registry: Registry) -> None:
    image = f"{registry.address}/app:1"
    registry.push("app", "1", machine.image("sleep", "1001"))
    machine.have("sleep", "2001")
    machine.start(image, "registry")
    machine.start(LOCAL, "local", name=OTHER)
    registry.push("app", "1", machine.image("/nonexistent"))
    machine.have("sleep", "2002")
    done = machine.update("--format={{.Unit}} {{.Updated}}")
    assert sorted(done.ok().splitlines()) == [f"{OTHER}.service true", f"{NAME}.service rolled back"]
    assert f"{NAME}.service has its former image again" in done.stderr
    assert (machine.command(), machine.command(OTHER)) == ("[sleep 1001]", "[sleep 2002]")
    again = machine.update("--format={{.Unit}} {{.Updated}}")
    assert f"{NAME}.service false" in again.ok()
    assert "was given up before" in again.stderr
    assert machine.updated("--try-again", "--dry-run")[NAME] == "pending"
    registry.push("app", "1", machine.image("sleep", "1003"))
    assert machine.updated() == {NAME: "true", OTHER: "false"}
    assert machine.command() == "[sleep 1003]"


@pytest.mark.parametrize("command", ["false", "sleep 1002"], ids=["ends", "unhealthy"])
def test_so_does_one_that_is_not_well(machine: Machine, command: str) -> None:
    health = "" if command == "false" else '"--health-cmd=test $$(cat /proc/1/cmdline | tr -d a-z\\\\\\\\0) != 1002" '
    machine.have("sleep", "1001")
    machine.start(LOCAL, "local", options=health and health + "--health-interval=1s --health-retries=2")
    machine.have(*command.split())
    assert machine.updated() == {NAME: "rolled back"}
    assert (machine.command(), machine.history()) == ("[sleep 1001]", [("local", "rolled back")])
    assert machine.updated() == {NAME: "false"}


def test_without_rollback_the_unit_has_failed_until_it_is_rolled_back_by_hand(machine: Machine) -> None:
    machine.have("sleep", "1001")
    machine.start(LOCAL, "local")
    machine.have("/nonexistent")
    done = machine.update("--rollback=false").fails(125, f"restarting unit {NAME}.service during update: ")
    assert done.stderr.endswith(f"Hint: journalctl --user -u {NAME}.service\n")
    assert machine.manager.show(NAME, "ActiveState") == {"ActiveState": "failed"}
    assert machine.update("--format=json").ok() == "[]"
    assert machine.manager.engine("rollback", NAME).ok().startswith(f"{NAME}: {LOCAL} is image ")
    assert machine.command() == "[sleep 1001]"
    assert machine.history() == [("local", "failed"), ("rollback", "true")]


def test_a_rollback_goes_back_one_update_after_the_other(machine: Machine, registry: Registry) -> None:
    registry.push("app", "1", machine.image("sleep", "1001"))
    machine.start(f"{registry.address}/app:1", "registry")
    for command in ("1002", "1003"):
        registry.push("app", "1", machine.image("sleep", command))
        assert machine.updated() == {NAME: "true"}
    machine.manager.engine("image", "prune", "-f").ok()  # what the last update replaced stays
    for command in ("1002", "1001"):  # that one was removed, and is pulled again by its digest
        machine.manager.engine("rollback", "--tls-verify=false", NAME).ok()
        assert machine.command() == f"[sleep {command}]"
        assert machine.updated() == {NAME: "false"}
    machine.manager.engine("rollback", NAME).fails(125, f"no former image of container {NAME} is known")
    registry.push("app", "1", machine.image("sleep", "1004"))
    assert machine.updated() == {NAME: "true"}


def test_a_registry_that_is_down_stops_no_other_container(
    machine: Machine, registry: Registry, session_base: Path
) -> None:
    machine.have("sleep", "1001")
    with Registry.start(session_base) as other:
        other.push("app", "1", machine.image("sleep", "2001"))
        machine.start(f"{other.address}/app:1", "registry", name=OTHER)
    machine.start(LOCAL, "local")
    machine.have("sleep", "1002")
    done = machine.update("--format={{.Unit}} {{.Updated}}").fails(125, "checking image updates for container ")
    assert sorted(done.stdout.splitlines()) == [f"{OTHER}.service failed", f"{NAME}.service true"]
    assert machine.command(OTHER) == "[sleep 2001]"


def test_a_containers_label_names_the_file_with_its_registrys_credentials(machine: Machine, session_base: Path) -> None:
    podpy = machine.manager.podpy
    authfile = podpy.home / "auth.json"
    with Registry.start(session_base, auth=True) as registry:
        login = ("login", f"-u{registry.user}", f"-p{registry.password}", "--tls-verify=false", registry.address)
        podpy.ok(*login, f"--authfile={authfile}")
        registry.push("app", "1", machine.image("sleep", "1001"))
        options = f"{HEALTHY} --authfile={authfile} --label=io.containers.autoupdate.authfile="
        machine.start(f"{registry.address}/app:1", "registry", options=f"{options}{authfile}")
        machine.start(f"{registry.address}/app:1", "registry", name=OTHER, options=f"{options}/dev/null")
        registry.push("app", "1", machine.image("sleep", "1002"))
        done = machine.update("--format={{.Unit}} {{.Updated}}", f"--authfile={authfile}").fails(125, "unauthorized")
    assert sorted(done.stdout.splitlines()) == [f"{OTHER}.service failed", f"{NAME}.service true"]


@pytest.mark.parametrize(
    ("command", "phase", "end"),
    [("sleep 1002", "restarting", "true"), ("/nonexistent", "rolling back", "rolled back")],
    ids=["update", "rollback"],
)
def test_after_a_kill_the_next_call_goes_on(machine: Machine, command: str, phase: str, end: str) -> None:
    flag = machine.manager.podpy.home / "flag"
    options = f"-v {machine.manager.podpy.home}:/home/it --health-cmd='test -e /home/it/flag' --health-interval=1s"
    options += " --health-retries=1 --health-start-period=1h"
    machine.manager.podpy.run(["touch", os.fspath(flag)]).ok()
    machine.have("sleep", "1001")
    machine.start(LOCAL, "local", options=options)
    machine.have(*command.split())
    starting = ("ps", "-q", "--no-trunc", "--filter=health=starting")
    wait.until(lambda: not machine.manager.engine(*starting).ok(), what="the unit's first container is healthy")
    flag.unlink()
    podpy = machine.manager.podpy
    call = podpy.popen("--runroot", os.fspath(podpy.runroot), "auto-update", env=machine.manager.env)
    wait.until(lambda: machine.history() == [("local", phase)], what="the call has come so far")
    container = wait.until(lambda: machine.manager.engine(*starting).ok(), what="the unit is up again")
    call.send_signal(signal.SIGKILL)
    call.wait()
    assert machine.history() == [("local", phase)]
    podpy.run(["touch", os.fspath(flag)]).ok()
    done = machine.update("--format={{.Updated}}")
    assert (done.ok(), machine.history()) == ("false", [("local", end)])
    assert "going on with an update that was interrupted" in done.stderr
    assert machine.manager.engine("inspect", "--format={{.Id}}", NAME).ok() == container


def test_no_image_says_that_or_which_unit_is_restarted(machine: Machine) -> None:
    labels = {"io.containers.autoupdate": "local", "PODMAN_SYSTEMD_UNIT": f"{OTHER}.service"}
    machine.have("sleep", "1001", Labels=labels)
    machine.start(LOCAL, "", name=NAME)
    machine.start(LOCAL, "local", name=OTHER)
    machine.have("sleep", "1002", Labels=labels)
    machine.manager.engine("run", "-d", "--name=alone", "--network=none", "--label=io.containers.autoupdate=local",
                           "--stop-timeout=0", LOCAL).ok()  # fmt: skip
    machine.have("sleep", "1003", Labels=labels)
    done = machine.update("--format={{.Unit}} {{.ContainerName}} {{.Updated}}")
    done.fails(125, "no PODMAN_SYSTEMD_UNIT label found")
    assert done.stdout == f"{OTHER}.service {OTHER} true\n"
    assert (machine.command(), machine.command(OTHER)) == ("[sleep 1001]", "[sleep 1003]")
    machine.manager.engine("rm", "-ft0", "alone").ok()


def test_a_unit_that_starts_the_old_container_again_is_told_of(machine: Machine) -> None:
    machine.have("sleep", "1001")
    text = "Type=notify\nNotifyAccess=all\nKillMode=mixed\nDelegate=yes\nExecStart={podpy} start it"
    machine.manager.load(NAME, f"{text}\nExecStop={{podpy}} stop it")
    podpy = machine.manager.podpy
    options = ["--network=none", "--sdnotify=conmon", "--stop-timeout=0", "--cgroups=split"]
    options.append("--label=io.containers.autoupdate=local")
    env = {**machine.manager.env, "PODMAN_SYSTEMD_UNIT": f"{NAME}.service"}
    podpy.ok("--runroot", os.fspath(podpy.runroot), "create", "--name=it", *options, LOCAL, env=env)
    machine.manager.systemctl("start", NAME).ok()
    machine.have("sleep", "1002")
    done = machine.update("--format={{.Updated}}")
    assert done.ok() == "rolled back"
    assert "container it runs with image" in done.stderr
    assert machine.updated() == {NAME: "false"}  # the name means the former image again
    machine.manager.systemctl("stop", NAME)
    machine.manager.engine("start", "it").ok()  # by hand, and so elsewhere
    machine.update().fails(125, f"it doesn't run in its unit {NAME}.service")
    machine.manager.engine("rm", "-ft0", "it").ok()


def test_the_containers_of_a_kubernetes_file_are_updated_together(machine: Machine) -> None:
    machine.have("sleep", "1001", name="localhost/one:1")
    machine.have("sleep", "2001", name="localhost/two:1")
    file = machine.manager.podpy.home / "pod.yaml"
    file.write_text(
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {NAME}\n  annotations:\n"
        "    io.containers.autoupdate: local\nspec:\n  terminationGracePeriodSeconds: 0\n  containers:\n"
        "  - {name: one, image: 'localhost/one:1'}\n  - {name: two, image: 'localhost/two:1'}\n"
    )
    machine.manager.load(
        NAME,
        "Type=notify\nNotifyAccess=all\nKillMode=mixed\nDelegate=yes\nEnvironment=PODMAN_SYSTEMD_UNIT=%n\n"
        "ExecStart={podpy} kube play --replace --service-container=true --network=none {file}\n"
        "ExecStopPost={podpy} kube down {file}",
        file=os.fspath(file),
    )
    machine.manager.systemctl("start", NAME).ok()
    machine.have("sleep", "1002", name="localhost/one:1")
    done = machine.update("--format={{.ContainerName}} {{.Updated}}").ok()
    assert sorted(done.splitlines()) == [f"{NAME}-one true", f"{NAME}-two true"]  # restarted both, as in Podman
    assert (machine.command(f"{NAME}-one"), machine.command(f"{NAME}-two")) == ("[sleep 1002]", "[sleep 2001]")
    assert machine.history() == [("local", "true")]
    machine.have("/nonexistent", name="localhost/two:1")
    done = machine.update("--format={{.ContainerName}} {{.Updated}}").ok()
    assert sorted(done.splitlines()) == [f"{NAME}-one rolled back", f"{NAME}-two rolled back"]
    assert (machine.command(f"{NAME}-one"), machine.command(f"{NAME}-two")) == ("[sleep 1002]", "[sleep 2001]")


def test_a_timer_of_the_users_systemd_calls_it_every_day(machine: Machine) -> None:
    manager = machine.manager
    env = {**manager.env, "XDG_CONFIG_HOME": os.fspath(manager.runtime)}  # systemd reads units there, too

    def timer(what: str) -> Result:
        return manager.podpy("--runroot", os.fspath(manager.podpy.runroot), "system", "auto-update", what, env=env)

    assert "Timer: not enabled\nNext: never\n" in timer("status").fails(1).stdout
    path = manager.directory / "podpy-auto-update.timer"
    assert timer("enable").ok().splitlines()[0] == os.fspath(path)
    assert manager.show(path.name, "ActiveState", "UnitFileState") == {
        "ActiveState": "active", "UnitFileState": "enabled-runtime",
    }  # fmt: skip
    found = timer("status").ok()
    assert f"Timer: {path}\n" in found and "Next: never" not in found
    machine.have("sleep", "1001")
    machine.start(LOCAL, "local")
    machine.have("sleep", "1002")
    manager.systemctl("start", "podpy-auto-update.service").ok()
    assert (machine.command(), machine.history()) == ("[sleep 1002]", [("local", "true")])
    timer("disable").ok()
    assert not path.exists() and manager.show(path.name, "ActiveState") == {"ActiveState": "inactive"}
