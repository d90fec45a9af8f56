"""What instructions say about running the image: the `config` object of its configuration (image-spec, config.md).

Pure: each function changes one object. Values have their variables expanded already.
"""

from __future__ import annotations

import posixpath

from podpy.errors import UsageError
from podpy.spec.proxies import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Config = dict[str, Any]

DEFAULT_SHELL = ("/bin/sh", "-c")
# The order of Go's struct: a configuration then has the bytes that other engines would write.
_ORDER = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Healthcheck",
    "OnBuild", "Shell",
)  # fmt: skip


def ordered(config: Config) -> Config:
    """Return the object without empty values, its keys in Go's order, and unknown ones behind them."""
    known = {key: config[key] for key in _ORDER if config.get(key)}
    rest = {key: value for key, value in config.items() if key not in _ORDER}
    for key in ("ExposedPorts", "Volumes", "Labels"):
        if key in known:
            known[key] = dict(sorted(known[key].items()))
    return {**known, **rest}


def with_defaults(config: Config) -> Config:
    """Return the settings that a build begins with: a PATH and a working directory, which a base may lack."""
    begun = dict(config)
    if "PATH" not in environment(begun):
        begun["Env"] = [f"PATH={DEFAULT_PATH}", *(begun.get("Env") or ())]
    return {**begun, "WorkingDir": begun.get("WorkingDir") or "/"}


def environment(config: Config) -> dict[str, str]:
    """Return the variables."""
    return dict(item.partition("=")[::2] for item in config.get("Env") or () if not item.startswith("="))


def set_environment(config: Config, variables: dict[str, str]) -> None:
    """Set variables; those that are there stay where they are."""
    merged = {**environment(config), **variables}
    config["Env"] = [f"{name}={value}" for name, value in merged.items()]


def unset_environment(config: Config, names: Iterable[str]) -> None:
    """Remove variables."""
    gone = {*names}
    config["Env"] = [item for item in config.get("Env") or () if item.partition("=")[0] not in gone]


def set_labels(config: Config, labels: dict[str, str]) -> None:
    """Set labels."""
    config["Labels"] = {**(config.get("Labels") or {}), **labels}


def shell_of(config: Config) -> list[str]:
    """Return the words before a command of the shell form."""
    return [*(config.get("Shell") or DEFAULT_SHELL)]


def words_of(config: Config, command: str | Sequence[str]) -> list[str]:
    """Return a command's words: the exec form's, or the shell with a text."""
    if not isinstance(command, str):
        return [*command]
    return [*shell_of(config), command]


def set_entrypoint(config: Config, command: str | Sequence[str], *, keep_command: bool) -> None:
    """Set the entrypoint. `keep_command`: the command was set by this build; another image's doesn't fit any more."""
    config["Entrypoint"] = words_of(config, command) if command else []
    if not keep_command:
        config.pop("Cmd", None)


def add_ports(config: Config, texts: Iterable[str]) -> None:
    """Add ports, "80", "80/udp", "80-82". Raises UsageError."""
    from podpy.spec.text.expose import parse_expose

    ports: Config = {port: {} for text in texts for port in parse_expose(text)}
    config["ExposedPorts"] = {**(config.get("ExposedPorts") or {}), **ports}


def add_volumes(config: Config, paths: Iterable[str]) -> None:
    """Add volumes. Raises UsageError for an empty path."""
    volumes: Config = {}
    for path in paths:
        if not path.strip():
            raise UsageError("VOLUME specified can not be an empty string")
        volumes[path] = {}
    config["Volumes"] = {**(config.get("Volumes") or {}), **volumes}


def absolute(config: Config, path: str) -> str:
    """Return a path that may be relative to the working directory, without `.` and `..` in it."""
    return posixpath.normpath("/" + posixpath.join(config.get("WorkingDir") or "/", path).lstrip("/"))


def set_stop_signal(config: Config, text: str) -> None:
    """Set the signal that stops a container. Raises UsageError."""
    from podpy.signals import number_of

    try:
        number_of(text)
    except UsageError:
        raise UsageError(f"Invalid signal: {text}", hint="kill -l lists the names") from None
    config["StopSignal"] = text


def set_health_check(config: Config, test: Sequence[str], times: dict[str, int]) -> None:
    """Set the health check; `times` by their names in the object (nanoseconds; Retries: a number); 0: not said."""
    said = {name: value for name, value in times.items() if value}
    config["Healthcheck"] = {"Test": [*test], **said}
