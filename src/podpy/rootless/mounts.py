"""A mount namespace of this process's own."""

from __future__ import annotations

from podpy import linux


def private_mounts() -> None:
    """Give this process a mount namespace of its own, where mounts of the host still arrive but none of ours leaves."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SLAVE)
