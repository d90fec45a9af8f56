"""`podpy compose`: another program does the work, and finds this engine (podman-compose(1)).

podman-compose calls `podman`: it finds a script of that name, which calls this podpy with this call's store.
docker-compose speaks Docker's API: it finds podpy's socket in DOCKER_HOST, and a service behind it that ends by itself.
"""

from __future__ import annotations

import os
from string import Template

from podpy import process
from podpy.errors import ConfigError, InUseError, NotFoundError, UsageError
from podpy.go.values import boolean
from podpy.libpod.system.called_as import script_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.runtime import Runtime

PROVIDER = "PODMAN_COMPOSE_PROVIDER"
WARNING = "PODMAN_COMPOSE_WARNING_LOGS"
_BY_COMMANDS = "podman-compose"
_IDLE = 60  # seconds: somebody may have a question of the program's to answer
_HINT = "apt install podman-compose, or say in containers.conf which: [engine] compose_providers"


def find(runtime: Runtime) -> str:
    """Return the path of the program: $PODMAN_COMPOSE_PROVIDER, or containers.conf's first that is there.

    Raises NotFoundError, ConfigError (containers.conf names none).
    """
    environ = runtime.caller.environ
    named = environ.get(PROVIDER, "")
    known = [Template(text).safe_substitute(environ) for text in runtime.conf.compose_providers]
    candidates = [named] if named else known
    if not candidates:
        raise ConfigError("no compose provider specified", hint=_HINT)
    for candidate in candidates:
        directories = [""] if "/" in candidate else environ.get("PATH", os.defpath).split(":")
        for directory in directories:
            path = os.path.join(runtime.caller.directory, directory, candidate)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    raise NotFoundError(f"looking up compose provider failed: there is no {', no '.join(candidates)}", hint=_HINT)


def warns(runtime: Runtime) -> bool:
    """Return whether the user is told that another program works. Raises UsageError."""
    said = runtime.caller.environ.get(WARNING, "")
    if not said:
        return runtime.conf.compose_warning_logs
    try:
        return boolean(said)
    except ValueError as error:
        raise UsageError(f"{WARNING} should be a boolean: {error}") from None


def environment(runtime: Runtime, program: str) -> dict[str, str]:
    """Return the variables that the program needs beyond the caller's own, and see to it that a service answers.

    Raises OSError, UsageError.
    """
    environ = runtime.caller.environ
    if os.path.basename(program).startswith(_BY_COMMANDS):
        return {"PATH": f"{script_directory(runtime, 'compose', 'podman')}:{environ.get('PATH', os.defpath)}"}
    if "DOCKER_HOST" in environ:
        return {}
    return {"DOCKER_HOST": f"unix://{_service(runtime)}"}


def _service(runtime: Runtime) -> str:
    """Return the path of this store's socket, behind which a service is, or begins now."""
    from podpy.api.addresses import listen
    from podpy.api.server import Server

    path = os.path.join(runtime.paths.runroot, "podpy.sock")
    try:
        listeners = listen("", path, {})
    except InUseError:
        return path
    environ = dict(runtime.caller.environ)
    process.in_background(
        lambda: Server(runtime, listeners, environ, idle=_IDLE).run(), [each.socket.fileno() for each in listeners]
    )
    return path
