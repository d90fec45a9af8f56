"""Whether there is a newer image for a container: in its registry, or under its name here."""

from __future__ import annotations

from podpy.errors import NoSuchImageError
from podpy.libpod.updates.tasks import LOCAL
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.registry.access import PullOptions
    from podpy.libpod.engine import Engine
    from podpy.libpod.updates.tasks import Task


class Newer(Record):
    """A newer image: its id, and its manifest's digest."""

    id: str
    digest: str


def look(engine: Engine, task: Task, access: PullOptions) -> Newer | None:
    """Return the newer image; None: there is none.

    For the policy `registry` no layer is fetched. Raises what a pull raises, and NoSuchImageError (no image has the
    name here any more).
    """
    return _local(engine, task) if task.policy == LOCAL else _in_registry(engine, task, access)


def _local(engine: Engine, task: Task) -> Newer | None:
    from podpy.image.names.lookup import find_image

    try:
        found = find_image(engine.store, engine.paths, task.image_name)
    except NoSuchImageError as error:
        raise NoSuchImageError(error.message, hint=f"podpy tag {task.image.id[:12]} {task.image_name}") from None
    return None if found.id == task.image.id else Newer(id=found.id, digest=found.podman_digest)


def _in_registry(engine: Engine, task: Task, access: PullOptions) -> Newer | None:
    from podpy.image.incoming.pull import offer

    found = offer(engine.store, engine.paths, task.image_name, access, known=task.image.digests)
    # The same image may have another manifest: with other compressed layers, or in an index that was written anew.
    return None if found is None or found.id == task.image.id else Newer(id=found.id, digest=found.digest)
