"""The mounts of a container: those of every container, podpy's own files, and those of the options.

The OCI runtime mounts them inside the root filesystem with its own form of RESOLVE_IN_ROOT (crun's safe_openat, runc's
securejoin), so a symbolic link in the image can't lead a mount out of it. What lies below a mount of others' files is
mounted by podpy: `podpy.libpod.containers.starting.nested` takes it out of config.json again.
"""

from __future__ import annotations

import os

from podpy import beneath
from podpy.errors import NotSupportedError, UsageError
from podpy.oci.document import namespaces, paths
from podpy.spec.container import NOTIFY_DIRECTORY, PROPAGATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeAlias

    from podpy.oci.document.context import BundleContext
    from podpy.spec.container import ContainerSpec, Mount

    OciMount: TypeAlias = "dict[str, Any]"

READ_ONLY_TMPFS = ("/tmp", "/var/tmp", "/run")
SYSTEMD_TMPFS = ("/run", "/run/lock", "/tmp", "/var/log/journal")
_ZONES = "/usr/share/zoneinfo"
INIT_TARGET = "/run/podman-init"

# Options that no OCI runtime knows: labels (SELinux isn't enforced here), and those that libpod has handled before
# (chown, overlay, copy of the image's files, the subdirectory).
_OURS = frozenset(["z", "Z", "U", "O", "copy", "nocopy", "nocreate", "notmpcopyup"])
_OURS_WITH_VALUE = ("upperdir=", "workdir=", "subpath=", "volume-opt=", "consistency=")
SHARED = frozenset(["bind", "volume", "image"])
"""Mounts whose files aren't the container's own: others may change them at any time, and put links there."""
# Defaults of tmpfs and volumes, unless suid or dev is given; a bind mount keeps its file system's flags.
_SAFE = ("nosuid", "nodev")
_TTY_GID = 5  # the group tty in every distribution; Podman passes it to devpts


def build(spec: ContainerSpec, context: BundleContext, *, systemd: bool) -> list[OciMount]:
    """Return the mounts of config.json, parents before children. An option's mount replaces a default one."""
    check_copy_up(spec, context.places)
    asked = [made for mount in spec.mounts for made in _asked(mount, spec, context)]
    targets = {mount["destination"] for mount in asked}
    result = [m for m in [*_kernel(spec, context, systemd=systemd), *_files(spec, context)] if _free(m, targets)]
    result += [m for m in _tmpfs_defaults(spec, context, systemd=systemd) if _free(m, targets)]
    result += _devices(context)
    # A stable sort: mounts of the same depth keep their order, as with Podman.
    return sorted([*result, *asked], key=lambda mount: _depth(mount["destination"]))


def sysfs_is_bound(spec: ContainerSpec, context: BundleContext) -> bool:
    """Return whether /sys must be the host's: a new sysfs needs a network namespace owned by the user namespace."""
    own_userns = namespaces.has_own_userns(spec, context)
    if spec.network == "host":
        return context.host.rootless or own_userns
    return own_userns and namespaces.joins(spec.network) and not context.sysfs


def _depth(target: str) -> int:
    return 0 if target == "/" else target.count("/")


def _free(mount: OciMount, targets: set[str]) -> bool:
    if "/dev" in targets and mount["destination"].startswith("/dev/"):
        return False
    return mount["destination"] not in targets


def _kernel(spec: ContainerSpec, context: BundleContext, *, systemd: bool) -> list[OciMount]:
    confined = context.host.rootless or namespaces.has_own_userns(spec, context)
    dev_options = ["nosuid", "strictatime", "mode=755", "size=65536k"]
    if spec.read_only and not spec.read_only_tmpfs:
        dev_options.append("ro")
    return [
        _proc(spec, confined=confined),
        _mount("/dev", "tmpfs", dev_options),
        *_sys(spec, context, systemd=systemd),
        _devpts(spec, context),
        *_mqueue(spec, confined=confined),
        *_shm(spec, context),
    ]


def _proc(spec: ContainerSpec, *, confined: bool) -> OciMount:
    if confined and spec.pid == "host":
        # A new proc would need a pid namespace owned by this user namespace.
        return _mount("/proc", "bind", ["rbind", "nosuid", "noexec", "nodev"], "/proc")
    return _mount("/proc", "proc", spec.proc_opts or ["nosuid", "noexec", "nodev"])


def _sys(spec: ContainerSpec, context: BundleContext, *, systemd: bool) -> list[OciMount]:
    access = "rw" if spec.privileged else "ro"
    if sysfs_is_bound(spec, context):
        sys = _mount("/sys", "bind", ["rprivate", "nosuid", "noexec", "nodev", access, "rbind"], "/sys")
        cgroup_options = ["rprivate", "nosuid", "noexec", "nodev", access]
    else:
        guard = ["nosuid", "noexec", "nodev", access]
        sys = _mount("/sys", "sysfs", guard)
        if context.sysfs:
            sys = _mount("/sys", "bind", ["rprivate", *guard, "rbind"], context.sysfs)
        cgroup_access = "rw" if paths.cgroup_is_writable(spec, context) else "ro"
        cgroup_options = ["rprivate", "nosuid", "noexec", "nodev", "relatime", cgroup_access]
    if systemd and context.host.unified_cgroups:
        if spec.cgroupns == "host":
            return [sys, _mount("/sys/fs/cgroup", "bind", ["bind", "private", "rw"], "/sys/fs/cgroup")]
        cgroup_options = ["private", "rw"]
    return [sys, _mount("/sys/fs/cgroup", "cgroup", cgroup_options)]


def _devpts(spec: ContainerSpec, context: BundleContext) -> OciMount:
    options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    if spec.gid_maps:
        mapped = any(line.container <= _TTY_GID < line.container + line.size for line in spec.gid_maps)
    else:
        mapped = not context.host.rootless or context.host.gids > _TTY_GID
    return _mount("/dev/pts", "devpts", [*options, f"gid={_TTY_GID}"] if mapped else options)


def _mqueue(spec: ContainerSpec, *, confined: bool) -> list[OciMount]:
    if not confined or spec.ipc != "host":
        return [_mount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"])]
    # A new mqueue would need an IPC namespace owned by this user namespace; the host may have no mqueue at all.
    if not os.path.isdir("/dev/mqueue"):
        return []
    return [_mount("/dev/mqueue", "bind", ["bind", "nosuid", "noexec", "nodev"], "/dev/mqueue")]


def _shm(spec: ContainerSpec, context: BundleContext) -> list[OciMount]:
    if spec.ipc == "none":
        return []
    options = ["nosuid", "noexec", "nodev"]
    if spec.read_only and not spec.read_only_tmpfs:
        options.append("ro")
    if context.shm:
        return [_mount("/dev/shm", "bind", ["rbind", "rprivate", *options], context.shm)]
    if spec.ipc == "host":
        return [_mount("/dev/shm", "bind", ["rbind", "rprivate", *options], "/dev/shm")]
    size = spec.shm_size
    # For Podman 0 means tmpfs's own default: half of the memory.
    limit = [f"size={size}"] if size else []
    return [_mount("/dev/shm", "tmpfs", ["rprivate", *options, "mode=1777", *limit], "shm")]


def _files(spec: ContainerSpec, context: BundleContext) -> list[OciMount]:
    options = ["ro", "nosuid", "noexec", "nodev"]
    guard = options if spec.read_only else []
    files = context.files.items()
    # One may connect to a socket on a read-only mount. Writable, the container could fill the user's run directory.
    guards = {NOTIFY_DIRECTORY: options}
    result = [_mount(to, "bind", ["bind", "rprivate", *guards.get(to, guard)], source) for to, source in files]
    for directory in spec.chroot_dirs:
        inner = ((directory + target, source) for target, source in files if target.startswith("/etc/"))
        result += [_mount(target, "bind", ["bind", "rprivate", *guard], source) for target, source in inner]
    if spec.timezone:
        zone = os.path.realpath("/etc/localtime") if spec.timezone == "local" else f"{_ZONES}/{spec.timezone}"
        result.append(_mount("/etc/localtime", "bind", ["bind", "rprivate", "ro"], zone))
    if spec.init:
        result.append(_mount(INIT_TARGET, "bind", ["bind", "private", "ro"], context.init))
    return result


def places(spec: ContainerSpec, rootfs: str) -> dict[str, str]:
    """Return target → its resolved path in `rootfs`, for all mounts; {} if there is no mount that others may write.

    Raises OSError.
    """
    result: dict[str, str] = {}
    for target in sorted((mount.target for mount in spec.mounts if mount.type in SHARED), key=_depth):
        result[target] = beneath.real_path(rootfs, target, covered=[*result.values()])
    if not result:
        return result
    tops = [*result.values()]
    others = [mount.target for mount in spec.mounts if mount.target not in result]
    for target in (*others, *_tmpfs_targets(spec, systemd=spec.is_for_systemd)):
        result[target] = beneath.real_path(rootfs, target, covered=tops)
    return result


def _tmpfs_targets(spec: ContainerSpec, *, systemd: bool) -> tuple[str, ...]:
    targets = SYSTEMD_TMPFS if systemd else ()
    if spec.read_only and spec.read_only_tmpfs:
        targets = (*targets, *(target for target in READ_ONLY_TMPFS if target not in targets))
    return targets


def _tmpfs_defaults(spec: ContainerSpec, context: BundleContext, *, systemd: bool) -> list[OciMount]:
    options = ["rw", "rprivate", "nosuid", "nodev"]
    if systemd and spec.shm_size_systemd:
        options.append(f"size={spec.shm_size_systemd}")
    return [
        _mount(target, "tmpfs", options if _lies_below(target, spec, context.places) else [*options, "tmpcopyup"])
        for target in _tmpfs_targets(spec, systemd=systemd)
    ]


def check_copy_up(spec: ContainerSpec, places: dict[str, str]) -> None:
    """Refuse an explicit `tmpcopyup` that is impossible or unsafe. `places`: the result of `places`.

    Raises UsageError.
    """
    for mount in spec.mounts:
        if mount.type not in ("tmpfs", "ramfs") or "tmpcopyup" not in mount.options:
            continue
        if mount.type == "ramfs":
            raise UsageError(f"tmpcopyup of {mount.target}: only a tmpfs can begin with the image's files")
        above = _lies_below(mount.target, spec, places)
        if above:
            raise UsageError(
                f"tmpcopyup of {mount.target}: it lies below the mount at {above}, "
                "whose files other containers may change",
                hint="Use notmpcopyup, or copy the files in the container",
            )


def _lies_below(target: str, spec: ContainerSpec, places: dict[str, str]) -> str:
    """Return the target of a mount that others may write and that has `target` below it, or "".

    To copy the image's files up, the runtime looks up a tmpfs's path a second time, by name (CVE-2026-133553). Below a
    shared mount, another container can make that name lead anywhere.
    """
    path = places.get(target, target)
    for mount in spec.mounts:
        place = places.get(mount.target, mount.target).rstrip("/")
        if mount.type in SHARED and path.startswith(place + "/"):
            return mount.target
    return ""


def _devices(context: BundleContext) -> list[OciMount]:
    """Return the devices as bind mounts: mknod(2) doesn't work in user namespaces."""
    if not context.host.rootless:
        return []
    return [
        _mount(
            device.container,
            "bind",
            ["slave", "nosuid", "noexec", "rw" if "w" in device.permissions else "ro", "rbind"],
            device.host,
        )
        for device in context.devices
    ]


def _asked(mount: Mount, spec: ContainerSpec, context: BundleContext) -> list[OciMount]:
    if mount.type in ("tmpfs", "ramfs"):
        return [_mount(mount.target, mount.type, _tmpfs_options(mount, spec, context))]
    if mount.type == "devpts":
        return [_mount(mount.target, "devpts", mount.options)]
    if mount.type == "artifact":
        # Always read-only: these are the store's files.
        files = context.artifacts.get(mount.target, {})
        return [
            _mount(place, "bind", ["bind", "rprivate", "ro", "nosuid", "nodev", *_locked_flags(path)], path)
            for place, path in files.items()
        ]
    if any(option == "idmap" or option.startswith("idmap=") for option in mount.options):
        raise NotSupportedError(
            f"mount of {mount.target}: the kernel lets only root use idmap",
            hint="Use --userns=keep-id, or the U option, to match the owner",
        )
    source = context.sources.get(mount.target, mount.source)
    return [_mount(mount.target, "bind", _bind_options(mount, source), source)]


def _bind_options(mount: Mount, source: str) -> list[str]:
    result = [_renamed(o) for o in mount.options if o not in _OURS and not o.startswith(_OURS_WITH_VALUE)]
    if not PROPAGATIONS.intersection(result):
        result.append("private" if "bind" in result else "rprivate")
    if "bind" not in result and "rbind" not in result:
        result.append("rbind")
    _add_flags(result, (*_SAFE, *_locked_flags(source)) if mount.type == "volume" else _locked_flags(source))
    if mount.type == "volume" and _is_read_only(source):
        result = [*(option for option in result if option != "rw"), "ro"]  # `--opt o=ro` of the volume itself
    return result


def _tmpfs_options(mount: Mount, spec: ContainerSpec, context: BundleContext) -> list[str]:
    result = [option for option in mount.options if option not in _OURS and not option.startswith(_OURS_WITH_VALUE)]
    if "U" in mount.options:
        result += [f"uid={context.user.uid}", f"gid={context.user.gid}"]
    if not PROPAGATIONS.intersection(result):
        result.append("rprivate")
    _add_flags(result, _SAFE)
    wanted = mount.type == "tmpfs" and "tmpcopyup" not in result and "notmpcopyup" not in mount.options
    if wanted and not _lies_below(mount.target, spec, context.places):
        result.append("tmpcopyup")
    return result


def _add_flags(options: list[str], flags: Iterable[str]) -> None:
    """Add each flag unless it, or its opposite, is there already."""
    for flag in flags:
        if flag not in options and flag.removeprefix("no") not in options:
            options.append(flag)


def _renamed(option: str) -> str:
    return "copy-symlink" if option == "no-dereference" else option


def _locked_flags(source: str) -> list[str]:
    """Return those of noexec, nosuid, nodev that the source's filesystem has: a remount may not clear them."""
    try:
        flags = os.statvfs(source).f_flag
    except (OSError, ValueError):
        return []
    known = ((os.ST_NOEXEC, "noexec"), (os.ST_NOSUID, "nosuid"), (os.ST_NODEV, "nodev"))
    return [name for bit, name in known if flags & bit]


def _is_read_only(source: str) -> bool:
    try:
        return bool(os.statvfs(source).f_flag & os.ST_RDONLY)
    except (OSError, ValueError):
        return False


def _mount(target: str, kind: str, options: list[str], source: str = "") -> OciMount:
    return {"destination": target, "type": kind, "source": source or kind, "options": options}
