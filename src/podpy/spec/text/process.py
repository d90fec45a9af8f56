"""`--entrypoint`, `--umask`, `--tz`, `--systemd`: texts about what runs in a container (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import EXIT_NOT_EXECUTABLE, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SYSTEMD = ("true", "false", "always")
_ZONES = "/usr/share/zoneinfo"


def parse_entrypoint(text: str) -> list[str]:
    """Return the entrypoint: a JSON list, else the text as one word."""
    if text.startswith("["):
        from podpy import fastjson

        try:
            words = fastjson.loads(text)
        except ValueError:
            return [text]
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
    return [text]


def host_users(users: Sequence[str]) -> list[str]:
    """Return the names of the host's users that are given by name or number. Raises UsageError."""
    import pwd

    names = []
    for user in users:
        try:
            names.append((pwd.getpwuid(int(user)) if user.isascii() and user.isdigit() else pwd.getpwnam(user)).pw_name)
        except (KeyError, OverflowError):
            raise UsageError(f"user: unknown user {user}", hint="--hostuser takes users of this machine") from None
    return names


def check_chroot_dirs(directories: Sequence[str]) -> list[str]:
    """Return the directories. Raises UsageError for one that isn't absolute, or is the root."""
    for path in directories:
        if not path.startswith("/") or not path.strip("/") or ".." in path.split("/"):
            raise UsageError(f"--chrootdirs {path}: it must be an absolute path of a directory other than /")
    return [path.rstrip("/") for path in directories]


def check_umask(text: str) -> str:
    """Return the umask: one to four octal digits. Raises UsageError."""
    if not 1 <= len(text) <= 4 or not frozenset("01234567").issuperset(text):
        raise UsageError(
            f"running container create option: invalid umask string {text}: invalid argument", hint="Such as 0022"
        )
    return text


def check_timezone(text: str) -> str:
    """Return the time zone: "" (the image's), "local", or a file of the host's time zones. Raises UsageError."""
    if not text or text == "local":
        return text
    if ".." in text or text.startswith("/") or not os.path.isfile(os.path.join(_ZONES, text)):
        raise UsageError(
            f"running container create option: finding timezone: unknown time zone {text}",
            hint=f"The names are the files of {_ZONES}",
        )
    return text


def check_workdir(path: str) -> str:
    """Return the working directory. Raises UsageError if it isn't absolute."""
    if path and not path.startswith("/"):
        error = UsageError(f"the working directory '{path}' is invalid, it needs to be an absolute path")
        error.exit_code = EXIT_NOT_EXECUTABLE  # as for a missing directory
        raise error
    return path


def check_systemd(text: str) -> str:
    """Return "true", "false" or "always". Raises UsageError."""
    if text.lower() not in _SYSTEMD:
        raise UsageError(
            'invalid config provided: --systemd values must be one of "true, false, always": invalid configuration'
        )
    return text.lower()
