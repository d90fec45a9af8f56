"""The input of `oci.document.build` besides the ContainerSpec: the host, and what other rooms have prepared.

All look-ups are done before, so `build` is a pure function and its tests need no kernel.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.oci.root.users import UserIds
from podpy.record import Record
from podpy.spec import capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.spec.container import Device

NO_CGROUPS, CGROUPFS, SYSTEMD = "none", "cgroupfs", "systemd"
_CPUS = "/sys/devices/system/cpu"


class Limit(Record):
    """A resource limit of podpy's own process; -1 is unlimited."""

    soft: int
    hard: int


class HostFacts(Record):
    """The host's limits and rights, read once per call by `read`."""

    rootless: bool = True
    capabilities: list[str] = capabilities.NAMES  # those that podpy can give
    gids: int = 65537  # the number of group ids that podpy's own user namespace maps
    oom_score_adj: int = 0
    limits: dict[str, Limit] = {}  # by RLIMIT name: NOFILE, NPROC …
    kernel: tuple[int, int] = (6, 1)
    unified_cgroups: bool = True
    controllers: list[str] = []  # cgroup controllers that podpy may use: memory, pids, cpu …
    environment: dict[str, str] = {}  # of the caller
    thermal_counters: list[str] = []  # directories: thermal_counters()

    @classmethod
    def read(
        cls, *, rootless: bool, controllers: list[str], environment: dict[str, str], unified_cgroups: bool = True
    ) -> HostFacts:
        """Return this host's facts, as seen by this process (already inside the user's namespaces)."""
        import resource

        limits = {name: Limit(soft=pair[0], hard=pair[1]) for name, pair in _own_limits(resource)}
        gids = sum(int(line.split()[2]) for line in files.read("/proc/self/gid_map").splitlines())
        major, minor = os.uname().release.split(".")[:2]
        return cls(
            rootless=rootless,
            capabilities=capabilities.bounding_set(),
            gids=gids,
            oom_score_adj=int(files.read("/proc/self/oom_score_adj")),
            limits=limits,
            kernel=(int(major), int("".join(c for c in minor if c.isdigit()) or 0)),
            unified_cgroups=unified_cgroups,
            controllers=controllers,
            environment=environment,
            thermal_counters=thermal_counters(),
        )


class BundleContext(Record):
    """The prepared input for one start of a container."""

    container_id: str
    rootfs: str  # where its root filesystem is mounted
    host: HostFacts = HostFacts()
    user: UserIds = UserIds()  # oci.root.users.lookup(rootfs, spec.user, spec.groups)
    hostname: str = ""  # "": the first twelve digits of the id
    files: dict[str, str] = {}  # path in the container: host file to bind there (/etc/hosts, /run/.containerenv …)
    artifacts: dict[str, dict[str, str]] = {}  # mounts of type artifact: target → path in the container → host path
    sources: dict[str, str] = {}  # target of a mount in the spec: host directory to bind (volumes, overlays, images)
    places: dict[str, str] = {}  # target of a mount → its resolved path in the root filesystem (default: the target)
    namespaces: dict[str, str] = {}  # OCI type: path to join ("network": …/netns; "pid": /proc/7/ns/pid)
    shm: str = ""  # a directory to bind at /dev/shm; "": a tmpfs that the runtime makes
    sysfs: str = ""  # a sysfs of the container's network to bind at /sys; "": the runtime mounts one
    init: str = ""  # host path of the init program for --init
    devices: list[Device] = []  # oci.document.devices.resolve(spec, …): plain device files only
    cgroup_manager: str = NO_CGROUPS
    cgroup_path: str = ""  # oci.cgroups.path(…)
    annotations: dict[str, str] = {}
    console_size: tuple[int, int] | None = None  # rows and columns of the caller's terminal
    environment: dict[str, str] = {}  # variables for this start, over those of the spec


def _own_limits(resource: object) -> list[tuple[str, tuple[int, int]]]:
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    get = resource.getrlimit  # type: ignore[attr-defined]
    return [(name.removeprefix("RLIMIT_"), get(getattr(resource, name))) for name in names]


def thermal_counters(cpus: str = _CPUS) -> list[str]:
    """Return the directories with each CPU's throttling counters: a side channel to other processes.

    Only existing ones: the OCI runtime creates no mount point in sysfs.
    """
    try:
        names = sorted(name for name in os.listdir(cpus) if name[:3] == "cpu" and name[3:].isdigit())
    except OSError:
        return []
    return [path for path in (f"{cpus}/{name}/thermal_throttle" for name in names) if os.path.isdir(path)]
