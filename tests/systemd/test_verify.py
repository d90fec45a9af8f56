"""systemd itself reads the units that podpy writes, and has nothing to say about them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.quadlet.bundle import HERE, lay_out
from tests.support import needs
from tests.support.engine import Podpy


@pytest.fixture(autouse=True)
def _systemd() -> None:
    needs.require("systemd")


def complaints(directory: Path) -> str:
    """Return what systemd-analyze(1) says about all services of a directory."""
    services = sorted(os.fspath(path) for path in directory.glob("*.service") if "@." not in path.name)
    assert services
    command = ["systemd-analyze", "--user", "--man=no", "--recursive-errors=no", "verify", *services]
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{directory}:", "XDG_RUNTIME_DIR": os.fspath(directory)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_quadlets_units(launcher: Path, tmp_path: Path) -> None:
    files, units = tmp_path / "files", tmp_path / "units"
    files.mkdir()
    lay_out((HERE / "cases.txt").read_text(), files)
    environment = {"QUADLET_UNIT_DIRS": os.fspath(files), "HOME": "/nowhere", "XDG_RUNTIME_DIR": os.fspath(tmp_path)}
    generator = launcher.with_name("podpy-system-generator")
    subprocess.run([generator, "-user", "-no-kmsg-log", units], env=environment, capture_output=True, timeout=60)
    assert len(list(units.glob("*.service"))) > 40
    assert complaints(units) == ""


def test_units_of_generate_systemd(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    podpy.ok("create", "--name=c", "--network=none", "--env=A=b c %i", busybox, "sh", "-c", "echo $HOME; sleep 5")
    podpy.ok("pod", "create", "--name=p")
    podpy.ok("create", "--name=m", "--pod=p", busybox, "sleep", "5")
    for name in ("c", "p"):
        for number, words in enumerate(([], ["--new"])):
            directory = tmp_path / f"{name}{number}"
            directory.mkdir()
            data = podpy.json("generate", "systemd", "--format=json", *words, name)
            for unit, text in data.items():
                (directory / f"{unit}.service").write_text(text)
            assert complaints(directory) == ""
