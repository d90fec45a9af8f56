"""Docker's compose of Debian 13: the program alone, unpacked beside the test tools.

python -m tests.support.compose        downloads it if it isn't there yet (scripts/test calls it)
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import needs, pastas

_PLACE = Path(sys.prefix) / "programs" / "docker-compose"
_IN_PACKAGE = "usr/libexec/docker/cli-plugins/docker-compose"


def is_there() -> bool:
    """Return whether the program is installed."""
    return (_PLACE / "docker-compose").exists()


def program() -> Path:
    """Return the path of `docker-compose`; skip the calling test if scripts/test couldn't install it."""
    if not needs.is_strict():
        install()
    needs.require("docker-compose")
    return _PLACE / "docker-compose"


def install() -> None:
    """Download it, if that isn't done yet. Raises subprocess.CalledProcessError if it can't be had."""
    _PLACE.parent.mkdir(parents=True, exist_ok=True)
    with open(_PLACE.with_suffix(".lock"), "w") as lock, tempfile.TemporaryDirectory(dir=_PLACE.parent) as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of the workers downloads it
        if is_there():
            return
        [package] = pastas.download(Path(scratch), "docker-compose")
        subprocess.run(["dpkg-deb", "-x", package, f"{scratch}/root"], check=True)
        _PLACE.mkdir(exist_ok=True)
        Path(scratch, "root", _IN_PACKAGE).rename(_PLACE / "docker-compose")
        subprocess.run(["chmod", "-R", "a+rX", _PLACE], check=True)


if __name__ == "__main__":
    install()
