"""Parts of a SpecGenerator that concern the host: mounts, rights, devices, limits. See creating.py."""

from __future__ import annotations

from podpy.api.errors import HttpError
from podpy.spec.container import AS_CONFIGURED, Device, Mount, Resources, SecretUse, Ulimit
from podpy.spec.text import limits
from podpy.spec.text.security import (
    check_capabilities,
    is_cdi_name,
    parse_device,
    parse_device_rule,
    parse_sysctls,
    security_options,
)
from podpy.spec.text.volumes import check_volume_name, parse_tmpfs, target_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNLIMITED = 1 << 63  # Go's clients send 2^64-1 for it
_KINDS = ("bind", "tmpfs", "devpts", "ramfs")


def mounts(given: dict[str, Any], *, rootless: bool) -> list[Mount]:
    """Return the mounts of `mounts`, `volumes`, `overlay_volumes`, `image_volumes`. Raises HttpError, UsageError."""
    found = [_mount(each, rootless=rootless) for each in given.get("mounts") or ()]
    for each in given.get("volumes") or ():
        name = each.get("Name") or ""
        if name:
            check_volume_name(name)
        found.append(_volume(each, name))
    found += [_overlay(each) for each in given.get("overlay_volumes") or ()]
    return found + [_image(each) for each in given.get("image_volumes") or ()]


def _overlay(given: dict[str, Any]) -> Mount:
    options = dict.fromkeys([*(given.get("options") or ()), "O"])
    return _bind(given.get("source") or "", given.get("destination") or "", [*options])


def _image(given: dict[str, Any]) -> Mount:
    options = ["rw"] if given.get("ReadWrite") else []
    target = target_path(given.get("Destination") or "")
    return Mount(
        type="image",
        source=given.get("Source") or "",
        target=target,
        options=options,
        subpath=given.get("subPath") or "",
    )


def _volume(given: dict[str, Any], name: str) -> Mount:
    target = target_path(given.get("Dest") or "")
    options, subpath = given.get("Options") or [], given.get("SubPath") or ""
    return Mount(type="volume", source=name, target=target, options=options, subpath=subpath)


def _mount(given: dict[str, Any], *, rootless: bool) -> Mount:
    kind = given.get("type") or "bind"
    options: list[str] = given.get("options") or []
    target = given.get("destination") or ""
    if kind not in _KINDS:
        raise HttpError(400, f"invalid mount type {kind!r}: it must be one of {', '.join(_KINDS)}")
    if kind == "bind":
        return _bind(given.get("source") or "", target, options)
    if kind == "tmpfs":
        return parse_tmpfs(f"{target}:{','.join(options)}" if options else target, rootless=rootless)
    return Mount(type=kind, source=given.get("source") or "", target=target_path(target), options=options)


def _bind(source: str, target: str, options: list[str]) -> Mount:
    if not source.startswith("/"):
        raise HttpError(400, f"invalid mount source {source!r}: it must be an absolute path")
    return Mount(type="bind", source=source, target=target_path(target), options=options)


def secrets(given: dict[str, Any]) -> list[SecretUse]:
    """Return the uses of `secrets` and `secret_env`."""
    files = [
        SecretUse(
            name=each.get("Source") or "",
            target=each.get("Target") or "",
            uid=each.get("UID") or 0,
            gid=each.get("GID") or 0,
            mode=0o444 if each.get("Mode") is None else each["Mode"],
        )
        for each in given.get("secrets") or ()
    ]
    variables: dict[str, str] = given.get("secret_env") or {}
    return files + [SecretUse(name=name, target=target, type="env") for target, name in variables.items()]


def rights(given: dict[str, Any], *, rootless: bool) -> dict[str, Any]:
    """Return the fields about rights and devices. Raises UsageError, NotSupportedError."""
    add, drop = given.get("cap_add") or [], given.get("cap_drop") or []
    check_capabilities(add, drop)
    devices, cdi = _devices(given.get("devices") or ())
    rules = [_rule(each) for each in given.get("device_cgroup_rule") or ()]
    return {
        "privileged": AS_CONFIGURED if given.get("privileged") is None else given["privileged"],
        "cap_add": add,
        "cap_drop": drop,
        "sysctls": parse_sysctls([f"{key}={value}" for key, value in (given.get("sysctl") or {}).items()]),
        "devices": devices,
        "cdi_devices": cdi,
        "device_cgroup_rules": rules,
        "proc_opts": given.get("procfs_opts") or [],
        **security_options(_security(given)),
    }


def _security(given: dict[str, Any]) -> list[str]:
    found = [f"label={text}" for text in given.get("selinux_opts") or ()]
    found += [f"mask={':'.join(given['mask'])}"] if given.get("mask") else []
    found += [f"unmask={':'.join(given['unmask'])}"] if given.get("unmask") else []
    found += ["no-new-privileges"] if given.get("no_new_privileges") else []
    found += [f"seccomp={given['seccomp_profile_path']}"] if given.get("seccomp_profile_path") else []
    return found + ([f"apparmor={given['apparmor_profile']}"] if given.get("apparmor_profile") else [])


def _devices(given: Any) -> tuple[list[Device], list[str]]:
    texts = [each.get("path") or "" for each in given]
    plain = [parse_device(text) for text in texts if not is_cdi_name(text)]
    return plain, [text for text in texts if is_cdi_name(text)]


def _rule(given: dict[str, Any]) -> str:
    major, minor = ("*" if given.get(name) in (None, -1) else given[name] for name in ("major", "minor"))
    return f"{given.get('type') or 'a'} {major}:{minor} {given.get('access') or 'rwm'}"


def ulimits(given: list[dict[str, Any]] | None) -> list[Ulimit]:
    """Return the limits of `r_limits`. Raises UsageError, HttpError."""
    found = []
    for each in given or ():
        name = (each.get("type") or "").lower().removeprefix("rlimit_")
        soft, hard = (_limit(name, each.get(key)) for key in ("soft", "hard"))
        found.append(limits.parse_ulimit(f"{name}={soft}:{hard}"))
    return found


def _limit(name: str, value: Any) -> int:
    """Return a limit of 64 bits, which is no type of the schema."""
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise HttpError(400, f"invalid limit {value!r} of {name}: it must be a whole number")
    return -1 if value >= _UNLIMITED else value


def resources(given: dict[str, Any], *, rootless: bool) -> Resources:
    """Return the limits of `resource_limits` (the OCI runtime spec's LinuxResources) and those beside it.

    Raises UsageError.
    """
    asked = given.get("resource_limits") or {}
    memory, cpu, blocks = (asked.get(name) or {} for name in ("memory", "cpu", "blockIO"))
    rules = [_rule(each) for each in given.get("device_cgroup_rule") or ()]
    quota, period = cpu.get("quota") or None, cpu.get("period") or None
    limits.check_cpus(0, quota or 0, period or 0)
    return Resources(
        memory=memory.get("limit") or None,
        memory_swap=memory.get("swap") or None,
        memory_reservation=memory.get("reservation") or None,
        cpu_shares=cpu.get("shares") or None,
        cpu_quota=quota,
        cpu_period=period,
        cpuset_cpus=limits.check_cpuset("--cpuset-cpus", cpu.get("cpus") or ""),
        cpuset_mems=limits.check_cpuset("--cpuset-mems", cpu.get("mems") or ""),
        pids_limit=(asked.get("pids") or {}).get("limit"),
        blkio_weight=blocks.get("weight") or None,
        blkio_weight_device=_rates(given.get("weightDevice"), "weight"),
        device_read_bps=_rates(given.get("throttleReadBpsDevice")),
        device_write_bps=_rates(given.get("throttleWriteBpsDevice")),
        device_read_iops=_rates(given.get("throttleReadIOPSDevice")),
        device_write_iops=_rates(given.get("throttleWriteIOPSDevice")),
        devices=[parse_device_rule(text, rootless=rootless) for text in rules],
        cgroup_conf=given.get("unified") or asked.get("unified") or AS_CONFIGURED,
    )


def _rates(given: dict[str, dict[str, Any]] | None, name: str = "rate") -> list[str]:
    return [f"{path}:{each.get(name) or 0}" for path, each in (given or {}).items()]
