"""hostPath volumes: checks existing paths, and creates missing ones."""

from __future__ import annotations

import os
import stat

from podpy.kube.translate.volumes import HOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.errors import PodpyError
    from podpy.kube.play.made import Made
    from podpy.kube.translate.volumes import Volume

_KINDS: dict[str, tuple[str, Callable[[int], bool]]] = {
    "Directory": ("directory", stat.S_ISDIR),
    "DirectoryOrCreate": ("directory", stat.S_ISDIR),
    "File": ("file", stat.S_ISREG),
    "FileOrCreate": ("file", stat.S_ISREG),
    "Socket": ("socket", stat.S_ISSOCK),
    "CharDevice": ("character device", stat.S_ISCHR),
    "BlockDevice": ("block device", stat.S_ISBLK),
}
_CREATED = ("DirectoryOrCreate", "FileOrCreate")


def check(volumes: Iterable[Volume]) -> None:
    """Raise UsageError for a path that isn't of its volume's type; one that `make` creates may be missing."""
    for volume in volumes:
        if volume.kind != HOST:
            continue
        try:
            mode = os.stat(volume.source).st_mode
        except OSError as error:
            if isinstance(error, FileNotFoundError) and volume.host_type in _CREATED:
                continue
            raise _wrong(volume, f"stat {volume.source}: {(error.strerror or '').lower()}") from None
        if volume.host_type:
            kind, is_kind = _KINDS[volume.host_type]
            if not is_kind(mode):
                raise _wrong(volume, f"path {volume.source} is not a {kind}")


def make(volumes: Iterable[Volume], made: Made) -> None:
    """Create missing paths of volumes of type DirectoryOrCreate (0755) and FileOrCreate (0644). Raises UsageError."""
    for volume in volumes:
        if volume.kind == HOST and volume.host_type in _CREATED and not os.path.lexists(volume.source):
            try:
                _make(volume, made)
            except FileExistsError:
                continue  # it exists now
            except OSError as error:
                raise _wrong(volume, f"creating {volume.source}: {(error.strerror or '').lower()}") from None


def _make(volume: Volume, made: Made) -> None:
    if volume.host_type == "FileOrCreate":
        made.file(volume.source)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(volume.source, flags, 0o644))
        return
    path = os.path.normpath(volume.source)
    missing = [path]
    while not os.path.lexists(above := os.path.dirname(missing[-1])):
        missing.append(above)
    for each in reversed(missing):
        made.directory(each)
        os.mkdir(each, mode=0o755)


def _wrong(volume: Volume, message: str) -> PodpyError:
    return volume.where.wrong("path", f'failed to create volume "{volume.name}": {message}')
