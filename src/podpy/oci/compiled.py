"""The compiled seccomp filter: what crun once made of a profile is given back to it, so that it compiles it once.

crun up to 1.8 (Debian 12) lets libseccomp compile the profile at each start, three architectures of it: 18 of the
25 ms that it takes. It leaves the result in its state directory, as `seccomp.bpf`, for the commands that join the
container, and it takes a ready one from an annotation of config.json (crun(1), `run.oci.seccomp_bpf_data`). Later ones
keep a cache of their own (`.cache/seccomp` beside the containers' state): those are left alone.

A filter is kept for this boot, under all that it depends on: the profile, the capabilities and podpy's overlay
(`seccomp.Profile.key`), the runtime's program, and the libraries of this host. Only what crun itself has made is kept,
and never for a container that asks crun for something of its own by an annotation, or that has hooks, which may read
config.json.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.record import Record
from podpy.spec.container import FILTER_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podpy.oci.runtime import OciRuntime

_STEERS = "run.oci.seccomp"  # annotations that change what crun makes of a profile begin so
_LIBRARIES = "/etc/ld.so.cache"  # written anew whenever a library is installed (ldconfig(8))
_INSTRUCTION = 8  # bytes: struct sock_filter, linux/filter.h
_MOST = 4096  # instructions: BPF_MAXINSNS, linux/bpf_common.h
_LOAD_WORD, _RETURN, _CLASS = 0x20, 0x06, 0x07  # BPF_LD | BPF_W | BPF_ABS; BPF_RET; the class of an instruction
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_ARCH = 4  # where struct seccomp_data has the architecture (linux/seccomp.h)
# AUDIT_ARCH_* of linux/audit.h, by `uname -m`.
_NATIVE = {
    "x86_64": 0xC000003E,
    "aarch64": 0xC00000B7,
    "armv7l": 0x40000028,
    "i686": 0x40000003,
    "ppc64le": 0xC0000015,
    "s390x": 0x80000016,
    "riscv64": 0xC00000F3,
}


def is_possible(runtime: OciRuntime, config: Mapping[str, Any]) -> bool:
    """Return whether a container with this config.json may get a filter that was compiled before."""
    return (
        runtime.name == "crun"
        and "hooks" not in config
        and not any(name.startswith(_STEERS) for name in config["annotations"])
        and not _has_cache(runtime)
    )


class CompiledFilter(Record):
    """A filter that is kept, or that will be: in `cache`, for profiles of this `key`, made by this `runtime`."""

    cache: str
    key: str
    runtime: OciRuntime

    def read(self) -> str:
        """Return the filter as crun's annotation holds it (base64), or "" if none was kept, or only a damaged one."""
        text = files.read_small(self._path())
        if not text:
            return ""
        from binascii import a2b_base64

        try:
            return text if is_filter(a2b_base64(text, strict_mode=True)) else ""
        except ValueError:
            return ""

    def keep(self, container_id: str) -> None:
        """Keep what the runtime has just compiled for a container, unless it has a cache of its own.

        Raises nothing: without it the next start is as slow as this one.
        """
        if _has_cache(self.runtime):
            return
        try:
            if not _knows_annotation(self.runtime.path):
                return
            with open(f"{self.runtime.root}/{container_id}/seccomp.bpf", "rb") as file:
                raw = file.read(_MOST * _INSTRUCTION + 1)
            if is_filter(raw):
                from binascii import b2a_base64

                files.replace(self._path(), b2a_base64(raw, newline=False))
        except OSError:
            pass  # the container has ended and is forgotten, or the disk is full

    def _path(self) -> str:
        marks = []
        for path in (self.runtime.path, _LIBRARIES):
            try:
                mark = os.stat(path)
                marks.append(f"{mark.st_dev:x}.{mark.st_ino:x}.{mark.st_mtime_ns:x}")
            except OSError:  # a host without dynamic libraries, or a runtime that the start will miss itself
                marks.append("none")
        return f"{self.cache}/{self.key}-{'-'.join(marks)}.bpf64"


def _knows_annotation(program: str) -> bool:
    """Return whether this crun takes a compiled filter. One that doesn't would start the container without any."""
    with open(program, "rb") as file:
        return FILTER_ANNOTATION.encode() in file.read()


def _has_cache(runtime: OciRuntime) -> bool:
    """Return whether this runtime keeps compiled filters itself: it has kept one, then."""
    return os.path.isdir(f"{runtime.root}/.cache/seccomp")


def is_filter(raw: bytes) -> bool:
    """Return whether this is a seccomp filter for this machine: it looks at the architecture first, and decides."""
    native = _NATIVE.get(os.uname().machine)
    if native is None or len(raw) % _INSTRUCTION or not 4 <= len(raw) // _INSTRUCTION <= _MOST:
        return False
    code = memoryview(raw)
    halves, words = code.cast("H"), code.cast("I")  # each instruction: code, two jumps of a byte, an argument
    if halves[0] != _LOAD_WORD or words[1] != _ARCH or halves[len(halves) - 4] & _CLASS != _RETURN:
        return False
    return any(
        halves[at * 4] == _JUMP_EQUAL and words[at * 2 + 1] == native for at in range(1, len(raw) // _INSTRUCTION)
    )
