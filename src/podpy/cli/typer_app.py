"""The second reader of the declarations: Typer, which draws help. Imported only when help is asked for."""

from __future__ import annotations


def show_help(path: str) -> int:
    """Print the help of a command, a group, or (empty path) podpy, and return the exit code."""
    raise NotImplementedError(path)
