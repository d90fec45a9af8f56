"""Makes the container's files reachable for a user namespace in which podpy's own user has no id.

With `nomap`, `auto` and most `--uidmap`s, no id in the container may pass the user's directories with mode 0700 (the
home, XDG_RUNTIME_DIR). The OCI runtime mounts from inside that namespace, so it would fail. Podman opens the
directories to everybody (mode | 0111), permanently; podpy binds what the container needs into a small tmpfs that only
this mount namespace sees.
"""

from __future__ import annotations

import os

from podpy import linux
from podpy.errors import NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# Directories that every distribution has, with nothing that a start needs.
_PLACES = ("/srv", "/media", "/mnt", "/usr/games", "/usr/src", "/usr/local/src")


def expose(config: dict[str, Any], in_use: Sequence[str]) -> None:
    """Bind the root filesystem and every bind source of config.json below one accessible directory; change the paths.

    `in_use`: further paths that must stay visible in this mount namespace. Raises NotSupportedError, OSError.
    """
    binds = [mount for mount in config["mounts"] if mount["type"] == "bind"]
    place = _free_place([*in_use, config["root"]["path"], *(mount["source"] for mount in binds)])
    linux.mount("tmpfs", place, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755,size=1m")
    config["root"]["path"] = _bind(config["root"]["path"], f"{place}/rootfs")
    for number, mount in enumerate(binds):
        if not _is_kernels(mount["source"]):
            mount["source"] = _bind(mount["source"], f"{place}/{number}")


def _bind(source: str, target: str) -> str:
    if os.path.isdir(source):
        os.mkdir(target, 0o755)
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    return target


def _is_kernels(path: str) -> bool:
    return f"{path}/".startswith(("/proc/", "/sys/", "/dev/"))


def _free_place(used: Sequence[str]) -> str:
    for place in _PLACES:
        if os.path.isdir(place) and not any((path + "/").startswith(place + "/") for path in used):
            return place
    raise NotSupportedError(
        f"no directory is free to show the container's files in: {', '.join(_PLACES)} are all in use"
    )
