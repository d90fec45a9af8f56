"""Where tests keep their files: on a real file system, readable for every user."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

CANDIDATES = ("/var/tmp", "/home", "/tmp")
UNREAL = {"overlay", "tmpfs", "ramfs", "aufs"}


def file_system_of(path: Path) -> str:
    """Return the type of the file system that `path` lies on, as the mount table names it."""
    done = subprocess.run(["stat", "-f", "-c", "%T", path], check=True, capture_output=True, text=True)
    return {"overlayfs": "overlay"}.get(done.stdout.strip(), done.stdout.strip())


def choose() -> Path:
    """Return the directory for the session's files: $PODPY_TEST_TMP, else the first one that isn't on overlay or tmpfs.

    In a container there may be none; then it's /var/tmp, and podpy has to cope (fuse-overlayfs, vfs).
    """
    given = os.environ.get("PODPY_TEST_TMP")
    if given:
        return Path(given)
    usable = [Path(path) for path in CANDIDATES if os.access(path, os.W_OK)]
    real = [path for path in usable if file_system_of(path) not in UNREAL]
    return (real or usable)[0]


def make_base() -> Path:
    """Make the session's directory (0755) and return it."""
    base = Path(tempfile.mkdtemp(prefix="podpy-tests-", dir=choose()))
    base.chmod(0o755)
    return base


def remove(path: Path) -> None:
    """Remove a directory and all that can be removed of what is in it, however deep: shutil.rmtree is recursive."""
    subprocess.run(["rm", "-rf", "--one-file-system", path], capture_output=True)
