"""Which files of one configuration are read, and in which order: containers-config(5), the rule of Podman 6.

    main file     NAME.conf of the user, else of /etc/containers, else of /usr/share/containers: only one is read
    drop-ins      *.conf of these directories, sorted by file name, wherever each is; of two files with one name the
                  one from the directory further down here is read:

        /usr/share/containers/  NAME.conf.d, NAME.rootful.conf.d or NAME.rootless.conf.d, NAME.rootless.conf.d/UID
        /etc/containers/        the same
        the user's              NAME.conf.d

So an empty file in the user's directory switches off the drop-in of the distribution with the same name.

registries.d and certs.d have no main file; their directories are the same ones, without `.conf`: registries.d,
registries.rootful.d …
"""

from __future__ import annotations

import os

from podpy.config.paths import may_be_there
from podpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEM_DIRECTORIES = ("/etc/containers", "/usr/share/containers")
"""The highest precedence first."""


def in_order(name: str, uid: int | None, own: str) -> list[str]:
    """Return the files of the configuration `name` ("containers", "registries"); a later file overrides an earlier one.

    `uid`: the user's, None: the files that don't depend on the user. `own`: the user's directory, or empty.
    Raises ConfigError for a directory that can't be read.
    """
    parents = [own, *SYSTEM_DIRECTORIES] if own else SYSTEM_DIRECTORIES
    mains = (f"{directory}/{name}.conf" for directory in parents)
    main = next((path for path in mains if may_be_there(path)), "")
    return [*([main] if main else []), *drop_ins(directories(name, uid, own, ".conf"), ".conf")]


def directories(name: str, uid: int | None, own: str, end: str = "") -> list[str]:
    """Return the directories of drop-ins; a later one has precedence. `end`: what stands before `.d`. Others: see
    `in_order`.
    """
    suffixes = [f"{end}.d"]
    if uid is not None:
        suffixes += [f".rootful{end}.d"] if uid == 0 else [f".rootless{end}.d", f".rootless{end}.d/{uid}"]
    found = [f"{parent}/{name}{suffix}" for parent in reversed(SYSTEM_DIRECTORIES) for suffix in suffixes]
    return [*found, f"{own}/{name}{end}.d"] if own else found


def drop_ins(places: Iterable[str], extension: str) -> list[str]:
    """Return the drop-ins in these directories, a later one of which has precedence, in the order in which they count.

    Raises ConfigError for a directory that can't be read.
    """
    found: dict[str, str] = {}
    for directory in places:
        try:
            names = os.listdir(directory)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ConfigError(f"{directory}: {error.strerror}", hint="Every user must be able to read it") from None
        found.update((name, f"{directory}/{name}") for name in names if name.endswith(extension))
    return [found[name] for name in sorted(found)]
