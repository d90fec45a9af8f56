"""Limits → linux.resources. A limit that this host can't enforce is an error; its hint says what to delegate."""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from podpy.oci.document.context import BundleContext
    from podpy.spec.container import ContainerSpec, Resources

DEFAULT_PIDS = 2048  # containers.conf(5), pids_limit
_MEMORY = ("memory", "memory_swap", "memory_reservation")
_DEVICES = ("blkio_weight_device", "device_read_bps", "device_write_bps", "device_read_iops", "device_write_iops")
_CPU = ("cpu_shares", "cpu_quota", "cpu_period", "cpus")
_CPUSET = ("cpuset_cpus", "cpuset_mems")
_PIDS = ("pids_limit",)


def build(spec: ContainerSpec, context: BundleContext) -> dict[str, Any]:
    """Return linux.resources. Raises NotSupportedError for an explicit limit that this host can't enforce, unless the
    spec wants only what can be.
    """
    asked = spec.resources
    if spec.limits_if_possible:
        asked, _ = enforceable(asked, context.cgroup_manager, context.host.controllers)
    check(asked, context.cgroup_manager, context.host.controllers)
    result: dict[str, Any] = {}
    _add(result, "memory", _memory(asked))
    _add(result, "cpu", _cpu(asked))
    _add(result, "pids", _pids(asked, context))
    _add(result, "blockIO", _block_io(asked))
    if asked.cgroup_conf:
        result["unified"] = dict(asked.cgroup_conf)
    if asked.devices:
        result["devices"] = [dict(rule) for rule in asked.devices]
    return result


def for_update(asked: Resources, before: Resources) -> dict[str, Any]:
    """Return linux.resources for a running container with the limits `before`; -1 removes one."""
    memory = _memory(asked)
    if before.memory is not None and asked.memory is None:
        memory.update(limit=-1, swap=-1)
    pids = {"limit": asked.pids_limit if asked.pids_limit > 0 else -1} if asked.pids_limit is not None else {}
    result: dict[str, Any] = {}
    _add(result, "memory", memory)
    _add(result, "cpu", _cpu(asked))
    _add(result, "pids", pids)
    _add(result, "blockIO", _block_io(asked))
    return result


def check(asked: Resources, manager: str, controllers: Collection[str]) -> None:
    """Raise NotSupportedError if a limit needs a controller that podpy may not use."""
    for option, controller in needed(asked):
        if manager == "none":
            raise NotSupportedError(
                f"{option}: this session has no cgroup of its own, so no limit can be enforced", hint=_mend(controller)
            )
        if controller not in controllers and controller != "cgroup":
            raise NotSupportedError(
                f"{option}: podpy can't use the cgroup controller {controller} here", hint=_mend(controller)
            )


def enforceable(
    asked: Resources, manager: str, controllers: Collection[str]
) -> tuple[Resources, NotSupportedError | None]:
    """Return the limits without those that podpy may not enforce, and the error about the first of these."""
    error: NotSupportedError | None = None
    nothing = type(asked)()
    for names in (_MEMORY, _CPU, _CPUSET, _PIDS):
        only = nothing.replace(**{name: getattr(asked, name) for name in names})
        try:
            check(only, manager, controllers)
        except NotSupportedError as raised:
            error = error or raised
            asked = asked.replace(**{name: getattr(nothing, name) for name in names})
    return asked, error


def _mend(controller: str) -> str:
    from podpy.rootless.checks.controllers import missing_controllers
    from podpy.rootless.checks.mends import one_line

    return one_line(missing_controllers([controller]))


def needed(asked: Resources) -> list[tuple[str, str]]:
    """Return (option, controller) for each explicit limit."""
    fields = [(name, "memory") for name in _MEMORY] + [(name, "cpu") for name in _CPU]
    fields += [(name, "cpuset") for name in _CPUSET] + [("blkio_weight", "io")]
    fields += [(name, "io") for name in _DEVICES]
    found = [("--" + n.replace("_", "-"), c) for n, c in fields if getattr(asked, n) not in (None, "", [])]
    # "memory.high" belongs to the controller memory; "cgroup.max.depth" belongs to none.
    found += [(f"--cgroup-conf {key}", key.partition(".")[0]) for key in asked.cgroup_conf or ()]
    if asked.pids_limit is not None and asked.pids_limit > 0:
        found.append(("--pids-limit", "pids"))
    return found


def _memory(asked: Resources) -> dict[str, int]:
    result = {}
    if asked.memory is not None:
        result["limit"] = asked.memory
    if asked.memory_swap is not None:
        result["swap"] = asked.memory_swap
    if asked.memory_reservation is not None:
        result["reservation"] = asked.memory_reservation
    return result


def _cpu(asked: Resources) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if asked.cpus:
        result["period"] = 100000
        result["quota"] = round(asked.cpus * 100000)
    plain = {"shares": asked.cpu_shares, "quota": asked.cpu_quota, "period": asked.cpu_period}
    result.update({key: value for key, value in plain.items() if value})
    if asked.cpuset_cpus:
        result["cpus"] = asked.cpuset_cpus
    if asked.cpuset_mems:
        result["mems"] = asked.cpuset_mems
    return result


def _block_io(asked: Resources) -> dict[str, Any]:
    result: dict[str, Any] = {"weight": asked.blkio_weight} if asked.blkio_weight else {}
    lists = {
        "weightDevice": (asked.blkio_weight_device, "weight"),
        "throttleReadBpsDevice": (asked.device_read_bps, "rate"),
        "throttleWriteBpsDevice": (asked.device_write_bps, "rate"),
        "throttleReadIOPSDevice": (asked.device_read_iops, "rate"),
        "throttleWriteIOPSDevice": (asked.device_write_iops, "rate"),
    }
    result.update({key: [_of_device(item, name) for item in items] for key, (items, name) in lists.items() if items})
    return result


def _of_device(item: str, name: str) -> dict[str, int]:
    """Return DEVICE:NUMBER in the OCI runtime spec's form; `name` is the number's key."""
    device, _, number_text = item.rpartition(":")
    try:
        number = os.stat(device).st_rdev
    except OSError as error:
        raise UsageError(f"failed to inspect '{device}': {error.strerror}") from error
    return {"major": os.major(number), "minor": os.minor(number), name: int(number_text)}


def _pids(asked: Resources, context: BundleContext) -> dict[str, int]:
    if asked.pids_limit is None:
        # It is only the default, so it is silently left out if the controller isn't delegated.
        available = context.cgroup_manager != "none" and "pids" in context.host.controllers
        return {"limit": DEFAULT_PIDS} if available else {}
    return {"limit": asked.pids_limit} if asked.pids_limit > 0 else {}


def _add(target: dict[str, Any], key: str, value: dict[str, Any]) -> None:
    if value:
        target[key] = value
