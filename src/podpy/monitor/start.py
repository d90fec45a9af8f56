"""Start conmon, and read from it the result of the container's start.

conmon's protocol (docs/conmon.md): its environment has the numbers of two pipes. On _OCI_STARTPIPE it waits for a byte
before it starts the OCI runtime; on _OCI_SYNCPIPE it answers with one line of JSON, {"data": PID} or {"data": -1,
"message": TEXT} with the runtime's message. For an exec session a second line, {"data": EXIT_CODE}, follows at the end.
The process that podpy starts forks and exits: init (or the nearest subreaper) adopts the monitor, which writes its pid
into a file.

podpy's own conmon starts a container with one call of the runtime (`--runtime-run`), Debian's with two. It accepts
attached clients before the start, and tells a waiting caller of the end. With another conmon the same results come from
its files.
"""

from __future__ import annotations

import os
import select

from podpy import fastjson, files, process
from podpy.errors import RuntimeFailedError
from podpy.monitor.files import FIRST_PROCESS, HEALTH, MONITOR
from podpy.oci.failures import explain_runtime_error, logged_error
from podpy.plan import Operation
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from podpy.oci.runtime import OciRuntime
    from podpy.rootless.cgroups import CgroupView

OWN_CONMON = process.own_program("conmon")
_LINE_LIMIT = 1 << 20
_SIGKILL = 9
_ANSWER_SECONDS = 10  # to wait for conmon's answer after the start was given up


class MonitorRequest(Record):
    """conmon's options. Paths are absolute; a missing descriptor is -1."""

    container_id: str
    container_name: str
    run_directory: str
    exit_directory: str
    log_driver: str
    log_path: str
    log_options: dict[str, str]
    tty: bool
    stdin_open: bool
    timeout: int
    preserved: list[int]  # descriptors for the container
    pidfile: str
    conmon_pidfile: str
    conmon: str  # another conmon's path; empty: our own
    runtime: OciRuntime
    cgroups: CgroupView
    exit_command: list[str]
    environ: Mapping[str, str]  # the caller's, without a service manager's sockets
    streams: tuple[int, int, int]  # the caller's; -1 for /dev/null
    log_labels: dict[str, str] = {}
    attach_fd: int = -1
    waiter_fd: int = -1
    hold_fd: int = -1  # the network namespace, which lives as long as a monitor holds it
    console_size: tuple[int, int] | None = None  # rows and columns
    notify_socket: str = ""  # systemd's socket, to which conmon relays the container's messages
    unlink_on_exit: list[str] = []
    restart: str = "no"  # always or on-failure: conmon waits before the exit command, which restarts the container
    restart_delay: int = 0  # milliseconds
    restart_backoff: str = ""  # "kubernetes": Kubernetes' waits instead of Docker's
    stop_timeout: int = -1  # seconds from SIGTERM to the monitor to SIGKILL to the container; -1: no SIGKILL
    keyring: bool = True  # False: the container stays in podpy's session keyring
    no_pivot: bool = False  # True: the runtime uses chroot(2) instead of pivot_root(2)
    run: bool = True

    @property
    def is_ours(self) -> bool:
        """Whether conmon is podpy's own, which has more options than conmon 2.1."""
        return not self.conmon

    def command(self) -> list[str]:
        """Return conmon's command line."""
        directory = self.run_directory
        command = [
            self.conmon or OWN_CONMON, "--api-version", "1", "-c", self.container_id, "-u", self.container_id,
            "-n", self.container_name, "-r", self.runtime.path, "-b", os.path.join(directory, "bundle"),
            "-p", os.path.join(directory, FIRST_PROCESS), "-P", os.path.join(directory, MONITOR),
            "--exit-dir", self.exit_directory, "--persist-dir", directory, "--full-attach",
            "--socket-dir-path", directory, "-l", self._log(), "--no-sync-log",
        ]  # fmt: skip
        command += self._log_options()
        for argument in [*self.runtime.arguments, *self.cgroups.runtime_flags(self.runtime.path)]:
            command += ["--runtime-arg", argument]
        command += ["--runtime-arg", f"--log={directory}/oci.log", "--runtime-arg", "--log-format=json"]
        if self.tty:
            command.append("-t")
        if self.stdin_open:
            command.append("-i")
        if self.timeout:
            command += ["-T", str(self.timeout)]
        command += _preserve(self.preserved)
        command += [] if self.keyring else ["--no-new-keyring"]
        command += ["--no-pivot"] if self.no_pivot else []
        if self.notify_socket:
            command += ["--sdnotify-socket", self.notify_socket]
        command += ["--exit-command", self.exit_command[0]]
        for argument in self.exit_command[1:]:
            command += ["--exit-command-arg", argument]
        return command + (self._extensions() if self.is_ours else [])

    def _log(self) -> str:
        driver = self.log_driver
        if driver in ("none", "off", "null"):
            return "none:"
        if driver == "passthrough-tty":  # conmon knows only one of the two
            return "passthrough"
        return driver if driver in ("journald", "passthrough") else f"{driver}:{self.log_path}"

    def _log_options(self) -> list[str]:
        words = []
        options = self.log_options
        if options.get("max-size"):
            words += ["--log-size-max", options["max-size"]]
        if options.get("max-file") and self.is_ours:
            words += ["--log-max-files", str(max(0, int(options["max-file"]) - 1))]
        if options.get("tag"):
            words += ["--log-tag", options["tag"]]
        for name, value in self.log_labels.items():
            words += ["--log-label", f"{name}={value}"]
        return words

    def _extensions(self) -> list[str]:
        words = ["--runtime-run"] if self.run else []
        words.append("--waiters")
        words += ["--health-dir", os.path.join(self.run_directory, HEALTH), "--restart", self.restart]
        if self.restart_delay:
            words += ["--restart-delay", str(self.restart_delay)]
        if self.restart_backoff:
            words += ["--restart-backoff", self.restart_backoff]
        if self.stop_timeout >= 0:
            words += ["--stop-timeout", str(self.stop_timeout)]
        if self.attach_fd >= 0:
            words += ["--attach-fd", str(self.attach_fd)]
        if self.waiter_fd >= 0:
            words += ["--waiter-fd", str(self.waiter_fd)]
        if self.hold_fd >= 0:
            words += ["--hold-fd", str(self.hold_fd)]
        words += _console_size(self.console_size)
        for path in self.unlink_on_exit:
            words += ["--unlink-on-exit", path]
        return words

    def descriptors(self) -> list[int]:
        """Return what conmon inherits besides its pipes."""
        own = [fd for fd in (self.attach_fd, self.waiter_fd) if fd >= 0] if self.is_ours else []
        # Another conmon inherits it, too, and leaves it open; the container must not get it as one of its own.
        held = [self.hold_fd] if self.hold_fd >= 0 and (self.is_ours or not self.preserved) else []
        return [*own, *held, *self.preserved]


class ExecRequest(Record):
    """conmon's options for an exec session, which only podpy's own conmon runs."""

    container_id: str
    session_id: str
    run_directory: str  # of the session
    process_file: str
    tty: bool
    stdin_open: bool
    preserved: list[int]  # descriptors for the container
    runtime: OciRuntime
    environ: Mapping[str, str]  # the caller's, without a service manager's sockets
    streams: tuple[int, int, int] = (-1, -1, -1)
    attach_fd: int = -1
    waiter_fd: int = -1
    console_size: tuple[int, int] | None = None
    exit_command: list[str] = []  # for a session without a waiting call

    # WaitForStart reads these from every request.
    pidfile: str = ""
    conmon_pidfile: str = ""
    run: bool = True
    is_ours: bool = True

    def command(self) -> list[str]:
        """Return conmon's command line."""
        directory = self.run_directory
        command = [
            OWN_CONMON, "--api-version", "1", "-c", self.container_id, "-u", self.session_id,
            "-r", self.runtime.path_for(self.container_id), "-b", directory,
            "-p", os.path.join(directory, FIRST_PROCESS), "-P", os.path.join(directory, MONITOR),
            "--exec", "--exec-process-spec", self.process_file, "--full-attach", "--socket-dir-path", directory,
            "--persist-dir", directory, "-l", "none:", "--no-sync-log",
        ]  # fmt: skip
        for argument in [*self.runtime.arguments, f"--log={directory}/oci.log", "--log-format=json"]:
            command += ["--runtime-arg", argument]
        command += _preserve(self.preserved)
        for option, descriptor in (("--attach-fd", self.attach_fd), ("--waiter-fd", self.waiter_fd)):
            if descriptor >= 0:
                command += [option, str(descriptor)]
        for place, argument in enumerate(self.exit_command):
            command += ["--exit-command-arg" if place else "--exit-command", argument]
        return command + _console_size(self.console_size) + ["-t"] * self.tty + ["-i"] * self.stdin_open

    def descriptors(self) -> list[int]:
        """Return what conmon inherits besides its pipes."""
        return [*(fd for fd in (self.attach_fd, self.waiter_fd) if fd >= 0), *self.preserved]


def _preserve(descriptors: list[int]) -> list[str]:
    """Return conmon's options: the runtime passes a number of descriptors from 3 on; closed ones are skipped."""
    if not descriptors:
        return []
    return ["--runtime-opt", "--preserve-fds", "--runtime-opt", str(max(descriptors) - 2)]


def _console_size(size: tuple[int, int] | None) -> list[str]:
    return [] if size is None else ["--console-size", f"{size[0]}x{size[1]}"]


class StartConmon(Operation):
    """Start conmon, which prepares its sockets and waits."""

    def __init__(self, make_request: Callable[[], MonitorRequest | ExecRequest]) -> None:
        self._make_request = make_request
        self.request: MonitorRequest | ExecRequest | None = None
        self.sync_pipe = -1
        self.start_pipe = -1
        self._pid = 0
        self._received = b""

    def describe(self) -> str:
        """Return the program that is started."""
        return f"start the monitor {OWN_CONMON}"

    def execute(self) -> None:
        """Start it."""
        request = self.request = self._make_request()
        self.sync_pipe, sync_write = process.pipe()
        start_read, self.start_pipe = process.pipe()
        environment = {
            **request.environ,
            "_OCI_SYNCPIPE": str(sync_write),
            "_OCI_STARTPIPE": str(start_read),
        }
        environment.pop("NOTIFY_SOCKET", None)  # or crun would relay it, too, and wait for READY=1
        try:
            pid = process.spawn(
                request.command(),
                environment=environment,
                stdin=request.streams[0],
                stdout=request.streams[1],
                stderr=request.streams[2],
                keep=[sync_write, start_read, *request.descriptors()],
            )
        finally:
            os.close(sync_write)
            os.close(start_read)
        self._pid = pid

    def wait_for_fork(self) -> None:
        """Wait until the started process has forked the monitor and exited, which it does after its start byte.

        Raises RuntimeFailedError.
        """
        if self._pid and process.wait(self._pid):
            request = self.request
            assert request is not None
            raise RuntimeFailedError(
                f"conmon didn't start: {self._first_words()}", hint=process.command_line(request.command())
            )
        self._pid = 0

    def _first_words(self) -> str:
        return _parse(self.answer())[1] or "it said nothing"

    def answer(self) -> bytes:
        """Return conmon's first line on the sync pipe, waiting for it at the first call; b"" if conmon said nothing.

        One read may also return the second line of a short exec session. The text read so far is kept, so that after a
        Ctrl-C between two reads abandon() still has the line's beginning.
        """
        while b"\n" not in self._received and len(self._received) < _LINE_LIMIT:
            piece = os.read(self.sync_pipe, 65536)
            if not piece:
                break
            self._received += piece
        return self._received.partition(b"\n")[0]

    def abandon(self) -> None:
        """End a conmon that still waits for its start, and close the pipes."""
        if self._pid:
            # End of file isn't enough: another conmon takes it for the start byte.
            os.kill(self._pid, _SIGKILL)
            process.wait(self._pid)
            self._pid = 0
        self.close()

    def close(self) -> None:
        """Close the pipes."""
        for descriptor in (self.sync_pipe, self.start_pipe):
            if descriptor >= 0:
                os.close(descriptor)
        self.sync_pipe = self.start_pipe = -1


class WaitForStart(Operation):
    """Let conmon start the OCI runtime, and wait until the container runs."""

    def __init__(self, conmon: StartConmon, *, forked: Callable[[], None] | None = None) -> None:
        """`forked` is called once conmon's pid file exists, while the OCI runtime starts."""
        self._conmon = conmon
        self._forked = forked
        self._is_released = False
        self.pid = 0
        self.conmon_pid = 0

    def describe(self) -> str:
        """Return the awaited event."""
        return "let the OCI runtime create and start the container"

    def execute(self) -> None:
        """Send the start byte and wait. Raises CommandNotFoundError, CommandNotExecutableError, RuntimeFailedError."""
        conmon = self._conmon
        request = conmon.request
        assert request is not None
        self._is_released = True
        _write_byte(conmon.start_pipe)
        conmon.wait_for_fork()
        if self._forked is not None:
            self._forked()
        pid, message = _parse(conmon.answer())
        conmon.close()
        if pid <= 0:
            said = logged_error(os.path.join(request.run_directory, "oci.log"))
            raise explain_runtime_error(said or message, request.runtime.name)
        self.pid = pid
        self.conmon_pid = int(files.read(os.path.join(request.run_directory, MONITOR)))
        if request.run and not request.is_ours:
            request.runtime.start(request.container_id)
        for path, value in ((request.pidfile, pid), (request.conmon_pidfile, self.conmon_pid)):
            if path:
                files.replace(path, str(value), 0o644)

    def abandon(self) -> None:
        """Give up. If conmon has its start byte (a Ctrl-C came later), wait for the container's `pid`."""
        pipe = self._conmon.sync_pipe
        if not self._is_released or pipe < 0:
            return
        self._conmon.wait_for_fork()
        poller = select.poll()
        poller.register(pipe, select.POLLIN)
        if poller.poll(_ANSWER_SECONDS * 1000):
            self.pid = max(0, _parse(self._conmon.answer())[0])


def _write_byte(pipe: int) -> None:
    try:
        os.write(pipe, b"\0")
    except BrokenPipeError:
        pass  # conmon has died, which its answer, or its lack, shows


def _parse(answer: bytes) -> tuple[int, str]:
    try:
        told = fastjson.loads(answer.decode(errors="replace"))
        return int(told.get("data", told.get("pid", -1))), str(told.get("message", ""))
    except (ValueError, AttributeError, TypeError):
        return -1, answer.decode(errors="replace").strip() or "conmon ended without an answer"
