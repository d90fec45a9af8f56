"""The seccomp profile: the distribution's file (containers-common) → the text of linux.seccomp.

The file covers every architecture, with exceptions by capability and kernel; the runtime needs the result for one
container. The translation takes longer than all the rest of config.json and depends only on the file and the
capabilities, so its text is cached and spliced into config.json. A default profile gets podpy's overlay
(`oci.document.overlay`); a file named by `--security-opt seccomp=` is used as it is.

There is no built-in profile: a second list that nobody updates is worse than an error that names the package. Without
a profile podpy refuses to start a container, except with `--security-opt seccomp=unconfined`.
"""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.errors import ConfigError
from podpy.numbers import whole
from podpy.record import Record
from podpy.spec import capabilities as caps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from podpy.spec.container import ContainerSpec

UNCONFINED = "unconfined"
_LARGEST_VERSION = (1 << 31) - 1
OVERLAY = 3  # the version of oci.document.overlay: a cached text of another one isn't used
# The administrator's file comes before the distribution's (containers.conf(5), seccomp_profile).
DEFAULT_PATHS = ("/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json")
# `uname -m` → Go's name, which the profile's exceptions use, and libseccomp's.
_ARCHITECTURES = {
    "x86_64": ("amd64", "SCMP_ARCH_X86_64"),
    "aarch64": ("arm64", "SCMP_ARCH_AARCH64"),
    "armv7l": ("arm", "SCMP_ARCH_ARM"),
    "i686": ("386", "SCMP_ARCH_X86"),
    "ppc64le": ("ppc64le", "SCMP_ARCH_PPC64LE"),
    "s390x": ("s390x", "SCMP_ARCH_S390X"),
    "riscv64": ("riscv64", "SCMP_ARCH_RISCV64"),
}


class Profile(Record):
    """A container's profile: the file, and what it is translated for."""

    path: str
    capabilities: tuple[str, ...]
    allow: frozenset[str] | None = None  # address families that podpy's overlay lets through as well; None: no overlay

    def key(self, status: os.stat_result | None = None) -> str:
        """Return what everything made of this profile is kept under: the file's identity, and all else that counts.

        `status`: the open file's; without it the path is looked up. Raises ConfigError.
        """
        try:
            status = status or os.stat(self.path)
        except OSError as error:
            raise ConfigError(f"seccomp profile {self.path}: {error.strerror}") from error
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, mask(self.capabilities))
        return "-".join(["seccomp", *(f"{number:x}" for number in identity), *_overlay_key(self.allow)])

    def text(self, cache_directory: str) -> str:
        """Return linux.seccomp as JSON text, cached in `cache_directory`. Raises ConfigError, UsageError."""
        try:
            with open(self.path, "rb") as file:
                cached = os.path.join(cache_directory, f"{self.key(os.fstat(file.fileno()))}.json")
                kept = files.read_small(cached)
                if kept:
                    return kept
                source = file.read()
        except OSError as error:
            raise ConfigError(f"seccomp profile {self.path}: {error.strerror}") from error
        try:
            text = fastjson.dumps(profile(_parse(self.path, source), self.capabilities, allow=self.allow))
        except (
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
        ) as error:  # the format has no specification to check by
            raise ConfigError(f"seccomp profile {self.path}: unknown form: {error!r}") from error
        files.replace(cached, text)  # not synced: what a crash loses here is made again
        return text


def chosen(spec: ContainerSpec, capabilities: Sequence[str]) -> Profile | None:
    """Return the profile of a container with these capabilities; None if it is unconfined.

    `--security-opt seccomp=` comes first; a privileged container has no default profile. Raises ConfigError.
    """
    if spec.seccomp == UNCONFINED or (spec.privileged and not spec.seccomp):
        return None
    if spec.seccomp:
        return Profile(path=spec.seccomp, capabilities=tuple(capabilities))
    return Profile(
        path=spec.seccomp_profile or find(),
        capabilities=tuple(capabilities),
        allow=frozenset(spec.seccomp_allow),
    )


def find() -> str:
    """Return the default profile's path: the administrator's or the distribution's.

    Raises ConfigError if there is none.
    """
    for path in DEFAULT_PATHS:
        if os.path.exists(path):
            return path
    raise ConfigError(
        f"no seccomp profile: {' and '.join(DEFAULT_PATHS)}: no such file",
        hint="Install the package golang-github-containers-common (Fedora: containers-common),"
        " or run without a filter: --security-opt seccomp=unconfined",
    )


def profile(
    source: dict[str, Any], capabilities: Sequence[str], *, allow: Collection[str] | None = None
) -> dict[str, Any]:
    """Return linux.seccomp: `source` (the distribution's form, or already the OCI's) for this machine.

    `allow`: as for `Profile`. Raises UsageError for an unknown address family.
    """
    uname = os.uname()
    go_arch, scmp_arch = _ARCHITECTURES.get(uname.machine, (uname.machine, ""))
    kernel = _version(uname.release)
    held = frozenset(capabilities)
    kept = ("defaultAction", "defaultErrnoRet", "flags")
    result: dict[str, Any] = {key: source[key] for key in kept if key in source}
    result["architectures"] = source.get("architectures") or _sub_architectures(source, scmp_arch)
    result["syscalls"] = [
        _syscall(rule) for rule in source.get("syscalls") or () if _applies(rule, go_arch, held, kernel)
    ]
    if allow is not None:
        from podpy.oci.document import overlay
        from podpy.spec import families

        result["syscalls"] = overlay.apply(result, held, families.numbers(allow))
    return result


def mask(capabilities: Sequence[str]) -> int:
    """Return capabilities as a bit set."""
    return sum(1 << caps.NAMES.index(name) for name in capabilities)


def _overlay_key(allow: Collection[str] | None) -> list[str]:
    if not allow:
        return [] if allow is None else [f"o{OVERLAY}"]
    from podpy.spec.families import numbers

    return [f"o{OVERLAY}", f"{sum(1 << number for number in numbers(allow)):x}"]


def _parse(path: str, source: bytes) -> dict[str, Any]:
    try:
        value = fastjson.loads(source)
    except ValueError as error:
        raise ConfigError(f"seccomp profile {path}: {error}") from None
    if not isinstance(value, dict) or "defaultAction" not in value:
        raise ConfigError(f"seccomp profile {path}: no seccomp profile: defaultAction is missing")
    return value


def _sub_architectures(source: dict[str, Any], scmp_arch: str) -> list[str]:
    for entry in source.get("archMap") or ():
        if entry["architecture"] == scmp_arch:
            return [scmp_arch, *(entry.get("subArchitectures") or ())]
    return [scmp_arch] if scmp_arch else []


def _applies(rule: dict[str, Any], arch: str, held: frozenset[str], kernel: tuple[int, ...]) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if includes.get("arches") and arch not in includes["arches"]:
        return False
    if arch in (excludes.get("arches") or ()):
        return False
    if not held.issuperset(includes.get("caps") or ()) or held.intersection(excludes.get("caps") or ()):
        return False
    return not (includes.get("minKernel") and kernel < _version(includes["minKernel"]))


def _syscall(rule: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"names": rule.get("names") or [rule["name"]], "action": rule["action"]}
    if rule.get("errnoRet") is not None:
        result["errnoRet"] = rule["errnoRet"]
    arguments = [
        {key: argument[key] for key in ("index", "value", "valueTwo", "op") if key in argument}
        for argument in rule.get("args") or ()
    ]
    if arguments:
        result["args"] = arguments
    return result


def _version(text: str) -> tuple[int, ...]:
    numbers = []
    for part in text.split(".")[:2]:
        digits = "".join(character for character in part if character.isdigit())
        numbers.append(whole(digits, _LARGEST_VERSION) or 0)
    return tuple(numbers)
