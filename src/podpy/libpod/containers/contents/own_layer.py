"""A container's own layer as an archive: its changes to the image, with whiteouts."""

from __future__ import annotations

import os
import stat

from podpy import beneath
from podpy.storage.layers.pack import PackOptions, tar_pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podpy.libpod.containers.held import Held

    Maps = list[tuple[int, int, int]]

# Mount points that podpy and the OCI runtime create in a container.
PLACEHOLDERS = ("etc/hostname", "etc/hosts", "etc/resolv.conf", "run/.containerenv", "run/secrets")
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def changes(container: Held, maps: tuple[Maps, Maps]) -> Iterator[bytes]:
    """Yield a layer's tar with the container's changes. Raises StorageError with the path that failed."""
    engine = container.engine
    own = engine.directory(container.id)
    store = engine.store
    if os.path.isdir(os.path.join(own, "vfs")):
        tree = _differing(container, os.path.join(own, "vfs"))
    else:
        tree = os.path.join(own, "upper")
    if not os.path.isdir(tree):  # it was never started
        tree = store.staging.new_path("empty")
        os.mkdir(tree, 0o755)
    source = os.open(tree, _OPEN)
    try:
        options = PackOptions(
            layer=True,
            top=_root_differs(container, source),
            whiteout_names=store.driver == "fuse-overlayfs",
            excluded=placeholders(tree),
            uid_maps=maps[0],
            gid_maps=maps[1],
        )
        yield from tar_pieces(source, options)
    finally:
        os.close(source)


def placeholders(tree: str) -> list[str]:
    """Return those of PLACEHOLDERS that are only mount points: an empty file, an empty directory."""
    return [path for path in PLACEHOLDERS if _is_empty(tree, path)]


def _is_empty(tree: str, path: str) -> bool:
    try:
        found = beneath.open_beneath(tree, path, os.O_PATH | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        status = os.fstat(found)
        if stat.S_ISDIR(status.st_mode):
            return not os.listdir(beneath.magic_path(found))
        return stat.S_ISREG(status.st_mode) and status.st_size == 0
    finally:
        os.close(found)


def _root_differs(container: Held, source: int) -> bool:
    """Return whether the container's root directory has another owner or mode than its image's."""
    image = container.image
    if image is None or not image.layers:
        return False
    ours = os.fstat(source)
    theirs = os.stat(container.engine.store.layer_path(image.layers[-1]))
    wanted = theirs.st_mode & 0o7777
    wanted = wanted if wanted & 0o001 else wanted | 0o555  # podpy.storage.mounts.root: every root may be entered
    return (ours.st_uid, ours.st_gid, ours.st_mode & 0o7777) != (*_inside(container, theirs), wanted)


def _inside(container: Held, status: os.stat_result) -> tuple[int, int]:
    from podpy.spec.userns import outside

    spec = container.spec
    return outside(status.st_uid, spec.uid_maps), outside(status.st_gid, spec.gid_maps)


def _differing(container: Held, whole: str) -> str:
    """Return a directory in overlay's form (of hard links) with the differences of a whole copy of the image (vfs)."""
    from podpy.storage.layers.differences import DELETED, between

    store, image = container.engine.store, container.image
    numbers = store.layer_numbers(image.layers) if image else []
    below = [os.path.join(store.graphroot, "layers", str(number)) for number in numbers]
    tree = store.staging.new_path("changes")
    os.mkdir(tree, 0o755)
    for change in between(below, [whole], owners=not container.spec.uid_maps):
        _copy_parents(whole, tree, change.path)
        target = tree + change.path
        if change.kind == DELETED:
            os.mknod(target, stat.S_IFCHR | 0o600, 0)
        elif not os.path.isdir(whole + change.path) or os.path.islink(whole + change.path):
            os.link(whole + change.path, target, follow_symlinks=False)
        else:
            _copy_directory(whole + change.path, target)
    return tree


def _copy_parents(whole: str, tree: str, path: str) -> None:
    parts = path.strip("/").split("/")[:-1]
    for number in range(len(parts)):
        parent = "/" + "/".join(parts[: number + 1])
        _copy_directory(whole + parent, tree + parent)


def _copy_directory(source: str, target: str) -> None:
    if os.path.isdir(target):
        return
    os.mkdir(target, 0o700)
    status = os.lstat(source)
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, status.st_mode & 0o7777)
    for name in os.listxattr(source):
        if name.startswith("user."):
            os.setxattr(target, name, os.getxattr(source, name))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def whole(root: int, maps: tuple[Maps, Maps], excluded: Sequence[str]) -> Iterator[bytes]:
    """Yield a layer's tar of everything beneath a root file system."""
    yield from tar_pieces(root, PackOptions(top=True, excluded=excluded, uid_maps=maps[0], gid_maps=maps[1]))
