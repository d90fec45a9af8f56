"""`-e`, `--env-file`, `--env-host`, `--label`, `--label-file` (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.spec.proxies import PROXY_VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# What means something else inside, or is the host's own business.
_NOT_SHARED = frozenset(["HOME", "HOSTNAME", "PATH", "TERM", "_", "PWD", "OLDPWD", "SHLVL"])


def environment(env: Sequence[str], env_files: Sequence[str] = (), *, env_host: bool = False) -> dict[str, str]:
    """Return the variables that were asked for: the host's, then those of files, then single ones; the last one wins.

    "NAME" alone is the caller's value (left out if there is none), "NAME*" all of the caller's that begin so.
    Raises UsageError.
    """
    result: dict[str, str] = {}
    if env_host:
        kept = [name for name in os.environ if name not in _NOT_SHARED and name not in PROXY_VARIABLES]
        result.update({name: os.environ[name] for name in kept})
    for path in env_files:
        for line in _lines(path, "--env-file"):
            _add(result, line, path)
    for item in env:
        if item:  # -e "$MORE" with nothing in it is nothing, as with Podman
            _add(result, item, "--env")
    return result


def labels(items: Sequence[str], files: Sequence[str]) -> dict[str, str]:
    """Return labels of files, then single ones. KEY alone has an empty value. Raises UsageError."""
    result: dict[str, str] = {}
    for item in [*(line for path in files for line in _lines(path, "--label-file")), *items]:
        key, _, value = item.partition("=")
        if not key:
            raise UsageError(f"invalid label format: {item!r}", hint="It is KEY=VALUE")
        result[key] = value
    return result


def _add(result: dict[str, str], item: str, where: str) -> None:
    name, equals, value = item.partition("=")
    if not name:
        raise UsageError(f"invalid variable {item!r} in {where}: it has no name", hint="It is NAME=VALUE, or NAME")
    if any(character.isspace() for character in name):
        raise UsageError(f"name {name!r} in {where} has white spaces, poorly formatted name")
    if equals:
        result[name] = value
    elif name.endswith("*"):
        result.update({n: v for n, v in os.environ.items() if n.startswith(name[:-1])})
    elif name in os.environ:
        result[name] = os.environ[name]


def _lines(path: str, option: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise UsageError(f"{option}: can't read {path}: {error.strerror}") from error
    stripped = [line.lstrip().lstrip("\ufeff") for line in lines]
    return [line for line in stripped if line and not line.startswith("#")]
