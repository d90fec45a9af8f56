"""Containers that start again after a reboot: a unit of the user's systemd calls podpy (systemd.unit(5)).

    CONFIG/systemd/user/podpy-restart.service       for root: /etc/systemd/system/podpy-restart.service
    CONFIG/systemd/user/default.target.wants/…      the link that enables it

A user's manager runs from boot on only if lingering is on (loginctl(1)), which is root's to allow, or the seat's.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.rootless.cgroups import RESTART_UNIT
from podpy.rootless.subids import user_name
from podpy.systemd.words import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podpy.config.paths import Paths

ENABLE = "podpy system boot enable"
_RUNNING = "/run/systemd/system"  # sd_booted(3)
_PATIENCE = 20.0  # seconds
_LINGERING = "/var/lib/systemd/linger"
_TEXT = """\
# Written by: podpy system boot enable

[Unit]
Description=podpy: start the containers whose restart policy says so
{after}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={start}
ExecStop={stop}

[Install]
WantedBy=default.target
"""
AFTER_NETWORK = "Wants=network-online.target\nAfter=network-online.target\n"  # which a user's manager doesn't have


def is_there() -> bool:
    """Return whether systemd is the machine's init."""
    return os.path.isdir(_RUNNING)


def enable(paths: Paths, environ: Mapping[str, str], start: Sequence[str], stop: Sequence[str]) -> str:
    """Write the unit that calls `start` at boot and `stop` at a shutdown, and its link; return the unit's path.

    Raises OSError.
    """
    unit, link = _places(paths, environ)
    os.makedirs(os.path.dirname(link), exist_ok=True)
    commands = {"start": " ".join(map(quoted, start)), "stop": " ".join(map(quoted, stop))}
    files.replace(unit, _TEXT.format(after="" if paths.rootless else AFTER_NETWORK, **commands), 0o644)
    try:
        os.symlink(unit, link)
    except FileExistsError:
        pass
    return unit


def disable(paths: Paths, environ: Mapping[str, str]) -> None:
    """Remove the unit and its link. Raises OSError."""
    for path in reversed(_places(paths, environ)):
        files.unlink(path)


def linger(paths: Paths) -> bool:
    """Let the user's manager run from boot on, if that is not so yet; return whether this call has done it.

    logind lets users do that for themselves where its policy says so (org.freedesktop.login1.policy, set-self-linger).
    """
    if not paths.rootless or not is_there() or is_lingering(paths):
        return False
    from podpy import process
    from podpy.errors import NotFoundError, RuntimeFailedError

    try:
        done = process.run([process.find("loginctl"), "--no-ask-password", "enable-linger"], timeout=_PATIENCE)
    except (NotFoundError, OSError, RuntimeFailedError):
        return False
    return not done.code


def unit_path(paths: Paths, environ: Mapping[str, str]) -> str:
    """Return where the unit lies, if it is there."""
    return _places(paths, environ)[0]


def is_enabled(paths: Paths, environ: Mapping[str, str]) -> bool:
    """Return whether the unit is there and enabled."""
    return os.path.exists(_places(paths, environ)[1])


def is_lingering(paths: Paths, *, lingering: str = _LINGERING) -> bool:
    """Return whether the user's manager runs from boot on."""
    return os.path.exists(f"{lingering}/{user_name(paths.uid)}")


def missing(paths: Paths, environ: Mapping[str, str], *, lingering: str = _LINGERING) -> list[str]:
    """Return the commands without which no container starts at boot; none if all is there."""
    commands = [] if os.path.lexists(_places(paths, environ)[1]) else [ENABLE]
    return commands + missing_linger(paths, lingering=lingering)


def missing_linger(paths: Paths, *, lingering: str = _LINGERING) -> list[str]:
    """Return the command without which the user's manager doesn't run from boot on; none if it does."""
    if not paths.rootless or is_lingering(paths, lingering=lingering):
        return []
    return [f"sudo loginctl enable-linger {user_name(paths.uid)}"]


def unit_directory(paths: Paths, environ: Mapping[str, str]) -> str:
    """Return where the user's own units lie, or (for root) the administrator's."""
    if not paths.rootless:
        return "/etc/systemd/system"
    return (environ.get("XDG_CONFIG_HOME") or f"{paths.home}/.config") + "/systemd/user"


def _places(paths: Paths, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the unit's path, and its link's."""
    directory = unit_directory(paths, environ)
    return f"{directory}/{RESTART_UNIT}", f"{directory}/default.target.wants/{RESTART_UNIT}"
