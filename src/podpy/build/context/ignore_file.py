"""Which ignore file counts, and what it says."""

from __future__ import annotations

import os

from podpy import beneath
from podpy.build.reading.ignore import MOST_BYTES, Rules, parse
from podpy.errors import UsageError

_ENDINGS = (".dockerignore", ".containerignore")  # beside a Dockerfile, after its name: the first that is there
_NAMES = (".containerignore", ".dockerignore")  # in the context


def load(context: str, dockerfile: str = "", given: str = "", *, origin: str = "") -> Rules:
    """Return the rules of the one ignore file that counts; no rules if there is none.

    `given`: --ignorefile. Else one of the Dockerfile's own name, beside it, comes before the context's.
    `context` and `dockerfile` are paths, or "" for what is none. A file of the context is only read beneath it.
    `origin`: a directory that somebody has sent, to which `dockerfile` is relative then: no link leads out of it.
    Raises UsageError; BuildFileError for a wrong pattern.
    """
    if given:
        return _read(given)
    for ending in _ENDINGS if dockerfile else ():
        path = beneath.place_in(origin, dockerfile + ending) if origin else dockerfile + ending
        if os.path.lexists(path):
            return _read(path)
    for name in _NAMES if context else ():
        if os.path.lexists(os.path.join(context, name)):
            return _read(name, beneath_of=context)
    return Rules([])


def _read(path: str, *, beneath_of: str = "") -> Rules:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = beneath.open_beneath(beneath_of, path, flags) if beneath_of else os.open(path, flags)
        try:
            data = _bytes(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    return parse(data, path)


def _bytes(descriptor: int) -> bytes:
    data = bytearray()
    while len(data) <= MOST_BYTES and (piece := os.read(descriptor, 1 << 16)):
        data += piece
    return bytes(data)
