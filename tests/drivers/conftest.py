"""What programs that drive `podman` find: podpy under that name, first in PATH."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.support.engine import PATH, Podpy, Result


class Machine:
    """A place where `podman` and `docker` are links to podpy. `home` is the working directory."""

    def __init__(self, podpy: Podpy) -> None:
        self.podpy = podpy
        self.home = podpy.home
        links = podpy.home / "bin"
        links.mkdir()
        for name in ("podman", "docker"):
            (links / name).symlink_to(podpy.launcher)
        self.environment = {"PATH": f"{links}:{PATH}"}

    def __call__(self, *args: str, **options: Any) -> Result:
        """Run `podman` to its end."""
        return self.run(["podman", *args], **options)

    def ok(self, *args: str, **options: Any) -> str:
        """Run `podman`, assert that it succeeded, and return its stdout."""
        return self(*args, **options).ok()

    def run(self, command: list[str], *, env: dict[str, str] | None = None, **options: Any) -> Result:
        """Run any program to its end."""
        return self.podpy.run(command, env={**self.environment, **(env or {})}, **options)

    def popen(self, *args: str) -> subprocess.Popen[bytes]:
        """Start `podman`, with a pipe from its stdout."""
        return subprocess.Popen(
            ["podman", *args],
            env=self.podpy.environment(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            cwd=self.home,
            **self.podpy.user.as_popen_arguments(),  # type: ignore[call-overload]
        )


@pytest.fixture
def machine(podpy: Podpy, busybox: str) -> Machine:
    """A machine with `podman` and the image localhost/busybox:latest."""
    return Machine(podpy)
