"""Containers that start again after a reboot: a unit of the user's systemd calls podpy (systemd.unit(5)).

    CONFIG/systemd/user/podpy-restart.service       for root: /etc/systemd/system/podpy-restart.service
    CONFIG/systemd/user/default.target.wants/…      the link that enables it

A user's manager runs from boot on only if lingering is on (loginctl(1)), which is root's to allow, or the seat's.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.rootless.subids import user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podpy.config.paths import Paths

UNIT = "podpy-restart.service"
ENABLE = "podpy system boot enable"
_RUNNING = "/run/systemd/system"  # sd_booted(3)
_LINGERING = "/var/lib/systemd/linger"
_TEXT = """\
# Written by: podpy system boot enable

[Unit]
Description=podpy: start the containers whose restart policy says so
{after}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={command}

[Install]
WantedBy=default.target
"""
_AFTER_NETWORK = "Wants=network-online.target\nAfter=network-online.target\n"  # which a user's manager doesn't have


def is_there() -> bool:
    """Return whether systemd is the machine's init."""
    return os.path.isdir(_RUNNING)


def enable(paths: Paths, environ: Mapping[str, str], program: Sequence[str]) -> str:
    """Write the unit that calls `program` at boot, and its link; return the unit's path. Raises OSError."""
    unit, link = _places(paths, environ)
    os.makedirs(os.path.dirname(link), exist_ok=True)
    command = " ".join(_quoted(word) for word in program)
    files.replace(unit, _TEXT.format(after="" if paths.rootless else _AFTER_NETWORK, command=command), 0o644)
    try:
        os.symlink(unit, link)
    except FileExistsError:
        pass
    return unit


def disable(paths: Paths, environ: Mapping[str, str]) -> None:
    """Remove the unit and its link. Raises OSError."""
    for path in reversed(_places(paths, environ)):
        files.unlink(path)


def missing(paths: Paths, environ: Mapping[str, str], *, lingering: str = _LINGERING) -> list[str]:
    """Return the commands without which no container starts at boot; none if all is there."""
    commands = [] if os.path.lexists(_places(paths, environ)[1]) else [ENABLE]
    who = user_name(paths.uid)
    if paths.rootless and not os.path.exists(f"{lingering}/{who}"):
        commands.append(f"sudo loginctl enable-linger {who}")
    return commands


def _places(paths: Paths, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the unit's path, and its link's."""
    if paths.rootless:
        directory = (environ.get("XDG_CONFIG_HOME") or f"{paths.home}/.config") + "/systemd/user"
    else:
        directory = "/etc/systemd/system"
    return f"{directory}/{UNIT}", f"{directory}/default.target.wants/{UNIT}"


def _quoted(word: str) -> str:
    """Return a word of a command line as systemd.service(5) reads it: % and $ are its own."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if escaped and not set(escaped) & set(" \t'\";\\") else f'"{escaped}"'
