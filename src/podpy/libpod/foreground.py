"""A container with the caller's terminal or pipes attached: `run` and `start -a`, and `attach`."""

from __future__ import annotations

import os
from time import time_ns

from podpy import fastjson, pids
from podpy.libpod.attach import AttachPump, Streams, connect, seqpacket_pair, stream_pair
from podpy.libpod.state import EXITED, read_exit_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from podpy.libpod.container import Container


class AttachOptions:
    """How the caller attaches. `detach_keys` are bytes; `on_start` is called when the container runs."""

    def __init__(
        self,
        streams: Streams,
        *,
        detach_keys: bytes = b"",
        sig_proxy: bool = True,
        on_start: Callable[[], None] | None = None,
    ) -> None:
        self.streams = streams
        self.detach_keys = detach_keys
        self.sig_proxy = sig_proxy
        self.on_start = on_start


def start_attached(container: Container, options: AttachOptions) -> int | None:
    """Start a container, pump its streams until it ends, clean up, and return its exit code; None if detached.

    The attach socket is connected before the OCI runtime is started: no byte can be lost. The container's end is told
    by conmon on a second socket, and acknowledged only after the clean-up: if this process is killed meanwhile, conmon
    sees the socket close and runs the exit command instead.
    """
    from podpy.libpod.start import start

    ours, theirs = seqpacket_pair()
    waiter, conmons_waiter = stream_pair()
    try:
        start(container, attach_fd=theirs, waiter_fd=conmons_waiter)
    except BaseException:
        os.close(ours)
        os.close(waiter)
        raise
    finally:
        os.close(theirs)
        os.close(conmons_waiter)
    if options.on_start is not None:
        options.on_start()
    try:
        detached = pump(container, ours, options)
        if detached:
            return None
        code = _read_exit_code(container, waiter)
        _clean_up_after(container, code)
        _acknowledge(waiter)
        return code
    finally:
        os.close(ours)
        os.close(waiter)


def attach(container: Container, options: AttachOptions) -> int | None:
    """Attach to a container that runs; return its exit code, or None if detached. Raises StateError."""
    row = container.require_running()
    socket = connect(os.path.join(container.runtime.run_directory(container.id), "bundle", "attach"))
    try:
        if options.on_start is not None:
            options.on_start()
        detached = pump(container, socket, options)
    finally:
        os.close(socket)
    if detached:
        return None
    from podpy.libpod.wait import wait_for_end

    return wait_for_end(container.runtime, row)


def pump(container: Container, socket: int, options: AttachOptions) -> bool:
    """Move bytes until the container ends (False) or the user detaches (True)."""
    contexts = list(_contexts(container, options))
    try:
        for context in contexts:
            context.__enter__()
        return AttachPump(socket, options.streams, detach_keys=options.detach_keys).run()
    finally:
        for context in reversed(contexts):
            context.__exit__(None, None, None)


def _contexts(container: Container, options: AttachOptions) -> Iterator[AbstractContextManager[object]]:
    from podpy.libpod.terminal import RawTerminal, SignalForwarder, WindowSize

    row = container.row
    terminal = options.streams.stdin
    if container.spec.tty and terminal >= 0 and os.isatty(terminal):
        yield RawTerminal(terminal)
        yield WindowSize(terminal, os.path.join(container.runtime.run_directory(row.id), "bundle", "ctl"))
    if options.sig_proxy:
        yield SignalForwarder(lambda number: pids.send_signal(row.pid, row.pid_start, number))


def _read_exit_code(container: Container, waiter: int) -> int:
    """Return the code that conmon tells; if conmon has died, or is Debian's, what the exit record says."""
    data = b""
    while not data.endswith(b"\n"):
        piece = os.read(waiter, 4096)
        if not piece:
            from podpy.libpod.wait import wait_for_end

            return wait_for_end(container.runtime, container.row)
        data += piece
    told = fastjson.loads(data)
    return int(told["exit_code"])


def _clean_up_after(container: Container, code: int) -> None:
    from podpy.errors import NoSuchContainerError
    from podpy.libpod.cleanup import release
    from podpy.libpod.remove import remove_locked

    runtime = container.runtime
    with container.lock:
        try:
            row = runtime.table.get(container.id)
        except NoSuchContainerError:
            return  # `podpy rm -f` was faster
        if row.pid != container.row.pid or row.conmon_pid != container.row.conmon_pid:
            return  # restarted meanwhile by somebody else
        if container.spec.remove:
            remove_locked(container, row, volumes=True)
        else:
            record = read_exit_record(runtime.exit_directory, row.id)
            finished = record.finished if record else time_ns()
            runtime.table.update(
                row.id, status=EXITED, exit_code=code, finished=finished, pid=0, pid_start=0, conmon_pid=0,
                conmon_start=0, oom_killed=int(os.path.exists(os.path.join(runtime.run_directory(row.id), "oom"))),
            )  # fmt: skip
            release(runtime, row)
    runtime.mark("the container was cleaned up")


def _acknowledge(waiter: int) -> None:
    try:
        os.write(waiter, b"\n")
    except BrokenPipeError:
        pass
