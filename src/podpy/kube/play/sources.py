"""Files, standard input and URLs → their bytes."""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.kube.reading.objects import Source
from podpy.yaml.load import MOST_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.runtime import Runtime

STDIN = "-"


def sources(runtime: Runtime, names: Sequence[str], stdin: int = -1) -> list[Source]:
    """Return the files' bytes. `names`: paths, http(s) URLs, or - for the descriptor `stdin`.

    Raises UsageError (a file), ImageError, RegistryError (a URL).
    """
    return [_source(runtime, name, stdin) for name in names]


def _source(runtime: Runtime, name: str, stdin: int) -> Source:
    if name.startswith(("http://", "https://")):
        return Source(file=name, data=runtime.images.download(name, MOST_BYTES), is_remote=True)
    if name == STDIN:
        return Source(file="standard input", data=_read(stdin))
    path = os.path.join(runtime.caller.directory, name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return Source(file=name, data=_read(descriptor))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"open {name}: {(error.strerror or str(error)).lower()}") from None


def _read(descriptor: int) -> bytes:
    data = bytearray()
    while piece := os.read(descriptor, 1 << 20):
        data += piece
        if len(data) > MOST_BYTES:
            break  # too large: the reader's error names the file
    return bytes(data)
