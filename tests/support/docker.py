"""Docker's command line from Debian: the program alone, unpacked beside the test tools; no daemon is installed.

python -m tests.support.docker        downloads it if it isn't there yet (scripts/test calls it)
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import needs, suites

_PACKAGES = ("docker-cli", "docker.io")
"""The client's package in Debian 13 and later; in Debian 12 the client is in the daemon's package."""
_PLACE = Path(sys.prefix) / "programs" / "docker-client"


def is_there() -> bool:
    """Return whether the program is installed."""
    return (_PLACE / "docker").exists()


def program() -> Path:
    """Return the path of `docker`; skip the calling test if scripts/test couldn't install it."""
    if not needs.is_strict():
        install()
    install_newer()
    needs.require("docker-client")
    return _PLACE / "docker"


def install() -> None:
    """Download it, if that isn't done yet. Raises subprocess.CalledProcessError if it can't be had."""
    _PLACE.parent.mkdir(parents=True, exist_ok=True)
    with open(_PLACE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of the workers downloads it
        if is_there():
            return
        with tempfile.TemporaryDirectory(dir=_PLACE.parent) as scratch:
            _download(Path(scratch))
            [package] = Path(scratch).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", package, f"{scratch}/root"], check=True)
            _PLACE.mkdir(exist_ok=True)
            shutil.move(f"{scratch}/root/usr/bin/docker", _PLACE / "docker")
        subprocess.run(["chmod", "-R", "a+rX", _PLACE], check=True)


# Newer clients, which speak BuildKit's protocol

SUITES = {"trixie": ("docker-cli", "docker-buildx"), "forky": ("docker-cli", "docker-buildx", "docker-compose")}
"""The packages of each suite: Docker 26 with buildx 0.13; Docker 28 with buildx 0.29 and compose 2.40."""


def newer(suite: str) -> Path:
    """Return a directory with a suite's `docker` and its `cli-plugins`; skip the calling test if scripts/test couldn't
    install it.
    """
    if not needs.is_strict():
        install_newer()
    needs.require("newer-docker-clients")
    return _PLACE.with_name(f"docker-{suite}")


def are_newer_there() -> bool:
    """Return whether all of them are installed."""
    return all((_PLACE.with_name(f"docker-{suite}") / "docker").exists() for suite in SUITES)


def install_newer() -> None:
    """Download them, if that isn't done yet. Raises subprocess.CalledProcessError if they can't be had."""
    _PLACE.parent.mkdir(parents=True, exist_ok=True)
    with open(_PLACE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of the workers downloads it
        for suite, packages in SUITES.items():
            place = _PLACE.with_name(f"docker-{suite}")
            if not place.exists():
                with tempfile.TemporaryDirectory(dir=_PLACE.parent) as scratch:
                    made = _unpacked(Path(scratch), suites.download(Path(scratch), suite, *packages))
                    made.rename(place)


def _unpacked(scratch: Path, packages: list[Path]) -> Path:
    root, made = scratch / "root", scratch / "made"
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    made.mkdir()
    shutil.move(root / "usr/bin/docker", made / "docker")
    shutil.move(root / "usr/libexec/docker/cli-plugins", made / "cli-plugins")
    subprocess.run(["chmod", "-R", "a+rX", made], check=True)
    return made


def _download(target: Path) -> None:
    for package in _PACKAGES[:-1]:
        command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
        if subprocess.run(command, cwd=target, capture_output=True).returncode == 0:
            return
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", _PACKAGES[-1]]
    subprocess.run(command, cwd=target, check=True)


if __name__ == "__main__":
    install()
    install_newer()
