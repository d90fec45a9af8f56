"""Containers of `--transient-store`: they go with the boot in which they were created (podman(1)).

    graphroot/transient     the boot id of the last boot in which one was created

Podman keeps such a store's database in the run directory; podpy's rows are on the disk, and the first call of the next
boot that opens the database removes them, one that only reads, too: containers with their anonymous volumes, pods whose
infra container is one.
"""

from __future__ import annotations

from podpy import fastjson, files
from podpy.errors import NoSuchContainerError, PodpyError
from podpy.libpod.containers.held import find
from podpy.notice import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


def note_boot(engine: Engine) -> str:
    """Note that there are transient containers in this boot, and return its id."""
    boot, path = engine.paths.boot_id, engine.paths.transient
    if files.read_small(path) != boot:
        files.replace(path, boot)
    return boot


def remove_earlier(engine: Engine) -> None:
    """Remove those of earlier boots. Where that can't be, it is told, and the next call tries again."""
    if files.read_small(engine.paths.transient) in ("", engine.paths.boot_id):
        return
    try:
        engine.privileged(lambda: _remove_all(engine))
    except (PodpyError, OSError) as error:
        note(f"containers of an earlier boot (--transient-store) are still there: {error}")


def _remove_all(engine: Engine) -> None:
    boot = engine.paths.boot_id
    for row in engine.table.all():
        if fastjson.loads(row.spec).get("transient_boot", "") not in ("", boot):
            _remove(engine, row.id)
    files.replace(engine.paths.transient, boot)


def _remove(engine: Engine, container_id: str) -> None:
    from podpy.libpod.pods.users import remove_user

    try:
        remove_user(find(engine, container_id), volumes=True, depend=True)
    except NoSuchContainerError:
        pass  # it went with its pod
