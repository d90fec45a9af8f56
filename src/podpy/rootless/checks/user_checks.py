"""Checks of what makes a user namespace: its permission, the helpers' privilege, the user's ids, the run directory."""

from __future__ import annotations

import errno
import os

from podpy import files, linux
from podpy.config.paths import is_private
from podpy.rootless import holder, subids
from podpy.rootless.checks.check import Check, failed, in_child, install, passed, sysctl
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths

WANTED_IDS = 65536
FIRST_ID = 100000
_WRITE_BY_OTHERS = 0o022


def user_namespaces(paths: Paths) -> Check:
    """May this user make user namespaces, with privileges in them?"""
    name = "user namespaces"
    if not os.path.exists("/proc/self/ns/user"):
        return failed(name, "this kernel has no user namespaces (CONFIG_USER_NS)", "use a kernel with CONFIG_USER_NS=y")
    if sysctl("user.max_user_namespaces") == 0:
        return failed(
            name,
            "user namespaces are forbidden: user.max_user_namespaces is 0",
            "echo user.max_user_namespaces=28633 | sudo tee /etc/sysctl.d/99-podpy.conf && sudo sysctl --system",
        )
    if sysctl("kernel.unprivileged_userns_clone") == 0:
        return failed(
            name,
            "user namespaces are forbidden: kernel.unprivileged_userns_clone is 0",
            "echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/99-podpy.conf && sudo sysctl --system",
        )
    problem = in_child(_try_user_namespace)
    if not problem:
        return passed(name, "may be made")
    if sysctl("kernel.apparmor_restrict_unprivileged_userns"):
        # The trial ran in Python, which no profile permits; in real calls the holder makes the namespaces.
        if holder.program() in files.read_small(_APPARMOR_PROFILE):
            return passed(name, f"may be made, as {_APPARMOR_PROFILE} says")
        return failed(name, _APPARMOR_CAUSE, apparmor_mend())
    return failed(name, _refusal(problem), _refusal_mend(problem))


_APPARMOR_PROFILE = "/etc/apparmor.d/podpy"
_APPARMOR_CAUSE = (
    "AppArmor gives no privileges in user namespaces: kernel.apparmor_restrict_unprivileged_userns is 1 and no profile "
    "permits podpy"
)


def apparmor_profile() -> str:
    """Return the AppArmor profile for the holder, the only program of podpy's that makes user namespaces.

    As Ubuntu's own for crun, runc and others: nothing is confined, and `userns` lets it through the restriction of
    unprivileged user namespaces (Ubuntu 23.10 and later). Python and the launcher need none.
    """
    return (
        "abi <abi/4.0>,\ninclude <tunables/global>\n\n"
        f'profile podpy "{holder.program()}" flags=(unconfined) {{\n  userns,\n  include if exists <local/podpy>\n}}\n'
    )


def apparmor_mend() -> str:
    """Return the command that gives the holder its profile."""
    write = f"podpy system doctor --print-apparmor-profile | sudo tee {_APPARMOR_PROFILE}"
    return f"{write} && sudo apparmor_parser -r {_APPARMOR_PROFILE}"


def _try_user_namespace() -> str:
    """Return an errno's name, or an empty text if a user namespace can be made and something mounted in it."""
    try:
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_SLAVE)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return ""


def _refusal(code: str) -> str:
    if code in ("ENOSPC", "EUSERS"):
        return "user namespaces can't be made: the limit of their number (user.max_user_namespaces) is reached"
    if code == "EPERM" and _is_chrooted():
        return "user namespaces can't be made in a chroot"
    if code in ("EPERM", "EACCES"):
        return "user namespaces are forbidden here, by a seccomp filter or a security module (is this a container?)"
    return f"user namespaces can't be made: {code}"


def _refusal_mend(code: str) -> str:
    if code in ("ENOSPC", "EUSERS"):
        return "sudo sysctl -w user.max_user_namespaces=28633"
    return (
        "in a container, start the outer one with: --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    )


def _is_chrooted() -> bool:
    # In the initial mount namespace's root, the mount table has an entry for / itself.
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return not any(line.split()[4] == "/" for line in file)


def id_map_tools(paths: Paths) -> Check:
    """Are newuidmap and newgidmap there, with the privilege that they need?"""
    name = "newuidmap, newgidmap"
    for tool in ("newuidmap", "newgidmap"):
        path = which(tool)
        if not path:
            return failed(name, f"{tool} isn't installed", install("uidmap", "shadow-utils"))
        if not _is_privileged(path):
            return failed(name, f"{path} has neither its setuid bit nor file capabilities", f"sudo chmod u+s {path}")
        if os.statvfs(path).f_flag & os.ST_NOSUID:
            return failed(name, f"{path} is on a filesystem mounted nosuid", "mount it without nosuid")
    if _no_new_privileges():
        return failed(
            name,
            "this process runs with no_new_privs, so newuidmap can't get its privilege",
            "start podpy outside of it (in a systemd unit: NoNewPrivileges=no)",
        )
    return passed(name, which("newuidmap"))


def _is_privileged(path: str) -> bool:
    status = os.stat(path)
    if status.st_mode & 0o4000 and status.st_uid == 0:
        return True
    try:
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False


def _no_new_privileges() -> bool:
    return bool(linux.prctl(linux.PR_GET_NO_NEW_PRIVS))


def subordinate_ids(paths: Paths) -> Check:
    """Has the user subordinate ids, enough for ordinary images?"""
    name = "subordinate ids"
    uids, gids = subids.find(paths.uid)
    who = subids.user_name(paths.uid) or str(paths.uid)
    source = subids.nss_source()
    if not uids or not gids:
        kind = "uids" if not uids else "gids"
        where = f"the source `{source}` of /etc/nsswitch.conf" if source else "/etc/subuid and /etc/subgid"
        mend = f"give {who} ranges in {source}" if source else _usermod(who)
        return failed(name, f"{who} has no subordinate {kind} in {where}", mend + "\npodpy system migrate")
    have = min(sum(count for _, count in uids), sum(count for _, count in gids))
    if have < WANTED_IDS - 1:
        cause = f"{who} has only {have} subordinate ids; images with greater ids can't be unpacked"
        return failed(name, cause, _usermod(who) + "\npodpy system migrate", required=False)
    return passed(name, f"{who} has {have}")


def _usermod(who: str) -> str:
    first = max(FIRST_ID, _end_of(subids.SUBUID), _end_of(subids.SUBGID))
    last = first + WANTED_IDS - 1
    return f"sudo usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {who}"


def _end_of(path: str) -> int:
    """Return the first id behind all ranges of a subuid(5) file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            rows = [line.strip().split(":") for line in file]
    except OSError:
        return 0
    ranges = (subids.to_range(row[1], row[2]) for row in rows if len(row) == 3)
    return max((found[0] + found[1] for found in ranges if found), default=0)


def holder_state(paths: Paths) -> Check:
    """Does the living holder have what the configuration gives now?"""
    name = "namespaces in use"
    pid = holder.find(paths)
    if not pid:
        return passed(name, "none yet in this boot", required=False)
    with open(f"/proc/{pid}/uid_map", encoding="utf-8") as file:
        held = sum(int(line.split()[2]) for line in file)
    uids, gids = subids.find(paths.uid)
    have = 1 + sum(count for _, count in uids) if uids and gids else 1
    if held != have:
        cause = f"they were made with {held} ids, and now there are {have}"
        return failed(name, cause, "podpy system migrate", required=False)
    return passed(name, f"held by process {pid}, {held} ids", required=False)


def run_directory(paths: Paths) -> Check:
    """Is there the session's run directory?"""
    name = "run directory"
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if given and not is_private(given, _WRITE_BY_OTHERS):
        cause = (
            f"XDG_RUNTIME_DIR={given} isn't a directory of yours that nobody else may write to; {paths.runroot} is used"
        )
        return failed(name, cause, f"export XDG_RUNTIME_DIR=/run/user/{paths.uid}", required=False)
    if paths.runroot.startswith(("/tmp/", "/var/tmp/")) and not paths.runroot.startswith(given or "\0"):
        cause = f"there is no login session (XDG_RUNTIME_DIR); {paths.runroot} is used"
        mend = f"sudo loginctl enable-linger {subids.user_name(paths.uid) or paths.uid}"
        return failed(name, cause, mend, required=False)
    return passed(name, paths.runroot, required=False)


def lingering(paths: Paths) -> Check:
    """Will the user's containers outlive the last session?"""
    name = "lingering"
    who = subids.user_name(paths.uid)
    if not os.path.isdir("/run/systemd/system"):
        return passed(name, "no systemd here that would end anything at logout", required=False)
    if os.path.exists(f"/var/lib/systemd/linger/{who}"):
        return passed(name, f"on for {who}", required=False)
    cause = f"off for {who}: containers may be ended at logout, and none starts at boot"
    return failed(name, cause, f"sudo loginctl enable-linger {who}", required=False)
