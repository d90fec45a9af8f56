"""run_inside: for a caller that must stay where it is, or has threads.

The kernel lets only a process with one thread change its user namespace (setns(2), EINVAL). A forked child has one. It
enters, calls, and sends back what came out, pickled. It ends by _exit: nothing of the caller's (atexit, buffers) runs
twice.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
from _thread import allocate_lock

from podpy import process
from podpy.errors import PodpyError, RootlessError
from podpy.notice import send_warnings_to, sending_to, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from podpy.config.paths import Paths

    T = TypeVar("T")

# What comes from the child: a kind, a size, and so many pickled bytes.
_FRAME = struct.Struct("=cQ")
_EVENT, _NOTICE, _ANSWER = b"e", b"n", b"a"


def run_inside(paths: Paths, function: Callable[..., T], *args: object) -> T:
    """Return function(*args), called in a forked child that has entered the user's namespaces.

    What it raises is raised here, with the child's traceback as a note. What it returns must be picklable. Warnings
    of the child are given here, at once. Raises RootlessError if the child dies without an answer.
    """
    return run_telling(paths, lambda _: function(*args), lambda _: None)


def run_telling(paths: Paths, function: Callable[[Callable[[object], None]], T], hear: Callable[[object], None]) -> T:
    """Return function(tell), called as `run_inside` does; what the child gives to `tell` (picklable, from any of its
    threads) is given to `hear` in this process, meanwhile. What `hear` raises ends the child.
    """
    child = Child(paths, function)
    try:
        while not child.receive(hear):
            pass
    except BaseException:
        os.kill(child.pid, signal.SIGTERM)
        child.close()
        raise
    result: T = child.result()
    return result


class Child:
    """A forked child at work on `function(tell)`, for a caller that waits for several.

    `after`: what the child does after its answer, when `result` has been called.
    """

    def __init__(
        self,
        paths: Paths,
        function: Callable[[Callable[[object], None]], object],
        after: Callable[[], object] | None = None,
    ) -> None:
        """Fork."""
        self._received = bytearray()
        self._answer: bytes | None = None
        self._reading, writing = os.pipe()
        held, self._release = os.pipe() if after is not None else (-1, -1)
        self.pid = process.fork()
        if self.pid == 0:
            self.forget()
            _in_child(writing, paths, function, lambda: _released(held, after))
        os.close(writing)
        if held >= 0:
            os.close(held)

    def fileno(self) -> int:
        """The descriptor that has something to read when `receive` has something to do."""
        return self._reading

    def receive(self, hear: Callable[[object], None]) -> bool:
        """Wait for what the child tells, and hear it; return whether it is done."""
        part = os.read(self._reading, 1 << 16)
        self._received += part
        while self._answer is None and len(self._received) >= _FRAME.size:
            kind, size = _FRAME.unpack_from(self._received)
            end = _FRAME.size + size
            if len(self._received) < end:
                break
            data = bytes(self._received[_FRAME.size : end])
            del self._received[:end]
            if kind == _ANSWER:
                self._answer = data
            else:
                (warn if kind == _NOTICE else hear)(pickle.loads(data))
        return not part or self._answer is not None

    def result(self, take: Callable[[Any], object] | None = None) -> Any:
        """Return what the function has returned, once `receive` has said that it is done, after `take` got it: before
        the child goes on with `after`. Raises what it has raised; RootlessError if the child died without an answer.
        """
        value, error = pickle.loads(self._answer) if self._answer is not None else (None, None)
        try:
            if take is not None and self._answer is not None and error is None:
                take(value)
        finally:
            self._let_go()
            status = os.waitstatus_to_exitcode(self.close())
        if self._answer is None:
            raise RootlessError(
                f"the helper process inside the user namespace ended without an answer ({_why(status)})"
            )
        if error is not None:
            raise error
        return value

    def stop(self, patience: int, *, tidy: bool) -> None:
        """Hear no more, and wait `patience` milliseconds for the end of a child that was told to end; then kill it.

        `tidy`: it does `after`.
        """
        if tidy:
            self._let_go()
        self.forget()
        descriptor = os.pidfd_open(self.pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(patience):
                os.kill(self.pid, signal.SIGKILL)
        finally:
            os.close(descriptor)
        os.waitpid(self.pid, 0)

    def _let_go(self) -> None:
        if self._release >= 0:
            try:
                os.write(self._release, b".")
            except BrokenPipeError:
                pass  # it is gone

    def forget(self) -> None:
        """Close its pipes; in another child, which has inherited them, so that their ends are seen."""
        os.close(self._reading)
        if self._release >= 0:
            os.close(self._release)

    def close(self) -> int:
        """Hear no more, and wait for the child's end; return its status."""
        self.forget()
        return os.waitpid(self.pid, 0)[1]


def _released(held: int, after: Callable[[], object] | None) -> None:
    if after is not None and os.read(held, 1):
        after()


def _in_child(
    answer: int, paths: Paths, function: Callable[[Callable[[object], None]], T], after: Callable[[], object]
) -> None:
    lock = allocate_lock()

    def write(kind: bytes, data: bytes) -> None:
        with lock:
            view = memoryview(_FRAME.pack(kind, len(data)) + data)
            while view:
                view = view[os.write(answer, view) :]

    try:
        # For all of its threads, and for this one, whose sink may belong to the caller.
        send_warnings_to(lambda text: write(_NOTICE, pickle.dumps(text)))
        with sending_to(lambda text: write(_NOTICE, pickle.dumps(text))):
            answered = _answer(paths, function, lambda event: write(_EVENT, pickle.dumps(event)))
        try:
            write(_ANSWER, answered)
        except BrokenPipeError:
            pass  # it was told to stop, and nobody listens
        after()
    finally:
        os._exit(0)


def _answer(paths: Paths, function: Callable[[Callable[[object], None]], T], tell: Callable[[object], None]) -> bytes:
    from podpy.rootless.namespace import enter

    value: T | None = None
    error: BaseException | None = None
    try:
        enter(paths)
        value = function(tell)
    except BaseException as raised:
        error = raised
        if not isinstance(raised, PodpyError):
            import traceback

            raised.add_note("in podpy's helper process:\n" + "".join(traceback.format_tb(raised.__traceback__)))
    try:
        data = pickle.dumps((value, error))
        pickle.loads(data)  # some exceptions can be pickled but not read back (their __init__ wants more arguments)
    except Exception as problem:
        told = f"{type(error).__name__}: {error}" if error is not None else f"the result can't be sent back: {problem}"
        data = pickle.dumps((None, RootlessError(told)))
    return data


def _why(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
