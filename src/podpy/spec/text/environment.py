"""`-e`, `--env-file`, `--env-host`, `--label`, `--label-file` (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.spec.proxies import PROXY_VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Variables that mean something else in a container, or concern only the host.
_NOT_SHARED = frozenset(["HOME", "HOSTNAME", "PATH", "TERM", "_", "PWD", "OLDPWD", "SHLVL"])


def environment(env: Sequence[str], env_files: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `env_files`, then those of `env`; the last one wins.

    "NAME" alone takes the caller's value from `environ` (omitted if unset), "NAME*" all of the caller's variables with
    that prefix. A line of a file is literal, as in Podman: `export A=1` is a variable called "export A".
    Raises UsageError.
    """
    result: dict[str, str] = {}
    for path in env_files:
        for line in _lines(path, "--env-file"):
            _add(result, line, path, environ)
    for item in env:
        if item:  # an empty -e "$MORE" is ignored, as in Podman
            _add(result, item, "--env", environ)
    return result


def host_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's variables that `--env-host` passes on."""
    return {n: v for n, v in environ.items() if n not in _NOT_SHARED and n not in PROXY_VARIABLES}


def labels(items: Sequence[str], files: Sequence[str]) -> dict[str, str]:
    """Return the labels of `files`, then those of `items`. KEY alone has an empty value. Raises UsageError."""
    result: dict[str, str] = {}
    for item in [*(line for path in files for line in _lines(path, "--label-file")), *items]:
        key, _, value = item.partition("=")
        if not key:
            raise UsageError(f'unable to process labels: invalid label format: "{item}"', hint="It is KEY=VALUE")
        result[key] = value
    return result


def _add(result: dict[str, str], item: str, where: str, environ: Mapping[str, str]) -> None:
    name, equals, value = item.partition("=")
    name = name.lstrip(" \t")
    if not name:
        raise UsageError(f'invalid environment variable: "{item}"', hint=f"In {where} it is NAME=VALUE, or NAME")
    if equals:
        result[name] = value
    elif name.endswith("*"):
        result.update({n: v for n, v in environ.items() if n.startswith(name[:-1])})
    elif name in environ:
        result[name] = environ[name]


def _lines(path: str, option: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError as error:
        reason = f"open {path}: {(error.strerror or '').lower()}"
        what = "unable to process labels" if option == "--label-file" else f'parsing env file "{path}"'
        raise UsageError(f"{what}: {reason}") from error
    stripped = [line.lstrip().lstrip("\ufeff") for line in lines]
    return [line for line in stripped if line and not line.startswith("#")]
