"""What mends a host on which limits can't be enforced: one source for errors and for `podpy system doctor`."""

from __future__ import annotations

from podpy import files
from podpy.rootless import cgroups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_CGROUPS = "/proc/cgroups"
_V1_NAMES = {"io": "blkio"}
DELEGATE = (
    "sudo mkdir -p /etc/systemd/system/user@.service.d\n"
    "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | "
    "sudo tee /etc/systemd/system/user@.service.d/delegate.conf\n"
    "sudo systemctl daemon-reload    # counts from the next login on"
)


def missing_controllers(missing: Sequence[str], table: str = _CGROUPS) -> str:
    """Return what to do so that podpy can use these controllers, commands a line each.

    Delegation helps only if the root of the cgroup2 hierarchy has the controller: the kernel must have it, switched on,
    and not in a version 1 hierarchy (cgroups(7), /proc/cgroups; `table` is another file of that form).
    """
    rows = (line.split() for line in files.read_small(table).splitlines() if not line.startswith("#"))
    known = {row[0]: (row[1], row[3]) for row in rows if len(row) == 4}
    absent = [name for name in missing if name not in cgroups.root_controllers()]
    state = {name: known.get(_V1_NAMES.get(name, name)) for name in absent}
    if any(found is not None and found[0] != "0" for found in state.values()):
        return "boot with cgroup v2 only: kernel command line systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all"
    disabled = [name for name, found in state.items() if found is not None and found[1] == "0"]
    if disabled:
        return f"boot with {' '.join(f'cgroup_enable={name}' for name in disabled)} on the kernel command line"
    if absent:
        whose = "this kernel hasn't got it, or in a container the outer one doesn't pass it on"
        return f"have the controller {', '.join(absent)} in the cgroup root: {whose}"
    if cgroups.systemd_is_running():
        return DELEGATE
    return "chown a cgroup, its cgroup.procs and its cgroup.subtree_control to this user, and start podpy in it"
