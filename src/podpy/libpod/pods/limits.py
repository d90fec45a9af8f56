"""Limits of a pod's containers together, set in the pod's own cgroup (cgroups(7), version 2).

The infra container's start sets them (without one, each container's), before the OCI runtime creates a cgroup below.
Where systemd manages the cgroups, it is asked to set them, since it may overwrite what others write.
"""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import RuntimeFailedError
from podpy.libpod.pods.table import PodTable
from podpy.oci.document.resources import check, needed
from podpy.plan import Operation
from podpy.rootless.cgroups import ROOT, SYSTEMD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.cgroups import FindCgroups
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec, Resources

_PERIOD = 100_000  # microseconds
_MAX = "max"
_THROTTLES = (
    ("device_read_bps", "rbps", "IOReadBandwidthMax"),
    ("device_write_bps", "wbps", "IOWriteBandwidthMax"),
    ("device_read_iops", "riops", "IOReadIOPSMax"),
    ("device_write_iops", "wiops", "IOWriteIOPSMax"),
)
"""Limits of single devices: the field, io.max's key, and the property of a unit (systemd.resource-control(5))."""


class LimitPod(Operation):
    """Create a pod's cgroup, and set its limits."""

    def __init__(self, found: FindCgroups, resources: Resources, rootless: bool) -> None:
        self._found = found
        self._resources = resources
        self._rootless = rootless

    def describe(self) -> str:
        """Return the limits."""
        return f"limit what the pod may use: {', '.join(settings(self._resources))}"

    def execute(self) -> None:
        """Set them. Raises NotSupportedError for a limit that can't be enforced here, OSError, RuntimeFailedError."""
        view = self._found.view
        check(self._resources, view.manager, view.controllers)
        if view.manager == SYSTEMD:
            self._ask_systemd(self._found.path.partition(":")[0])
        else:
            directory = os.path.dirname(ROOT + self._found.path)
            _make(directory)
            for name, value in settings(self._resources).items():
                _write(f"{directory}/{name}", value)
            for value in throttles(self._resources):
                _write(f"{directory}/io.max", value)

    def _ask_systemd(self, unit: str) -> None:
        whose = ["--user"] if self._rootless else []
        asked = [f"{name}={value}" for name, value in properties(self._resources).items()]
        asked += device_properties(self._resources)
        command = [process.find("systemctl"), *whose, "set-property", "--runtime", unit, *asked]
        done = process.run(command)
        if done.code:
            raise RuntimeFailedError(f"systemd doesn't limit the pod: {done.error_text()}")

    def explain_failure(self, error: OSError) -> str:
        """Return what to do about a failure."""
        return "See which controllers may be used here: podpy info --format '{{.Host.CgroupControllers}}'"


def limiting(engine: Engine, spec: ContainerSpec, found: FindCgroups) -> list[Operation]:
    """Return the operation that limits the pod of a container that starts, if the pod's spec has limits.

    The infra container's start does it; where there is none, each container's.
    """
    row = PodTable(engine.database).get(spec.pod)
    asked = row.parsed().resources
    is_due = spec.is_infra or not row.infra_id
    return [LimitPod(found, asked, engine.paths.rootless)] if is_due and needed(asked) else []


def settings(asked: Resources) -> dict[str, str]:
    """Return a cgroup's files and the texts to write (Documentation/admin-guide/cgroup-v2.rst)."""
    period = asked.cpu_period or _PERIOD
    quota = round(asked.cpus * period) if asked.cpus else asked.cpu_quota
    swap = asked.memory_swap
    found = {
        "memory.max": _number(asked.memory),
        "memory.low": _number(asked.memory_reservation),
        "memory.swap.max": _MAX if swap == -1 else _number(swap and max(0, swap - (asked.memory or 0))),
        "cpu.weight": _number(asked.cpu_shares and weight(asked.cpu_shares)),
        "cpu.max": f"{quota if quota and quota > 0 else _MAX} {period}" if quota or asked.cpu_period else "",
        "cpuset.cpus": asked.cpuset_cpus,
        "cpuset.mems": asked.cpuset_mems,
        "io.weight": f"default {asked.blkio_weight}" if asked.blkio_weight else "",
    }
    return {name: value for name, value in found.items() if value}


def throttles(asked: Resources) -> list[str]:
    """Return what is written into io.max, a line after the other. Raises OSError for a device that isn't there."""
    lines = []
    for field, key, _ in _THROTTLES:
        for item in getattr(asked, field):
            device, _, rate = item.rpartition(":")
            number = os.stat(device).st_rdev
            lines.append(f"{os.major(number)}:{os.minor(number)} {key}={rate}")
    return lines


def device_properties(asked: Resources) -> list[str]:
    """Return limits of single devices as assignments of a unit's properties, each for one device."""
    found = []
    for field, _, name in (*_THROTTLES, ("blkio_weight_device", "", "IODeviceWeight")):
        for item in getattr(asked, field):
            device, _, value = item.rpartition(":")
            found.append(f"{name}={device} {value}")
    return found


def properties(asked: Resources) -> dict[str, str]:
    """Return the limits as properties of a unit (systemd.resource-control(5))."""
    files = settings(asked)
    quota, _, period = files.get("cpu.max", "").partition(" ")
    found = {
        "MemoryMax": files.get("memory.max", ""),
        "MemoryLow": files.get("memory.low", ""),
        "MemorySwapMax": files.get("memory.swap.max", "").replace(_MAX, "infinity"),
        "CPUWeight": files.get("cpu.weight", ""),
        "CPUQuota": f"{int(quota) * 100 / int(period):g}%" if quota not in ("", _MAX) else "",
        "AllowedCPUs": asked.cpuset_cpus,
        "AllowedMemoryNodes": asked.cpuset_mems,
        "IOWeight": str(asked.blkio_weight or ""),
    }
    return {name: value for name, value in found.items() if value}


def weight(shares: int) -> int:
    """Return a cgroup's weight (1 to 10,000) for CPU shares (2 to 262,144), as the OCI runtimes convert them."""
    return 1 + (min(max(shares, 2), 262_144) - 2) * 9999 // 262_142


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _make(directory: str) -> None:
    """Create a cgroup, and enable in each cgroup above it all controllers that can be."""
    above = ROOT
    for name in directory.removeprefix(ROOT).strip("/").split("/"):
        _pass_on(above)
        above = f"{above}/{name}"
        if not os.path.isdir(above):
            os.mkdir(above, 0o755)


def _pass_on(directory: str) -> None:
    try:
        with open(f"{directory}/cgroup.controllers", encoding="ascii") as file:
            names = file.read().split()
        _write(f"{directory}/cgroup.subtree_control", " ".join(f"+{name}" for name in names))
    except OSError:
        pass  # it holds processes, or is another user's: its enabled controllers must suffice


def _write(path: str, value: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(value)
