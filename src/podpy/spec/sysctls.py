"""Which kernel parameters a container may set: those that a namespace has (podman-run(1), --sysctl)."""

from __future__ import annotations

from podpy.errors import ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.spec.container import ContainerSpec

_IPC = "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni".split()
UTS_NAMES = ("kernel.hostname", "kernel.domainname")
_ALLOWED_NAMES = frozenset([*_IPC, "kernel.shm_rmid_forced", *UTS_NAMES])
_SHARED = ("host", "container:", "ns:")
_ALLOWED_PREFIXES = ("net.", "fs.mqueue.")


def check_name(name: str) -> None:
    """Raise UsageError for a sysctl that no container namespace has (Podman's list)."""
    if name not in _ALLOWED_NAMES and not name.startswith(_ALLOWED_PREFIXES):
        raise UsageError(
            f"sysctl '{name}' is not allowed", hint="Only kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*"
        )


def defaults(items: Sequence[str], spec: ContainerSpec) -> dict[str, str]:
    """Return the items of default_sysctls (containers.conf) that the container's root can set in its own namespaces.

    podpy's user namespace owns the container's network namespace, so root of another user namespace (keep-id, auto)
    can't write there; such a default is omitted. Raises ConfigError.
    """
    found = {}
    for item in items:
        name, equals, value = item.partition("=")
        try:
            check_name(name)
        except UsageError as error:
            raise ConfigError(f"default_sysctls in containers.conf: {error.message}", hint=error.hint) from error
        if not equals:
            raise ConfigError(f"default_sysctls in containers.conf: invalid value {item!r}", hint="It is KEY=VALUE")
        mode = spec.network if name.startswith("net.") else spec.uts if name in UTS_NAMES else spec.ipc
        foreign = name.startswith("net.") and (spec.userns != "host" or spec.uid_maps)
        if not foreign and not mode.startswith(_SHARED):
            found[name] = value
    return found
