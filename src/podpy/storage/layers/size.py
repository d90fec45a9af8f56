"""What a tree takes on the disk."""

from __future__ import annotations

import os

from podpy.storage.layers.filesystem import open_directory

_BLOCK = 512  # the unit of st_blocks, whatever the file system's own blocks are (stat(2))


def tree_size(path: str) -> int:
    """Return the bytes that a file or a tree takes on the disk, hard links counted once: what `du -s` says.

    Files that go away meanwhile count as nothing.
    """
    total = 0
    linked: set[tuple[int, int]] = set()
    waiting = [path]
    try:
        total += os.lstat(path).st_blocks
    except FileNotFoundError:
        return 0
    while waiting:
        directory = waiting.pop()
        try:
            descriptor = open_directory(directory)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{directory}/{entry.name}")
                    elif status.st_nlink > 1:
                        if (status.st_dev, status.st_ino) in linked:
                            continue
                        linked.add((status.st_dev, status.st_ino))
                    total += status.st_blocks
        finally:
            os.close(descriptor)
    return total * _BLOCK
