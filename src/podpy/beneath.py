"""Files in a tree that a container or an image can change: a volume, a root filesystem, another container's view.

A path in such a tree is looked up once, by openat2(2); then only its descriptor is used. Other processes may swap a
directory for a symbolic link between two look-ups, so a check of a path says nothing about the path's next use; a
descriptor stays what it was. RESOLVE_NO_MAGICLINKS keeps /proc/self/fd and the like out.
"""

from __future__ import annotations

import os
import stat
import sys
from _frozen_importlib_external import PathFinder
from errno import EEXIST, ELOOP, ENOENT

from podpy import linux

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_IN_ROOT = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS
_BENEATH = linux.RESOLVE_BENEATH | linux.RESOLVE_NO_MAGICLINKS
_CLONE = linux.OPEN_TREE_CLONE | linux.OPEN_TREE_CLOEXEC | linux.AT_RECURSIVE | linux.AT_EMPTY_PATH
_MOST_LINKS = 40  # as the kernel's (path_resolution(7))


def open_in_root(root: str, path: str, flags: int, mode: int = 0, *, resolve: int = 0) -> int:
    """Return a descriptor (close-on-exec) of `path` as it resolves after a chroot to `root`.

    `resolve` are more of openat2's RESOLVE_ flags. Raises OSError with the path.
    """
    return _open(root, path.lstrip("/") or ".", flags, mode, _IN_ROOT | resolve)


def open_beneath(root: str, path: str, flags: int = os.O_PATH) -> int:
    """Return a descriptor (close-on-exec) of the relative `path` below `root`.

    Symbolic links are followed as long as they stay below `root`: an absolute one, or one that climbs out, raises
    OSError EXDEV. Raises OSError with the path.
    """
    return _open(root, path, flags, 0, _BENEATH)


def real_path(root: str, path: str, *, covered: Collection[str] = ()) -> str:
    """Return the absolute path inside `root` that `path` resolves to, whether it is there or not.

    `covered` are paths where something will be mounted: the links that `root` has below them aren't seen then.
    For comparing places and for names of what is to be made, never for opening what is there. Raises OSError.
    """
    waiting = path.split("/")[::-1]
    done: list[str] = []
    links = 0
    while waiting:
        name = waiting.pop()
        if name == "..":
            del done[-1:]
        elif name not in ("", "."):
            here = "/".join(["", *done, name])
            is_hidden = any(here.startswith(top.rstrip("/") + "/") for top in covered)
            target = "" if is_hidden else _link_target(root, here)
            if not target:
                done.append(name)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(ELOOP, os.strerror(ELOOP), path)
            if target.startswith("/"):
                done = []
            waiting += target.split("/")[::-1]
    return "/" + "/".join(done)


def place_in(root: str, path: str) -> str:
    """Return where `path` is when `root` is the root directory: below that, wherever its links lead.

    For a tree that nobody else changes meanwhile. Raises OSError.
    """
    return os.path.join(root, real_path(root, path).lstrip("/"))


def links(root: str, paths: Iterable[str]) -> list[str]:
    """Return those of `paths` below `root` that are a symbolic link, or lead over one; a missing path is neither.

    Raises OSError.
    """
    top = _open_top(root)
    try:
        return [path for path in paths if _is_link(top, path.lstrip("/"))]
    finally:
        os.close(top)


def give(descriptor: int, uid: int, gid: int) -> None:
    """Change the owner of what a descriptor, which may be an O_PATH one, stands for. Raises OSError."""
    os.chown(magic_path(descriptor), uid, gid)


def give_tree(descriptor: int, uid: int, gid: int) -> None:
    """Give a file, or a directory with all that is in it, to a user; symbolic links themselves, never their targets.

    A directory is given after what is in it, so the top shows whether the whole was done. Raises OSError.
    """
    top = _open_directory(descriptor, ".") if stat.S_ISDIR(os.fstat(descriptor).st_mode) else -1
    if top < 0:
        give(descriptor, uid, gid)
        return
    entered = [(top, iter(os.listdir(top)))]
    try:
        while entered:
            directory, names = entered[-1]
            name = next(names, None)
            if name is None:
                os.fchown(directory, uid, gid)
                os.close(directory)
                entered.pop()
            elif (inner := _open_directory(directory, name)) >= 0:
                entered.append((inner, iter(os.listdir(inner))))
            else:
                _give_entry(directory, name, uid, gid)
    finally:
        for directory, _ in entered:
            os.close(directory)


def attach(descriptor: int, target: str, *, read_only: bool = False) -> None:
    """Mount what a descriptor stands for, with the mounts below it, at `target`, which is made. `read_only`: all of
    them are.

    `target` must lie in a directory of podpy's own, in a mount namespace of its own. Raises OSError.
    """
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.makedirs(target, mode=0o700, exist_ok=True)
    else:
        os.close(os.open(target, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    tree = clone(descriptor)
    try:
        if read_only:
            every = linux.AT_EMPTY_PATH | linux.AT_RECURSIVE
            linux.mount_setattr(tree, "", every, to_set=linux.MOUNT_ATTR_RDONLY)
        linux.move_mount(tree, "", linux.AT_FDCWD, target, linux.MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(tree)


def make_inside(top: int, path: str, *, owner: tuple[int, int], directory: bool) -> int:
    """Return an O_PATH descriptor of the relative `path` below the directory `top`, where something can be mounted.

    Missing parts are made, for `owner`. No symbolic link is followed, and nobody can put one in the way; at the end of
    the path, a link is a place for a file like every other that is no directory. Raises FileExistsError, with the part
    of the path, for what stands there and isn't fit; OSError.
    """
    *parents, name = path.split("/")
    place = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=top)
    done: list[str] = []
    for part in [*parents, name]:
        done.append(part)
        above = place
        try:
            place = _made(above, part, owner, directory=directory or len(done) <= len(parents))
        except FileExistsError:
            raise FileExistsError(EEXIST, os.strerror(EEXIST), "/".join(done)) from None
        finally:
            os.close(above)
    return place


def _made(parent: int, name: str, owner: tuple[int, int], *, directory: bool) -> int:
    """Return an O_PATH descriptor of an entry, made if it is missing. Raises FileExistsError for another kind."""
    if name in ("", ".", ".."):
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), name)
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        found = os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        made = _make(parent, name, owner, directory=directory)
        found = os.open(name, flags, dir_fd=parent)
        if made and _is_new_directory(found):
            give(found, *owner)
    if stat.S_ISDIR(os.fstat(found).st_mode) == directory:
        return found
    os.close(found)
    raise FileExistsError(EEXIST, os.strerror(EEXIST), name)


def _make(parent: int, name: str, owner: tuple[int, int], *, directory: bool) -> bool:
    """Make an entry, a file with its owner; return whether a directory was made, which has none yet."""
    try:
        if directory:
            os.mkdir(name, 0o755, dir_fd=parent)
            return True
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, 0o600, dir_fd=parent)
        try:
            os.fchown(file, *owner)
        finally:
            os.close(file)
    except FileExistsError:
        pass  # somebody who shares the tree has just made it
    return False


def _is_new_directory(found: int) -> bool:
    """Return whether an O_PATH descriptor may be of the directory just made: ours, and empty.

    Whoever shares the tree may have put another one in its place before it was opened; mkdir(2) gives no descriptor.
    """
    status = os.fstat(found)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return False
    inner = _open_directory(found, ".")
    try:
        return not os.listdir(inner)
    finally:
        os.close(inner)


def clone(descriptor: int, *, recursive: bool = True) -> int:
    """Return the descriptor of a detached copy of the mount at a descriptor's file, and of those below it.

    Raises OSError.
    """
    return linux.open_tree(descriptor, "", _CLONE if recursive else _CLONE & ~linux.AT_RECURSIVE)


def clone_elsewhere(mount_namespace: str, path: str, *, resolve: int = 0) -> int:
    """Return the descriptor of a detached copy of the mounts at `path` in another mount namespace (its file in /proc).

    `path` begins at that namespace's root; `resolve` as for open_in_root. This process must have only one thread.
    Raises FileNotFoundError if the namespace has gone, OSError.
    """
    own = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        other = os.open(mount_namespace, os.O_RDONLY | os.O_CLOEXEC)
        finders = sys.meta_path
        try:
            # There, what is found by its path is the other container's: nothing is imported so.
            sys.meta_path = [finder for finder in finders if finder is not PathFinder]
            linux.setns(other, linux.CLONE_NEWNS)
            try:
                descriptor = open_in_root("/", path, os.O_PATH | os.O_DIRECTORY, resolve=resolve)
                try:
                    return clone(descriptor)
                finally:
                    os.close(descriptor)
            finally:
                # setns(2) moved the working directory to the root of the other namespace.
                linux.setns(own, linux.CLONE_NEWNS)
                os.fchdir(here)
        finally:
            sys.meta_path = finders
            os.close(other)
    finally:
        os.close(here)
        os.close(own)


def magic_path(descriptor: int) -> str:
    """Return a path of what a descriptor stands for: for calls that take none, or none opened with O_PATH (open(2))."""
    return f"/proc/self/fd/{descriptor}"


def _open_top(root: str) -> int:
    return os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _is_link(top: int, path: str) -> bool:
    try:
        flags = os.O_PATH | os.O_NOFOLLOW
        descriptor = linux.openat2(top, path, flags, 0, linux.RESOLVE_NO_SYMLINKS | _IN_ROOT)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if error.errno != ELOOP:
            raise
        return True
    try:
        # With O_PATH and O_NOFOLLOW a link at the end is opened itself (openat2(2), RESOLVE_NO_SYMLINKS).
        return stat.S_ISLNK(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)


def _open(root: str, path: str, flags: int, mode: int, resolve: int) -> int:
    top = _open_top(root)
    try:
        return linux.openat2(top, path, flags | os.O_CLOEXEC, mode, resolve)
    finally:
        os.close(top)


def _open_directory(directory: int, name: str) -> int:
    """Return a descriptor of an entry that is a directory, or -1; a symbolic link is none."""
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except (NotADirectoryError, FileNotFoundError):
        return -1


def _give_entry(directory: int, name: str, uid: int, gid: int) -> None:
    try:
        os.chown(name, uid, gid, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:  # somebody who shares the tree has just removed it
        pass


def _link_target(root: str, path: str) -> str:
    """Return where a symbolic link leads; "" for what is none, or isn't there."""
    try:
        descriptor = open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    try:
        is_a_link = stat.S_ISLNK(os.fstat(descriptor).st_mode)
        return os.readlink("", dir_fd=descriptor) if is_a_link else ""
    finally:
        os.close(descriptor)
