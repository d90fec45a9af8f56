"""Masked and read-only paths under /proc and /sys: Podman's lists, `--security-opt mask=` and `unmask=`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.oci.document.context import BundleContext
    from podpy.spec.container import ContainerSpec

MASKED = tuple(
    "/proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list"
    " /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware /sys/fs/selinux /proc/interrupts".split()
)
READ_ONLY = ("/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def masked(spec: ContainerSpec, context: BundleContext, *, bound_sysfs: bool) -> list[str]:
    """Return linux.maskedPaths. `bound_sysfs`: /sys is the host's, not the container's own."""
    result: list[str] = []
    if not spec.privileged:
        result += [path for path in (*MASKED, *context.host.thermal_counters) if not _is_unmasked(path, spec.unmask)]
        if bound_sysfs and context.host.rootless:
            result.append("/sys/kernel")
        if spec.pid == "host" and context.host.rootless:
            return result
    return result + [path for path in _split(spec.mask) if path.startswith("/")]


def read_only(spec: ContainerSpec) -> list[str]:
    """Return linux.readonlyPaths."""
    if spec.privileged:
        return []
    return [path for path in READ_ONLY if not _is_unmasked(path, spec.unmask)]


def cgroup_is_writable(spec: ContainerSpec, context: BundleContext) -> bool:
    """Return whether /sys/fs/cgroup is writable inside: `--privileged`, or unmasked on a cgroup v2 host."""
    if spec.privileged:
        return True
    paths = _split(spec.unmask)
    return context.host.unified_cgroups and ("ALL" in paths or "/sys/fs/cgroup" in [p.rstrip("/") for p in paths])


def _is_unmasked(path: str, unmask: list[str]) -> bool:
    for pattern in _split(unmask):
        if pattern.lower() == "all":
            return True
        if _has_wildcard(pattern):
            # Most lists have no wildcards, and `fnmatch` imports `re`: so import it only if it is needed.
            from fnmatch import fnmatchcase

            if pattern.count("/") == path.count("/") and fnmatchcase(path, pattern):
                return True
        elif pattern == path:
            return True
    return False


def _split(values: list[str]) -> list[str]:
    return [part for value in values for part in value.split(":") if part]


def _has_wildcard(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")
