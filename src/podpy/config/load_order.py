"""Which files of one configuration are read, and in which order: containers-config(5), the rule of Podman 6.

    main file     NAME.conf of the user, else of /etc/containers, else of /usr/share/containers: only one is read
    drop-ins      *.conf of these directories, sorted by file name, wherever each is; of two files with one name the
                  one from the directory further down here is read:

        /usr/share/containers/  NAME.conf.d, NAME.rootful.conf.d or NAME.rootless.conf.d, NAME.rootless.conf.d/UID
        /etc/containers/        the same
        the user's              NAME.conf.d

So an empty file in the user's directory switches off the drop-in of the distribution with the same name.
"""

from __future__ import annotations

import os

from podpy.config.paths import may_be_there
from podpy.errors import ConfigError

SYSTEM_DIRECTORIES = ("/etc/containers", "/usr/share/containers")
"""The highest precedence first."""


def in_order(name: str, uid: int | None, own: str) -> list[str]:
    """Return the files of the configuration `name` ("containers", "registries"); a later file overrides an earlier one.

    `uid`: the user's, None: the files that don't depend on the user. `own`: the user's directory, or empty.
    Raises ConfigError for a directory that can't be read.
    """
    directories = [own, *SYSTEM_DIRECTORIES] if own else SYSTEM_DIRECTORIES
    mains = (f"{directory}/{name}.conf" for directory in directories)
    main = next((path for path in mains if may_be_there(path)), "")
    found: dict[str, str] = {}
    for directory in reversed(SYSTEM_DIRECTORIES):
        for suffix in _suffixes(uid):
            _add(found, f"{directory}/{name}.{suffix}")
    if own:
        _add(found, f"{own}/{name}.conf.d")
    return [*([main] if main else []), *(found[file] for file in sorted(found))]


def _suffixes(uid: int | None) -> list[str]:
    if uid is None:
        return ["conf.d"]
    return ["conf.d", "rootful.conf.d"] if uid == 0 else ["conf.d", "rootless.conf.d", f"rootless.conf.d/{uid}"]


def _add(found: dict[str, str], directory: str) -> None:
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ConfigError(f"{directory}: {error.strerror}", hint="Every user must be able to read it") from None
    found.update((name, f"{directory}/{name}") for name in names if name.endswith(".conf"))
