"""The versions of Docker's API that are answered."""

from __future__ import annotations

NEWEST, OLDEST = (1, 47), (1, 24)


def words(version: tuple[int, int]) -> str:
    """Return a version as a text: 1.47."""
    return f"{version[0]}.{version[1]}"
