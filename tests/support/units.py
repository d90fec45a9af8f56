"""Units of real systemd managers that run the tested podpy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import needs, wait
from tests.support.engine import Podpy, Result


class Manager:
    """A systemd manager, and units in it; `unload` stops and removes them."""

    directory: Path
    specifier_t: Path  # what %t stands for

    def __init__(self, podpy: Podpy) -> None:
        self.podpy = podpy
        self.env: dict[str, str] = {}
        self.units: list[str] = []

    def systemctl(self, *words: str) -> Result:
        """Run systemctl for this manager."""
        raise NotImplementedError

    def engine(self, *words: str) -> Result:
        """Run podpy outside of the units, with their state directories."""
        return self.podpy("--runroot", os.fspath(self.podpy.runroot), *words, env=self.env)

    def command(self) -> str:
        """Return podpy's command line for units."""
        return " ".join([*self.podpy.command(), "--runroot", os.fspath(self.podpy.runroot)])

    def write(self, unit: str, text: str) -> None:
        """Write a unit file."""
        raise NotImplementedError

    def load(self, name: str, text: str, **words: str) -> None:
        """Write NAME.service with the [Service] lines `text`, {podpy} and more `words` filled in, and let systemd
        read it.
        """
        body = text.format(podpy=self.command(), name=name, runtime=os.fspath(self.podpy.runtime_dir), **words).strip()
        environment = f"Environment=HOME={self.podpy.home} XDG_DATA_HOME={self.podpy.data_home} {self.podpy.marker}"
        self.write(f"{name}.service", f"[Service]\n{environment}\n{body}\n")
        self.systemctl("daemon-reload").ok()

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Return some of a unit's properties."""
        lines = self.systemctl("show", f"--property={','.join(properties)}", unit).ok().splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def unload(self) -> None:
        """Stop the units and forget them."""
        for unit in self.units:
            self.systemctl("stop", unit)
            (self.directory / unit).unlink(missing_ok=True)
        self.systemctl("daemon-reload")
        for unit in self.units:
            self.systemctl("reset-failed", unit)


class UserManager(Manager):
    """The systemd of a test's user."""

    def __init__(self, podpy: Podpy) -> None:
        super().__init__(podpy)
        self.runtime = Path(f"/run/user/{podpy.user.uid}")
        self.env = {"XDG_RUNTIME_DIR": os.fspath(self.runtime)}
        self.directory = self.runtime / "systemd/user"
        if not (self.runtime / "systemd/private").exists():
            subprocess.run(["loginctl", "enable-linger", podpy.user.name], check=True)
            wait.until((self.runtime / "systemd/private").exists, what="the user's systemd listens")

    def systemctl(self, *words: str) -> Result:
        """Run systemctl --user."""
        return self.podpy.run(["systemctl", "--user", *words], env=self.env)

    def write(self, unit: str, text: str) -> None:
        """Write a unit file, as the user."""
        self.units.append(unit)
        self.podpy.run(["mkdir", "-p", os.fspath(self.directory)]).ok()
        self.podpy.run(["tee", os.fspath(self.directory / unit)], input=text).ok()


class SystemManager(Manager):
    """The machine's systemd, with units that run as the test's user."""

    directory = Path("/run/systemd/system")

    def systemctl(self, *words: str) -> Result:
        """Run systemctl as root."""
        command = ["systemctl", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return Result(command, done.returncode, done.stdout, done.stderr)

    def write(self, unit: str, text: str) -> None:
        """Write a unit file with User=."""
        self.units.append(unit)
        (self.directory / unit).write_text(text.replace("[Service]", f"[Service]\nUser={self.podpy.user.name}"))


@contextmanager
def user_manager(podpy: Podpy) -> Iterator[UserManager]:
    """Skip without systemd."""
    needs.require("systemd")
    found = UserManager(podpy)
    try:
        yield found
    finally:
        found.unload()


@contextmanager
def system_manager(podpy: Podpy) -> Iterator[SystemManager]:
    """Skip without systemd, and without root."""
    needs.require("systemd")
    needs.require("root")
    found = SystemManager(podpy)
    try:
        yield found
    finally:
        found.unload()
