"""Containerfile.in: a Dockerfile that cpp(1) reads first, as Buildah has it.

What it includes must lie in the context: an include of any file of the host would put that into the image.
"""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import NotFoundError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTIONS = ["-traditional", "-undef", "-nostdinc"]


def preprocessed(data: bytes, name: str, context: str, flags: Sequence[str]) -> bytes:
    """Return what cpp makes of a Dockerfile. `name`: what errors call it; `flags`: more options.

    Raises UsageError.
    """
    try:
        cpp = process.find("cpp")
    except NotFoundError:
        raise UsageError(f"{name}: {os.path.basename(name)} needs cpp", hint="Install the package cpp") from None
    command = [cpp, *_OPTIONS, "-iquote", context, *flags]
    top = os.path.realpath(context)
    for path in _included(_run([*command, "-M", "-"], data, name)):
        real = os.path.realpath(os.path.join(context, path))
        if not real.startswith(f"{top}/"):
            raise UsageError(f"{name}: it includes {path}, which is outside of the context", hint=f"Copy it to {top}")
    return _run([*command, "-E", "-"], data, name)


def _included(rule: bytes) -> list[str]:
    """Return the files of make's rule that cpp -M prints: "-.o: A B \\", with a backslash before blanks of names."""
    words = os.fsdecode(rule).replace("\\\n", " ").partition(":")[2].replace("\\ ", "\0").split()
    return [word.replace("\0", " ").replace("$$", "$") for word in words if word != "-"]


def _run(command: list[str], data: bytes, name: str) -> bytes:
    reading = os.memfd_create("dockerfile", os.MFD_CLOEXEC)
    try:
        with open(reading, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(reading, 0, os.SEEK_SET)
        done = process.run(command, stdin=reading)
    finally:
        os.close(reading)
    if done.code != 0:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        first = next((line for line in told if "error:" in line), told[-1] if told else f"cpp ended with {done.code}")
        raise UsageError(f"{name}: {first}")
    return done.stdout
