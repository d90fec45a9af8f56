"""mounts.conf: directories of the host that every container gets (containers-mounts.conf(5)).

One a line, `/SOURCE[:/TARGET]`; other lines are no entries. The first file that exists counts: the user's own, that
of /etc/containers, that of /usr/share/containers; or that of --default-mounts-file.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths


def load(paths: Paths, given: str = "") -> list[tuple[str, str]]:
    """Return (source, target) of each entry. Raises ConfigError for a file that can't be read."""
    candidates = [given] if given else [f"{directory}/mounts.conf" for directory in paths.config_dirs]
    for path in candidates:
        try:
            lines = files.read(path).split("\n")
            return [_entry(line.strip()) for line in lines if line.strip().startswith("/")]
        except OSError as error:
            if given or not isinstance(error, FileNotFoundError | NotADirectoryError):
                raise ConfigError(f"can't read {path}: {error.strerror}", hint="man containers-mounts.conf") from error
    return []


def _entry(line: str) -> tuple[str, str]:
    source, _, target = line.partition(":")
    return os.path.normpath(source), os.path.normpath(target or source)
