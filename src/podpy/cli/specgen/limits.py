"""`--memory`, `--cpus`, `--pids-limit`, `--ulimit` and their kind → Resources and Ulimit (podman-run(1))."""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError
from podpy.spec.container import Resources, Ulimit
from podpy.spec.text.security import parse_device_rule
from podpy.spec.text.values import parse_pairs, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.cli.parser.parse import Options
    from podpy.config.containers_conf import ContainersConf

_ULIMITS = frozenset(
    "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack as".split()
)
_DEFAULT_PIDS = 2048
_SMALLEST_MEMORY = 6 << 20  # the kernel can't start a process with less; runc and Podman say the same


def resources(options: Options, conf: ContainersConf, *, rootless: bool) -> Resources:
    """Return the limits that were asked for; None where nothing was. Raises UsageError, NotSupportedError."""
    _check_cpus(options)
    memory = _memory(options, "memory")
    return Resources(
        memory=memory,
        memory_swap=_memory_swap(options, memory),
        memory_reservation=_memory(options, "memory_reservation"),
        cpu_shares=options.cpu_shares or None,
        cpu_quota=options.cpu_quota or None,
        cpu_period=options.cpu_period or None,
        cpus=options.cpus or None,
        cpuset_cpus=options.cpuset_cpus or "",
        cpuset_mems=options.cpuset_mems or "",
        pids_limit=_pids(options, conf),
        blkio_weight=_blkio_weight(options.blkio_weight),
        device_read_bps=_throttles("--device-read-bps", options.device_read_bps),
        device_write_bps=_throttles("--device-write-bps", options.device_write_bps),
        cgroup_conf=parse_pairs("--cgroup-conf", options.cgroup_conf or conf.cgroup_conf),
        devices=[parse_device_rule(text, rootless=rootless) for text in options.device_cgroup_rule],
    )


def ulimits(items: Sequence[str], defaults: Sequence[str]) -> list[Ulimit]:
    """Return the `--ulimit`s over containers.conf's default_ulimits, one per name. Raises UsageError."""
    parsed = [parse_ulimit(text) for text in [*defaults, *items]]
    return list({limit.name: limit for limit in parsed}.values())


def parse_ulimit(text: str) -> Ulimit:
    """Return NAME=SOFT[:HARD]; -1 or "unlimited" is none; "host" keeps the caller's. Raises UsageError."""
    name, equals, value = text.partition("=")
    name = name.strip().lower().removeprefix("rlimit_")
    if text == "host":
        return Ulimit(name="host", soft=-1, hard=-1)
    if not equals or name not in _ULIMITS:
        raise UsageError(f"invalid ulimit type: {text!r}", hint="It is NAME=SOFT[:HARD], such as nofile=1024:4096")
    soft_text, colon, hard_text = value.partition(":")
    soft = _ulimit_value(text, soft_text)
    hard = _ulimit_value(text, hard_text) if colon else soft
    if hard >= 0 and (soft > hard or soft < 0):
        raise UsageError(f"ulimit {text}: the soft limit must be less than or equal to the hard limit")
    return Ulimit(name=name, soft=soft, hard=hard)


def _ulimit_value(text: str, value: str) -> int:
    if value in ("-1", "unlimited"):
        return -1
    if not value.isascii() or not value.isdigit():
        raise UsageError(f"invalid ulimit value: {text!r}", hint="Limits are whole numbers, -1 is unlimited")
    return int(value)


def _check_cpus(options: Options) -> None:
    if options.cpus and (options.cpu_quota or options.cpu_period):
        other = "--cpu-quota" if options.cpu_quota else "--cpu-period"
        raise UsageError(f"--cpus and {other} cannot be set together", hint="--cpus is a short form of the other two")
    if options.cpus and options.cpus < 0:
        raise UsageError("--cpus must be positive")
    if options.cpu_period and not 1000 <= options.cpu_period <= 1000000:
        raise UsageError("--cpu-period must be between 1000 and 1000000 microseconds")


def _memory(options: Options, name: str) -> int | None:
    text = getattr(options, name)
    if not text:
        return None
    option = "--" + name.replace("_", "-")
    size = parse_size(option, text)
    if name == "memory" and 0 < size < _SMALLEST_MEMORY:
        raise UsageError(f"{option} {text}: minimum memory limit allowed is {_SMALLEST_MEMORY >> 20}MB")
    return size or None


def _memory_swap(options: Options, memory: int | None) -> int | None:
    text = options.memory_swap
    if not text:
        # Podman's default: as much swap as memory.
        return memory * 2 if memory else None
    if memory is None:
        raise UsageError("--memory-swap needs --memory: it is the limit of both together")
    if text == "-1":
        return -1
    size = parse_size("--memory-swap", text)
    if size < memory:
        raise UsageError("--memory-swap must be at least as large as --memory: it is the limit of both together")
    return size


def _pids(options: Options, conf: ContainersConf) -> int | None:
    if options.given("pids_limit"):
        return int(options.pids_limit)
    # The built-in default stays None: it is left out where it can't be enforced.
    return None if conf.pids_limit == _DEFAULT_PIDS else conf.pids_limit


def _blkio_weight(text: str) -> int | None:
    if not text or text == "0":
        return None
    if not text.isdigit() or not 10 <= int(text) <= 1000:
        raise UsageError(f"invalid value {text!r} for --blkio-weight", hint="It is a number from 10 to 1000")
    return int(text)


def _throttles(option: str, items: Sequence[str]) -> list[str]:
    """Return DEVICE:RATE with the rate in bytes per second."""
    result = []
    for item in items:
        device, colon, rate = item.partition(":")
        if not colon or not device.startswith("/dev/"):
            raise UsageError(f"invalid value {item!r} for {option}", hint="It is DEVICE:RATE, such as /dev/sda:1mb")
        result.append(f"{device}:{parse_size(option, rate)}")
    return result


def refuse_unsupported(options: Options) -> None:
    """Raise NotSupportedError for limits that podpy doesn't have yet."""
    for name in ("blkio_weight_device", "device_read_iops", "device_write_iops"):
        if getattr(options, name):
            raise NotSupportedError(f"--{name.replace('_', '-')} comes with a later version of podpy")
