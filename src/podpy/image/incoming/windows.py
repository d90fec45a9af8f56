"""How much memory decompressors may hold: one bound for all windows of a process.

A decompressor keeps the part of its output that the stream may refer back to: the window. The stream says how large it
is: usually some MiB, 128 MiB after `zstd --ultra -22`. Three layers at once would need three windows. So each takes its
window out of one budget, and waits for it: the usual ones (8 MiB is
what RFC 8878, 3.1.1.1.2, wants every decoder to take) go side by side, a large one goes alone.
"""

from __future__ import annotations

from threading import Condition

from podpy.errors import ImageError

_BUDGET = 32 << 20
_LIMIT = 128 << 20  # what libzstd and zstd(1) take without being told; xz -9 needs 65 MiB
XZ_LIMIT = _LIMIT + (1 << 20)  # liblzma counts what it needs besides, too
_XZ_WINDOW = (
    64 << 20
)  # for the budget: the largest of xz(1)'s presets; what a stream really asks lies deep in its header
_MAGIC = b"\x28\xb5\x2f\xfd"
_SMALLEST = 10  # the exponent of the smallest window
_CONTENT_SIZE_BYTES = (1, 2, 4, 8)
_DICTIONARY_BYTES = (0, 1, 2, 4)


class Budget:
    """The windows in use at one time, by several threads."""

    def __init__(self, size: int = _BUDGET) -> None:
        self._size = size
        self._used = 0
        self._changed = Condition()

    def take(self, window: int) -> None:
        """Wait until a window fits in; one that is larger than the whole budget waits until there is no other."""
        with self._changed:
            while self._used and self._used + window > self._size:
                self._changed.wait()
            self._used += window

    def give_back(self, window: int) -> None:
        """Give a window back to the budget."""
        with self._changed:
            self._used -= window
            self._changed.notify_all()


BUDGET = Budget()


def too_large(kind: str) -> ImageError:
    """Return the error for a window that is too large, however long one waits."""
    return ImageError(
        f"{kind} data with a window of more than {_LIMIT >> 20} MiB, which podpy gives no memory to",
        hint="Compress it with a smaller window: zstd --long=27 and xz -9 are taken",
    )


def zstd_window(head: bytes) -> int | None:
    """Return the window that a zstd frame asks for by its first bytes; None if these are too few to tell.

    0 for what is no frame with data in it. Raises ImageError if it is more than podpy takes.
    """
    if len(head) < len(_MAGIC) + 1:
        return None
    if not head.startswith(_MAGIC):
        return 0
    descriptor, rest = head[4], head[5:]
    if descriptor & 0x20:  # single segment: the window is the content
        rest = rest[_DICTIONARY_BYTES[descriptor & 3] :]
        length = _CONTENT_SIZE_BYTES[descriptor >> 6]
        window = int.from_bytes(rest[:length], "little") + (256 if length == 2 else 0)
    else:
        length = 1
        window = _window(rest[0]) if rest else 0
    if len(rest) < length:
        return None
    if window > _LIMIT:
        raise too_large("zstd")
    return window


def _window(descriptor: int) -> int:
    base = 1 << (_SMALLEST + (descriptor >> 3))
    return base + (base >> 3) * (descriptor & 7)


def xz_window(head: bytes) -> int | None:
    """Return what an xz stream takes of the budget, whatever it asks for."""
    return _XZ_WINDOW


def small_window(head: bytes) -> int | None:
    """Return what bzip2 takes of the budget: it never needs more than some MiB."""
    return 0
