"""`--change` of import and commit: instructions of a Dockerfile that become an image's `config` object.

The grammar is Podman's own, not a Dockerfile's: `INSTRUCTION VALUE` or `INSTRUCTION=VALUE`, one variable or label each,
quotes only around the whole key and the whole value, no continuation lines, no build arguments.
"""

from __future__ import annotations

import posixpath

from podpy import fastjson
from podpy.errors import UsageError
from podpy.signals import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Settings = dict[str, Any]

_SHELL = ["/bin/sh", "-c"]
_LARGEST_PORT = 65535
# Go's struct (image-spec, specs-go/v1/config.go), and what only Docker has.
_FIELDS = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "OnBuild",
)  # fmt: skip


def parse(changes: Sequence[str]) -> Settings:
    """Return the `config` object (OCI image-spec, config.md) with what the instructions say, and nothing else.

    Raises UsageError that quotes the instruction, with Podman's reason.
    """
    settings: Settings = {}
    for change in changes:
        keyword, value = _split(change)
        instruction = _INSTRUCTIONS.get(keyword)
        try:
            if instruction is None:
                raise ValueError(f"invalid instruction {keyword}")
            instruction(settings, value)
        except ValueError as error:
            raise _invalid(change, str(error)) from None
    return _in_gos_order(settings)


def _in_gos_order(settings: Settings) -> Settings:
    # As Go writes them, so that an imported image is Podman's whatever the order of its changes.
    ordered = sorted(settings.items(), key=lambda item: _FIELDS.index(item[0]))
    return {name: dict(sorted(value.items())) if isinstance(value, dict) else value for name, value in ordered}


def _split(change: str) -> tuple[str, str]:
    for separator in (" ", "="):
        keyword, found, value = change.partition(separator)
        if found:
            return keyword.strip().upper(), value.strip()
    raise _invalid(change, "must be formatted as KEY VALUE")


def _invalid(change: str, reason: str) -> UsageError:
    quoted = change.replace("\\", "\\\\").replace('"', '\\"')
    return UsageError(
        f'invalid change "{quoted}" - {reason}',
        hint=f"Instructions: {', '.join(_INSTRUCTIONS)}; HEALTHCHECK for commit",
    )


def _cmd(settings: Settings, value: str) -> None:
    words = _words(value)
    settings["Cmd"] = words if words is not None else [*_SHELL, value] if value else [*_SHELL]


def _entrypoint(settings: Settings, value: str) -> None:
    words = _words(value)
    settings["Entrypoint"] = words if words is not None else [*_SHELL, value] if value else []


def _env(settings: Settings, value: str) -> None:
    key, _, text = value.partition("=")
    if not key:
        raise ValueError("ENV must have at least one argument")
    settings.setdefault("Env", []).append(f"{_unquoted(key)}={_unquoted(text)}")


def _expose(settings: Settings, value: str) -> None:
    port, slash, protocol = value.partition("/")
    if "/" in protocol:
        raise ValueError("EXPOSE port must be formatted as PORT[/PROTO]")
    if not (port.isascii() and port.isdigit()):
        raise ValueError("EXPOSE port must be an integer")
    if not 0 < int(port[:9]) <= _LARGEST_PORT:
        raise ValueError("EXPOSE port must be a valid port number")
    if slash and protocol.lower() not in ("tcp", "udp"):
        raise ValueError("EXPOSE protocol must be TCP or UDP")
    settings.setdefault("ExposedPorts", {})[f"{int(port)}/{protocol.lower() or 'tcp'}"] = {}


def _label(settings: Settings, value: str) -> None:
    key, equals, text = value.partition("=")
    if not equals:
        raise ValueError("LABEL must be formatted key=value")
    key = _unquoted(key)
    if not key:
        raise ValueError("LABEL must have a non-empty key")
    settings.setdefault("Labels", {})[key] = _unquoted(text)


def _onbuild(settings: Settings, value: str) -> None:
    if not value:
        raise ValueError("ONBUILD must be given an argument")
    settings.setdefault("OnBuild", []).append(value)


def _stopsignal(settings: Settings, value: str) -> None:
    try:
        number = number_of(value)
    except UsageError as error:
        raise ValueError(f"KILLSIGNAL must be given a valid signal: {error.message}") from None
    if not number:
        raise ValueError("KILLSIGNAL must be given a valid signal")
    settings["StopSignal"] = str(number)


def _user(settings: Settings, value: str) -> None:
    if not value:
        raise ValueError("must provide a value to USER")
    settings["User"] = value


def _volume(settings: Settings, value: str) -> None:
    words = _words(value)
    paths = value.split(" ") if words is None else words
    if not paths:
        raise ValueError("must provide at least one argument to VOLUME")
    if "" in paths:
        raise ValueError("VOLUME paths must not be empty")
    settings.setdefault("Volumes", {}).update({path: {} for path in paths})


def _workdir(settings: Settings, value: str) -> None:
    if not value:
        raise ValueError("must provide a non-empty WORKDIR")
    # Each one is relative to the one before it, also if it begins with a slash: WORKDIR /a, WORKDIR /b is /a/b.
    before = settings.get("WorkingDir", "")
    joined = f"{before}/{value}" if before else value
    settings["WorkingDir"] = posixpath.normpath("/" + joined.lstrip("/") if joined.startswith("/") else joined)


_INSTRUCTIONS: dict[str, Callable[[Settings, str], None]] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "LABEL": _label,
    "ONBUILD": _onbuild,
    "STOPSIGNAL": _stopsignal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}


def _words(value: str) -> list[str] | None:
    """Return the exec form's words; None for the shell form, which is all that isn't a JSON list of texts."""
    try:
        words = fastjson.loads(value)
    except (ValueError, RecursionError):
        return None
    if words is None:
        return []
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text.startswith('"') and text.endswith('"') else text


def apply(settings: Settings, instructions: Sequence[str]) -> None:
    """Change a `config` object as `podpy commit --change` says. Raises UsageError that quotes the instruction.

    Unlike `parse`, an instruction meets what is there: a variable or label replaces the one of its name, CMD and
    ENTRYPOINT what the image had; ENV, LABEL and EXPOSE take several, HEALTHCHECK is known: a Dockerfile's grammar.
    """
    for change in instructions:
        keyword, value = _split(change)
        instruction = _MORE.get(keyword) or _INSTRUCTIONS.get(keyword)
        try:
            if instruction is None:
                raise ValueError(f"invalid instruction {keyword}")
            for key in ("OnBuild", "ExposedPorts", "Labels", "Volumes", "Env"):
                if key in settings:
                    settings[key] = settings[key].copy() if settings[key] else type(settings[key] or [])()
            instruction(settings, value)
        except ValueError as error:
            raise _invalid(change, str(error)) from None


def _pairs(keyword: str, value: str) -> list[tuple[str, str]]:
    """Return the pairs of `A=1 B="two words"`, or of the old form `A all the rest`."""
    import shlex

    first = value.split(None, 1)
    if first and "=" not in first[0]:
        if len(first) < 2:
            raise ValueError(f"{keyword} must have two arguments")
        return [(first[0], first[1].strip())]
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"{keyword}: {error}") from None
    if not words or any("=" not in word or word.startswith("=") for word in words):
        raise ValueError(f"{keyword} must be formatted key=value")
    return [(key, text) for key, _, text in (word.partition("=") for word in words)]


def _more_env(settings: Settings, value: str) -> None:
    variables = dict(item.partition("=")[::2] for item in settings.get("Env") or ())
    variables.update(_pairs("ENV", value))
    settings["Env"] = [f"{name}={text}" for name, text in variables.items()]


def _more_label(settings: Settings, value: str) -> None:
    settings["Labels"] = {**(settings.get("Labels") or {}), **dict(_pairs("LABEL", value))}


def _more_expose(settings: Settings, value: str) -> None:
    for port in value.split() or [""]:
        _expose(settings, port)


def _same_stopsignal(settings: Settings, value: str) -> None:
    _stopsignal(settings, value)
    settings["StopSignal"] = value  # as it is said, where import writes its number


def _new_cmd(settings: Settings, value: str) -> None:
    settings.pop("Entrypoint", None)  # as Podman: the new command is what runs
    _cmd(settings, value)


def _healthcheck(settings: Settings, value: str) -> None:
    """HEALTHCHECK NONE, or [--interval=… --timeout=… --start-period=… --start-interval=… --retries=N] CMD …."""
    from podpy.go.values import duration

    check: dict[str, Any] = {}
    rest = value
    while rest.startswith("--"):
        option, _, rest = rest.partition(" ")
        rest = rest.strip()
        name, equals, text = option[2:].partition("=")
        if name == "retries" and text.isascii() and text.isdigit():
            check["Retries"] = int(text[:9])
        elif name in _HEALTH_TIMES and equals:
            check[_HEALTH_TIMES[name]] = round(duration(text) * 1_000_000_000)
        else:
            raise ValueError(f"HEALTHCHECK doesn't know {option}")
    keyword, _, command = rest.partition(" ")
    if keyword.upper() == "NONE" and not command:
        settings["Healthcheck"] = {"Test": ["NONE"]}
        return
    if keyword.upper() != "CMD" or not command.strip():
        raise ValueError("HEALTHCHECK must be NONE, or CMD with a command")
    words = _words(command.strip())
    test = ["CMD", *words] if words is not None else ["CMD-SHELL", command.strip()]
    settings["Healthcheck"] = {"Test": test, **check}


_HEALTH_TIMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}
_MORE: dict[str, Callable[[Settings, str], None]] = {
    "CMD": _new_cmd,
    "ENV": _more_env,
    "EXPOSE": _more_expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _more_label,
    "STOPSIGNAL": _same_stopsignal,
}
