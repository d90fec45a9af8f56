"""Which cgroup manager is possible, where the containers' cgroups go, and which limits can be enforced there.

What the OCI runtimes do, found by trial with crun 1.8 and runc 1.1 as an unprivileged user in its user namespace:

    /sys/fs/cgroup is              crun                                   runc
    tmpfs with `unified` (hybrid)  refuses ("hybrid mode not supported")  runs without cgroupsPath and resources
    cgroup2, own cgroup root's     runs without cgroupsPath; with one:    the same
                                   EACCES, unless cgroup manager
                                   `disabled`, which ignores both
                                   cgroupsPath and resources
    cgroup2, own cgroup delegated  makes cgroupsPath below the root that  the same; a limit without its controller
                                   it sees; a limit without its           fails at its file (pids.max: ENOENT)
                                   controller is an error that names it

So a hybrid host's cgroup2 hierarchy is bound over /sys/fs/cgroup, in the container's own mount namespace, before a
runtime looks. And where nothing is delegated the manager is `none`: no cgroupsPath, no resources, crun with
`--cgroup-manager=disabled`; the limits that the user asked for must be refused before, since crun would ignore them.

If a user manager can be reached, `systemd` is chosen: only it may move a process out of a login session's scope
(cgroups(7), delegation containment: the common ancestor must be writable), and containers then outlive the session.
A unit of the system manager (`User=`) whose own process podpy is keeps its containers: `own` asks for that.
If this process's own cgroup belongs to the user (a unit with Delegate=yes, a container), `cgroupfs` is chosen. An
ancestor that belongs to the user will do as well, up to the systemd unit's own cgroup where there is one
(DelegateSubgroup=, systemd.resource-control(5)), and is better if it passes controllers on: a cgroup that holds
processes can't (the no-internal-processes rule; what is done about it: cgroup_room).
"""

from __future__ import annotations

import os

from podpy import files, linux
from podpy.config.paths import identity
from podpy.record import Record

ROOT = "/sys/fs/cgroup"
UNIFIED = ROOT + "/unified"
SYSTEMD = "systemd"
CGROUPFS = "cgroupfs"
NONE = "none"
OWN = "own"
LEAF = "runtime"
"""In a unit's cgroup, with --cgroups=split: its processes besides the container's. Podman's name for it."""
RESTART_UNIT = "podpy-restart.service"
"""What `podpy system boot enable` writes; at a shutdown the scopes of containers and monitors end after it."""
_NAME = "podpy"
_ECHO = "/bin/echo"


class CgroupView(Record):
    """What cgroups this process can use for containers."""

    # `systemd`, `cgroupfs` or `none`.
    manager: str
    # The host's hierarchies: `v2`, `hybrid` (shown to runtimes as v2) or `v1`.
    mode: str
    # cgroupfs: the cgroup under which containers get theirs, as a path below the cgroup root; systemd: the slice.
    parent: str = ""
    # The controllers whose limits can be enforced.
    controllers: frozenset[str] = frozenset()
    # Why it isn't more than that; empty if nothing is missing.
    reason: str = ""

    def spec_path(self, container_id: str) -> str:
        """Return `cgroupsPath` of the OCI runtime spec for a container; an empty text means: leave it out."""
        if self.manager == SYSTEMD:
            return f"{self.parent}:libpod:{container_id}"
        return f"{self.parent}/libpod-{container_id}" if self.manager == CGROUPFS else ""

    def runtime_flags(self, runtime: str) -> tuple[str, ...]:
        """Return the global options that an OCI runtime (its path or name) needs for this manager."""
        if os.path.basename(runtime).startswith("crun"):
            return (f"--cgroup-manager={'disabled' if self.manager == NONE else self.manager}",)
        return ("--systemd-cgroup",) if self.manager == SYSTEMD else ()


def cgroup_view(*, wanted: str = "") -> CgroupView:
    """Return what is possible here; `wanted` is `systemd`, `cgroupfs`, `own`, `none` or an empty text (the best).

    `own`: below this process's cgroup or in it, which is `cgroupfs` or `none`. On a hybrid host cgroup2 is mounted at
    /sys/fs/cgroup: the caller is in a mount namespace of its own (`private_mounts`). If the wanted manager isn't
    possible, another one is chosen, with a warning.
    """
    mode = cgroup_mode()
    if mode == "hybrid":
        linux.mount(UNIFIED, ROOT, None, linux.MS_BIND)
    uid, _, rootless = identity()
    if mode == "v1":
        return _v1_view(rootless)
    candidates = {SYSTEMD: _systemd_view, CGROUPFS: _cgroupfs_view}
    if wanted in candidates:
        view = candidates[wanted](mode, uid, rootless)
        if view is not None:
            return view
        from podpy.notice import warn

        reason = "no user manager can be reached" if wanted == SYSTEMD else _why_none(uid)
        warn(f"cgroup manager {wanted} isn't possible here ({reason}): using what is")
    if wanted != NONE:
        if wanted == OWN:
            candidates.pop(SYSTEMD)
        for find in candidates.values():
            view = find(mode, uid, rootless)
            if view is not None:
                return view
    if wanted == OWN:
        return CgroupView(manager=NONE, mode=mode, reason="this unit hasn't Delegate=yes")
    return CgroupView(manager=NONE, mode=mode, reason=_why_none(uid) if wanted != NONE else "it was asked for")


def show_v2() -> None:
    """On a hybrid host, give this process the view that containers are started with: cgroup2 at /sys/fs/cgroup.

    Every call of an OCI runtime that looks for a container's cgroup needs it. The process gets a mount namespace of its
    own for that; elsewhere nothing happens.
    """
    if cgroup_mode() == "hybrid":
        from podpy.rootless.mounts import private_mounts

        private_mounts()
        linux.mount(UNIFIED, ROOT, None, linux.MS_BIND)


def cgroup_mode() -> str:
    """Return `v2`, `hybrid` or `v1`: what is mounted at /sys/fs/cgroup."""
    for path, mode in ((ROOT, "v2"), (UNIFIED, "hybrid")):
        try:
            if linux.filesystem_type(path) == linux.CGROUP2_SUPER_MAGIC:
                return mode
        except OSError:
            continue
    return "v1"


def own_cgroup() -> str:
    """Return this process's cgroup in the v2 hierarchy, as a path below the root that it sees."""
    return cgroup_of("self")


def cgroup_of(pid: int | str) -> str:
    """Return the cgroup of a process likewise. Raises OSError if there is no such process."""
    for line in files.read(f"/proc/{pid}/cgroup").split("\n"):
        if line.startswith("0::"):
            return line[3:].rstrip("/")
    return ""


class LeafMove:
    """This process's move into the leaf of its unit's cgroup, begun early, by a child, while other work is done.

    The kernel waits for a grace period of RCU before it moves a process (kernel/cgroup/cgroup.c,
    cgroup_attach_lock: a write lock that all forks take for reading): 8 to 16 ms. Another move soon after it waits for
    nothing, so the OCI runtime's of the container is to follow at once.
    """

    def __init__(self) -> None:
        self._child = self._parent = 0
        try:
            cgroup = own_cgroup()
            if cgroup.endswith(f"/{LEAF}"):
                return
            leaf = f"{UNIFIED if cgroup_mode() == 'hybrid' else ROOT}{cgroup}/{LEAF}"
            os.makedirs(leaf, exist_ok=True)
            target = os.open(f"{leaf}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return  # it isn't the user's
        from podpy import process

        self._parent = os.getpid()
        try:
            # Not a fork of this process: copying its memory, a page at a time, would cost more than half of the gain.
            self._child = process.spawn([_ECHO, str(self._parent)], environment={}, stdin=-1, stdout=target, stderr=-1)
        except OSError:
            pass  # `enter_leaf` does it, or fails where there is an error to show
        finally:
            os.close(target)

    def finish(self) -> None:
        """Wait until it is done, or has failed."""
        if self._child and self._parent == os.getpid():
            os.waitpid(self._child, 0)
            self._child = 0


def enter_leaf(holder: int) -> None:
    """Move this process into the leaf of its unit's cgroup (--cgroups=split), so that the unit can pass controllers on.

    The holder (its pid) comes along if this call has made it. Where the cgroup isn't the user's (no Delegate=), nothing
    is moved. The kernel wants no process in a cgroup whose children have controllers (cgroups(7), "no internal
    processes"); other processes of the unit stay where they are, and podpy.rootless.cgroup_room then keeps the OCI
    runtime from a futile attempt.
    """
    cgroup = own_cgroup().removesuffix(f"/{LEAF}")
    own = f"{UNIFIED if cgroup_mode() == 'hybrid' else ROOT}{cgroup}"
    try:
        os.makedirs(f"{own}/{LEAF}", exist_ok=True)
        here = files.read(f"{own}/cgroup.procs").split()
        for pid in (str(holder), str(os.getpid())):
            if pid in here:
                with open(f"{own}/{LEAF}/cgroup.procs", "w", encoding="utf-8") as file:
                    file.write(pid)
    except OSError:
        pass


def systemd_is_running() -> bool:
    """Return whether systemd is the machine's init (sd_booted(3))."""
    return os.path.isdir("/run/systemd/system")


def user_manager_answers(uid: int) -> bool:
    """Return whether the user's systemd manager and bus listen.

    Their sockets go with them (user@UID.service, user-runtime-dir@UID.service). Connecting would be surer, but wakes
    both and cost up to 5 ms.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}"
    return systemd_is_running() and all(os.path.exists(f"{runtime}/{name}") for name in ("systemd/private", "bus"))


def delegated_controllers(uid: int) -> frozenset[str]:
    """Return the controllers that the user's systemd manager has."""
    return _words(f"{ROOT}/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers")


def root_controllers() -> frozenset[str]:
    """Return the controllers of the cgroup2 root that this process sees."""
    return _words(ROOT + "/cgroup.controllers") or _words(UNIFIED + "/cgroup.controllers")


def _systemd_view(mode: str, uid: int, rootless: bool) -> CgroupView | None:
    if not rootless:
        if not systemd_is_running():
            return None
        return CgroupView(manager=SYSTEMD, mode=mode, parent="machine.slice", controllers=root_controllers())
    if not user_manager_answers(uid):
        return None
    controllers = delegated_controllers(uid)
    reason = "" if controllers else f"user@{uid}.service has no controllers"
    return CgroupView(manager=SYSTEMD, mode=mode, parent="user.slice", controllers=controllers, reason=reason)


def _cgroupfs_view(mode: str, uid: int, rootless: bool) -> CgroupView | None:
    if not rootless:
        if not os.access(ROOT, os.W_OK):  # a container that isn't privileged
            return None
        return CgroupView(manager=CGROUPFS, mode=mode, parent="/libpod_parent", controllers=root_controllers())
    best: tuple[int, str, frozenset[str]] | None = None
    cgroup = own_cgroup()
    while _is_ours(cgroup):
        controllers = _passed_on(cgroup)
        if best is None or len(controllers) > best[0]:
            best = (len(controllers), cgroup, controllers)
        if not cgroup or (systemd_is_running() and _is_unit(cgroup)):  # above it, only systemd may change things
            break
        cgroup = cgroup.rpartition("/")[0]
    if best is None:
        return None
    _, cgroup, controllers = best
    reason = "" if controllers else f"the cgroup {cgroup or '/'} passes no controllers on"
    return CgroupView(manager=CGROUPFS, mode=mode, parent=f"{cgroup}/{_NAME}", controllers=controllers, reason=reason)


def _v1_view(rootless: bool) -> CgroupView:
    if rootless:
        reason = "this host has cgroup v1 only, where nothing can be delegated to users"
        return CgroupView(manager=NONE, mode="v1", reason=reason)
    names = {"memory", "cpu", "cpuset", "pids", "blkio", "devices", "freezer"}
    controllers = frozenset(name for name in names if os.path.isdir(f"{ROOT}/{name}"))
    return CgroupView(manager=CGROUPFS, mode="v1", parent="/libpod_parent", controllers=controllers)


def _is_ours(cgroup: str) -> bool:
    # A process may be moved if cgroup.procs of the common ancestor of both cgroups is writable; ours is that ancestor.
    directory = ROOT + cgroup
    return os.access(directory, os.W_OK) and os.access(directory + "/cgroup.procs", os.W_OK)


def _passed_on(cgroup: str) -> frozenset[str]:
    """Return the controllers that a cgroup's children have, or can be given."""
    directory = ROOT + cgroup
    passed = _words(directory + "/cgroup.subtree_control")
    if passed or not os.access(directory + "/cgroup.subtree_control", os.W_OK):
        return passed
    try:
        with open(directory + "/cgroup.procs", encoding="utf-8") as file:
            may_enable = not file.read(1) or is_containers_root(cgroup)
    except OSError:
        may_enable = False
    return _words(directory + "/cgroup.controllers") if may_enable else passed


def lacks_controllers(cgroup: str) -> bool:
    """Return whether a cgroup has controllers that its children don't get."""
    directory = ROOT + cgroup
    return not _words(directory + "/cgroup.controllers") <= _words(directory + "/cgroup.subtree_control")


def is_containers_root(cgroup: str) -> bool:
    """Return whether a cgroup is the root of a cgroup namespace, made for a container in which podpy runs.

    Its processes may be moved to make it pass controllers on. The real root has no cgroup.type (cgroups(7)).
    """
    return not cgroup and os.path.exists(ROOT + "/cgroup.type") and not systemd_is_running()


def _is_unit(cgroup: str) -> bool:
    return cgroup.endswith((".service", ".scope", ".slice", ".socket", ".mount", ".swap"))


def _why_none(uid: int) -> str:
    if systemd_is_running():
        return f"no user manager (user@{uid}.service) can be reached, and this cgroup isn't the user's"
    if not uid:
        return f"{ROOT} is mounted read-only"
    return f"the cgroup {own_cgroup() or '/'} isn't the user's, and there is no systemd to ask for one"


def _words(path: str) -> frozenset[str]:
    return frozenset(files.read_small(path).split())
