"""Containers of `--transient-store`: they go with the boot in which they were created (podman(1)).

    graphroot/transient     the boot id of the last boot in which one was created

Podman keeps such a store's database in the run directory; podpy's rows are on the disk, and the first changing call of
the next boot removes them: containers with their anonymous volumes, pods whose infra container is one.
"""

from __future__ import annotations

from podpy import fastjson, files
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.held import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


def note_boot(engine: Engine) -> str:
    """Note that there are transient containers in this boot, and return its id."""
    boot, path = engine.paths.boot_id, engine.paths.transient
    if files.read_small(path) != boot:
        files.replace(path, boot)
    return boot


def remove_earlier(engine: Engine) -> list[str]:
    """Remove those of earlier boots; return a line for each. This process must be in the user's namespaces."""
    boot = engine.paths.boot_id
    if files.read_small(engine.paths.transient) in ("", boot):
        return []
    done = []
    for row in engine.table.all():
        created_in = fastjson.loads(row.spec).get("transient_boot", "")
        if created_in not in ("", boot):
            _remove(engine, row.id)
            done.append(f"container {row.id[:12]}: belonged to an earlier boot (--transient-store)")
    files.replace(engine.paths.transient, boot)
    return done


def _remove(engine: Engine, container_id: str) -> None:
    from podpy.libpod.pods.users import remove_user

    try:
        remove_user(find(engine, container_id), volumes=True, depend=True)
    except NoSuchContainerError:
        pass  # it went with its pod
