"""Which way of mounting works here: tried once, recorded in the database (`meta`: driver, driver_options)."""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import NotFoundError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.shelves import Shelves

OVERLAY = "overlay"
FUSE = "fuse-overlayfs"
VFS = "vfs"
FORCE_VARIABLE = "PODPY_STORAGE_DRIVER"


def found(store: Shelves) -> tuple[str, list[str]]:
    """Return the driver and its mount options: as forced, as recorded, or as `choose` finds out, once."""
    if store.driver_found is None:
        forced = os.environ.get(FORCE_VARIABLE)
        name = "" if forced else store.database.get_meta("driver")
        options = [option for option in store.database.get_meta("driver_options").split(",") if option]
        if not name:
            name, options = choose(store)
            if not forced:
                with store.database.transaction():
                    store.database.set_meta("driver", name)
                    store.database.set_meta("driver_options", ",".join(options))
        store.driver_found = (name, options)
    return store.driver_found


def choose(store: Shelves) -> tuple[str, list[str]]:
    """Return the driver and its mount options, found out by trying. This process must be in the user's namespaces."""
    options = ["userxattr"] if store.paths.rootless else []
    wanted = os.environ.get(FORCE_VARIABLE, "")
    if wanted and wanted not in (OVERLAY, FUSE, VFS):
        raise StorageError(
            f"{FORCE_VARIABLE}={wanted}: no such storage driver", hint=f"Known: {OVERLAY}, {FUSE}, {VFS}"
        )
    if wanted in ("", OVERLAY) and (wanted or _works(store, OVERLAY, options)):
        return OVERLAY, options
    if wanted in ("", FUSE) and (wanted or _works(store, FUSE, [])):
        return FUSE, []
    return VFS, []


def find_fuse_overlayfs() -> str:
    """Return the path of fuse-overlayfs, or an empty text."""
    try:
        return process.find("fuse-overlayfs")
    except NotFoundError:
        return ""


def run_fuse_overlayfs(data: str, target: str) -> None:
    """Mount with fuse-overlayfs; paths in `data` may be relative to the working directory. Raises StorageError,
    OSError.
    """
    program = find_fuse_overlayfs()
    if not program:
        raise StorageError("fuse-overlayfs isn't installed", hint="Debian: apt install fuse-overlayfs")
    reading, theirs = process.pipe()
    try:
        # Deaf: systemd, which ends a unit, signals every process in it, and the container may need its files to end.
        pid = process.spawn([program, "-o", data, target], stdin=-1, stdout=-1, stderr=theirs, deaf=True)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(theirs)
    said = process.read_all(reading)  # until the server has gone to the background
    status = process.wait(pid)
    if status:
        raise StorageError(f"fuse-overlayfs at {target} failed ({status}): {said}")


def _works(store: Shelves, driver: str, options: list[str]) -> bool:
    # In a child with its own mount namespace: nothing stays mounted, whatever happens.
    base = store.staging.new_path("probe")
    child = process.fork()
    if child == 0:
        try:
            works = _try(base, driver, options)
        except BaseException:
            works = False
        os._exit(0 if works else 1)
    status = process.wait(child)
    store.staging.discard(base)
    return status == 0


def _try(base: str, driver: str, options: list[str]) -> bool:
    from podpy import linux
    from podpy.rootless.mounts import private_mounts

    private_mounts()
    prefix = "user" if "userxattr" in options or driver == FUSE else "trusted"
    for name in ("lower/hidden", "lower2", "upper", "work", "merged"):
        os.makedirs(os.path.join(base, name))
    os.mkdir(os.path.join(base, "lower2/hidden"))
    with open(os.path.join(base, "lower/hidden/file"), "w"):
        pass
    # What an unpacked layer needs: a directory that hides what lies below it, and a file that can be changed.
    os.setxattr(os.path.join(base, "lower2/hidden"), f"{prefix}.overlay.opaque", b"y")
    os.chdir(base)
    data = ",".join(("lowerdir=lower2:lower", "upperdir=upper", "workdir=work", *options))
    target = os.path.join(base, "merged")
    if driver == FUSE:
        run_fuse_overlayfs(data, target)
    else:
        linux.mount("overlay", target, "overlay", 0, data)
    with open("merged/new", "w"):
        pass
    return os.listdir("merged/hidden") == [] and os.path.exists("upper/new")
