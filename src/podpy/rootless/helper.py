"""run_inside: for a caller that must stay where it is, or has threads.

The kernel lets only a process with one thread change its user namespace (setns(2), EINVAL). A forked child has one. It
enters, calls, and sends back what came out, pickled. It ends by _exit: nothing of the caller's (atexit, buffers) runs
twice.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
from _thread import allocate_lock

from podpy import process
from podpy.errors import PodpyError, RootlessError
from podpy.notice import send_warnings_to, sending_to, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

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
    answer, answer_end = os.pipe()
    child = process.fork()
    if child == 0:
        os.close(answer)
        _in_child(answer_end, paths, function)
    os.close(answer_end)
    data = _collect(answer, child, hear)
    if not data:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        raise RootlessError(f"the helper process inside the user namespace ended without an answer ({_why(status)})")
    os.waitpid(child, 0)
    value, error = pickle.loads(data)
    if error is not None:
        raise error
    result: T = value
    return result


def _in_child(answer: int, paths: Paths, function: Callable[[Callable[[object], None]], T]) -> None:
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
        write(_ANSWER, answered)
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


def _collect(answer: int, child: int, hear: Callable[[object], None]) -> bytes:
    """Return the answer's bytes, nothing if the child ended without one; events are heard as they come."""
    received = bytearray()
    try:
        while part := os.read(answer, 1 << 16):
            received += part
            while len(received) >= _FRAME.size:
                kind, size = _FRAME.unpack_from(received)
                end = _FRAME.size + size
                if len(received) < end:
                    break
                data = bytes(received[_FRAME.size : end])
                del received[:end]
                if kind == _ANSWER:
                    return data
                (warn if kind == _NOTICE else hear)(pickle.loads(data))
    except BaseException:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(answer)
    return b""


def _why(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
