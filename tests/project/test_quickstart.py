"""scripts/quickstart, after scripts/test has run it: what it made, and that it changes nothing the second time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.engine import CHECKOUT

QUICKSTART = CHECKOUT / "scripts/quickstart"

pytestmark = pytest.mark.xdist_group("quickstart")


@pytest.fixture(autouse=True)
def _machine_is_set_up() -> None:
    needs.require("quickstart")


def test_the_second_time_it_changes_nothing_and_runs_the_container_again() -> None:
    done = subprocess.run([QUICKSTART], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.split("\n") if line.startswith("quickstart:")]
    changes = [line for line in said if not line.startswith("quickstart: to go on as ")]
    assert len(changes) == 1, said
    assert changes[0].endswith(": podpy run --rm hello")
    assert "Hello from a container" in done.stdout


def test_podpy_is_on_everybodys_path() -> None:
    done = subprocess.run(["podpy", "--version"], capture_output=True, text=True, cwd="/")
    assert done.stdout.startswith("podpy version "), done.stderr


@pytest.mark.parametrize("device", ["/dev/net/tun", "/dev/fuse"])
def test_everybody_may_open_the_devices(device: str) -> None:
    if os.path.exists(device):  # a container may have none, and may not make them
        assert Path(device).stat().st_mode & 0o666 == 0o666


def test_root_as_the_user_is_refused() -> None:
    needs.require("root")
    done = subprocess.run([QUICKSTART], capture_output=True, text=True, env={**os.environ, "PODPY_USER": "root"})
    assert done.returncode == 1
    assert "root is root. Name an unprivileged user" in done.stderr
