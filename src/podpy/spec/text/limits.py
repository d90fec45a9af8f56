"""`--memory`, `--cpus`, `--ulimit` and their kind → Resources and Ulimit (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.numbers import whole
from podpy.spec.container import Ulimit
from podpy.spec.text.values import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ULIMITS = frozenset(
    "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack as".split()
)
_LARGEST_ULIMIT = (1 << 64) - 1  # rlim_t
_MOST_OPERATIONS = (1 << 64) - 1
_CPU_PERIOD = 100_000  # microseconds, for --cpus
MOST_QUOTA = (1 << 44) - 1
"""The largest CPU quota in microseconds that the kernel takes (kernel/sched/core.c, max_cfs_runtime)."""
_LARGEST_CPU = (1 << 32) - 1
_SMALLEST_MEMORY = 6 << 20  # the kernel can't start a process with less; runc and Podman have the same limit


def ulimits(items: Sequence[str]) -> list[Ulimit]:
    """Return the limits, the last one of each name. Raises UsageError."""
    return list({limit.name: limit for limit in map(parse_ulimit, items)}.values())


def parse_ulimit(text: str) -> Ulimit:
    """Return NAME=SOFT[:HARD]; -1 or "unlimited" is none; "host" keeps the caller's. Raises UsageError."""
    if text == "host":
        return Ulimit(name="host", soft=-1, hard=-1)
    name, equals, value = text.partition("=")
    name = name.strip().lower().removeprefix("rlimit_")
    if not equals:
        raise _bad_ulimit(text, f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise _bad_ulimit(text, f"invalid ulimit type: {name}")
    words = value.split(":")
    if len(words) > 2:
        raise _bad_ulimit(text, f"too many limit value arguments - {value}, can only have up to two, `soft[:hard]`")
    soft, hard = _ulimit_value(text, words[0]), _ulimit_value(text, words[-1])
    if hard >= 0 and (soft > hard or soft < 0):
        pair = f"{soft} > {hard}" if soft >= 0 else f"soft: -1 (unlimited), hard: {hard}"
        raise _bad_ulimit(text, f"ulimit soft limit must be less than or equal to hard limit: {pair}")
    return Ulimit(name=name, soft=soft, hard=hard)


def _ulimit_value(text: str, value: str) -> int:
    if value in ("-1", "unlimited"):
        return -1
    number = whole(value, _LARGEST_ULIMIT)
    if number is None:
        raise _bad_ulimit(text, f'"{value}" is not a whole number')
    return number


def _bad_ulimit(text: str, why: str) -> UsageError:
    return UsageError(
        f'ulimit option "{text}" requires name=SOFT:HARD, failed to be parsed: {why}',
        hint="Such as nofile=1024:4096; -1 is unlimited",
    )


def check_cpus(cpus: float, quota: int, period: int) -> None:
    """Raise UsageError for `--cpus`, `--cpu-quota` and `--cpu-period` that exclude each other or are out of range."""
    for option, value in (("--cpu-period", period), ("--cpu-quota", quota)):
        if cpus and value:
            raise UsageError(
                f"{option} and --cpus cannot be set together", hint="--cpus is a short form of --cpu-period --cpu-quota"
            )
    if not cpus >= 0:
        raise UsageError("--cpus must be positive")
    if cpus * _CPU_PERIOD > MOST_QUOTA or quota > MOST_QUOTA:
        raise UsageError(f"--cpus {cpus} is too large" if cpus else f"--cpu-quota {quota} is too large")
    if period and not 1000 <= period <= 1000000:
        raise UsageError("--cpu-period must be between 1000 and 1000000 microseconds")


def check_cpuset(option: str, text: str) -> str:
    """Return the numbers of CPUs or memory nodes, such as 0-3,5 (cpuset(7), list format). Raises UsageError."""
    for piece in text.split(",") if text else ():
        first, dash, last = piece.partition("-")
        low, high = (whole(number, _LARGEST_CPU) for number in (first, last if dash else first))
        if low is None or high is None or low > high:
            raise UsageError(f"invalid value {text!r} for {option}", hint="It is a list of numbers, such as 0-3,5")
    return text


def memory(option: str, text: str) -> int | None:
    """Return bytes; None (no limit) for an empty text or 0. Raises UsageError."""
    if not text:
        return None
    size = parse_size(option, text)
    if option == "--memory" and 0 < size < _SMALLEST_MEMORY:
        raise UsageError(f"{option} {text}: minimum memory limit allowed is {_SMALLEST_MEMORY >> 20}MB")
    return size or None


def memory_swap(text: str, memory_limit: int | None) -> int | None:
    """Return the limit of memory plus swap; Podman's default is as much swap as memory. Raises UsageError."""
    if not text:
        return memory_limit * 2 if memory_limit else None
    if memory_limit is None:
        raise UsageError("you should always set a memory limit when using a memoryswap limit, see usage")
    if text == "-1":
        return -1
    size = parse_size("--memory-swap", text)
    if size < memory_limit:
        raise UsageError("minimum memoryswap limit should be larger than memory limit, see usage")
    return size


def blkio_weight(text: str) -> int | None:
    """Return a weight; None for an empty text or 0. Raises UsageError."""
    if not text or text == "0":
        return None
    weight = whole(text, 1000)
    if weight is None or weight < 10:
        raise UsageError(f"invalid value {text!r} for --blkio-weight", hint="It is a number from 10 to 1000")
    return weight


def throttles(option: str, items: Sequence[str], *, in_bytes: bool = True) -> list[str]:
    """Return DEVICE:RATE with the rate as a number: bytes (1mb), or reads or writes, per second. Raises UsageError."""
    result = []
    for item in items:
        device, rate = _of_device(item, f"{option} is DEVICE:RATE, such as /dev/sda:{'1mb' if in_bytes else '100'}")
        if in_bytes:
            rate = str(parse_size(option, rate))
        elif whole(rate, _MOST_OPERATIONS) is None:
            raise UsageError(
                f"invalid rate for device: {item}. The correct format is <device-path>:<number>. "
                "Number must be a positive integer"
            )
        result.append(f"{device}:{rate}")
    return result


def device_weights(items: Sequence[str]) -> list[str]:
    """Return DEVICE:WEIGHT. Raises UsageError."""
    for item in items:
        _, weight = _of_device(item, "--blkio-weight-device is DEVICE:N, such as /dev/sda:500")
        if (whole(weight, 1000) or 0) < 10:
            raise UsageError(f"invalid weight for device: {item}", hint="It is DEVICE:N, with N from 10 to 1000")
    return list(items)


def _of_device(item: str, hint: str) -> tuple[str, str]:
    device, colon, value = item.partition(":")
    if not colon:
        raise UsageError(f"bad format: {item}", hint=hint)
    if not device.startswith("/dev/"):
        raise UsageError(f"bad format for device path: {item}", hint=hint)
    return device, value


def oom_score_adj(value: int) -> int:
    """Return the value. Raises UsageError for one that the kernel refuses (proc_pid_oom_score_adj(5))."""
    if not -1000 <= value <= 1000:
        raise UsageError(f"--oom-score-adj {value}: it goes from -1000 to 1000")
    return value
