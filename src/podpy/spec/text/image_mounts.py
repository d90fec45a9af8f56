"""`--mount type=image,…` and `--mount type=artifact,…` (podman-run(1), --mount)."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.spec.container import Mount
from podpy.spec.text.volumes import target_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SOURCE = ("src", "source")
_TARGET = ("target", "dst", "dest", "destination")
_OF_ARTIFACTS = ("title", "digest", "name")


def parse_image(words: Iterable[str]) -> Mount:
    """Return the mount of type image that the KEY=VALUE words describe. Raises UsageError."""
    source = target = subpath = ""
    access = "ro"
    for word in words:
        key, equals, value = word.partition("=")
        if key in ("rw", "readwrite"):
            if value not in ("true", "false"):
                raise UsageError(f'invalid rw value "{value}": invalid mount option', hint="rw=true or rw=false")
            access = "rw" if value == "true" else "ro"
        elif key == "subpath":
            subpath = _required(key, value, given=bool(equals))
            if not subpath.startswith("/"):
                raise UsageError(f'volume subpath "{subpath}" must be an absolute path', hint=f"subpath=/{subpath}")
            if ".." in subpath.split("/"):
                raise UsageError(f'volume subpath "{subpath}" must be without ".."')
        elif key in _SOURCE:
            source = _required(key, value, given=bool(equals))
        elif key in _TARGET:
            target = target_path(_required(key, value, given=bool(equals)))
        elif key != "consistency":
            raise UsageError(f"{key}: invalid mount option", hint="Known: source, destination, rw, subpath")
    if not source or not target:
        raise UsageError("must set source and destination for image volume")
    return Mount(type="image", source=source, target=target, options=[access], subpath=subpath)


def parse_artifact(words: Iterable[str]) -> Mount:
    """Return the mount of type artifact that the KEY=VALUE words describe. Raises UsageError."""
    source = target = ""
    chosen: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if key in _SOURCE:
            source = _required(key, value, given=bool(equals))
        elif key in _TARGET:
            target = target_path(_required(key, value, given=bool(equals)))
        elif key in _OF_ARTIFACTS:
            chosen[key] = _required(key, value, given=bool(equals))
        else:
            raise UsageError(f"{key}: invalid mount option", hint="Known: source, destination, title, digest, name")
    if not source or not target:
        raise UsageError("must set source and destination for artifact volume")
    return Mount(
        type="artifact", source=source, target=target, options=[f"{key}={value}" for key, value in chosen.items()]
    )


def _required(key: str, value: str, *, given: bool) -> str:
    if not given or not value:
        raise UsageError(f"{key}: must provide an argument for option")
    return value
