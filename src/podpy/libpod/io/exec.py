"""Run a further command in a running container.

A command without a terminal is run by a `RUNTIME exec` that is podpy's own child, with the caller's descriptors passed
straight through: no monitor, no pump, and its exit code is the command's. With a terminal, or in the background, it is
conmon's exec mode. A session is one small file in the run directory, made and removed by whoever runs it, never the
database: a thousand execs don't wait for each other.
"""

from __future__ import annotations

import os

from podpy import fastjson, pids
from podpy.errors import StateError
from podpy.libpod.containers.ending.cleanup import remove_tree
from podpy.libpod.containers.ending.settle import read_pidfile
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from podpy.libpod.containers.held import Held
    from podpy.systemd.scope import Leaving

_ID_LENGTH = 64
_NOT_RUNNING = 255  # Podman's code for a container in which nothing can be run


class ExecOptions(Record):
    """What `podpy exec` was asked for."""

    command: list[str]
    env: dict[str, str] = {}
    workdir: str = ""
    user: str = ""
    tty: bool = False
    interactive: bool = False
    detach: bool = False
    privileged: bool = False
    preserve_fds: int = 0
    detach_keys: bytes = b""


class ExecSession(Record):
    """One running exec session: runroot/containers/CONTAINER/exec/ID, JSON."""

    id: str
    container_id: str
    command: list[str]
    user: str = ""
    tty: bool = False
    pid: int = 0  # of podpy's call, or of conmon: the session lives as long as this process
    pid_start: int = 0


def sessions(container: Held) -> list[ExecSession]:
    """Return the exec sessions that are alive; what a killed call has left is removed on the way."""
    directory = _directory(container)
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        path = os.path.join(directory, name)
        if len(name) != _ID_LENGTH:
            continue  # what a session keeps beside its file
        session = _read_living(path)
        if session is not None:
            found.append(session)
    return found


def _read_living(path: str) -> ExecSession | None:
    """Return a session if its process is alive; what it has left if it isn't is removed."""
    before: ExecSession | None = None
    while True:
        try:
            with open(path, encoding="ascii") as file:
                session = ExecSession(**fastjson.loads(file.read()))
        except (OSError, ValueError, TypeError):
            return None
        if pids.is_alive(session.pid, session.pid_start):
            return session
        if session == before:  # read once more: podpy's call may have handed it over to conmon before it ended
            _unlink(path)
            remove_tree(path + ".d")
            return None
        before = session


class SessionFile:
    """A session's file for as long as the context lasts, or longer if it was handed over to another process."""

    def __init__(self, container: Held, options: ExecOptions, session_id: str) -> None:
        self._path = os.path.join(_directory(container), session_id)
        self._handed_over = False
        self._session = ExecSession(
            id=session_id,
            container_id=container.id,
            command=options.command,
            user=options.user,
            tty=options.tty,
        )

    def __enter__(self) -> Self:
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        self._write(os.getpid())
        return self

    def hand_over(self, pid: int) -> None:
        """Let the session live as long as the process `pid`, its monitor."""
        self._write(pid)
        self._handed_over = True

    def _write(self, pid: int) -> None:
        session = self._session.replace(pid=pid, pid_start=pids.start_time(pid))
        aside = self._path + ".new"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, fastjson.dumps(session.as_dict()).encode())
        finally:
            os.close(descriptor)
        os.rename(aside, self._path)

    def __exit__(self, *_error: object) -> None:
        if not self._handed_over:
            _unlink(self._path)


def _directory(container: Held) -> str:
    return os.path.join(container.engine.run_directory(container.id), "exec")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def run(container: Held, options: ExecOptions) -> int | str:
    """Run a command in a running container; return its exit code, or the session's id of a detached one.

    This process must be in the user's namespaces. Raises StateError, CommandNotFoundError (127),
    CommandNotExecutableError (126), RuntimeFailedError.
    """
    try:
        row = container.require_running("create exec sessions on")
    except StateError as error:
        error.exit_code = _NOT_RUNNING
        raise
    session_id = os.urandom(32).hex()
    config = bundle_config(container)
    leaving = _reach_cgroup(container, config)
    process = process_document(container, row.pid, options, config)
    if not (options.tty or options.detach):
        from podpy.oci.exec_check import refuse_impossible

        refuse_impossible(process, f"/proc/{row.pid}/root", container.engine.oci_runtime.name)
    with SessionFile(container, options, session_id) as session:
        if leaving is not None:
            leaving.finish()
        if not (options.tty or options.detach):
            return container.engine.oci_runtime.exec_attached(
                container.id,
                process,
                directory=_directory(container),
                preserve_fds=options.preserve_fds,
                stdin=0 if options.interactive else None,
            )
        from podpy.libpod.io import exec_monitor

        directory = os.path.join(_directory(container), session_id + ".d")
        if options.detach:
            sessions(container)  # nobody waits for detached ones: the next takes away what the ended ones have left
            session.hand_over(exec_monitor.start_detached(container, options, directory, process))
            return session_id
        code = exec_monitor.run_attached(container, options, directory, process)
        if code is None:
            session.hand_over(read_pidfile(os.path.join(directory, "conmon.pid")))
        return code or 0


def bundle_config(container: Held) -> dict[str, Any]:
    """Return config.json as the container's start has written it. Raises StateError if it is gone."""
    bundle = os.path.join(container.engine.run_directory(container.id), "bundle")
    try:
        with open(os.path.join(bundle, "config.json"), encoding="ascii") as file:
            config: dict[str, Any] = fastjson.loads(file.read())
    except (FileNotFoundError, ValueError):
        raise StateError(
            f"can't exec in {container.name}: {bundle}/config.json, which its start has written, is gone or damaged",
            hint=f"Restart it (podpy restart {container.name}) if it still runs",
        ) from None
    return config


def _reach_cgroup(container: Held, config: dict[str, Any]) -> Leaving | None:
    """Make it possible for the OCI runtime to move the command into the container's cgroup, where it has one.

    Return what must be finished before the runtime is started.
    """
    path = config["linux"].get("cgroupsPath", "")
    if not path:
        return None
    from podpy.rootless import cgroups

    cgroups.show_v2()
    # SLICE:PREFIX:NAME is the systemd manager's form (crun(1), --systemd-cgroup): from within a login session's cgroup
    # the kernel doesn't let the runtime move the command into the container's.
    if ":" not in path:
        return None
    from podpy.systemd.scope import Leaving

    return Leaving(container.engine.paths)


def process_document(container: Held, pid: int, options: ExecOptions, config: dict[str, Any]) -> dict[str, Any]:
    """Return `process` of the OCI runtime spec for a command in a container whose first process is `pid`.

    Users are looked up in the container's own files, through /proc/PID/root: also those that it has made itself.
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
