"""The root directory of infra containers: podpy's program `pause`, and mount points.

    graphroot/infra/SIZE-TIME/        size and time of the program's file: a newer podpy makes another directory
        pause
        dev/ etc/ proc/ run/ sys/     with empty files as mount points

All infra containers share it, read-only. It is created aside and renamed, so it is complete or doesn't exist.
"""

from __future__ import annotations

import os
import shutil

from podpy import process
from podpy.storage import crash_point
from podpy.storage.layers.filesystem import sync_filesystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

PROGRAM = "/pause"
_DIRECTORIES = ("dev", "etc", "proc", "run", "run/secrets", "sys", "tmp", "var", "var/tmp")
_FILES = ("etc/group", "etc/hostname", "etc/hosts", "etc/passwd", "etc/resolv.conf", "run/.containerenv")


def ready(engine: Engine) -> str:
    """Return the directory's path; create it if it is missing."""
    found = os.stat(_program())
    path = os.path.join(engine.paths.graphroot, "infra", f"{found.st_size:x}-{found.st_mtime_ns // 1_000_000_000:x}")
    ensure(engine, path)
    return path


def ensure(engine: Engine, path: str) -> None:
    """Create the directory at `path`, unless it exists."""
    if os.path.isdir(path):
        return
    aside = engine.store.staging.new_path("infra")
    for name in ("", *_DIRECTORIES):
        os.mkdir(os.path.join(aside, name))
        os.chmod(os.path.join(aside, name), 0o755)
    for name in _FILES:
        with open(os.path.join(aside, name), "xb") as file:
            os.fchmod(file.fileno(), 0o644)
    target = aside + PROGRAM
    shutil.copyfile(_program(), target)
    os.chmod(target, 0o755)
    sync_filesystem(aside)  # once for each version of podpy, so that a power cut leaves it complete, too
    crash_point("pod:root")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        os.rename(aside, path)
    except OSError:
        if not os.path.isdir(path):  # else another call has created it
            raise


def _program() -> str:
    return process.own_program("pause")
