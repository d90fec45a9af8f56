"""Files of Quadlet that podpy makes: all in one text, or on disk."""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import AlreadyError
from podpy.quadlet.keys import ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def as_one(texts: Mapping[str, str]) -> str:
    """Return all of Quadlet's files in one, as `podpy quadlet install` takes it from NAME.quadlets."""
    named = [(name, ending(name), text) for name, text in texts.items() if ending(name)]
    return "---\n".join(f"# FileName={name.removesuffix(end)}\n{text}" for name, end, text in named)


def write(texts: Mapping[str, str], directory: str, *, replace: bool) -> list[str]:
    """Write files into a directory, which is made; return their paths. Each is replaced as a whole.

    Raises AlreadyError, before it writes any, for a file that is there (without `replace`).
    """
    paths = {os.path.join(directory, name): text for name, text in texts.items()}
    there = [os.path.basename(path) for path in paths if os.path.lexists(path)]
    if there and not replace:
        raise AlreadyError(f"{directory}: {', '.join(there)} already exists", hint="--replace overwrites it")
    os.makedirs(directory, exist_ok=True)
    for path, text in paths.items():
        files.replace(path, text.encode("utf-8", "surrogateescape"), 0o644)
    return list(paths)
