"""`--ipc=container:NAME` shares /dev/shm as well as the IPC namespace: POSIX shared memory is files (shm_overview(7)).

The other container's /dev/shm is in its own mount namespace, and no path here leads to it. So the mount is copied there
(open_tree(2)) and attached here. A symbolic link on the way is refused, so the other container can't redirect it.
"""

from __future__ import annotations

import os

from podpy import beneath, linux
from podpy.errors import StateError


def borrow(namespace: str, target: str) -> str:
    """Mount the /dev/shm of the container whose IPC namespace is the file `namespace` at `target`; return `target`.

    `namespace` is /proc/PID/ns/ipc; any other path gives "", since there is no process to ask. This process must have
    only one thread and its own mount namespace. Raises StateError if the container has ended, OSError.
    """
    parts = namespace.split("/")
    if parts[:2] != ["", "proc"] or len(parts) != 5 or not parts[2].isdigit():
        return ""
    os.makedirs(target, mode=0o700, exist_ok=True)
    try:
        tree = beneath.clone_elsewhere(f"/proc/{parts[2]}/ns/mnt", "dev/shm", resolve=linux.RESOLVE_NO_SYMLINKS)
    except OSError as error:
        raise StateError(f"can't share the other container's /dev/shm: {error.strerror}") from error
    try:
        linux.move_mount(tree, "", linux.AT_FDCWD, target, linux.MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(tree)
    return target
