"""Linux capabilities: names, Podman's default set, `--cap-add` and `--cap-drop` (capabilities(7))."""

from __future__ import annotations

from podpy import files
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# In the order of their numbers (linux/capability.h): the index is the bit.
NAMES = (
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP"
    " CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER"
    " CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE"
    " CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL"
    " CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ"
    " CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE"
).split()

# containers.conf(5), default_capabilities.
DEFAULT = tuple(
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_SETFCAP CAP_SETGID CAP_SETPCAP"
    " CAP_SETUID CAP_SYS_CHROOT".split()
)


def normalize(name: str) -> str:
    """Return a capability's full name: "net_raw" is CAP_NET_RAW, "all" is ALL. Raises UsageError for an unknown one."""
    upper = name.strip().upper()
    if upper == "ALL":
        return upper
    full = upper if upper.startswith("CAP_") else "CAP_" + upper
    if full not in NAMES:
        raise UsageError(f'"{full}": unknown capability', hint="See capabilities(7) for the names")
    return full


def merge(base: Iterable[str], add: Sequence[str], drop: Sequence[str], bounding: Sequence[str]) -> list[str]:
    """Return the set that results from a default set, `--cap-add`, `--cap-drop` and the bounding set.

    The rules are Podman's: ALL may be added or dropped, not both; no capability may be in both `add` and `drop`.
    """
    added, dropped = [normalize(name) for name in add], [normalize(name) for name in drop]
    if "ALL" in added and "ALL" in dropped:
        raise UsageError("adding all caps and removing all caps not allowed")
    for name in added:
        if name != "ALL" and name in dropped:
            raise UsageError(f'capability "{name}" cannot be dropped and added')
    start = list(bounding) if "ALL" in added else [] if "ALL" in dropped else list(base)
    wanted = {*start, *(name for name in added if name != "ALL")} - set(dropped)
    return sorted(wanted & set(bounding))


def from_mask(mask: int) -> list[str]:
    """Return the names of a capability bit mask, as in /proc/PID/status."""
    return [name for bit, name in enumerate(NAMES) if mask >> bit & 1]


def bounding_set() -> list[str]:
    """Return the capabilities that this process can still give to a child (PR_CAPBSET_READ, through /proc)."""
    text = files.read("/proc/self/status")
    start = text.index("CapBnd:") + 7
    return from_mask(int(text[start : text.index("\n", start)], 16))
