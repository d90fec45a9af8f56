"""Exec sessions that need a monitor: with a terminal, or in the background. conmon's exec mode (docs/conmon.md).

The session has a directory, runroot/containers/CONTAINER/exec/SESSION.d: the process's description, conmon's fifos and
pid files. It is removed with the session. What a killed call leaves is removed by the next call that lists the
sessions, or with the container.
"""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import RuntimeFailedError
from podpy.libpod.containers.ending.cleanup import remove_tree
from podpy.libpod.io.attach import seqpacket_pair, stream_pair, wanted_detach_keys
from podpy.libpod.io.terminal import pump_streams, size_of
from podpy.monitor.exit_command import exit_command
from podpy.monitor.start import ExecRequest, StartConmon, WaitForStart
from podpy.process import preserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.libpod.caller import Streams
    from podpy.libpod.containers.held import Held
    from podpy.libpod.io.exec_options import ExecOptions

_UNKNOWN = 255


def run_attached(
    container: Held, options: ExecOptions, directory: str, process: dict[str, Any], streams: Streams
) -> int | None:
    """Run a command with a terminal, attached to these streams; return its exit code, or None if the user detached."""
    size = size_of(streams.terminal)
    if size is not None:
        process = {**process, "consoleSize": {"height": size[0], "width": size[1]}}
    ours, theirs = seqpacket_pair()
    waiter, conmons_waiter = stream_pair()
    try:
        try:
            _start(container, options, directory, process, attach_fd=theirs, waiter_fd=conmons_waiter, size=size)
        finally:
            os.close(theirs)
            os.close(conmons_waiter)
        control = os.path.join(directory, "ctl")
        keys = wanted_detach_keys(options.detach_keys, container.engine.conf)
        if pump_streams(ours, streams, detach_keys=keys, tty=options.tty, control=control):
            return None
        code = _exit_code(waiter)
        remove_tree(directory)
        return code
    finally:
        os.close(ours)
        os.close(waiter)


def start_detached(container: Held, options: ExecOptions, directory: str, process: dict[str, Any]) -> int:
    """Start a command in the background and return its monitor's pid."""
    engine = container.engine
    session = os.path.basename(directory).removesuffix(".d")
    ending = exit_command(engine.paths, engine.settings.arguments, container.id, session=session)
    return _start(container, options, directory, process, ending=ending).conmon_pid


def _start(
    container: Held,
    options: ExecOptions,
    directory: str,
    process: dict[str, Any],
    *,
    attach_fd: int = -1,
    waiter_fd: int = -1,
    size: tuple[int, int] | None = None,
    ending: Sequence[str] = (),
) -> WaitForStart:
    os.makedirs(directory, mode=0o700)
    description = os.path.join(directory, "process.json")
    with open(os.open(description, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "w", encoding="utf-8") as file:
        file.write(fastjson.dumps(process))
    request = ExecRequest(
        container_id=container.id,
        session_id=os.path.basename(directory).removesuffix(".d"),
        run_directory=directory,
        process_file=description,
        tty=options.tty,
        stdin_open=options.interactive,
        preserved=preserved(options.preserve_fds, options.preserve_fd),
        runtime=container.engine.oci_runtime,
        environ=container.engine.oci_runtime.environ,
        attach_fd=attach_fd,
        waiter_fd=waiter_fd,
        console_size=size,
        exit_command=[*ending],
    )
    conmon = StartConmon(lambda: request)
    started = WaitForStart(conmon)
    try:
        conmon.execute()
        started.execute()
    except BaseException:
        conmon.abandon()
        remove_tree(directory)
        raise
    return started


def _exit_code(waiter: int) -> int:
    data = b""
    while not data.endswith(b"\n"):
        piece = os.read(waiter, 4096)
        if not piece:
            raise RuntimeFailedError("the monitor of the exec session ended without telling an exit code")
        data += piece
    code = int(fastjson.loads(data)["exit_code"])
    try:
        os.write(waiter, b"\n")
    except BrokenPipeError:
        pass
    return code if code >= 0 else _UNKNOWN
