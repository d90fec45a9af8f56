"""What the installed network helpers can do, as far as it matters to podpy."""

from __future__ import annotations

import os

from podpy import files, process


def is_old(program: str, cache: str) -> bool:
    """Return whether this pasta is of before August 2024, when its handling of connections was rewritten.

    Debian 12's (March 2023) hands a connection from another host to the container, but nothing that the container says
    first (SSH, SMTP, MySQL) reaches the client; and clients on the loopback device get no answer from a UDP port whose
    number inside is another one. Versions can't be asked for (Debian's says "unknown version"), so an option of that
    month tells the two apart. `cache` is a directory where the answer is kept, with the program's time and size.
    """
    status = os.stat(program)
    key = f"{program} {status.st_mtime_ns} {status.st_size} "
    path = os.path.join(cache, "pasta")
    kept = files.read_small(path)
    if kept.startswith(key):
        return kept.endswith("old")
    answer = "--map-guest-addr" not in _help(program)
    try:
        files.replace(path, key + ("old" if answer else "new"))
    except OSError:  # a full or read-only run directory: the next call asks again
        pass
    return answer


def hint_for(said: str) -> str:
    """Return what helps against what a helper of podpy's own said when it couldn't start."""
    if "Too many open files" in said:  # inotify(7): EMFILE
        return (
            "Each container with published ports watches files: as root raise fs.inotify.max_user_instances "
            "(sysctl -w fs.inotify.max_user_instances=1024)"
        )
    return "podpy system doctor"


def _help(program: str) -> str:
    finished = process.run([program, "--help"], environment=process.tool_environment())
    return (finished.stdout + finished.stderr).decode(errors="replace")
