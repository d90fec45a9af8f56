"""Options of a mount: which exist, which exclude each other (Podman's pkg/util/mount_opts, podman-run(1) --volume)."""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# A mount has at most one option of each group.
_GROUPS: tuple[tuple[str, ...], ...] = (
    ("rw", "ro"),
    ("exec", "noexec"),
    ("suid", "nosuid"),
    ("dev", "nodev"),
    ("z", "Z"),
    ("bind", "rbind"),
    ("copy", "nocopy"),
    ("private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"),
    ("tmpcopyup", "notmpcopyup"),
    ("U",),
    ("no-dereference",),
    ("noatime",),
    ("noswap",),
    ("size",),
    ("mode",),
)
_GROUP_OF = {name: group for group in _GROUPS for name in group}
_ONLY_TMPFS = frozenset("size mode tmpcopyup notmpcopyup noatime noswap uid gid nr_inodes huge".split())
_NOT_TMPFS = frozenset("bind rbind z Z O idmap copy nocopy no-dereference upperdir workdir".split())
_WITH_VALUE = frozenset("size mode uid gid nr_inodes huge upperdir workdir volume-opt subpath".split())
_DROPPED = frozenset(["consistency", "cached", "delegated"])  # of Docker on macOS
_ONLY_MOUNT = frozenset(["volume-opt", "nocreate", "subpath"])  # of `--mount`, not of `-v`
_OTHERS = frozenset(["O", "idmap", *_ONLY_MOUNT, *_DROPPED])
_OF_VOLUMES = {
    "rw": "'rw' or 'ro'",
    "exec": "'noexec' or 'exec'",
    "suid": "'nosuid' or 'suid'",
    "dev": "'nodev' or 'dev'",
    "z": "'z', 'Z', or 'O'",
    "bind": "'[r]bind'",
    "copy": "'copy' or 'nocopy'",
    "private": "'[r]shared', '[r]private', '[r]slave' or '[r]unbindable'",
}
"""Podman's name for a group, by its first option, in the error of a `-v` with two options of the group."""
_KNOWN = "Common ones: ro, rw, z, Z, U, O, exec, noexec, nodev, nosuid, bind, rbind, rprivate, rshared, rslave"


def check(
    options: Sequence[str], *, is_tmpfs: bool = False, is_volume: bool = False, rootless: bool = True
) -> list[str]:
    """Return the options, each once, without those for other systems, as Docker and Podman do.

    `is_tmpfs`: the mount is a tmpfs; `is_volume`: the option is `-v`, whose errors have other words in Podman.
    Raises UsageError.
    """
    result: list[str] = []
    seen: dict[tuple[str, ...], str] = {}
    for option in options:
        name = option.partition("=")[0]
        _check_known(option, name, is_tmpfs=is_tmpfs, is_volume=is_volume)
        if name == "idmap":
            _refuse_idmap(rootless=rootless)
        if name == "noswap" and rootless:
            raise UsageError("the 'noswap' option is only allowed with rootful tmpfs mounts: invalid mount option")
        group = _GROUP_OF.get(name)
        if group is not None:
            if group in seen:
                raise UsageError(_twice_in_volume(group, options) if is_volume else _twice(group, name, seen[group]))
            seen[group] = name
        if name not in _DROPPED:
            result.append(option)
    return result


def _check_known(option: str, name: str, *, is_tmpfs: bool, is_volume: bool) -> None:
    known = name in _GROUP_OF or name in _ONLY_TMPFS or name in _NOT_TMPFS or name in _OTHERS
    if is_volume and name in _ONLY_MOUNT:
        known = False
    if not known or ("=" in option and name not in (*_WITH_VALUE, "idmap", "consistency")):
        told = (
            f'unknown mount option "{option}": invalid mount option' if is_tmpfs else f'invalid option type "{option}"'
        )
        raise UsageError(told, hint=_KNOWN)
    if is_tmpfs and name in _NOT_TMPFS:
        raise UsageError(f"the '{name}' option is not allowed with tmpfs mounts: invalid mount option")
    if not is_tmpfs and name in _ONLY_TMPFS:
        raise UsageError(f"the '{name}' option is only allowed with tmpfs mounts: invalid mount option")


def _refuse_idmap(*, rootless: bool) -> None:
    if rootless:
        raise NotSupportedError(
            "the 'idmap' option: the kernel lets only root map the ids of a host file system",
            hint="Use the U option to give the files to the container's user, or --userns=keep-id",
        )


def _twice(group: tuple[str, ...], name: str, other: str) -> str:
    if len(group) > 2:
        return "only one root propagation mode can be used: duplicate mount option passed"
    if len(group) == 1 or name == other:
        return f"the '{name}' option can only be set once: duplicate mount option passed"
    return f"only one of '{group[0]}' and '{group[1]}' can be used: duplicate mount option passed"


def _twice_in_volume(group: tuple[str, ...], options: Sequence[str]) -> str:
    known = _OF_VOLUMES.get(group[0], f"'{group[0]}'")
    return f'invalid options "{", ".join(options)}", can only specify 1 {known} option'
