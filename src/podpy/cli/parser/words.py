"""Podman's words for a value that an option doesn't take, where they aren't its parser's. Read only for a mistake."""

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
    """Return what Podman says about this value of the option, or an empty text."""
    return _REFUSALS[name].format(value, choices=", ".join(choices)) if choices and name in _REFUSALS else ""
