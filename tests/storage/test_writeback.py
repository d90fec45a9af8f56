"""What is written goes to the disk while more comes in."""

from __future__ import annotations

import errno
import threading

import pytest

from podpy.storage.layers.writeback import STEP, Writeback


def test_each_step_is_synced() -> None:
    synced = threading.Semaphore(0)
    writeback = Writeback(synced.release)
    for _ in range(3):
        writeback.wrote(STEP // 2)
        writeback.wrote(STEP // 2)
        assert synced.acquire(timeout=60)
    writeback.stop()
    assert not synced.acquire(blocking=False)


def test_little_is_left_for_the_last_sync() -> None:
    called = threading.Event()
    writeback = Writeback(called.set)
    writeback.wrote(STEP - 1)
    writeback.stop()
    assert not called.is_set()


def test_a_syncs_error_is_raised_at_the_end() -> None:
    called = threading.Event()

    def broken() -> None:
        called.set()
        raise OSError(errno.EIO, "Input/output error")

    writeback = Writeback(broken)
    writeback.wrote(STEP)
    assert called.wait(60)
    with pytest.raises(OSError, match="Input/output error"):
        writeback.stop()
