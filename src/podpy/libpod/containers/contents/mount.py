"""`podpy mount`: a container's root file system at a path, for the user's programs in `podpy unshare`."""

from __future__ import annotations

import os

from podpy import beneath
from podpy.errors import RootlessError, StorageError
from podpy.libpod.containers.contents.view import View
from podpy.libpod.containers.held import find
from podpy.rootless.mounts import Elsewhere
from podpy.storage.mounts import container_mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine


def mount(container: Held) -> str:
    """Mount a container unless it is mounted, and return the path. Raises StateError, StorageError."""
    store = container.engine.store
    there = container_mounts.of_container(store, container.id)
    if there:
        return there
    with View(container, mounts=False) as view:
        if not view.is_running:
            return container_mounts.attach(store, container.id, view.root)
        # Only a process in the same mount namespace may copy a mount (open_tree(2)).
        with Elsewhere(container.row.conmon_pid):
            tree = beneath.clone(view.root)
        try:
            return container_mounts.attach(store, container.id, tree)
        finally:
            os.close(tree)


def mounted(engine: Engine) -> list[tuple[str, str, str]]:
    """Return the id, name and path of each container that is mounted, oldest first."""
    paths = container_mounts.mounted(engine.store)
    return [(row.id, row.name, paths[row.id]) for row in engine.table.summaries() if row.id in paths]


def unmount(engine: Engine, name: str, *, force: bool) -> str:
    """Unmount a container and return its id. Raises NoSuchContainerError, StorageError if it isn't mounted."""
    container = find(engine, name)
    if not container_mounts.unmount(engine.store, container.id, force=force):
        raise StorageError(f"unmounting container {container.id}: layer is not mounted")
    return container.id


def refuse_outside(engine: Engine) -> None:
    """Raise RootlessError outside the user's namespaces: nobody would see the mount."""
    if engine.paths.rootless and os.getuid():
        raise RootlessError('cannot run command "podpy mount" in rootless mode, must execute `podpy unshare` first')


def all_ids(engine: Engine) -> Sequence[str]:
    """Return the id of every container, oldest first."""
    return [row.id for row in engine.table.summaries()]
