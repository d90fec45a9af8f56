"""Where everything is: the user's directories, found without a login session too.

    Paths.find()                   as the environment says
    Paths.find(root, runroot)      `--root`, `--runroot`

graphroot   what lasts: $XDG_DATA_HOME/containers/podpy (default ~/.local/share); root: /var/lib/containers/podpy
runroot     what a reboot may take: $XDG_RUNTIME_DIR/podpy; root: /run/podpy

Without a usable $XDG_RUNTIME_DIR (`su`, `sudo -u`, cron) it is /run/user/UID if that is the user's, else
/tmp/podpy-run-UID, else /var/tmp/podpy-run-UID. podpy takes only a real directory of this user that nobody else may
write to (in /tmp and /var/tmp: nor enter).

A graph root has one run directory at a time: running containers are found through it. So graphroot/runroot notes which
one is in use, and it stays in use while a container runs there, even if a call would choose another one (a cron job
beside a login session). A crash leaves at most an old note, which doesn't count then.

Rules: XDG Base Directory Specification 0.8 (owner and mode of the run directory), Podman's podman(1).
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import RootlessError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_ROOT_GRAPHROOT = "/var/lib/containers/podpy"
_ROOT_RUNROOT = "/run/podpy"
_ROOT_AUTH_FILE = "/run/containers/0/auth.json"
_CAP_SYS_ADMIN = 21
_NOTE = "runroot"
_WRITE_BY_OTHERS = 0o022
EARLIER = "earlier-"  # prefix of what an earlier boot has left in the run root, to be removed


class Paths(Record):
    """The user's directories and who the user is. All directories exist."""

    graphroot: str
    runroot: str
    # Not the initial user namespace's root: no device nodes, no foreign ids, overlay with `userxattr`.
    rootless: bool
    # The user as the host knows them: also inside the user namespace, where os.getuid() is 0.
    uid: int
    gid: int
    home: str
    # Podman's configuration directories, the user's own first.
    config_dirs: tuple[str, ...]
    # Which boot of the machine this is (36 characters).
    boot_id: str

    @property
    def holder(self) -> str:
        """The record of the process that holds the user's namespaces."""
        return self.runroot + "/holder"

    @property
    def locks(self) -> str:
        """The directory of the file locks."""
        return self.runroot + "/locks"

    @property
    def cache(self) -> str:
        """The directory of what can be computed again at any time."""
        return self.runroot + "/cache"

    @property
    def transient(self) -> str:
        """The file that names the last boot in which a container of `--transient-store` was created."""
        return self.graphroot + "/transient"

    @property
    def auth_file(self) -> str:
        """Where `podpy login` keeps passwords if nothing names another file: Podman's, in a directory of this user."""
        login = os.environ.get("XDG_RUNTIME_DIR", "").rstrip("/")
        if not is_private(login, _WRITE_BY_OTHERS):
            if not self.rootless or self.runroot == _ROOT_RUNROOT:
                return _ROOT_AUTH_FILE
            login, name = os.path.split(self.runroot)
            if name != "podpy" or not is_private(login, _WRITE_BY_OTHERS):
                return self.runroot + "/auth/auth.json"  # of its own: a change locks it, and the holder locks runroot
        return login + "/containers/auth.json"

    @classmethod
    def find(cls, root: str | None = None, runroot: str | None = None) -> Paths:
        """Return the directories of this process's user, made (mode 0700) if they are missing.

        Raises RootlessError if there is no home or no safe run directory, OSError if one can't be made.
        """
        uid, gid, rootless = identity()
        own_dirs = not rootless or (uid == 0 and os.access("/var/lib", os.W_OK))
        home = _home(uid)
        graphroot = os.path.abspath(root) if root else _ROOT_GRAPHROOT if own_dirs else _data_home(home)
        _make(graphroot)
        boot = boot_id()
        if runroot:
            chosen = os.path.abspath(runroot)
        elif own_dirs:
            chosen = _ROOT_RUNROOT
        else:
            chosen = _chosen_runroot(graphroot)
        if os.path.islink(chosen):
            chosen = os.path.realpath(chosen)
        for directory in (chosen, chosen + "/locks", chosen + "/containers", chosen + "/exits", chosen + "/cache"):
            _make(directory)
        return cls(
            graphroot=graphroot,
            runroot=chosen,
            rootless=rootless,
            uid=uid,
            gid=gid,
            home=home,
            config_dirs=_config_dirs(home, own_dirs),
            boot_id=boot,
        )


def identity() -> tuple[int, int, bool]:
    """Return (uid, gid, rootless) as the host, or the namespace around this one, knows this user.

    Root in a user namespace whose id 0 is an ordinary user's (`podpy unshare`, `podman unshare`, `unshare -r`) is that
    user. Root in a container, which may own /var/lib there, is root without the host's privileges.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        return uid, gid, True
    outer_uid, whole = _outer_id("/proc/self/uid_map")
    if whole:
        from podpy.linux import has_capability

        return uid, gid, not has_capability(_CAP_SYS_ADMIN)
    if os.access("/var/lib", os.W_OK):
        return uid, gid, True
    return outer_uid, _outer_id("/proc/self/gid_map")[0], True


def boot_id() -> str:
    """Return the kernel's random id of this boot (random(4)); an empty text if /proc doesn't show it."""
    try:
        return files.read(_BOOT_ID).strip()
    except OSError:
        return ""


def runtime_directories(uid: int) -> Iterator[str]:
    """Yield, best first, the places where the user's run directory may be."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    for login in (given, f"/run/user/{uid}"):
        if login.startswith("/") and is_private(login, _WRITE_BY_OTHERS):
            yield login.rstrip("/") + "/podpy"
    for parent in ("/tmp", "/var/tmp"):
        fallback = f"{parent}/podpy-run-{uid}"
        try:
            os.mkdir(fallback, 0o700)
        except FileExistsError:
            pass
        except OSError:
            continue
        if is_private(fallback):
            yield fallback


def is_private(path: str, forbidden: int = 0o077) -> bool:
    """Return whether `path` is a directory (no symbolic link) of this user without any of the forbidden mode bits."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    is_directory = status.st_mode & 0o170000 == 0o040000
    return is_directory and status.st_uid == os.geteuid() and not status.st_mode & forbidden


def may_be_there(path: str, *, follow_links: bool = True) -> bool:
    """Return whether the file exists, or may exist because a directory on the way can't be entered.

    For files that forbid something: reading them is an error then, and not "nothing there".
    """
    try:
        os.stat(path, follow_symlinks=follow_links)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _chosen_runroot(graphroot: str) -> str:
    chosen = next(runtime_directories(os.geteuid()), None) if os.geteuid() else _inner_runroot()
    if chosen is None:
        raise RootlessError(
            "no run directory: XDG_RUNTIME_DIR isn't set to a directory of yours that nobody else may write to, "
            "and there is none in /run/user, /tmp or /var/tmp",
            hint="Log in by a session (`loginctl enable-linger` keeps /run/user/UID), or: "
            'export XDG_RUNTIME_DIR="$HOME/.run"; mkdir -m 0700 "$XDG_RUNTIME_DIR"',
        )
    note = f"{graphroot}/{_NOTE}"
    noted = files.read_small(note).rstrip("\n")
    if noted == chosen:
        return chosen
    if noted and is_private(noted) and _runs_containers(noted):
        return noted
    try:
        files.replace(note, chosen + "\n")
    except OSError:  # a full or read-only disk: the call that writes there will say so
        pass
    return chosen


def _runs_containers(runroot: str) -> bool:
    from podpy.monitor.files import monitors

    return any(True for _ in monitors(runroot))


def _inner_runroot() -> str | None:
    # Uid 0 of the user's own namespace: its number outside names /run/user/UID, files of the user look like root's.
    return next(runtime_directories(_outer_id("/proc/self/uid_map")[0]), None)


def _outer_id(map_file: str) -> tuple[int, bool]:
    """Return (what id 0 is outside, whether this is the whole range of ids: the initial namespace)."""
    try:
        lines = files.read(map_file).splitlines()
    except OSError:
        return 0, True
    for line in lines:
        inside, outside, size = (int(word) for word in line.split())
        if inside == 0:
            return outside, outside == 0 and size == 0xFFFFFFFF
    return 0, False


def _home(uid: int) -> str:
    # `sudo -u` and `su -m` may leave another user's HOME in the environment, where nothing can be kept.
    home = os.environ.get("HOME", "")
    if home.startswith("/") and os.access(home, os.W_OK | os.X_OK):
        return home.rstrip("/") or "/"
    import pwd

    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        if home.startswith("/"):
            return home
        raise RootlessError(
            f"user {uid} has no home directory: HOME isn't set", hint="export HOME=/a/directory"
        ) from None


def _data_home(home: str) -> str:
    data = os.environ.get("XDG_DATA_HOME", "")
    return (data.rstrip("/") if data.startswith("/") else home + "/.local/share") + "/containers/podpy"


def _config_dirs(home: str, own_dirs: bool) -> tuple[str, ...]:
    system = ("/etc/containers", "/usr/share/containers")
    if own_dirs:
        return system
    config = os.environ.get("XDG_CONFIG_HOME", "")
    return (config.rstrip("/") if config.startswith("/") else home + "/.config") + "/containers", *system


def _make(directory: str) -> None:
    if not os.path.isdir(directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
