"""Which processes and mounts a test has left behind."""

from __future__ import annotations

import os
from pathlib import Path


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _links(pid: int) -> list[str]:
    base = f"/proc/{pid}"
    names = [f"{base}/cwd", f"{base}/root", f"{base}/exe"]
    links = []
    try:
        names += [f"{base}/fd/{name}" for name in os.listdir(f"{base}/fd")]
    except OSError:
        pass
    for name in names:
        try:
            links.append(os.readlink(name))
        except OSError:
            continue
    return links


def all_pids() -> list[int]:
    """Return the id of every process."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def mentioning(paths: list[Path], marker: str) -> list[int]:
    """Return processes that came out of a test, other than the caller and its ancestors.

    They have `marker` in their environment, or one of `paths` among their arguments, descriptors or mounts.
    """
    own = ancestors()
    texts = [os.fspath(path) for path in paths]
    found = []
    for pid in all_pids():
        if pid in own:
            continue
        if _mentions(pid, texts, marker):
            found.append(pid)
    return found


def _mentions(pid: int, texts: list[str], marker: str) -> bool:
    if marker.encode() in _read(f"/proc/{pid}/environ"):
        return True
    command, mounts, links = _read(f"/proc/{pid}/cmdline"), _read(f"/proc/{pid}/mountinfo"), _links(pid)
    for text in texts:
        # Of a bind mount mountinfo tells the path within its file system: without /tmp where that is one of its own.
        name = os.path.basename(text)
        if text.encode() in command or f"/{name}".encode() in mounts or any(link.startswith(text) for link in links):
            return True
    return False


def ancestors() -> set[int]:
    """Return the calling process and everything above it."""
    pids: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in pids:
        pids.add(pid)
        stat = _read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
        pid = int(stat[1]) if len(stat) > 1 else 0
    return pids


def describe(pid: int) -> str:
    """Return a process's id, user and command line for a failure's text."""
    command = _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return f"{pid} (ended meanwhile)"
    return f"{pid} (uid {owner}): {command or _read(f'/proc/{pid}/comm').decode(errors='replace').strip()}"


def mounts_under(paths: list[Path]) -> list[str]:
    """Return the mount points of this mount namespace that lie in one of `paths`."""
    with open("/proc/self/mountinfo") as file:
        points = [line.split()[4] for line in file]
    return [point for point in points if any(point.startswith(os.fspath(path) + "/") for path in paths)]
