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

from tests.support import needs

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


def _download(target: Path) -> None:
    for package in _PACKAGES[:-1]:
        command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
        if subprocess.run(command, cwd=target, capture_output=True).returncode == 0:
            return
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", _PACKAGES[-1]]
    subprocess.run(command, cwd=target, check=True)


if __name__ == "__main__":
    install()
