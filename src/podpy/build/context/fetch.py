"""Contexts that are no directory yet: standard input, archives and Dockerfiles on web servers, git repositories.

They become files in an empty directory of podpy's own. Archives are unpacked by the confined child, so nothing leads
out of it; for repositories see git.py.
"""

from __future__ import annotations

import os
from itertools import chain

from podpy.build.context.git import Repository
from podpy.build.reading.lines import MOST_BYTES
from podpy.build.sources import STDIN, is_repository
from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from podpy.libpod.engine import Engine
    from podpy.storage.staging import Staging

_PIECE = 256 << 10
_MAGIC, _MAGIC_AT = b"ustar", 257
_HEAD = 512
_DOCKERFILE = "Dockerfile"


class Fetched(Record):
    """A context. `is_dockerfile`: it is nothing but a Dockerfile, which is called that in `directory`.

    `files`: the only directory that Dockerfiles may come from; "": `directory`, and else this machine.
    """

    directory: str
    is_dockerfile: bool = False
    files: str = ""


def own_directory(engine: Engine) -> Staging:
    """Return a staging directory beside this process's own, for who forks: it stays when the engine closes its store.

    Enters the user's namespaces.
    """
    from podpy.storage.staging import Staging

    engine.enter()
    return Staging(engine.paths.graphroot, reserve=False)


def staged(engine: Engine, text: str) -> Fetched:
    """Fetch a context into this process's staging directory: it goes when the process does. Raises as `fetch`.

    Enters the user's namespaces.
    """
    engine.enter()
    target = engine.store.staging.new_path("context")
    os.mkdir(target, 0o700)
    return fetch(text, target, engine.caller.environ)


def fetch(text: str, target: str, environment: Mapping[str, str], stdin: int = 0) -> Fetched:
    """Fetch a context into the empty directory `target`. `stdin`: the descriptor that `-` means.

    `environment`: the caller's, for git.

    Raises UsageError, ImageError and RegistryError (a web server), BrokenTarError, StorageError, OSError.
    """
    if is_repository(text):
        return Fetched(directory=Repository(text, environment).checked_out(target))
    if text == STDIN:
        return _of_pieces(_read(stdin), target, "standard input")
    from podpy.image.incoming.download import download

    return _of_pieces(download(text), target, text)


def _read(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _of_pieces(pieces: Iterator[bytes], target: str, what: str) -> Fetched:
    """Unpack an archive, compressed or not; what is none is a Dockerfile."""
    from podpy.image.incoming.compression import beginning, decompressed
    from podpy.storage.layers.unpack import Plain, unpack_plain

    plain_pieces = decompressed(pieces)
    head = beginning(plain_pieces, _HEAD)
    whole = chain([head], plain_pieces)
    if head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] != _MAGIC:
        _write(whole, target, what)
        return Fetched(directory=target, is_dockerfile=True)
    unpack_plain(target, whole, Plain(owner=(os.geteuid(), os.getegid())))
    return Fetched(directory=target)


def _write(pieces: Iterator[bytes], target: str, what: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    size = 0
    with os.fdopen(os.open(os.path.join(target, _DOCKERFILE), flags, 0o644), "wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > MOST_BYTES:
                raise UsageError(f"{what}: a Dockerfile may have at most {MOST_BYTES >> 20} MiB")
            file.write(piece)
    if not size:
        raise UsageError(f"{what}: it is empty", hint="A Dockerfile, or an archive with one, is expected")
