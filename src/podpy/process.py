"""The one door for child processes: programs by `os.posix_spawn`, which copies no memory, and podpy's own forks.

A program gets exactly the descriptors that its caller names; everything else is closed on exec. Failures carry the
command line, quoted for a shell, so that it can be pasted and tried.
"""

from __future__ import annotations

import os
import select
import sys
from _thread import RLock  # what `threading.RLock` is; `threading` itself takes 3 ms to import
from time import monotonic

from podpy.errors import NotFoundError, RuntimeFailedError
from podpy.notice import Details
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

_SIGPIPE, _SIGXFSZ, _SIGKILL = 13, 25, 9
# Python ignores these two; a child that inherited that would behave unlike one started from a shell.
_default_signals = [_SIGPIPE, _SIGXFSZ]
_IGNORED_AT_THE_END = (1, 2, 3, 15)  # SIGHUP, SIGINT, SIGQUIT, SIGTERM: src/conmon_c/conmon/end.c
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")
_STDOUT, _STDERR = 1, 2
_CHUNK = 65536
_MOST_OUTPUT = 65536  # bytes that `read_all` takes
PACKAGE = os.path.dirname(os.path.abspath(__file__))
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Held while forking, and by threads that have something open which a child must not inherit: an SQLite connection.
fork_lock = RLock()


def own_program(name: str) -> str:
    """Return the path of an executable that podpy's build makes (src/conmon_c), built or not."""
    return os.path.join(PACKAGE, "_bin", name)


def start_script() -> str:
    """Return the file that starts podpy (`python3 -I -S FILE …`): _start.py, or its byte code for this interpreter."""
    compiled = os.path.join(PACKAGE, f"_start.{sys.implementation.cache_tag}.pyc")
    return compiled if os.path.exists(compiled) else os.path.join(PACKAGE, "_start.py")


class Finished(Record):
    """How a child ended: `code` is its exit status, or 128 + the signal that killed it."""

    code: int
    stdout: bytes = b""
    stderr: bytes = b""

    def error_text(self) -> str:
        """Return the last line that it wrote to stderr, or an empty text."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def find(name: str, directories: Iterable[str] = ()) -> str:
    """Return the absolute path of a program: `directories` first, then PATH, then the usual system directories.

    Raises NotFoundError if it is nowhere.
    """
    if "/" in name:
        if os.access(name, os.X_OK):
            return os.path.abspath(name)
        raise NotFoundError(f"{name}: no such program, or not executable")
    # Debian keeps /usr/sbin out of an ordinary user's PATH, so the usual directories are always searched as well.
    for directory in (*directories, *os.environ.get("PATH", "").split(":"), *SEARCH_PATH.split(":")):
        path = os.path.join(directory, name)
        if directory.startswith("/") and os.access(path, os.X_OK):
            return path
    raise NotFoundError(f"{name}: no such program in PATH or {SEARCH_PATH}")


def begin_as_exit_command() -> None:
    """Let children have the default signals: a monitor's exit command itself ignores those that end a unit."""
    _default_signals[2:] = _IGNORED_AT_THE_END


def command_line(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return a command, with variables in front of it if given, quoted so that it can be pasted into a shell."""
    words = [f"{name}={_quote(value)}" for name, value in (environment or {}).items()]
    return " ".join([*words, *map(_quote, argv)])


def spawn(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    keep: Iterable[int] = (),
    null: Iterable[int] = (),
    session: bool = False,
    deaf: bool = False,
    name: str = "",
) -> int:
    """Start `argv` (an absolute path first) and return its pid. The caller waits for it.

    `stdin`, `stdout`, `stderr`: a descriptor, -1 for /dev/null, or None for this process's own. `keep`: further
    descriptors that the child inherits under the same number (as `pipe` makes them); `null`: those that are /dev/null
    in it. `session`: it gets one of its own, so that no terminal's signal reaches it. `deaf`: nor do the signals that
    end a unit of systemd. `name`: its first argument, if not the path. Raises OSError with the path.
    """
    if Details.step is not None:
        Details.step(f"Starting: {command_line(argv)}")
    kept = set(keep)
    close_others_on_exec(kept)
    actions, copies = _stream_actions((stdin, stdout, stderr))
    # dup2 onto itself clears close-on-exec in the child only (glibc 2.29 and later), so podpy's own stays set.
    actions += [(os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in sorted(kept)]
    actions += [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in null]
    more: dict[str, Any] = {"setsigmask": _IGNORED_AT_THE_END} if deaf else {}
    try:
        return os.posix_spawn(
            argv[0],
            [name or argv[0], *argv[1:]],
            os.environ if environment is None else environment,
            file_actions=actions,
            setsigdef=_default_signals,
            setsid=session,
            **more,
        )
    finally:
        for descriptor in copies:
            os.close(descriptor)


def _stream_actions(streams: Sequence[int | None]) -> tuple[list[tuple[Any, ...]], list[int]]:
    """Return what posix_spawn does for a child's standard streams, and the copies to be closed afterwards."""
    actions: list[tuple[Any, ...]] = []
    copies = []
    for number, descriptor in enumerate(streams):
        if descriptor is None:
            continue
        if descriptor < 0:
            actions.append((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0))
            continue
        if descriptor <= _STDERR and descriptor != number:  # what comes before may have replaced it
            descriptor = os.dup(descriptor)
            copies.append(descriptor)
        actions.append((os.POSIX_SPAWN_DUP2, descriptor, number))
    return actions, copies


def gaps(kept: Iterable[int]) -> list[int]:
    """Return the descriptors from 3 on that are between those that a container gets.

    A runtime hands all on up to a number: what it opens itself must not lie there.
    """
    some = set(kept)
    return [descriptor for descriptor in range(3, max(some, default=2)) if descriptor not in some]


def preserved(number: int, more: Iterable[int]) -> list[int]:
    """Return the descriptors that a container gets: `number` of them from 3 on, and `more`."""
    return sorted({*range(3, 3 + number), *more})


def close_others_on_exec(kept: set[int]) -> None:
    """Mark all descriptors above 2 but `kept` close-on-exec: what podpy's caller left open is its own business."""
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor <= _STDERR or descriptor in kept:
            continue
        try:
            if os.get_inheritable(descriptor):
                os.set_inheritable(descriptor, False)
        except OSError:  # the descriptor of the listing itself
            continue


def close_files(keep: Iterable[int] = ()) -> None:
    """Close all descriptors above the standard streams, but `keep` and the file that podpy's modules come from: what a
    call needs is loaded when it needs it (podpy.pack).
    """
    first = _STDERR + 1
    for kept in sorted([*(getattr(finder, "file", -1) for finder in sys.meta_path), *keep]):
        if kept >= first:
            os.closerange(first, kept)
            first = kept + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def pipe() -> tuple[int, int]:
    """Return the two ends of a pipe, (to read, to write), close-on-exec and above 2: see `above_streams`."""
    return above_streams(os.pipe())


def above_streams(low: tuple[int, int]) -> tuple[int, int]:
    """Return two descriptors, or copies of them above 2 (then they are closed), whichever streams are closed here.

    So a child can `keep` them, and no standard stream takes their place.
    """
    if min(low) > _STDERR:
        return low
    import fcntl

    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _STDERR + 1) for end in low]
    for end in low:
        os.close(end)
    return high[0], high[1]


def read_all(descriptor: int) -> str:
    """Return what a child says until the end of file (64 KiB at most), and close the descriptor."""
    parts = []
    size = 0
    try:
        while size < _MOST_OUTPUT and (part := os.read(descriptor, _CHUNK)):
            parts.append(part)
            size += len(part)
    finally:
        os.close(descriptor)
    return b"".join(parts).decode("utf-8", "replace").strip()


def tool_environment() -> dict[str, str]:
    """Return the environment of a program whose messages are matched in English, and which needs nothing else of it."""
    return {"PATH": os.environ.get("PATH", SEARCH_PATH), "LC_ALL": "C"}


def fork() -> int:
    """fork(2), also in a process with threads. The child may not use the caller's locks, and must end by os._exit."""
    import warnings

    with warnings.catch_warnings():
        # CPython 3.12 warns here: a lock that another thread holds stays held in the child.
        warnings.simplefilter("ignore", DeprecationWarning)
        with fork_lock:
            return os.fork()


def in_background(work: Callable[[], None], keep: Iterable[int] = ()) -> None:
    """Have something done by a process of its own, which nobody waits for and no terminal reaches.

    It has /dev/null for its standard streams and of this process's descriptors only `keep`. What it raises is lost.
    """
    child = fork()
    if child == 0:
        try:
            os.setsid()
            if fork() == 0:
                null = os.open(os.devnull, os.O_RDWR)
                for stream in range(_STDERR + 1):
                    os.dup2(null, stream)
                close_files(keep)
                work()
        finally:
            os._exit(0)
    wait(child)


def wait(pid: int) -> int:
    """Wait for a child of ours and return its exit status, or 128 + the signal that killed it."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: int = -1,
    timeout: float = 120,
    keep: Iterable[int] = (),
) -> Finished:
    """Run a command to its end and return its status and output. It reads /dev/null unless `stdin` is given.

    Raises OSError if it can't be started, RuntimeFailedError (after killing it) if it takes longer than `timeout`
    seconds, whether it says something meanwhile or not.
    """
    out_read, out_write = os.pipe()
    error_read, error_write = os.pipe()
    try:
        pid = spawn(argv, environment=environment, stdin=stdin, stdout=out_write, stderr=error_write, keep=keep)
    except OSError:
        os.close(out_read)
        os.close(error_read)
        raise
    finally:
        os.close(out_write)
        os.close(error_write)
    finished = _collect(pid, argv, out_read, error_read, timeout)
    if Details.end is not None:
        Details.end(f"{argv[0]} ended with {finished.code}: {finished.error_text() or 'nothing on standard error'}")
    return finished


def _collect(pid: int, argv: Sequence[str], out: int, error: int, timeout: float) -> Finished:
    pidfd = os.pidfd_open(pid)
    chunks: dict[int, list[bytes]] = {out: [], error: []}
    try:
        finished = _read_until_exit(pidfd, chunks, timeout)
    finally:
        for descriptor in (out, error, pidfd):
            os.close(descriptor)
    if not finished:
        os.kill(pid, _SIGKILL)
        os.waitpid(pid, 0)
        raise RuntimeFailedError(f"{command_line(argv)}: no answer after {timeout:.0f} s, killed it")
    return Finished(code=wait(pid), stdout=b"".join(chunks[out]), stderr=b"".join(chunks[error]))


def _read_until_exit(pidfd: int, chunks: dict[int, list[bytes]], timeout: float) -> bool:
    """Read until the process has ended (not until end of file: a grandchild may keep the pipe for ever)."""
    poller = select.poll()
    for descriptor in (pidfd, *chunks):
        poller.register(descriptor, select.POLLIN)
    deadline = monotonic() + timeout
    while True:
        events = dict(poller.poll(max(0.0, deadline - monotonic()) * 1000))
        if not events or (pidfd not in events and monotonic() > deadline):
            return False
        for descriptor in chunks:
            if descriptor in events:
                data = os.read(descriptor, _CHUNK)
                chunks[descriptor].append(data)
                if not data:
                    poller.unregister(descriptor)
        if list(events) == [pidfd]:
            return True


def _quote(text: str) -> str:
    if text and all(character in _SAFE for character in text):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"
