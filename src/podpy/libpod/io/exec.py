"""Runs another command in a running container.

A command without a terminal is run by a `RUNTIME exec` that is podpy's own child and has the caller's descriptors: no
monitor, no pump, and its exit code is the command's. With a terminal, or in the background, conmon's exec mode runs it.
A session is one small file in the run directory, written and removed by the call that runs it. It isn't in the
database, so a thousand execs don't wait for each other. If that call is killed, the command and its session live on;
the next call that lists the sessions after the command's end removes the file.
"""

from __future__ import annotations

import os

from podpy import fastjson, files, pids
from podpy.errors import IMPROPER, CommandNotExecutableError, StateError
from podpy.libpod.caller import Streams
from podpy.libpod.containers.ending.cleanup import remove_tree
from podpy.monitor.files import EXEC_EXIT, MONITOR, is_monitor_of, read_exit_record, read_pidfile
from podpy.process import preserved
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from podpy.libpod.containers.held import Held
    from podpy.libpod.io.exec_options import ExecOptions
    from podpy.systemd.scope import ScopeMove
    from podpy.systemd.unit import UnitMove

_ID_LENGTH = 64
_MAYBE_THE_RUNTIMES = (1, 255)  # codes of a command, or of a runtime that couldn't execute it (255: runc 1.3)
_NEVER_BEGAN = 255  # Podman's code if the container isn't running, or lacks the user


class ExecSession(Record):
    """One running exec session: runroot/containers/CONTAINER/exec/ID, JSON."""

    id: str
    container_id: str
    command: list[str]
    user: str = ""
    tty: bool = False
    pid: int = 0  # the runtime's call, or conmon: the session lives as long as this process
    pid_start: int = 0
    call: int = 0  # podpy's call, which has work to do after the runtime's end
    call_start: int = 0


def sessions(container: Held) -> list[ExecSession]:
    """Return the living exec sessions; remove what killed calls have left."""
    directory = _directory(container)
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        path = os.path.join(directory, name)
        if len(name) != _ID_LENGTH:
            continue  # a session's directory, beside its file
        session = _read_living(container, path)
        if session is not None:
            found.append(session)
    return found


def _read_living(container: Held, path: str) -> ExecSession | None:
    """Return a session if its process is alive; else remove it, and write the event of its end."""
    before: ExecSession | None = None
    while True:
        try:
            session = ExecSession(**fastjson.loads(files.read(path)))
        except (OSError, ValueError, TypeError):
            return None
        if pids.is_alive(session.pid, session.pid_start):
            is_its_monitor = session.pid == read_pidfile(f"{path}.d/{MONITOR}")
            if is_its_monitor and os.path.exists(f"{path}.d/{EXEC_EXIT}"):  # it waits for its exit command
                _bury(container, path, session.id)
                return None
            return session
        if session.call and pids.is_alive(session.call, session.call_start):
            return session  # podpy's call is about to write the event itself
        monitor = read_pidfile(f"{path}.d/{MONITOR}")
        if is_monitor_of(monitor, session.id):  # podpy's call was killed: the command runs on
            return session.replace(pid=monitor, pid_start=pids.start_time(monitor))
        if session == before:  # else read it again: podpy's call may have handed it over to conmon before it ended
            _bury(container, path, session.id)
            return None
        before = session


def _bury(container: Held, path: str, session_id: str) -> None:
    if not files.unlink(path):  # of several that look, one tells
        return
    record = read_exit_record(path + ".d", EXEC_EXIT)
    remove_tree(path + ".d")
    code, finished = (record.exit_code, record.finished) if record else (None, 0)
    _tell_end(container, session_id, code, at=finished)


def _tell_end(container: Held, session_id: str, code: int | None, *, at: int = 0) -> None:
    container.engine.table.tell(container.id, "exec_died", at=at, ExecID=session_id, ContainerExitCode=code)


class _Beginning:
    """A context of a new session: its process, and its file, which is removed at the end.

    The file stays if the session was handed over to another process.
    """

    def __init__(self, container: Held, options: ExecOptions, *, detach: bool = False) -> None:
        """Look the command up in the container. Raises StateError, CommandNotFoundError, CommandNotExecutableError."""
        try:
            row = container.require_running(f"can only create exec sessions on running containers: {IMPROPER}")
        except StateError as error:
            if not detach:
                error.exit_code = _NEVER_BEGAN
            raise
        self._container = container
        self.session_id = options.id or os.urandom(32).hex()
        self._path = os.path.join(_directory(container), self.session_id)
        self.directory = self._path + ".d"
        config = bundle_config(container)
        self._leaving = _reach_cgroup(container, config)
        try:
            self.process = process_document(container, row.pid, options, config)
        except CommandNotExecutableError as error:  # an unknown user or group
            error.exit_code = _NEVER_BEGAN
            raise
        container.engine.oci_runtime.require_state(container.id)
        if not (options.tty or detach):
            from podpy.oci.exec_check import refuse_impossible

            refuse_impossible(self.process, f"/proc/{row.pid}/root", container.engine.oci_runtime.name)
        self._is_kept = options.session or options.tty or detach
        self._handed_over = False
        self._session = ExecSession(
            id=self.session_id,
            container_id=container.id,
            command=options.command,
            user=options.user,
            tty=options.tty,
        )

    def __enter__(self) -> Self:
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        if self._is_kept:
            self._write(os.getpid())
            self._container.engine.table.tell(self._container.id, "exec", ExecID=self.session_id)
        if self._leaving is not None:
            self._leaving.finish()
        return self

    def hand_over(self, pid: int) -> None:
        """Let the session live as long as its monitor, the process `pid`."""
        self._write(pid)
        self._handed_over = True

    def outlive_this_call(self, pid: int) -> None:
        """Let the session live as long as the process `pid`, even if this call is killed."""
        if not self._is_kept:
            return
        own = os.getpid()
        self._session = self._session.replace(call=own, call_start=pids.start_time(own))
        try:
            self._write(pid)
        except OSError:
            pass  # the disk is full: the session then lives only as long as this call

    def ended(self, code: int) -> int:
        """Write the event of the command's end, unless another call has done it; return its exit code."""
        if files.unlink(self._path):
            _tell_end(self._container, self.session_id, code)
        return code

    def _write(self, pid: int) -> None:
        session = self._session.replace(pid=pid, pid_start=pids.start_time(pid))
        files.replace(self._path, fastjson.dumps(session.as_dict()))

    def __exit__(self, *_error: object) -> None:
        if not self._handed_over:
            files.unlink(self._path)


def _directory(container: Held) -> str:
    return os.path.join(container.engine.run_directory(container.id), "exec")


def run(container: Held, options: ExecOptions, streams: Streams) -> int:
    """Run a command in a running container with these streams; return its exit code (0 if the user detached).

    `streams.stdin` is read only with `options.interactive`. This process must be in the user's namespaces. Raises
    StateError, CommandNotFoundError (127), CommandNotExecutableError (126), RuntimeFailedError.
    """
    if not options.interactive:
        streams = Streams(None, streams.stdout, streams.stderr)
    with _Beginning(container, options) as begun:
        code = _run(container, options, begun, streams)
        if code in _MAYBE_THE_RUNTIMES:
            _refuse_what_never_began(container, begun.process)
        return 0 if code is None else begun.ended(code)


def _run(container: Held, options: ExecOptions, begun: _Beginning, streams: Streams) -> int | None:
    """Return the exit code, or None if the user detached."""
    if not options.tty:
        return container.engine.oci_runtime.exec_attached(
            container.id,
            begun.process,
            directory=begun.directory,
            on_start=begun.outlive_this_call,
            preserved=preserved(options.preserve_fds, options.preserve_fd),
            streams=(streams.stdin, streams.stdout, streams.stderr),
        )
    from podpy.libpod.io import exec_monitor

    code = None
    try:
        code = exec_monitor.run_attached(container, options, begun.directory, begun.process, streams)
    finally:
        monitor = read_pidfile(os.path.join(begun.directory, MONITOR)) if code is None else 0
        if monitor:  # detached, or nobody reads its output any more: the command runs on
            begun.hand_over(monitor)
    return code


def _refuse_what_never_began(container: Held, process: dict[str, Any]) -> None:
    from podpy.oci.exec_check import never_began

    error = never_began(process, f"/proc/{container.row.pid}/root", container.engine.oci_runtime.name)
    if error is not None:
        error.already_told = True  # the runtime has written it to the command's standard error
        raise error


def start_detached(container: Held, options: ExecOptions) -> str:
    """Start a command in the background in a running container; return its session's id. Raises as `run`."""
    from podpy.libpod.io import exec_monitor

    with _Beginning(container, options, detach=True) as begun:
        begun.hand_over(exec_monitor.start_detached(container, options, begun.directory, begun.process))
        sessions(container)  # this session may have ended before it was handed over
        return begun.session_id


def bundle_config(container: Held) -> dict[str, Any]:
    """Return config.json from the container's start. Raises StateError if it is gone or damaged."""
    bundle = os.path.join(container.engine.run_directory(container.id), "bundle")
    try:
        config: dict[str, Any] = fastjson.loads(files.read(os.path.join(bundle, "config.json")))
    except (FileNotFoundError, ValueError):
        raise StateError(
            f"can't exec in {container.name}: {bundle}/config.json, which its start has written, is gone or damaged",
            hint=f"Restart it (podpy restart {container.name}) if it still runs",
        ) from None
    return config


def _reach_cgroup(container: Held, config: dict[str, Any]) -> ScopeMove | UnitMove | None:
    """Make sure that the OCI runtime can move the command into the container's cgroup, if there is one.

    Return a pending move of this process, which must finish before the runtime is started.
    """
    path = config["linux"].get("cgroupsPath", "")
    if not path:
        return None
    from podpy.rootless import cgroups

    cgroups.show_v2()
    from podpy.systemd.scope import ScopeMove, is_under_manager
    from podpy.systemd.unit import UnitMove

    # SLICE:PREFIX:NAME is the systemd manager's form (crun(1), --systemd-cgroup); --cgroups=split makes one below a
    # unit. From a login session's cgroup, the kernel doesn't let the runtime move the command into the container's.
    paths = container.engine.paths
    return ScopeMove(paths) if ":" in path or is_under_manager(paths.uid, path) else UnitMove(paths, path)


def process_document(container: Held, pid: int, options: ExecOptions, config: dict[str, Any]) -> dict[str, Any]:
    """Return `process` of the OCI runtime spec for a command in a container whose first process is `pid`.

    Users are looked up in the container's own files, through /proc/PID/root, so users added inside are found, too.
    """
    from podpy.oci.document.exec import build_exec_process

    return build_exec_process(
        config["process"],
        container.spec,
        rootfs=f"/proc/{pid}/root",
        command=options.command,
        env=options.env,
        workdir=options.workdir,
        user=options.user,
        tty=options.tty,
        privileged=options.privileged,
    )
