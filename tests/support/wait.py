"""Waiting for what really happens, instead of sleeping for as long as it usually takes."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds after which something that should happen won't (the machine may be busy)."""

_STEP = 0.01


def until(condition: Callable[[], T], *, what: str, timeout: float = PATIENCE) -> T:
    """Call `condition` until it returns something true and return that. For what the kernel gives no event for.

    Raises AssertionError that says `what` didn't happen within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"after {timeout:g} s still not: {what}"
        time.sleep(_STEP)


def for_end(pid: int, *, timeout: float = PATIENCE) -> None:
    """Wait until a process (any process, not only a child) has ended. One that is gone already is no error."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        readable, _, _ = select.select([descriptor], [], [], timeout)
    finally:
        os.close(descriptor)
    assert readable, f"process {pid} still runs after {timeout:g} s"


def for_poll(pid: int) -> None:
    """Wait until a process sleeps in poll(2): it has begun to wait for events."""
    until(lambda: "poll" in Path(f"/proc/{pid}/wchan").read_text(), what=f"process {pid} waits for events")


def for_text(stream: IO[bytes], text: bytes, *, timeout: float = PATIENCE) -> bytes:
    """Read from a pipe or terminal until `text` has come and return all that was read.

    Raises AssertionError with what did come, at the end of the stream or after `timeout` seconds.
    """
    seen = b""
    deadline = time.monotonic() + timeout
    while text not in seen:
        readable, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        assert readable, f"after {timeout:g} s no {text!r}, only {seen!r}"
        try:
            got = os.read(stream.fileno(), 65536)
        except OSError:  # EIO: the other side of a terminal is gone
            got = b""
        assert got, f"the stream ended without {text!r}: {seen!r}"
        seen += got
    return seen
