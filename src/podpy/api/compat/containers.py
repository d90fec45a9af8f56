"""Calls that change a container: create, start, stop … remove."""

from __future__ import annotations

from podpy.api.call import NOTHING, Answer
from podpy.api.compat import attach
from podpy.api.compat.body import spec_of
from podpy.api.compat.host_config import resources, ulimit
from podpy.api.errors import HttpError
from podpy.errors import (
    CommandNotExecutableError,
    CommandNotFoundError,
    InUseError,
    NoSuchContainerError,
    NoSuchImageError,
    PodpyError,
    StateError,
    UsageError,
)
from podpy.image.registry.access import PullOptions
from podpy.libpod.containers.table import ALIVE
from podpy.spec.text.life import restart_policy
from podpy.spec.text.values import parse_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.libpod.containers.container import Container

_OCI = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: unable to start "
    "container process: error during container init: {}"
)
_NAME = "[a-zA-Z0-9][a-zA-Z0-9_.-]"


def create(call: Call) -> Answer:
    """Create a container."""
    runtime = call.runtime
    spec = spec_of(runtime, call.json(), call.query["name"])
    reason = runtime.containers.unenforceable(spec)
    try:
        _check_platform(call, spec.image)
        made = runtime.create(spec, PullOptions(policy="never"))
    except NoSuchImageError:
        raise HttpError(404, f"No such image: {_tagged(spec.image)}") from None
    except InUseError as error:
        raise HttpError(409, _taken(call, spec.name) or error.message) from None
    except UsageError as error:
        if "names must match" in error.message:
            raise HttpError(400, f"Invalid container name ({spec.name}), only {_NAME} are allowed") from None
        raise
    warnings = [*call.warnings, *([reason] if reason else [])]
    return Answer({"Id": made.id, "Warnings": warnings}, 201)


def _check_platform(call: Call, image: str) -> None:
    """Raise HttpError if the image that is here is for another platform than is asked for, in dockerd's words."""
    text = call.query["platform"]
    if not text:
        return
    wanted = PullOptions(platform=text).wanted()
    data = call.runtime.images.inspect(image)
    has = f"{data['Os']}/{data['Architecture']}"
    if has != f"{wanted.os}/{wanted.architecture}":
        raise HttpError(
            404,
            f"image with reference {image} was found but its platform ({has}) does not match the specified platform "
            f"({text})",
        )


def _taken(call: Call, name: str) -> str:
    """Return dockerd's words for a name that another container has; "" if none has it."""
    try:
        other = call.runtime.container(name)
    except (NoSuchContainerError, StateError):
        return ""
    return (
        f'Conflict. The container name "/{name}" is already in use by container "{other.id}". You have to remove (or '
        "rename) that container to be able to reuse that name."
    )


def _tagged(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def start(call: Call) -> Answer:
    """Start a container. 304 if it runs."""
    if call.connection.read_body(1 << 20).strip() not in (b"", b"{}", b"null"):
        raise HttpError(
            400,
            "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
        )
    container = _container(call)
    if container.status == "paused":
        raise HttpError(409, "cannot start a paused container, try unpause instead")
    try:
        attach.start(container)
    except (CommandNotFoundError, CommandNotExecutableError) as error:
        _discard(container)
        raise HttpError(400, _OCI.format(_why_not(container.spec.command, error))) from None
    except PodpyError:
        _discard(container)
        raise
    return Answer(status=NOTHING)


def _discard(container: Container) -> None:
    """Remove a `--rm` container that couldn't be started."""
    if container.spec.remove:
        container.remove(force=True, volumes=True)


def _why_not(command: list[str], error: PodpyError) -> str:
    """Return runc's words, by which clients choose an exit code: 127 or 126."""
    word = command[0] if command else ""
    if isinstance(error, CommandNotExecutableError):
        return f'exec: "{word}": permission denied'
    if not word:
        return error.message
    return f'exec: "{word}": ' + (
        f"stat {word}: no such file or directory" if "/" in word else "executable file not found in $PATH"
    )


def stop(call: Call) -> Answer:
    """Stop a container. 304 if it doesn't run."""
    container = _container(call)
    if container.status not in ALIVE:
        return Answer(status=304)
    container.stop(call.query["t"], signal=_signal(call))
    return Answer(status=NOTHING)


def restart(call: Call) -> Answer:
    """Stop a container if it runs, and start it."""
    _container(call).restart(call.query["t"], signal=_signal(call))
    return Answer(status=NOTHING)


def _signal(call: Call) -> int:
    """Return the signal that a stop is to send; 0: the container's own."""
    text = call.query["signal"]
    try:
        return parse_signal(text) if text else 0
    except UsageError:
        raise HttpError(400, f"invalid signal: {text}") from None


def kill(call: Call) -> Answer:
    """Send a signal to a container's first process."""
    container = _container(call)
    text = call.query["signal"]
    try:
        number = parse_signal(text)
    except UsageError:
        raise HttpError(400, f"cannot kill container: {call.name}: invalid signal: {text}") from None
    if container.status not in ALIVE:
        reason = f"container {container.id} is not running"
        raise HttpError(409, f"cannot kill container: {call.name}: {reason}")
    container.kill(number)
    return Answer(status=NOTHING)


def pause(call: Call) -> Answer:
    """Freeze all processes of a container."""
    container = _container(call)
    status = container.status
    if status == "paused":
        raise HttpError(409, f"Container {container.id} is already paused")
    if status not in ALIVE:
        raise HttpError(409, f"Container {container.id} is not running")
    container.pause()
    return Answer(status=NOTHING)


def unpause(call: Call) -> Answer:
    """Let a paused container go on."""
    container = _container(call)
    if container.status != "paused":
        raise HttpError(500, f"Container {container.id} is not paused")
    container.unpause()
    return Answer(status=NOTHING)


def rename(call: Call) -> Answer:
    """Rename a container."""
    container, name = _container(call), call.query["name"].removeprefix("/")
    if not name:
        raise HttpError(400, "Neither old nor new names may be empty")
    if name == container.name:
        raise HttpError(400, "Renaming a container with the same name as its current name")
    try:
        container.rename(name)
    except InUseError as error:
        taken = _taken(call, name)
        raise HttpError(409, f"Error when allocating new name: {taken or error.message}") from None
    except UsageError:
        raise HttpError(400, f"Invalid container name ({name}), only {_NAME} are allowed") from None
    return Answer(status=NOTHING)


def remove(call: Call) -> Answer:
    """Remove a container."""
    container, force = _container(call), call.query["force"]
    if call.query["link"]:
        raise HttpError(501, "links aren't supported: connect containers to a network")
    status = container.status
    if status in ALIVE and not force:
        how = "unpause and " if status == "paused" else ""
        raise HttpError(
            409,
            f'cannot remove container "{call.name}": container is {status}: {how}stop the container before removing or '
            "force remove",
        )
    container.remove(force=force, volumes=call.query["v"], timeout=0 if force else None)
    return Answer(status=NOTHING)


def prune(call: Call) -> Answer:
    """Remove stopped containers."""
    done = call.runtime.containers.prune(call.query["filters"])
    return Answer({"ContainersDeleted": [*done.removed] or None, "SpaceReclaimed": done.freed})


def update(call: Call) -> Answer:
    """Change a container's limits and restart policy."""
    from podpy.spec.changes import Changes

    container, body = _container(call), call.json()
    policy = body.get("RestartPolicy") or {}
    said = policy.get("Name") or ""
    if policy.get("MaximumRetryCount"):
        said += f":{policy['MaximumRetryCount']}"
    try:
        wanted = restart_policy(said, "invalid restart policy: ") if said else None
    except UsageError as error:
        raise HttpError(400, error.message) from None
    limits = resources(body, rootless=call.runtime.paths.rootless)
    chosen = {name: value for name, value in vars(limits).items() if value}
    changes = Changes(
        resources=chosen,
        ulimits=[ulimit(each) for each in body.get("Ulimits") or ()],
        restart=wanted,
    )
    container.update(changes)
    return Answer({"Warnings": call.warnings or None})


def _container(call: Call) -> Container:
    return call.runtime.container(call.path["id"].removeprefix("/"))
