"""Podman's message for a wrong value, where it isn't the parser's. Imported only when there is a wrong value."""

from __future__ import annotations

_REFUSALS = {
    "--cgroups": 'running container create option: invalid cgroup mode "{}": invalid argument',
    "--condition": "unknown container state: {}: invalid argument",
    "--health-on-failure": (
        'invalid on-failure action "{}" for health check: supported actions are none,kill,restart,stop'
    ),
    "--image-volume": 'invalid image volume mode "{}" required value: bind, tmpfs, ignore',
    "--log-level": 'Log Level "{}" is not supported, choose from: {choices}',
    "--pull": 'unsupported pull policy "{}"',
    "--sdnotify": (
        'invalid config provided: invalid argument: invalid sdnotify value "{}": must be container, conmon or ignore'
    ),
}


def refusal(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return Podman's message for this value of the option, or an empty text."""
    return _REFUSALS[name].format(value, choices=", ".join(choices)) if choices and name in _REFUSALS else ""
