"""Units of a user's systemd that run containers: once `systemctl stop` has returned, nothing is left of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import needs, processes, wait
from tests.support.engine import Podpy, Result

ROUNDS = 8  # what is left, if anything, depends on who is faster
NAME = "podpy-test-unit"
COMMAND = "sh -c 'trap \"exit 0\" TERM; sleep 1000 & wait'"

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
}


class UserManager:
    """The systemd of a test's user, and one unit in it."""

    def __init__(self, podpy: Podpy) -> None:
        self.podpy = podpy
        self.runtime = Path(f"/run/user/{podpy.user.uid}")
        self.env = {"XDG_RUNTIME_DIR": os.fspath(self.runtime)}
        self.unit = self.runtime / f"systemd/user/{NAME}.service"

    def systemctl(self, *words: str) -> Result:
        """Run systemctl --user."""
        return self.podpy.run(["systemctl", "--user", *words], env=self.env)

    def engine(self, *words: str) -> Result:
        """Run podpy with the unit's state directories and this systemd."""
        return self.podpy("--runroot", os.fspath(self.podpy.runroot), *words, env=self.env)

    def load(self, text: str, image: str) -> None:
        """Write the unit and let systemd read it."""
        podpy = " ".join([*self.podpy.command(), "--runroot", os.fspath(self.podpy.runroot)])
        names = {"runtime": os.fspath(self.podpy.runtime_dir), "podpy": podpy, "name": NAME}
        environment = f"Environment=HOME={self.podpy.home} XDG_DATA_HOME={self.podpy.data_home} {self.podpy.marker}"
        body = text.format(image=image, command=COMMAND, **names).strip()
        self.podpy.run(["mkdir", "-p", os.fspath(self.unit.parent)]).ok()
        self.podpy.run(["tee", os.fspath(self.unit)], input=f"[Service]\n{environment}\n{body}\n").ok()
        self.systemctl("daemon-reload").ok()

    def unload(self) -> None:
        """Stop the unit and forget it."""
        self.systemctl("stop", NAME)
        self.unit.unlink(missing_ok=True)
        self.systemctl("daemon-reload")
        self.systemctl("reset-failed", NAME)


@pytest.fixture
def manager(podpy: Podpy) -> Iterator[UserManager]:
    needs.require("systemd")
    found = UserManager(podpy)
    if not (found.runtime / "systemd/private").exists():
        subprocess.run(["loginctl", "enable-linger", podpy.user.name], check=True)
        wait.until((found.runtime / "systemd/private").exists, what="the user's systemd listens")
    yield found
    found.unload()


@pytest.mark.parametrize("kind", UNITS)
def test_a_stopped_unit_leaves_nothing_and_the_name_is_free(
    podpy: Podpy, busybox: str, manager: UserManager, kind: str
) -> None:
    manager.load(UNITS[kind], busybox)
    for _ in range(ROUNDS):
        manager.systemctl("start", NAME).ok()
        wait.until(lambda: manager.engine("ps", "-q").ok() != "", what="the container runs")
        manager.systemctl("stop", NAME).ok()
        assert manager.engine("ps", "--all").ok().count("\n") == 0
        assert manager.engine("run", "--rm", "--name", NAME, "--network=none", busybox, "echo", "free").ok() == "free"
        assert manager.engine("system", "check").ok() == ""
    conmons = [pid for pid in processes.mentioning([podpy.home], podpy.marker) if "conmon" in processes.describe(pid)]
    assert conmons == []
    state = manager.systemctl("show", "--property=Result,ActiveState", NAME).ok()
    assert sorted(state.splitlines()) == ["ActiveState=inactive", "Result=success"], kind
