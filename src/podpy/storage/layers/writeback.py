"""A thread that writes to the disk while more comes in: the sync at the end then has little left to do.

The kernel begins only when a tenth of the memory is dirty (Documentation/admin-guide/sysctl/vm.rst,
dirty_background_ratio), so without this the disk idles while an image is unpacked, and everybody waits for it
afterwards.
"""

from __future__ import annotations

from threading import Condition, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STEP = 32 << 20  # bytes that are worth a sync


class Writeback:
    """Calls `sync` in its thread whenever STEP more bytes have been written. For several writing threads."""

    def __init__(self, sync: Callable[[], object]) -> None:
        self._sync = sync
        self._pending = 0
        self._stopped = False
        self._changed = Condition()
        self._thread: Thread | None = None
        self._error: OSError | None = None

    def wrote(self, size: int) -> None:
        """Note that `size` bytes have been written."""
        with self._changed:
            self._pending += size
            if self._pending < STEP:
                return
            if self._thread is None:
                self._thread = Thread(target=self._work, daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self, patience: float | None = None) -> None:
        """End the thread; wait for it `patience` seconds at most. Raises the OSError of a sync that failed: the kernel
        reports it once (fsync(2)), so the sync at the end wouldn't see it.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(patience)
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._pending < STEP and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                self._pending = 0
            try:
                self._sync()
            except OSError as error:
                self._error = error
                return
