"""A container with the caller's terminal or pipes attached: `run` and `start -a`, and `attach`."""

from __future__ import annotations

import os
from time import time_ns

from podpy import fastjson, pids
from podpy.errors import AttachError, NoSuchContainerError, StateError
from podpy.libpod.caller import Streams
from podpy.libpod.containers.table import (
    ALIVE,
    EXITED,
    INITIALIZED,
    NO_PROCESS,
    NO_RESTART,
    STARTING,
    STOPPED_BY_USER,
)
from podpy.libpod.io.attach import connect, seqpacket_pair, stream_pair, wanted_detach_keys
from podpy.monitor.files import read_exit_record, read_restart_note
from podpy.systemd.unit import is_own_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.starting.start import Starting
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine
    from podpy.libpod.io.attach import Output

_SIGTERM = 15
_PASSTHROUGH = ("passthrough", "passthrough-tty")
_NOT_RUNNING = "you can only attach to running containers"


class AttachOptions:
    """How the caller attaches. `detach_keys` are bytes; None: containers.conf's.

    `on_start` is called with the id when the container is running. `sig_proxy`: pass this process's signals on to the
    container, as the command line does. `output` gets what the container writes, in place of the streams.
    """

    def __init__(
        self,
        streams: Streams,
        *,
        detach_keys: bytes | None = None,
        sig_proxy: bool = False,
        on_start: Callable[[str], None] | None = None,
        output: Output | None = None,
    ) -> None:
        self.streams = streams
        self.detach_keys = detach_keys
        self.sig_proxy = sig_proxy
        self.on_start = on_start
        self.output = output


def start_attached(container: Held, options: AttachOptions, starting: Starting | None = None) -> int | None:
    """Start a container, pump its streams until it ends, clean up, and return its exit code; None if detached.

    `starting`: the context of `create_starting`, if it has just created this container.

    The attach socket is connected before the OCI runtime is started, so no byte is lost. conmon reports the container's
    end on a second socket, which this process acknowledges only after the cleanup. If this process is killed
    meanwhile, conmon sees the socket close and runs the exit command instead. conmon also runs it for a container with
    a restart policy.

    Signals that arrive during the start are passed on after it.
    """
    if container.row.status == INITIALIZED:
        return _start_initialized(container, options)
    if container.engine.settings.conmon:
        return _start_with_another_conmon(container, options, starting)
    with _Proxy(container, options) as proxy:
        return _start_attached(container, options, proxy, starting)


def _start_attached(container: Held, options: AttachOptions, proxy: _Proxy, starting: Starting | None) -> int | None:
    from podpy.libpod.containers.starting.start import outlive_session, start

    ours, theirs = seqpacket_pair()
    waiter, conmons_waiter = stream_pair()
    try:
        size = _console_size(container, options)
        if starting is not None:
            starting.run(attach_fd=theirs, waiter_fd=conmons_waiter, console_size=size)
        else:
            start(container, attach_fd=theirs, waiter_fd=conmons_waiter, console_size=size)
        proxy.open()
    except BaseException:
        os.close(ours)
        os.close(waiter)
        raise
    finally:
        os.close(theirs)
        os.close(conmons_waiter)
    if options.on_start is not None:
        options.on_start(container.id)
    try:
        try:
            detached = pump(container, ours, options)
        except AttachError as error:
            failed = _nobody_listens(container, ours, error)
            if container.spec.remove:
                _read_exit_code(container, waiter)
                _acknowledge(waiter)
            else:
                outlive_session(container)
            raise failed from error
        if detached:
            outlive_session(container)
            return None
        code = _read_exit_code(container, waiter)
        if proxy.used:
            container.engine.table.update(container.id, stopped_by_user=STOPPED_BY_USER)  # as `podpy kill` does
            container.engine.table.tell(container.id, "kill", at=proxy.used)
        if proxy.used or not _is_restarted(container):
            _clean_up_after(container, code)
            _acknowledge(waiter)
        return code
    finally:
        os.close(ours)
        os.close(waiter)


def _is_restarted(container: Held) -> bool:
    """Return whether the monitor must run the exit command although this process acknowledges the end."""
    if container.spec.restart_policy not in NO_RESTART:
        return True
    if container.spec.health is None:
        return False
    note = read_restart_note(container.engine.run_directory(container.id))
    return note is not None and note.is_waiting


def _console_size(container: Held, options: AttachOptions) -> tuple[int, int] | None:
    """Return rows and columns of the caller's terminal: the initial size of the container's."""
    if not container.spec.tty:
        return None
    from podpy.libpod.io.terminal import size_of

    return size_of(options.streams.terminal)


def _start_initialized(container: Held, options: AttachOptions) -> int | None:
    """Do the second half of a start: attach to the conmon of `podpy init`, then start the container."""
    from podpy.libpod.containers.starting.start import start
    from podpy.libpod.io.terminal import set_size

    socket = _connect(container)
    try:
        size = _console_size(container, options)
        if size is not None:
            set_size(container.row.pid, size)
        start(container)
    except BaseException:
        os.close(socket)
        raise
    return _attach(container, socket, options, started=True)


def _start_with_another_conmon(container: Held, options: AttachOptions, starting: Starting | None) -> int | None:
    """Start in two steps: conmon 2.1 can't inherit an attach socket, so attach between `create` and `start`."""
    from podpy.libpod.containers.starting.start import initialize

    size = _console_size(container, options)
    if starting is not None:
        starting.initialize(console_size=size)
    else:
        initialize(container, console_size=size)
    code = _start_initialized(container, options)
    if code is not None and container.spec.restart_policy in NO_RESTART:
        _clean_up_after(container, code)  # its exit command may do it first
    return code


def attach(container: Held, options: AttachOptions) -> int | None:
    """Attach to a running container; return its exit code, or None if detached. Raises StateError."""
    container.require_running(_NOT_RUNNING)
    return _attach(container, _connect(container), options)


def _connect(container: Held) -> int:
    try:
        return connect(os.path.join(container.engine.run_directory(container.id), "bundle", "attach"))
    except (ConnectionRefusedError, FileNotFoundError):  # it has just ended, or its conmon was killed
        raise StateError(
            f"{_NOT_RUNNING}: {container.name} has no monitor to attach to",
            hint=f"See podpy ps --all; podpy logs {container.name} shows what it wrote",
        ) from None


def _nobody_listens(container: Held, socket: int, error: AttachError, *, started: bool = True) -> AttachError:
    """Nobody reads the container's output any more: return the error to raise, in Podman's words.

    If this call has `started` a `--rm` container, stop and remove it: nobody else would. Others run on; their output
    still goes into the log.
    """
    from podpy.libpod.io.attach import shut_down

    shut_down(socket)
    text = f"attaching to container {container.id}: {error.message}"
    try:
        if started and container.spec.remove:
            stop_and_remove(container)
            return AttachError(text)
        if container.refresh().status in ALIVE:
            return AttachError(text, hint=f"The container still runs; end it with: podpy stop {container.name}")
    except NoSuchContainerError:
        pass  # `podpy rm -f` has removed it
    return AttachError(text)


def stop_and_remove(container: Held) -> None:
    """Stop a container with its own signal and timeout, and remove it. Raises NoSuchContainerError, StateError."""
    from podpy.libpod.containers.ending.remove import remove
    from podpy.libpod.containers.ending.stop import stop

    stop(container, None, thaw=True, quiet=True)
    remove(container, force=True, volumes=True, timeout=0)


def _attach(container: Held, socket: int, options: AttachOptions, *, started: bool = False) -> int | None:
    row = container.row
    try:
        if options.on_start is not None:
            options.on_start(container.id)
        with _Proxy(container, options) as proxy:
            proxy.open()
            container.engine.table.tell(container.id, "attach")
            try:
                detached = pump(container, socket, options)
            except AttachError as error:
                raise _nobody_listens(container, socket, error, started=started) from error
    finally:
        os.close(socket)
    if detached:
        return None
    from podpy.libpod.containers.ending.wait import wait_for_end_of

    code = wait_for_end_of(container, row)
    if container.spec.remove:
        from podpy.libpod.containers.ending.finish import finish

        finish(container)
    return code


def pump(container: Held, socket: int, options: AttachOptions) -> bool:
    """Move bytes until the container ends (False) or the user detaches (True)."""
    from podpy.libpod.io.terminal import pump_streams

    control = os.path.join(container.engine.run_directory(container.id), "bundle", "ctl")
    keys = wanted_detach_keys(options.detach_keys, container.engine.conf)
    is_through = container.spec.log_driver in _PASSTHROUGH
    streams = Streams() if is_through else options.streams  # passed through: the container itself reads and writes them
    return pump_streams(
        socket, streams, detach_keys=keys, tty=container.spec.tty, control=control, output=options.output
    )


class _Proxy:
    """A context that passes signals on to the container; signals before `open` are kept until then."""

    def __init__(self, container: Held, options: AttachOptions) -> None:
        from podpy.libpod.io.terminal import SignalForwarder

        self._container = container
        self._forwarder = SignalForwarder(self._send) if options.sig_proxy else None
        self._is_open = False
        self._kept: list[int] = []
        self.used = 0  # time of the last signal passed on, nanoseconds since 1970

    def __enter__(self) -> Self:
        if self._forwarder is not None:
            self._forwarder.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._forwarder is not None:
            self._forwarder.__exit__(kind, error, at)

    def open(self) -> None:
        """The container is running, and its row has the pid: pass the kept signals on."""
        self._is_open = True
        while self._kept:
            self._send(self._kept.pop(0))

    def _send(self, number: int) -> None:
        if not self._is_open:
            if number in self._kept:
                raise KeyboardInterrupt  # a second Ctrl-C: the user wants to abort the start
            self._kept.append(number)
            return
        row = self._container.row
        now = time_ns()
        # A unit that is stopped: only the monitor kills a container that doesn't listen, before systemd kills us both.
        is_stop = number == _SIGTERM and is_own_process(self._container.engine.caller.environ)
        target = (row.conmon_pid, row.conmon_start) if is_stop else (row.pid, row.pid_start)
        if pids.send_signal(*target, number):
            self.used = now


def _read_exit_code(container: Held, waiter: int) -> int:
    """Return the exit code from conmon; if conmon has died, or is Debian's, from the exit record."""
    data = b""
    while not data.endswith(b"\n"):
        piece = os.read(waiter, 4096)
        if not piece:
            from podpy.libpod.containers.ending.wait import wait_for_end

            return wait_for_end(container.engine, container.row)
        data += piece
    return int(fastjson.loads(data)["exit_code"])


def _clean_up_after(container: Held, code: int) -> None:
    from podpy.libpod.containers.ending.cleanup import clean_up
    from podpy.libpod.containers.ending.finish import for_restart, remove_locked

    engine = container.engine
    try:
        with engine.locked(container.id) as row:
            is_ours = (row.pid, row.conmon_pid) == (container.row.pid, container.row.conmon_pid)
            if not is_ours and row.status in (*ALIVE, STARTING):
                return  # another call has restarted it meanwhile
            # Another call (`podpy ps`) may have seen the end and committed it.
            end = _end(engine, row, code) if is_ours else {"exit_code": code}
            if container.spec.remove and not for_restart(row):
                remove_locked(container, row, volumes=True, end=end)
                return
            if is_ours:
                engine.table.note(row.id, "died", **end)
            clean_up(engine, row)
    except NoSuchContainerError:
        pass  # `podpy rm -f` has removed it
    finally:
        engine.mark("the container was cleaned up")


def _end(engine: Engine, row: ContainerRow, code: int) -> dict[str, Any]:
    record = read_exit_record(engine.exit_directory, row.id)
    finished = max(record.finished, row.started) if record else time_ns()
    oom_killed = int(os.path.exists(os.path.join(engine.run_directory(row.id), "oom")))
    return {"status": EXITED, "exit_code": code, "finished": finished, "oom_killed": oom_killed, **NO_PROCESS}


def _acknowledge(waiter: int) -> None:
    try:
        os.write(waiter, b"\n")
    except BrokenPipeError:
        pass
