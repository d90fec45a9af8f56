"""Images: tag, remove, prune."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.compat.images.names import familiar, find, full, tagged
from podpy.api.errors import HttpError
from podpy.errors import InUseError, SeveralNamesError
from podpy.libpod.containers.table import ALIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.storage.images import ImageRecord


def tag(call: Call) -> Answer:
    """Give an image one more name."""
    repository = call.query["repo"]
    if not repository:
        return Answer(body=b"")  # dockerd does nothing then
    record, _ = find(call, call.name)
    call.runtime.images.tag(record.id, [tagged(full(repository, tag=call.query["tag"]))])
    return Answer(status=201, body=b"")


def remove(call: Call) -> Answer:
    """Remove a name, and the image with its last one.

    `force`: also by its id if it has several; of an image that a container uses only the name goes then.
    """
    record, name = find(call, call.name)
    force = call.query["force"]
    users = call.runtime.store.image_users(record.id)
    is_last = not name or len(record.names) <= 1
    if users and is_last and name and force:
        call.runtime.images.untag(record.id, [name])
        return Answer([{"Untagged": familiar(name)}])
    if users and is_last:
        _refuse_in_use(call, record, name, users)
    try:
        lines = call.runtime.images.remove(name or record.id, force=force)
    except SeveralNamesError:
        raise _conflict(
            f"delete {record.id[:12]} (must be forced) - image is referenced in multiple repositories"
        ) from None
    except InUseError as error:
        raise _conflict(f"delete {record.id[:12]} (cannot be forced) - {error.message}") from None
    return Answer([_removed(line) for line in lines])


def _conflict(what: str) -> HttpError:
    return HttpError(409, f"conflict: unable to {what}")


def _refuse_in_use(call: Call, record: ImageRecord, name: str, users: list[str]) -> None:
    """Raise HttpError in dockerd's words; in podpy no container may lose its image."""
    user, image = users[0][:12], record.id[:12]
    if name:
        raise _conflict(
            f'remove repository reference "{familiar(name)}" (must force) - container {user} is using its referenced '
            f"image {image}"
        )
    kind = "running" if call.runtime.container(users[0]).status in ALIVE else "stopped"
    raise _conflict(f"delete {image} (cannot be forced) - image is being used by {kind} container {user}")


def _removed(line: str) -> dict[str, str]:
    kind, _, what = line.partition(": ")
    return {kind: f"sha256:{what}" if kind == "Deleted" else familiar(what)}


def prune(call: Call) -> Answer:
    """Remove images that no container uses: those without a name, or with the filter `dangling=false` all."""
    given = call.query["filters"]
    said = [text.partition("=")[2].lower() for text in given if text.startswith("dangling=")]
    filters = [text for text in given if not text.startswith("dangling=")]
    every = any(value in ("0", "false", "f") for value in said)
    done = call.runtime.images.prune(filters, every=every)
    removed = [{"Deleted": f"sha256:{image}"} for image in done.removed]
    return Answer({"ImagesDeleted": removed or None, "SpaceReclaimed": done.freed})
