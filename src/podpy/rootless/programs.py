"""Find programs, also those that an ordinary user's PATH doesn't show."""

from __future__ import annotations

import os

_MORE = (
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/libexec/podman",
    "/usr/lib/podman",
)


def which(name: str) -> str:
    """Return the path of an executable in PATH or in the usual directories; an empty text if there is none."""
    for directory in (*os.environ.get("PATH", "").split(":"), *_MORE):
        path = f"{directory}/{name}"
        if directory.startswith("/") and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ""
