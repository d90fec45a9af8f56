"""Programs that keep secrets: data in, data out, and never a word of theirs in an error."""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 600  # gpg may ask for a passphrase, and people are slow


def run(argv: list[str], environ: Mapping[str, str], *, data: bytes = b"", what: str) -> bytes:
    """Run a driver's program with `data` on its standard input; return its standard output.

    What the program says isn't quoted: it might be the secret. Raises StorageError, which says `what` failed.
    """
    # No pipe: half a megabyte doesn't fit into one, and this process reads the program's output meanwhile.
    feed = os.memfd_create("secret", os.MFD_CLOEXEC)
    try:
        with open(feed, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(feed, 0, os.SEEK_SET)
        finished = process.run(argv, environment=environ, stdin=feed, timeout=_SECONDS)
    except OSError as error:
        raise StorageError(f"{what}: {argv[0]}: {error.strerror}") from None
    finally:
        os.close(feed)
    if finished.code:
        raise StorageError(f"{what}: the command ended with {finished.code}", hint="Try it by hand: podpy hides output")
    return finished.stdout
