"""What the user should know though nothing failed."""

from __future__ import annotations

import sys


def print_warning(text: str) -> None:
    """Write a warning of the library to stderr."""
    sys.stderr.write(f"podpy: warning: {text}\n")
    sys.stderr.flush()
