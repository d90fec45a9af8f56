"""The options of `create` and `run` that limit what a container may use."""

from __future__ import annotations

from podpy.cli.declare.model import FLOAT, Option, count, flag, listed, many, number, text

_V1 = "it exists only on cgroup v1, and there only for root"

CREATE_LIMITS: tuple[Option, ...] = (
    text("--memory -m", "SIZE", "Memory limit, such as 512m"),
    text("--memory-swap", "SIZE", "Limit of memory and swap together; -1: unlimited"),
    text("--memory-reservation", "SIZE", "Memory that is kept when memory is short"),
    Option(names=("--cpus",), kind=FLOAT, metavar="N", help="How many CPUs' worth of time, such as 1.5"),
    count("--cpu-shares -c", "N", "Weight when CPUs are contended"),
    number("--cpu-quota", "MICROSECONDS", "CPU time in each period"),
    count("--cpu-period", "MICROSECONDS", "Length of the period"),
    text("--cpuset-cpus", "LIST", "CPUs to run on: 0-3, 0,1"),
    text("--cpuset-mems", "LIST", "NUMA nodes to take memory from"),
    number("--pids-limit", "N", "How many processes and threads; -1: unlimited"),
    text("--blkio-weight", "N", "Weight of disk accesses, 10 to 1000"),
    many("--blkio-weight-device", "DEVICE:N", "The same for one device"),
    many("--device-read-bps", "DEVICE:SIZE", "Bytes per second read from a device"),
    many("--device-write-bps", "DEVICE:SIZE", "Bytes per second written to a device"),
    many("--device-read-iops", "DEVICE:N", "Reads per second from a device"),
    many("--device-write-iops", "DEVICE:N", "Writes per second to a device"),
    listed("--cgroup-conf", "KEY=VALUE", "Raw cgroup v2 setting"),
    listed("--ulimit", "NAME=SOFT[:HARD]", "Resource limit; host: the caller's"),
    number("--oom-score-adj", "N", "How likely the kernel kills it when memory is out, -1000 to 1000"),
    text(
        "--cgroups",
        "MODE",
        "Whether the container gets a cgroup",
        default="enabled",
        choices=("enabled", "disabled", "no-conmon", "split"),
    ),
    text("--cgroup-parent", "PATH", "Cgroup to make the container's in"),
    flag("--oom-kill-disable", "Don't kill when memory is out", refuse="cgroup v2 can't: use --oom-score-adj"),
    count("--cpu-rt-period", "MICROSECONDS", "Real-time period", refuse=_V1),
    number("--cpu-rt-runtime", "MICROSECONDS", "Real-time share", refuse=_V1),
    number("--memory-swappiness", "N", "Swappiness, 0 to 100", default=-1, refuse=_V1),
    text("--rdt-class", "NAME", "Cache allocation class", refuse="the host's resctrl file system is root's alone"),
)
