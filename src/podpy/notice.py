"""Warnings, notes and details: what the user should know, or asked for, although nothing failed.

The library never prints, so they go to a sink: a function that takes one text. The innermost `sending_to` of this
thread gets a warning, so that one process may serve several engines, each with a sink of its own; else the process's
own sink (`send_warnings_to`: the command line's); else the text waits for `take_warnings`.
"""

from __future__ import annotations

from _thread import _local  # what `threading.local` is; `threading` itself takes 3 ms to import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import TypeAlias

    Sink: TypeAlias = Callable[[str], None]

_waiting: list[str] = []


class _Sinks:
    process: Sink | None = None
    notes: Sink | None = None
    thread = _local()


class Details:
    """Who hears each step and each program that is called (`--log-level=debug`), and how it ended (`trace`).

    Nobody, as a rule. Callers look here first, so the text isn't even made then.
    """

    step: Sink | None = None
    end: Sink | None = None


class Plain(str):
    """A warning that a command line prints as it stands, without a level: so does Podman some of its own."""


def warn(text: str) -> None:
    """Tell the user something that is no error: one sentence, without a full stop."""
    sink = getattr(_Sinks.thread, "sink", None) or _Sinks.process
    if sink is None:
        _waiting.append(text)
    else:
        sink(text)


def note(text: str) -> None:
    """Tell what only those want to know who ask for it: `--log-level=info`. Nobody hears it without a sink."""
    if _Sinks.notes is not None:
        _Sinks.notes(text)


def send_notes_to(sink: Sink) -> None:
    """Give what `note` tells to `sink` from now on."""
    _Sinks.notes = sink


def send_details_to(step: Sink, end: Sink | None = None) -> None:
    """Give steps and programs to `step` from now on, and how they ended to `end`."""
    Details.step, Details.end = step, end


def take_warnings() -> list[str]:
    """Return, once, the warnings that found no sink."""
    taken = _waiting.copy()
    _waiting.clear()
    return taken


def send_warnings_to(sink: Sink) -> None:
    """Give this process's warnings to `sink` from now on."""
    _Sinks.process = sink


def in_thread(work: Callable[[], object]) -> Callable[[], None]:
    """Return the target of a new thread: `work`, whose warnings go where this thread's go."""
    sink = getattr(_Sinks.thread, "sink", None)

    def run() -> None:
        with sending_to(sink):
            work()

    return run


class sending_to:
    """Give the warnings of this thread to `sink` until the block ends; None: to where they go already."""

    def __init__(self, sink: Sink | None) -> None:
        self._sink = sink

    def __enter__(self) -> None:
        self._outer = getattr(_Sinks.thread, "sink", None)
        _Sinks.thread.sink = self._sink or self._outer

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _Sinks.thread.sink = self._outer
