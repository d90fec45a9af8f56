"""Checks of the host's parts: devices, programs, cgroups, filesystems, limits."""

from __future__ import annotations

import os

from podpy import linux
from podpy.process import own_program
from podpy.rootless import cgroups
from podpy.rootless.checks.check import Check, failed, in_child, install, passed, sysctl
from podpy.rootless.checks.controllers import missing_controllers
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths

TUN = "/dev/net/tun"
FUSE = "/dev/fuse"
MIN_INOTIFY_INSTANCES = 128
_NETWORK_FILESYSTEMS = {
    linux.NFS_SUPER_MAGIC: "NFS",
    linux.SMB2_MAGIC: "SMB",
    0xFF534D42: "CIFS",
    0x517B: "SMB",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x19830326: "BeeGFS",
    0x00C36400: "Ceph",
    0x5346414F: "AFS",
    0x01021997: "9p",
}
_NAMES = {
    linux.EXT4_SUPER_MAGIC: "ext4",
    linux.XFS_SUPER_MAGIC: "xfs",
    linux.BTRFS_SUPER_MAGIC: "btrfs",
    linux.TMPFS_MAGIC: "tmpfs",
    linux.OVERLAYFS_SUPER_MAGIC: "overlayfs",
    linux.FUSE_SUPER_MAGIC: "fuse",
    linux.ECRYPTFS_SUPER_MAGIC: "ecryptfs",
    0x2FC12FC1: "zfs",
    0xCA451A4E: "bcachefs",
    0xF2F52010: "f2fs",
}


def tun(paths: Paths | None = None) -> Check:
    """Can the user-mode network open its device?"""
    return _device("/dev/net/tun", TUN, "tun", "10 200", required=True)


def fuse(paths: Paths | None = None) -> Check:
    """Can fuse-overlayfs open its device? Only needed where the kernel's overlay isn't possible."""
    return _device("/dev/fuse", FUSE, "fuse", "10 229", required=False)


def _device(name: str, path: str, module: str, numbers: str, *, required: bool) -> Check:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        directory = os.path.dirname(path)
        mend = (
            f"sudo modprobe {module}; sudo mkdir -p {directory}; [ -e {path} ] || sudo mknod -m 666 {path} c {numbers}"
        )
        mend += f"    # in a container: start that one with --device {path}"
        return failed(name, f"{path} is missing", mend, required=required)
    except PermissionError:
        return failed(name, f"{path} can't be opened by this user", f"sudo chmod 666 {path}", required=required)
    except OSError as error:
        return failed(name, f"{path}: {error.strerror}", f"sudo modprobe {module}", required=required)
    return passed(name, "opens", required=required)


def mounts(paths: Paths) -> Check:
    """Does what is mounted from now on appear in the user's namespaces, which live longer than a call?"""
    name = "later mounts"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            root = [fields for line in file if (fields := line.split())[4] == "/"][-1:]
    except OSError as error:
        return failed(name, f"/proc/self/mountinfo: {error.strerror}", "mount -t proc proc /proc", required=False)
    # proc_pid_mountinfo(5): the optional fields, up to the dash.
    if not root or any(field.startswith("shared:") for field in root[0][6 : root[0].index("-")]):
        return passed(name, "are seen in containers' namespaces", required=False)
    cause = "/ is not a shared mount: what is mounted after podpy's first call isn't there for it, nor for containers"
    return failed(name, cause, "sudo mount --make-rshared /\npodpy system migrate", required=False)


def oci_runtime(paths: Paths) -> Check:
    """Is there a program that starts containers?"""
    name = "OCI runtime"
    path = which("crun") or which("runc")
    return passed(name, path) if path else failed(name, "neither crun nor runc is installed", install("crun"))


def conmon(paths: Paths) -> Check:
    """Is there the monitor: podpy's own, or the distribution's?"""
    name = "conmon"
    own = own_program("conmon")
    path = own if os.access(own, os.X_OK) else which("conmon")
    if path:
        return passed(name, path)
    return failed(name, f"{own} is missing: podpy's installation is incomplete", "install podpy again")


def look_at_cgroups(paths: Paths, wanted: str = "") -> tuple[str, str, list[str], str]:
    """Return manager, mode, controllers and reason of `cgroup_view`, seen by a child in namespaces of its own.

    Raises OSError if it can't be looked at.
    """
    from podpy import fastjson

    def look() -> str:
        _enter_privately(paths)
        view = cgroups.cgroup_view(wanted=wanted)
        return fastjson.dumps([view.manager, view.mode, sorted(view.controllers), view.reason])

    answer = in_child(look)
    try:
        manager, mode, controllers, reason = fastjson.loads(answer)
    except ValueError:
        raise OSError(answer) from None
    return manager, mode, controllers, reason


def cgroup_delegation(paths: Paths) -> Check:
    """Which limits can be enforced?"""
    name = "cgroups"
    try:
        manager, mode, controllers, reason = look_at_cgroups(paths)
    except OSError as error:
        return failed(name, f"can't be looked at: {error}", "podpy unshare true", required=False)
    missing = [wanted for wanted in ("cpu", "memory", "pids") if wanted not in controllers]
    said = f"{mode}, manager {manager}, limits for {', '.join(controllers) or 'nothing'}"
    if not missing:
        return passed(name, said, required=False)
    cause = f"limits for {', '.join(missing)} can't be enforced ({said}{': ' + reason if reason else ''})"
    return failed(name, cause, missing_controllers(missing), required=False)


def overlay(paths: Paths) -> Check:
    """Can overlay be mounted at the graph root, by the kernel or by fuse-overlayfs?"""
    name = "overlay"
    problem = in_child(lambda: _try_overlay(paths))
    if not problem:
        return passed(name, f"the kernel's works in {paths.graphroot}")
    where = f"the kernel's overlay can't be mounted in {paths.graphroot} ({problem})"
    if which("fuse-overlayfs") and fuse(paths).ok:
        return passed(name, where + "; fuse-overlayfs is used")
    mend = install("fuse-overlayfs") if not which("fuse-overlayfs") else fuse(paths).mend
    return failed(name, where + "; layers would be copied (vfs)", mend, required=False)


def _try_overlay(paths: Paths) -> str:
    import tempfile

    _enter_privately(paths)
    parent = os.path.join(paths.graphroot, "tmp")
    os.makedirs(parent, mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix="doctor-") as directory:
        for part in ("lower", "upper", "work", "merged"):
            os.mkdir(f"{directory}/{part}")
        os.chdir(directory)
        extra = ",userxattr" if paths.rootless else ""
        try:
            linux.mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work" + extra)
            os.mkdir("merged/new")
        except OSError as error:
            return error.strerror or str(error)
        finally:
            os.chdir("/")
            _unmount(f"{directory}/merged")
    return ""


def _unmount(path: str) -> None:
    try:
        linux.umount2(path, linux.MNT_DETACH)
    except OSError:
        pass


def graph_filesystem(paths: Paths) -> Check:
    """Is the graph root on a filesystem that can hold layers and a database?"""
    name = "graph root"
    magic = linux.filesystem_type(paths.graphroot)
    if magic in _NETWORK_FILESYSTEMS:
        cause = (
            f"{paths.graphroot} is on {_NETWORK_FILESYSTEMS[magic]}: foreign ids, extended attributes and file locks "
            "don't work there"
        )
        mend = (
            f"mkdir -p /var/tmp/podpy-{paths.uid} && podpy --root /var/tmp/podpy-{paths.uid} ...    # or XDG_DATA_HOME"
        )
        return failed(name, cause, mend)
    status = os.statvfs(paths.graphroot)
    if status.f_flag & os.ST_RDONLY:
        return failed(name, f"{paths.graphroot} is on a read-only filesystem", "podpy --root /another/directory ...")
    free = status.f_bavail * status.f_frsize // (1 << 20)
    return passed(name, f"{paths.graphroot} on {_NAMES.get(magic, hex(magic))}, {free} MiB free")


def inotify(paths: Paths) -> Check:
    """Are there enough inotify instances? Monitors, the holder, forwarders of ports, `logs --follow` use one each."""
    name = "inotify"
    limit = sysctl("fs.inotify.max_user_instances") or 0
    if limit >= MIN_INOTIFY_INSTANCES:
        return passed(name, f"{limit} instances for each user", required=False)
    mend = "echo fs.inotify.max_user_instances=1024 | sudo tee /etc/sysctl.d/98-podpy.conf && sudo sysctl --system"
    return failed(name, f"fs.inotify.max_user_instances is only {limit}", mend, required=False)


def low_ports(paths: Paths) -> Check:
    """From which port on can ports be published?"""
    first = sysctl("net.ipv4.ip_unprivileged_port_start")
    if first is None or not paths.rootless:
        return passed("ports", "all can be published", required=False)
    more = f"; for less: sudo sysctl -w net.ipv4.ip_unprivileged_port_start={80 if first > 80 else 0}" if first else ""
    return passed("ports", f"can be published from {first} on{more}", required=False)


def _enter_privately(paths: Paths) -> None:
    from podpy.rootless.mounts import private_mounts
    from podpy.rootless.namespace import enter

    enter(paths)
    private_mounts()
