"""KeyboardInterrupt by a signal that isn't lost: it comes again until `Undoing` has begun.

What a signal handler raises while Python runs a callback (a weak reference's, `__del__`) is printed and forgotten:
weakref.ref in Python's library reference. importlib's locks have such callbacks, so every import may lose one.
"""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

_AGAIN = 1.0  # seconds: what is at work has mostly ended by then
_PATIENCE = 30.0  # seconds: children that are told to end get ten of them


class _Interrupt:
    """A signal's handler. `is_meant` tells whether the signal is about the work that is to end."""

    def __init__(self, is_meant: Callable[[], bool]) -> None:
        self._is_meant = is_meant

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_meant():
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
            raise KeyboardInterrupt


def interrupt_on(number: int, is_meant: Callable[[], bool] = lambda: True) -> None:
    """Raise KeyboardInterrupt in this process when the signal comes, and each second after it. It takes SIGALRM."""
    signal.signal(signal.SIGALRM, _Interrupt(lambda: True))
    signal.signal(number, _Interrupt(is_meant))


class Undoing:
    """A context for undoing what an interrupt has ended: nothing interrupts in it.

    It may take half a minute. Then the process ends, since a lock may be lost to it; the next call undoes the rest.
    """

    def __init__(self) -> None:
        self._handler = signal.getsignal(signal.SIGALRM)
        self._is_ours = isinstance(self._handler, _Interrupt)

    def __enter__(self) -> None:
        if not self._is_ours:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number in (signal.SIGTERM, signal.SIGIO):
            if isinstance(signal.getsignal(number), _Interrupt):
                signal.signal(number, ignore)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_ours:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)  # for another one of these, around this one's caller


def ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. SIG_IGN would be handed on to programs (execve(2))."""
