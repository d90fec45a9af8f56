"""`--memory`, `--cpus`, `--pids-limit` and similar options → Resources (podman-run(1))."""

from __future__ import annotations

from podpy.spec.container import AS_CONFIGURED, Resources
from podpy.spec.text import limits
from podpy.spec.text.security import parse_device_rule
from podpy.spec.text.values import parse_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def resources(options: Options, *, rootless: bool) -> Resources:
    """Return the limits; None for those that weren't given. Raises UsageError, NotSupportedError."""
    limits.check_cpus(options.cpus or 0, options.cpu_quota or 0, options.cpu_period or 0)
    memory = limits.memory("--memory", options.memory)
    cgroup_conf = parse_pairs("--cgroup-conf", options.cgroup_conf)
    return Resources(
        memory=memory,
        memory_swap=limits.memory_swap(options.memory_swap, memory),
        memory_reservation=limits.memory("--memory-reservation", options.memory_reservation),
        cpu_shares=options.cpu_shares or None,
        cpu_quota=options.cpu_quota or None,
        cpu_period=options.cpu_period or None,
        cpus=options.cpus or None,
        cpuset_cpus=limits.check_cpuset("--cpuset-cpus", options.cpuset_cpus or ""),
        cpuset_mems=limits.check_cpuset("--cpuset-mems", options.cpuset_mems or ""),
        pids_limit=int(options.pids_limit) if options.given("pids_limit") else None,
        blkio_weight=limits.blkio_weight(options.blkio_weight),
        **devices(options),
        cgroup_conf=cgroup_conf or AS_CONFIGURED,
        devices=[parse_device_rule(text, rootless=rootless) for text in options.device_cgroup_rule],
    )


def devices(options: Options) -> dict[str, list[str]]:
    """Return the limits of single devices. Raises UsageError."""
    return {
        "blkio_weight_device": limits.device_weights(options.blkio_weight_device),
        "device_read_bps": limits.throttles("--device-read-bps", options.device_read_bps),
        "device_write_bps": limits.throttles("--device-write-bps", options.device_write_bps),
        "device_read_iops": limits.throttles("--device-read-iops", options.device_read_iops, in_bytes=False),
        "device_write_iops": limits.throttles("--device-write-iops", options.device_write_iops, in_bytes=False),
    }
