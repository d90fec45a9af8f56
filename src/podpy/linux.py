"""System calls that Python's `os` lacks: one thin function each, named like the call, with the kernel's constants.

An errno becomes an OSError that names the path. Numbers are those of the kernel's uapi headers (linux/mount.h, sched.h,
fcntl.h, openat2.h, prctl.h, capability.h, magic.h).
"""

from __future__ import annotations

import os

from podpy._native import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Path: TypeAlias = "str | bytes | os.PathLike[str]"

# mount(2)
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_SYNCHRONOUS = 16
MS_REMOUNT = 32
MS_DIRSYNC = 128
MS_NOATIME = 1024
MS_NODIRATIME = 2048
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MS_RELATIME = 1 << 21
MS_STRICTATIME = 1 << 24

# umount2(2)
MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

# clone(2), unshare(2), setns(2)
CLONE_FS = 0x00000200
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

# What `make_netns` sets up (src/conmon_c/native/syscalls.h)
_OPEN_TO_ALL, _NEIGHBOURS, _ROUTER, _BY_PASTA = 1, 2, 4, 8

# openat2(2)
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000

# open_tree(2), move_mount(2)
OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
MOVE_MOUNT_F_EMPTY_PATH = 0x04
MOVE_MOUNT_T_EMPTY_PATH = 0x40

# mount_setattr(2)
MOUNT_ATTR_RDONLY = 1

# renameat2(2)
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_READ = 23
PR_GET_NO_NEW_PRIVS = 39

# capabilities(7), as bit numbers
CAP_CHOWN = 0
CAP_SETGID = 6
CAP_SETUID = 7
CAP_NET_ADMIN = 12
CAP_SYS_ADMIN = 21
CAP_MKNOD = 27

# statfs(2), f_type
BTRFS_SUPER_MAGIC = 0x9123683E
CGROUP2_SUPER_MAGIC = 0x63677270
ECRYPTFS_SUPER_MAGIC = 0xF15F
EXT4_SUPER_MAGIC = 0xEF53
FUSE_SUPER_MAGIC = 0x65735546
NFS_SUPER_MAGIC = 0x6969
OVERLAYFS_SUPER_MAGIC = 0x794C7630
SMB2_MAGIC = 0xFE534D42
SYSFS_MAGIC = 0x62656572
TMPFS_MAGIC = 0x01021994
XFS_SUPER_MAGIC = 0x58465342


def mount(
    source: Path | None, target: Path, fstype: str | None = None, flags: int = 0, data: str | None = None
) -> None:
    """mount(2). Raises OSError with the target (and source, if there is one)."""
    code = lib.podpy_mount(_path(source), _path(target), _text(fstype), flags, _text(data))
    if code < 0:
        raise _error(code, source or target, target if source else None)


def umount2(target: Path, flags: int = 0) -> None:
    """umount2(2)."""
    _check(lib.podpy_umount2(_path(target), flags), target)


def unshare(flags: int) -> None:
    """unshare(2). Raises OSError EINVAL for CLONE_NEWUSER if this process has several threads."""
    _check(lib.podpy_unshare(flags))


def setns(fd: int, nstype: int = 0) -> None:
    """setns(2); `fd` is a namespace's file or a pidfd (then `nstype` is a set of CLONE_NEW* flags)."""
    _check(lib.podpy_setns(fd, nstype))


def openat2(dirfd: int, path: Path, flags: int, mode: int = 0, resolve: int = 0) -> int:
    """openat2(2): return a descriptor; O_CLOEXEC is always added. `mode` must be 0 without O_CREAT or O_TMPFILE."""
    return _check(lib.podpy_openat2(dirfd, _path(path), flags | os.O_CLOEXEC, mode, resolve), path)


def prctl(option: int, arg2: int = 0, arg3: int = 0, arg4: int = 0, arg5: int = 0) -> int:
    """prctl(2) with numbers as arguments."""
    return _check(lib.podpy_prctl(option, arg2, arg3, arg4, arg5))


def syncfs(fd: int) -> None:
    """syncfs(2): everything of the filesystem that `fd` is on is on its disk afterwards."""
    _check(lib.podpy_syncfs(fd))


def renameat2(old: Path, new: Path, flags: int, old_dirfd: int = AT_FDCWD, new_dirfd: int = AT_FDCWD) -> None:
    """renameat2(2): with RENAME_NOREPLACE (OSError EEXIST if `new` is there) or RENAME_EXCHANGE."""
    code = lib.podpy_renameat2(old_dirfd, _path(old), new_dirfd, _path(new), flags)
    if code < 0:
        raise _error(code, old, new)


def filesystem_type(path: Path) -> int:
    """statfs(2): return the magic number of the filesystem that `path` is on."""
    return int(_check(lib.podpy_statfs_type(_path(path)), path))


def open_tree(dirfd: int, path: Path, flags: int) -> int:
    """open_tree(2): return a descriptor of the mount at `path`, or of a detached copy with OPEN_TREE_CLONE."""
    return _check(lib.podpy_open_tree(dirfd, _path(path), flags), path)


def move_mount(from_dirfd: int, from_path: Path, to_dirfd: int, to_path: Path, flags: int = 0) -> None:
    """move_mount(2)."""
    _check(lib.podpy_move_mount(from_dirfd, _path(from_path), to_dirfd, _path(to_path), flags), to_path)


def mount_setattr(dirfd: int, path: Path, flags: int, *, to_set: int = 0, to_clear: int = 0) -> None:
    """mount_setattr(2): set and clear MOUNT_ATTR_ flags of a mount, and, with AT_RECURSIVE, of those below it."""
    _check(lib.podpy_mount_setattr(dirfd, _path(path), flags, to_set, to_clear), path)


def effective_capabilities() -> int:
    """capget(2): return this process's effective capabilities as a bit set."""
    box = ffi.new("uint64_t *")
    _check(lib.podpy_effective_capabilities(box))
    return int(box[0])


def has_capability(capability: int) -> bool:
    """Return whether this process has the capability (a CAP_ number) in its own user namespace."""
    return bool(effective_capabilities() >> capability & 1)


def make_netns(
    path: Path, *, open_to_all: bool = False, neighbours: bool = False, router: bool = False, by_pasta: bool = False
) -> None:
    """Bind-mount a new network namespace, its loopback device up, at `path` (made if missing).

    `open_to_all`: ports under 1024 and ping need no capability in it, which a process of another user namespace can't
    have there (ip-sysctl.rst: ip_unprivileged_port_start, ping_group_range). `neighbours`: it will be on a bridge, and
    doesn't believe others there that say they are its router. `router`: it forwards between its devices. `by_pasta`:
    what it sends goes through a pasta of after August 2024 (docs/networking.md, Speed). This process stays in its own
    network namespace. Raises OSError with the path.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    kind = open_to_all * _OPEN_TO_ALL + neighbours * _NEIGHBOURS + router * _ROUTER + by_pasta * _BY_PASTA
    _check(lib.podpy_make_netns(_path(path), kind), path)


class BegunNetns:
    """A network namespace for a bridge's neighbour, as `make_netns` makes it, but mounted nowhere.

    A thread makes it while this one goes on. `finish` must be called, once.
    """

    def __init__(self, *, open_to_all: bool = False, by_pasta: bool = False) -> None:
        """Begin. Raises MemoryError."""
        self._begun = lib.podpy_begin_netns(_NEIGHBOURS | open_to_all * _OPEN_TO_ALL | by_pasta * _BY_PASTA)
        if self._begun == ffi.NULL:
            raise MemoryError

    def finish(self) -> tuple[int, int]:
        """Wait for it. Return its descriptor, with which it ends if nobody is in it, and that of a socket of
        rtnetlink(7) in it. Raises OSError.
        """
        made = ffi.new("int[2]")
        _check(lib.podpy_finish_netns(self._begun, made))
        return made[0], made[1]


def netns_socket(netns: int, family: int, kind: int, protocol: int) -> int:
    """socket(2) in the network namespace of the descriptor `netns`: return a descriptor, close-on-exec.

    This process stays in its own network namespace. It needs CAP_SYS_ADMIN over the other one. Raises OSError.
    """
    return netns_sockets(netns, family, kind, (protocol,))[0]


def netns_sockets(netns: int, family: int, kind: int, protocols: tuple[int, ...]) -> list[int]:
    """Return a descriptor for each of the protocols, all or none: as `netns_socket`, which takes 80 µs each time."""
    made = ffi.new("int[]", len(protocols))
    _check(lib.podpy_netns_sockets(netns, family, kind, protocols, len(protocols), made))
    return list(made)


def _path(path: Path | None) -> object:
    return ffi.NULL if path is None else os.fsencode(path)


def _text(text: str | None) -> object:
    return ffi.NULL if text is None else os.fsencode(text)


def _check(code: int, path: Path | None = None) -> int:
    if code < 0:
        raise _error(code, path)
    return code


def _error(code: int, path: Path | None, second: Path | None = None) -> OSError:
    reason = os.strerror(-code)
    if path is None:
        return OSError(-code, reason)
    if second is None:
        return OSError(-code, reason, os.fsdecode(path))
    return OSError(-code, reason, os.fsdecode(path), None, os.fsdecode(second))
