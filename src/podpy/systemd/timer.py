"""A timer that updates containers every day: podpy-auto-update.timer and .service (systemd.timer(5)).

They lie where boot.py's unit lies. The link in timers.target.wants/ lets the timer run from the manager's start on.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.systemd import boot, systemctl
from podpy.systemd.words import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podpy.config.paths import Paths

TIMER = "podpy-auto-update.timer"
SERVICE = "podpy-auto-update.service"
ENABLE = "podpy system auto-update enable"
_SERVICE_TEXT = """\
# Written by: podpy system auto-update enable

[Unit]
Description=podpy: update containers
{after}
[Service]
Type=oneshot
ExecStart={update}
ExecStartPost={prune}
"""
_TIMER_TEXT = """\
# Written by: podpy system auto-update enable

[Unit]
Description=podpy: update containers every day

[Timer]
OnCalendar=daily
RandomizedDelaySec=900
Persistent=true

[Install]
WantedBy=timers.target
"""


def enable(paths: Paths, environ: Mapping[str, str], update: Sequence[str], prune: Sequence[str]) -> str:
    """Write both units and the timer's link, and start the timer if a manager runs; return the timer's path.

    `update`, `prune`: the commands that the service runs, one after the other. Raises OSError, and PodpyError for what
    the manager says.
    """
    timer, service, link = _places(paths, environ)
    os.makedirs(os.path.dirname(link), exist_ok=True)
    after = "" if paths.rootless else boot.AFTER_NETWORK
    commands = [" ".join(map(quoted, command)) for command in (update, prune)]
    files.replace(service, _SERVICE_TEXT.format(after=after, update=commands[0], prune=commands[1]), 0o644)
    files.replace(timer, _TIMER_TEXT, 0o644)
    try:
        os.symlink(timer, link)
    except FileExistsError:
        pass
    if boot.is_there():
        systemctl.reload(user=paths.rootless)
        systemctl.start(TIMER, user=paths.rootless)
    return timer


def disable(paths: Paths, environ: Mapping[str, str]) -> None:
    """Stop the timer and remove what `enable` has written. Raises OSError, and PodpyError for what the manager says."""
    if boot.is_there() and is_enabled(paths, environ):
        systemctl.stop(TIMER, user=paths.rootless)
    for path in reversed(_places(paths, environ)):
        files.unlink(path)
    if boot.is_there():
        systemctl.reload(user=paths.rootless)


def timer_path(paths: Paths, environ: Mapping[str, str]) -> str:
    """Return where the timer lies, if it is there."""
    return _places(paths, environ)[0]


def is_enabled(paths: Paths, environ: Mapping[str, str]) -> bool:
    """Return whether the timer is there and enabled."""
    return os.path.exists(_places(paths, environ)[2])


def next_time(paths: Paths) -> str:
    """Return when the timer runs next, as systemd writes it; empty: it doesn't."""
    return systemctl.shown(TIMER, "NextElapseUSecRealtime", user=paths.rootless)


def missing(paths: Paths, environ: Mapping[str, str]) -> list[str]:
    """Return the commands without which nothing is updated every day; none if all is there."""
    commands = [] if is_enabled(paths, environ) else [ENABLE]
    return commands + boot.missing_linger(paths)


def _places(paths: Paths, environ: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the paths of the timer, of the service, and of the timer's link."""
    directory = boot.unit_directory(paths, environ)
    return f"{directory}/{TIMER}", f"{directory}/{SERVICE}", f"{directory}/timers.target.wants/{TIMER}"
