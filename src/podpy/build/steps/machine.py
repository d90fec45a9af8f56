"""Images for other machines: whether the kernel knows a program that runs theirs (binfmt_misc)."""

from __future__ import annotations

import os

from podpy.image.documents.schema import Platform, host_platform, same_machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.images import ImageRecord

_FORMATS = "/proc/sys/fs/binfmt_misc"  # one file for each, besides `register` and `status`
_MACHINE = slice(18, 20)  # e_machine of an ELF file, elf(5)
_MACHINES = {
    "386": b"\x03\x00", "amd64": b"\x3e\x00", "arm": b"\x28\x00", "arm64": b"\xb7\x00", "loong64": b"\x02\x01",
    "mips64le": b"\x08\x00", "ppc64le": b"\x15\x00", "riscv64": b"\xf3\x00", "s390x": b"\x00\x16",
}  # fmt: skip


def emulation_hint(image: ImageRecord) -> str:
    """Return what a command that failed may lack: "" if the image is for this machine, or its programs surely run."""
    from podpy.image.documents.config import ImageConfig

    if not image.config:
        return ""
    config, host = ImageConfig.parse(image.config), host_platform()
    made_for = Platform(os=config.os or host.os, architecture=config.architecture or host.architecture)
    if same_machine(made_for, host) or _runs(made_for.architecture):
        return ""
    packages = "qemu-user-static and binfmt-support"
    return f"The image is for {made_for}, this machine is {host}: install {packages} to run its commands"


def platforms() -> list[str]:
    """Return the platforms whose commands run here: this machine's, and those that are emulated."""
    host = host_platform()
    emulated = [name for name in _MACHINES if name != host.architecture and _runs(name)]
    return [str(host), *(str(Platform(architecture=name)) for name in emulated)]


def _runs(architecture: str) -> bool:
    """Return whether a handler for the machine's ELF files is registered, as far as this process sees."""
    try:
        names = {*os.listdir(_FORMATS)} - {"register", "status"}
    except OSError:
        return False
    return any(_handles(os.path.join(_FORMATS, name), architecture) for name in names)


def _handles(path: str, architecture: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return False
    magic = next((line.partition(" ")[2] for line in lines if line.startswith("magic ")), "")
    try:
        return lines[0] == "enabled" and bytes.fromhex(magic)[_MACHINE] == _MACHINES.get(architecture)
    except ValueError:
        return False
