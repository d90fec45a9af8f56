"""Starts several containers in parallel, each by a forked child.

A start mostly waits for the OCI runtime, and it moves its process into the container's mount namespace, so one process
can start only one container at a time.
"""

from __future__ import annotations

import os
import pickle

from podpy import process
from podpy.errors import PodpyError, StateError
from podpy.notice import sending_to, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine

    T = TypeVar("T")

_MOST_AT_ONCE = 32
_CHUNK = 65536


def each_in_a_child(
    engine: Engine,
    containers: Sequence[Held],
    work: Callable[[Held], T],
    on_result: Callable[[T], object] = lambda result: None,
) -> dict[str, PodpyError]:
    """Call `work` with each container, in parallel; return the errors by the containers' ids.

    `on_result` gets what `work` has returned, in this process.

    A single container is worked on in this process, which keeps its changes. This process emits the children's warnings
    when they have ended.
    """
    if len(containers) == 1:
        return _here(containers[0], work, on_result)
    errors: dict[str, PodpyError] = {}
    engine.close()  # no SQLite connection may cross a fork
    for first in range(0, len(containers), _MOST_AT_ONCE):
        begun = [(each, *_begin(each, work)) for each in containers[first : first + _MOST_AT_ONCE]]
        for container, pid, descriptor in begun:
            error = _end(container, pid, descriptor, on_result)
            if error is not None:
                errors[container.id] = error
    return errors


def _here(container: Held, work: Callable[[Held], T], on_result: Callable[[T], object]) -> dict[str, PodpyError]:
    try:
        on_result(work(container))
    except PodpyError as error:
        return {container.id: error}
    return {}


def _begin(container: Held, work: Callable[[Held], object]) -> tuple[int, int]:
    """Return a child's pid, and the descriptor of its answer."""
    answer, answer_end = process.pipe()
    pid = process.fork()
    if pid == 0:
        try:
            _in_child(container, work, answer_end)
        finally:
            os._exit(0)
    os.close(answer_end)
    return pid, answer


def _in_child(container: Held, work: Callable[[Held], object], answer: int) -> None:
    warnings: list[str] = []
    error: BaseException | None = None
    result: object = None
    try:
        with sending_to(warnings.append):
            result = work(container)
    except BaseException as raised:
        error = raised
    container.engine.close()
    try:
        data = pickle.dumps((error, warnings, result))
        pickle.loads(data)  # some exceptions can't be unpickled
    except Exception:
        told = StateError(f"container {container.id}: {type(error).__name__}: {error}")
        data = pickle.dumps((told, warnings, None))
    view = memoryview(data)
    while view:
        view = view[os.write(answer, view) :]


def _end(container: Held, pid: int, answer: int, on_result: Callable[[T], object]) -> PodpyError | None:
    """Wait for a child; pass its result on, or return its error. Raises an error of another class than podpy's."""
    data = b""
    try:
        while part := os.read(answer, _CHUNK):
            data += part
    finally:
        os.close(answer)
        os.waitpid(pid, 0)
    if not data:
        return StateError(f"container {container.id}: the call that was starting it was killed")
    error, warnings, result = pickle.loads(data)
    for text in warnings:
        warn(text)
    if error is None:
        on_result(result)
        return None
    if isinstance(error, PodpyError):
        return error
    raise error
