"""Which kernel parameters a container may set (podman-run(1), --sysctl): those of the namespaces that it can have."""

from __future__ import annotations

from podpy.errors import UsageError

_IPC = "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni".split()
UTS_NAMES = ("kernel.hostname", "kernel.domainname")
_ALLOWED_NAMES = frozenset([*_IPC, "kernel.shm_rmid_forced", *UTS_NAMES])
_ALLOWED_PREFIXES = ("net.", "fs.mqueue.")


def check_name(name: str) -> None:
    """Raise UsageError for a sysctl that no container namespace has (Podman's list)."""
    if name not in _ALLOWED_NAMES and not name.startswith(_ALLOWED_PREFIXES):
        raise UsageError(
            f"sysctl '{name}' is not allowed", hint="Only kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*"
        )
