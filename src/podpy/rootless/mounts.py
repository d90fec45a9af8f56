"""A mount namespace of this process's own."""

from __future__ import annotations

from podpy import linux


def private_mounts() -> None:
    """Give this process its own mount namespace: the host's mounts still arrive there, and none of ours leaves."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SLAVE)
