"""Run a further command in a running container.

A command without a terminal is run by a `RUNTIME exec` that is podpy's own child, with the caller's descriptors passed
straight through: no monitor, no pump, and its exit code is the command's. With a terminal, or in the background, it is
conmon's exec mode. A session is one small file in the run directory, made and removed by whoever runs it, never the
database: a thousand execs don't wait for each other.
"""

from __future__ import annotations

import os

from podpy import fastjson, pids
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.container import Container


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
    session: bool = True


class ExecSession(Record):
    """One running exec session: runroot/containers/CONTAINER/exec/ID, JSON."""

    id: str
    container_id: str
    command: list[str]
    user: str = ""
    tty: bool = False
    pid: int = 0  # of podpy's call, or of conmon: the session lives as long as this process
    pid_start: int = 0


def sessions(container: Container) -> list[ExecSession]:
    """Return the exec sessions that are alive; what a killed call has left is removed on the way."""
    directory = _directory(container)
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        path = os.path.join(directory, name)
        try:
            with open(path, encoding="ascii") as file:
                session = ExecSession(**fastjson.loads(file.read()))
        except (OSError, ValueError, TypeError):
            continue
        if pids.is_alive(session.pid, session.pid_start):
            found.append(session)
        else:
            _unlink(path)
    return found


class SessionFile:
    """A session's file for as long as the context lasts."""

    def __init__(self, container: Container, options: ExecOptions, session_id: str) -> None:
        self._path = os.path.join(_directory(container), session_id)
        own = os.getpid()
        self._session = ExecSession(
            id=session_id,
            container_id=container.id,
            command=options.command,
            user=options.user,
            tty=options.tty,
            pid=own,
            pid_start=pids.start_time(own),
        )

    def __enter__(self) -> None:
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, fastjson.dumps(self._session.as_dict()).encode())
        finally:
            os.close(descriptor)

    def __exit__(self, *_error: Any) -> None:
        _unlink(self._path)


def _directory(container: Container) -> str:
    return os.path.join(container.runtime.run_directory(container.id), "exec")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def run(container: Container, options: ExecOptions) -> int:
    """Run a command in a running container and return its exit code (0 at once for a detached one).

    This process must be in the user's namespaces. Raises StateError, CommandNotFoundError (127),
    CommandNotExecutableError (126), RuntimeFailedError.
    """
    row = container.require_running()
    session_id = os.urandom(32).hex()
    process = process_document(container, row.pid, options)
    with SessionFile(container, options, session_id):
        if options.tty or options.detach:
            from podpy.libpod.exec_monitor import run_monitored

            return run_monitored(container, options, session_id, process)
        return container.runtime.oci_runtime.exec_attached(
            container.id,
            process,
            directory=_directory(container),
            preserve_fds=options.preserve_fds,
            stdin=0 if options.interactive else None,
        )


def process_document(container: Container, pid: int, options: ExecOptions) -> dict[str, Any]:
    """Return `process` of the OCI runtime spec for a command in a container whose first process is `pid`.

    Users are looked up in the container's own files, through /proc/PID/root: also those that it has made itself.
    """
    from podpy.runtime.exec_process import build_exec_process

    bundle = os.path.join(container.runtime.run_directory(container.id), "bundle")
    with open(os.path.join(bundle, "config.json"), encoding="ascii") as file:
        config = fastjson.loads(file.read())
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
