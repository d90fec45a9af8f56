"""Layers, blobs, mounts, volumes, and the database that knows of them."""

from __future__ import annotations

import os


def crash_point(name: str) -> None:
    """Die here if PODPY_CRASH_AT says so: the crash test's hook between two steps that aren't operations of a plan."""
    if os.environ.get("PODPY_CRASH_AT") == name:
        os.kill(os.getpid(), 9)
