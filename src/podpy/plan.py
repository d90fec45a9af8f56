"""Plan, describe, execute: what touches the kernel is first a list of small operation objects.

    plan = Plan()
    plan.add(MountOverlay(...))
    plan.run(trace)

`run --explain` prints the list, `--trace` times it, an error quotes the operation that failed and what can forbid it,
tests assert the list, and the crash test kills the process before and after each one (`PODPY_CRASH_AT`).
"""

from __future__ import annotations

import os
from time import perf_counter_ns

from podpy.errors import OperationError, PodpyError
from podpy.notice import Details

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CRASH_VARIABLE = "PODPY_CRASH_AT"
_SIGKILL = 9


class Operation:
    """One step: it knows how to say what it will do, how to do it, and what can forbid it."""

    def describe(self) -> str:
        """Return one line for people: what this step does, with its values."""
        raise NotImplementedError

    def execute(self) -> None:
        """Do it. Raises OSError (with its path) or a PodpyError."""
        raise NotImplementedError

    def explain_failure(self, error: OSError) -> str:
        """Return a hint: what can have forbidden this step and what mends it, or an empty text."""
        return ""


class Trace:
    """When each step ended, in microseconds of the performance counter."""

    def __init__(self) -> None:
        self.marks: list[tuple[int, str]] = []

    def mark(self, text: str) -> None:
        """Note that `text` has just ended."""
        self.marks.append((perf_counter_ns() // 1000, text))


class Plan:
    """A list of operations, executed in order."""

    def __init__(self, *operations: Operation) -> None:
        self.operations: list[Operation] = list(operations)

    def add(self, *operations: Operation) -> None:
        """Append operations."""
        self.operations.extend(operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def describe(self) -> list[str]:
        """Return one line per operation, in order."""
        return [operation.describe() for operation in self.operations]

    def run(self, trace: Trace | None = None) -> None:
        """Execute every operation in order and stop at the first failure.

        Raises OperationError that quotes the failed operation (for an OSError), or the PodpyError that it raised.
        """
        for operation in self.operations:
            perform(operation, trace)


def perform(operation: Operation, trace: Trace | None = None) -> None:
    """Execute one operation; an OSError becomes an OperationError that quotes it."""
    crash = os.environ.get(CRASH_VARIABLE)
    name = type(operation).__name__
    _maybe_crash(crash, name + ":before")
    if Details.step is not None:
        Details.step(operation.describe())
    try:
        operation.execute()
    except PodpyError:
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reason = f"{operation.describe()}: {error.strerror or error}{where}"
        raise OperationError(reason, hint=operation.explain_failure(error)) from error
    if trace is not None:
        trace.mark(operation.describe())
    if Details.end is not None:
        Details.end(f"Done: {operation.describe()}")
    _maybe_crash(crash, name + ":after")


def _maybe_crash(wanted: str | None, point: str) -> None:
    # The crash test's hook: a kill at a named point is what a kill -9 or a power cut looks like from the next call.
    if wanted == point:
        os.kill(os.getpid(), _SIGKILL)
