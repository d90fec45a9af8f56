"""The network namespace of a container, its handle, and the end of what is connected to it.

`netns` in the run directory is a bind mount in the container's private mount namespace: it goes with conmon; if the
container is on bridges, nothing is mounted on it. The empty file is the sign that the container has a network; conmon
unlinks it when the container has ended, and so does every clean-up. pasta watches the directory by inotify, which
doesn't care for mount namespaces, and ends at once (seen with passt of March 2023 and of May 2025). The pid in
`pasta.pid` (`slirp4netns.pid`) is for what doesn't watch, or hangs: it is ended if its command line names this very
netns file, so a reused pid can't be meant. A start that was killed before it wrote the pid down has left the handle;
then the helper is looked for among all processes.
"""

from __future__ import annotations

import os

from podpy import files, linux
from podpy.plan import Operation

TYPE_CHECKING = False

NETNS = "netns"
SHARED = "networks"  # below the run root: the directory of all bridges' namespace (podpy.network.bridge.namespace)
PID_FILES = ("pasta.pid", "slirp4netns.pid", "forward.pid")
_SIGKILL = 9
_PATIENCE = 1.0  # seconds for the end of what was killed: milliseconds, but for a process that the kernel holds


class CreateNetns(Operation):
    """Make the container's network namespace and its handle.

    It belongs to podpy's own user namespace. `open_to_all`: the container has another one, so its root has no
    capability over the network; low ports and ping must do without. `by_pasta`: what it sends leaves by a pasta that
    isn't old (podpy.network.mode.is_new_pasta).
    """

    def __init__(self, path: str, *, open_to_all: bool = False, by_pasta: bool = False) -> None:
        self.path = path
        self.open_to_all = open_to_all
        self.by_pasta = by_pasta

    def describe(self) -> str:
        """Return where the handle is."""
        return f"make a network namespace, bind-mounted at {self.path}"

    def execute(self) -> None:
        """Make it."""
        linux.make_netns(self.path, open_to_all=self.open_to_all, by_pasta=self.by_pasta)

    def explain_failure(self, error: OSError) -> str:
        """Return what limits network namespaces."""
        return explain(error)


class HoldNetns(Operation):
    """Begin to make the network namespace of a container on bridges, which is held until the container is in it.

    Its handle is an empty file: nothing needs a path for longer, and whoever ends a mount waits for the kernel, some
    milliseconds of a container's end. Options: see CreateNetns.
    """

    def __init__(self, path: str, *, open_to_all: bool = False, by_pasta: bool = False) -> None:
        self.path = path
        self.open_to_all = open_to_all
        self.by_pasta = by_pasta
        self.namespace = -1  # descriptors: of it, and of a socket of rtnetlink(7) in it
        self.socket = -1
        self._begun: linux.BegunNetns | None = None

    def describe(self) -> str:
        """Return where the handle is."""
        return f"make a network namespace, with the handle {self.path}"

    def execute(self) -> None:
        """Begin. Whoever executes this closes it. Raises OSError."""
        os.close(os.open(self.path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._begun = linux.BegunNetns(open_to_all=self.open_to_all, by_pasta=self.by_pasta)

    def wait(self) -> None:
        """Wait until it is made; `namespace` and `socket` are there then. Raises OSError."""
        begun, self._begun = self._begun, None
        if begun is not None:
            self.namespace, self.socket = begun.finish()

    def close(self) -> None:
        """Let go of it."""
        try:
            self.wait()
        except OSError:
            return
        for descriptor in (self.namespace, self.socket):
            if descriptor >= 0:
                os.close(descriptor)
        self.namespace = self.socket = -1

    @property
    def joined_path(self) -> str:
        """The path by which others join it as long as this process holds it."""
        return f"/proc/{os.getpid()}/fd/{self.namespace}"


class WaitForNetns(Operation):
    """Wait until the namespace is made."""

    def __init__(self, begun: HoldNetns) -> None:
        self._begun = begun

    def describe(self) -> str:
        """Return what is waited for."""
        return "wait until the network namespace is made"

    def execute(self) -> None:
        """Wait. Raises OSError."""
        self._begun.wait()

    def explain_failure(self, error: OSError) -> str:
        """Return what limits network namespaces."""
        return explain(error)


def explain(error: OSError) -> str:
    """Return a hint about a network namespace that couldn't be made."""
    from errno import ENOSPC

    if error.errno == ENOSPC:
        return "The limit of network namespaces is reached: sysctl user.max_net_namespaces"
    return "podpy system doctor"


class EndNetwork(Operation):
    """Unlink the handle, so that pasta ends, and end a helper that doesn't watch it.

    Only `wait` waits for its end: the kernel takes 25 ms to take a network namespace down, which nobody else needs.
    """

    def __init__(self, directory: str, *, wait: bool = True) -> None:
        self.directory = directory
        self.wait = wait

    def describe(self) -> str:
        """Return whose network ends."""
        return f"end the network of {self.directory}"

    def execute(self) -> None:
        """Do it. Nothing there is no error."""
        end(self.directory, wait=self.wait)
        _unlink(api_socket(self.directory))


def end(directory: str, *, wait: bool, search: bool = True) -> None:
    """Unlink the handle in a directory, and end a helper that doesn't notice. Nothing there is no error.

    `search`: it may have a helper that no pid file names yet, which is looked for among all processes.
    """
    helpers = _helpers(directory, search=search)
    _unlink(os.path.join(directory, NETNS))
    _end_all(helpers, directory, wait=wait)


def end_helpers(directory: str) -> None:
    """End what connects this container's network namespace, which stays, and wait for its end."""
    _end_all(_helpers(directory), directory, wait=True)
    _unlink(api_socket(directory))


def _helpers(directory: str, *, search: bool = True) -> list[int]:
    path = os.path.join(directory, NETNS)
    recorded = [_helper(os.path.join(directory, name), path) for name in PID_FILES]
    if search and max(recorded) < 0 and os.path.lexists(path):
        return _unrecorded(path)
    return [pidfd for pidfd in recorded if pidfd >= 0]


def _end_all(helpers: list[int], directory: str, *, wait: bool) -> None:
    for pidfd in helpers:
        _end(pidfd, wait=wait)
    for name in PID_FILES:
        _unlink(os.path.join(directory, name))


def has_helper(directory: str) -> bool:
    """Return whether a recorded helper is there for the namespace in a directory, and isn't on its way out."""
    path = os.path.join(directory, NETNS)
    recorded = (files.read_small(os.path.join(directory, name)).strip() for name in PID_FILES)
    return any(pid.isdigit() and path in files.read_small(f"/proc/{pid}/cmdline").split("\0") for pid in recorded)


def end_every(directory: str) -> None:
    """End all helpers of the namespace in a directory, which stays, and wait for that. It reads all of /proc.

    Also one that was just killed: its command line is gone before its device is, and the next one needs that name. And
    those that no pid file names: a killed call's.
    """
    path = os.path.join(directory, NETNS)
    for name in PID_FILES:
        end_helper(os.path.join(directory, name), path)
    for pidfd in _unrecorded(path):
        _end(pidfd, wait=True)


def end_helper(pid_file: str, netns: str) -> None:
    """End the helper of this network namespace, which stays, and wait for its end."""
    pidfd = _helper(pid_file, netns)
    if pidfd >= 0:
        _end(pidfd, wait=True)


def api_socket(directory: str) -> str:
    """Return slirp4netns's control socket: a short path beside the run directories (unix(7): 108 bytes)."""
    containers, container_id = os.path.split(directory.rstrip("/"))
    return os.path.join(os.path.dirname(containers), f"slirp-{container_id[:16]}")


def _unlink(path: str) -> None:
    """Remove a file, mounted or not. After a start that failed, conmon does the same at the same time."""
    from errno import EBUSY, EINVAL, ENOENT

    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno != EBUSY:  # mounted in this very mount namespace
            raise
        try:
            linux.umount2(path, linux.MNT_DETACH)
        except OSError as mount_error:
            if mount_error.errno not in (EINVAL, ENOENT):  # not mounted any more
                raise
        _unlink(path)


def _helper(pid_file: str, netns: str) -> int:
    """Return a pidfd of the helper that a pid file names and whose command line names this netns; -1 if none."""
    text = files.read_small(pid_file).strip()
    if not text.isdigit() or int(text) <= 1:
        return -1
    try:
        pidfd = os.pidfd_open(int(text))
    except OSError:
        return -1
    try:
        words = files.read(f"/proc/{text}/cmdline")
        if netns in words.split("\0") or (not words and _is_helper(text)):
            return pidfd
    except OSError:
        pass
    os.close(pidfd)
    return -1


def _unrecorded(netns: str) -> list[int]:
    """Return pidfds of the helpers whose command lines name this netns; conmon's does, too, and is none."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            pidfd = os.pidfd_open(int(pid))
        except OSError:
            continue
        try:
            if _is_helper(pid) and netns in files.read(f"/proc/{pid}/cmdline").split("\0"):
                found.append(pidfd)
                continue
        except OSError:
            pass
        os.close(pidfd)
    return found


def _is_helper(pid: str) -> bool:
    """Return whether a process without a command line is a helper on its way out.

    conmon has unlinked the handle before, so pasta may be ending right now: its memory, and with it the command line,
    goes before its sockets do, and a port that is still bound would be lost to the next start.
    """
    with open(f"/proc/{pid}/comm", "rb") as file:
        return file.read().startswith((b"pasta", b"passt", b"slirp4netns", b"podpy-forward"))


def _end(pidfd: int, *, wait: bool) -> None:
    """Kill a helper: it is deaf to SIGTERM (podpy.process.spawn), and has nothing to put in order."""
    if TYPE_CHECKING:
        import signal as _signal
    else:
        import _signal  # the C half: `signal` itself imports `enum`

    try:
        _signal.pidfd_send_signal(pidfd, _SIGKILL)
        if wait:
            _wait(pidfd)
    except ProcessLookupError:
        pass
    finally:
        os.close(pidfd)


def _wait(pidfd: int) -> None:
    import select

    select.select([pidfd], [], [], _PATIENCE)
