"""`-v [SOURCE:]TARGET[:OPTIONS]` and `--tmpfs TARGET[:OPTIONS]` (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.spec.container import Mount
from podpy.spec.text import mount_options

_FORMAT = "incorrect volume format, should be [host-dir:]ctr-dir[:option]"
_NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_NAME_CHARACTERS = _NAME_START | frozenset("_.-")


def parse_volume(text: str, *, rootless: bool = True, directory: str = "") -> Mount:
    """Return the mount of one `-v`: a bind mount, a named volume, or an anonymous one. Raises UsageError.

    A source that begins with / or . is a directory of the host; any other source is a volume's name. `directory` is
    the base of relative paths; without it they stay relative.
    """
    parts = text.split(":")
    if len(parts) > 3:
        raise UsageError(f"{text}: {_FORMAT}")
    options = parts[2].split(",") if len(parts) == 3 and parts[2] else []
    options = mount_options.check(options, is_volume=True, rootless=rootless)
    if len(parts) == 1:
        return Mount(type="volume", target=target_path(parts[0]), options=options)
    if not parts[0]:
        raise UsageError("host directory cannot be empty", hint=f"-v {text}: {_FORMAT}")
    source, target = parts[0], target_path(parts[1])
    if source[0] in "/.":
        _check_overlay(options)
        # A symbolic link stays as it is: the kernel follows it when mounting.
        source = os.path.normpath(os.path.join(directory, source)) if source[0] == "." else source
        return Mount(type="bind", source=source, target=target, options=options)
    check_volume_name(source)
    return Mount(type="volume", source=source, target=target, options=options)


def parse_tmpfs(text: str, *, rootless: bool = True) -> Mount:
    """Return the mount of one `--tmpfs`. Raises UsageError."""
    target, _, options = text.partition(":")
    words = mount_options.check(options.split(",") if options else [], is_tmpfs=True, rootless=rootless)
    return Mount(type="tmpfs", target=target_path(target), options=words)


def target_path(path: str) -> str:
    """Return a mount's target without . and .. and doubled slashes. Raises UsageError."""
    if not path:
        raise UsageError("container directory cannot be empty")
    if not path.startswith("/"):
        raise UsageError(
            f'invalid container path "{path}", must be an absolute path', hint="Where in the container? -v data:/data"
        )
    return "/" + os.path.normpath(path).lstrip("/")


def check_volume_name(name: str) -> None:
    """Raise UsageError for an invalid name."""
    if name[0] not in _NAME_START or not _NAME_CHARACTERS.issuperset(name):
        raise UsageError(
            f"invalid volume name {name!r}: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*",
            hint=f"The path of a host directory begins with / or .: ./{name}",
        )


def _check_overlay(options: list[str]) -> None:
    if "O" not in options:
        return
    others = [o for o in options if o not in ("O", "U") and not o.startswith(("upperdir=", "workdir="))]
    has_upper, has_work = (any(o.startswith(name) for o in options) for name in ("upperdir=", "workdir="))
    if has_upper != has_work:
        raise UsageError("must set both `upperdir` and `workdir`")
    if others:
        raise UsageError("can't use 'O' with other options")
