"""Containers on Podman's paths: create, list, inspect, change, remove. Streams and archives: podpy.api.compat."""

from __future__ import annotations

from time import time_ns

from podpy.api.call import NOTHING, Answer
from podpy.api.compat import attach
from podpy.api.errors import HttpError
from podpy.api.libpod import answers
from podpy.api.libpod.creating import spec_of
from podpy.api.libpod.creating_host import ulimits
from podpy.errors import NoSuchContainerError, PodpyError
from podpy.go.view import view
from podpy.image.registry.access import PullOptions
from podpy.libpod.containers.facts import facts
from podpy.libpod.containers.table import ALIVE
from podpy.polling import wait_readable
from podpy.spec.text.life import restart_policy
from podpy.spec.text.values import parse_signal
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.libpod.containers.container import Container
    from podpy.libpod.containers.stats import Stats

_TYPED_ENTRYPOINT = (5, 0)
"""The first version whose clients take a list as Config.Entrypoint and a name as Config.StopSignal."""


def create(call: Call) -> Answer:
    """Create a container from a SpecGenerator."""
    runtime = call.runtime
    spec = spec_of(call.json(), rootless=runtime.paths.rootless).replace(limits_if_possible=True)
    reason = runtime.containers.unenforceable(spec)
    made = runtime.create(spec, PullOptions(policy="never"))
    return Answer({"Id": made.id, "Warnings": [*call.warnings, *([reason] if reason else [])]}, 201)


def listed(call: Call) -> Answer:
    """List containers: Podman's ListContainer."""
    query = call.query
    last = query["limit"] or query["last"] or 0
    found = call.runtime.containers.listing(query["filters"], all=query["all"], last=last, size=query["size"])
    now = time_ns()
    shown = []
    for row in found.rows:
        data = facts(
            row,
            now=now,
            sizes=found.sizes,
            namespaces=query["namespace"],
            health=found.health.get(row.id, ""),
            pods=found.pods,
        )
        data["Created"] = rfc3339(row.created)
        data["Status"] = found.health.get(row.id, "")  # the client puts it in brackets behind its own words
        data["Ports"] = data["Ports"] or None
        shown.append(data)
    return Answer(shown)


def inspect(call: Call) -> Answer:
    """Return everything about a container: Podman's InspectContainerData."""
    data = find(call).inspect(size=call.query["size"])
    if call.version < _TYPED_ENTRYPOINT:
        config = data["Config"]
        data["Config"] = {
            **config,
            "Entrypoint": " ".join(config["Entrypoint"] or ()),
            "StopSignal": parse_signal(str(config["StopSignal"])),
        }
        return Answer(data)
    return answers.go(view(data, "Container"))


def find(call: Call) -> Container:
    """Return the container that the path names. Raises NoSuchContainerError in Podman's words."""
    try:
        return call.runtime.container(call.path["id"].removeprefix("/"))
    except NoSuchContainerError as error:
        text = f'no container with name or ID "{call.path["id"]}" found: no such container'
        raise NoSuchContainerError(text, hint=error.hint) from None


def exists(call: Call) -> Answer:
    """Say whether there is such a container."""
    return answers.exists(call.runtime.containers.exists(call.path["id"]), "container")


def start(call: Call) -> Answer:
    """Start a container. 304 if it runs."""
    container = find(call)
    if container.status in ALIVE and container.status != "paused":
        return Answer(status=304)
    try:
        attach.start(container)
    except PodpyError:
        if container.spec.remove:
            container.remove(force=True, volumes=True)
        raise
    return Answer(status=NOTHING)


def init(call: Call) -> Answer:
    """Prepare a container to the point where only its process is to be started."""
    find(call).init()
    return Answer(status=NOTHING)


def _timeout(call: Call) -> int | None:
    given: int | None = call.query["timeout"]
    return call.query["t"] if given is None else given


def stop(call: Call) -> Answer:
    """Stop a container. 304 if it doesn't run."""
    container = find(call)
    if container.status not in ALIVE:
        if call.query["ignore"]:
            return Answer(status=NOTHING)
        return Answer(status=304)
    container.stop(_timeout(call))
    return Answer(status=NOTHING)


def restart(call: Call) -> Answer:
    """Stop a container if it runs, and start it."""
    find(call).restart(_timeout(call))
    return Answer(status=NOTHING)


def kill(call: Call) -> Answer:
    """Send a signal to a container's first process."""
    find(call).kill(parse_signal(call.query["signal"]))
    return Answer(status=NOTHING)


def pause(call: Call) -> Answer:
    """Freeze all processes of a container."""
    find(call).pause()
    return Answer(status=NOTHING)


def unpause(call: Call) -> Answer:
    """Let a paused container go on."""
    find(call).unpause()
    return Answer(status=NOTHING)


def rename(call: Call) -> Answer:
    """Rename a container."""
    if not call.query["name"]:
        raise HttpError(400, "name cannot be empty: invalid argument")
    find(call).rename(call.query["name"])
    return Answer(status=NOTHING)


def wait(call: Call) -> Answer:
    """Wait until a container has ended, or is in one of these states; answer with its exit code."""
    output = call.connection.socket.fileno()
    code = find(call).wait(conditions=call.query["condition"], output=output)
    return Answer(body=f"{code}\n".encode(), type="application/json")


def remove(call: Call) -> Answer:
    """Remove a container; report it, as Podman does since 4.0."""
    query = call.query
    try:
        container = find(call)
    except NoSuchContainerError:
        if query["ignore"]:
            return Answer([])
        raise
    force = query["force"]
    timeout = query["timeout"]
    container.remove(force=force, volumes=query["v"], depend=query["depend"], timeout=timeout)
    return Answer([{"Id": container.id}])


def prune(call: Call) -> Answer:
    """Remove stopped containers."""
    return answers.pruned(call.runtime.containers.prune(call.query["filters"]))


def update(call: Call) -> Answer:
    """Change a container's limits and restart policy."""
    from podpy.api.libpod.creating_host import resources
    from podpy.spec.changes import Changes

    container, body = find(call), call.json()
    limits = resources({"resource_limits": body}, rootless=call.runtime.paths.rootless)
    policy, retries = call.query["restartPolicy"], call.query["restartRetries"]
    env: list[str] = body.get("Env") or []
    changes = Changes(
        resources={name: value for name, value in vars(limits).items() if value},
        ulimits=ulimits(body.get("r_limits")),
        restart=restart_policy(f"{policy}:{retries}" if retries else policy) if policy else None,
        env=dict(text.split("=", 1) for text in env if "=" in text),
        unset_env=body.get("UnsetEnv") or [],
    )
    container.update(changes)
    return Answer({"Id": container.id}, 201)


def health(call: Call) -> Answer:
    """Run the health check once."""
    container = find(call)
    status = container.check_health()
    known = container.inspect()["State"].get("Health") or {}
    return Answer({"Status": status, "FailingStreak": known.get("FailingStreak") or 0, "Log": known.get("Log") or []})


def top(call: Call) -> Answer | None:
    """List a container's processes; with `stream` every `delay` seconds."""
    fields = [each for text in call.query["ps_args"] for each in text.split(",")]
    container = find(call)
    if not call.query["stream"]:
        return Answer(_processes(call, container, fields))
    delay = max(1, call.query["delay"] or 5)
    first = _processes(call, container, fields)
    _stream(call, first, lambda: _processes(call, container, fields), delay)
    return None


def _processes(call: Call, container: Container, fields: list[str]) -> dict[str, Any]:
    titles, *rows = call.runtime.containers.top(container.id, fields)
    return {"Processes": rows, "Titles": titles}


def _stream(call: Call, first: Any, again: Any, delay: float) -> None:
    """Send a value at once and another one every `delay` seconds, until the client goes or there is no more."""
    from podpy import fastjson

    connection = call.connection
    connection.begin(200, [("Content-Type", "application/json")])
    value = first
    while True:
        connection.write((fastjson.dumps_readable(value) + "\n").encode("utf-8", "surrogateescape"))
        wait_readable([], delay, output=connection.socket.fileno())
        try:
            value = again()
        except PodpyError:
            break
    connection.end()


def stats(call: Call) -> Answer | None:
    """Tell what containers use: once, or every `interval` seconds."""
    query = call.query
    sampler = call.runtime.containers.stats(query["containers"], every=query["all"])
    if not query["stream"]:
        return Answer(_report(sampler.sample()))
    _stream(call, _report(sampler.sample()), lambda: _report(sampler.sample()), max(1, query["interval"] or 5))
    return None


def stats_of_one(call: Call) -> Answer | None:
    """Tell what one container uses, in Docker's form."""
    from podpy.api.compat.usage import stats as docker_stats

    return docker_stats(call)


def _report(samples: list[Stats]) -> dict[str, Any]:
    return {"Error": None, "Stats": [_stats(each) for each in samples]}


def _stats(stats: Stats) -> dict[str, Any]:
    started = stats.time
    return {
        "AvgCPU": stats.average_cpu or 0,
        "ContainerID": stats.id,
        "Name": stats.name,
        "PerCPU": None,
        "CPU": stats.cpu or 0,
        "CPUNano": stats.cpu_time or 0,
        "CPUSystemNano": stats.system_time or 0,
        "SystemNano": started,
        "MemUsage": stats.memory or 0,
        "MemLimit": stats.memory_limit,
        "MemPerc": stats.memory_percent or 0,
        "Network": stats.network or {},
        "BlockInput": stats.block_input or 0,
        "BlockOutput": stats.block_output or 0,
        "PIDs": stats.pids or 0,
        "UpTime": stats.cpu_time or 0,
        "Duration": stats.cpu_time or 0,
    }


def commit(call: Call) -> Answer:
    """Make an image of a container."""
    from podpy.libpod.containers.contents.options import CommitOptions

    query = call.query
    if not query["container"]:
        raise HttpError(400, "container is required: the name or id of the container to commit")
    name = query["repo"]
    if name and query["tag"]:
        name += f":{query['tag']}"
    options = CommitOptions(
        author=query["author"],
        changes=query["changes"],
        format=_format(query["format"]),
        message=query["comment"],
        pause=query["pause"] or None,
        squash=query["squash"],
    )
    call.runtime.container(query["container"])
    record = call.runtime.containers.commit(query["container"], name, options)
    return Answer({"Id": record.id}, 200)


def _format(text: str) -> str:
    if text not in ("", "oci", "docker"):
        raise HttpError(400, f"invalid format {text!r}: it must be oci or docker")
    return text or "oci"


def mount(call: Call) -> Answer:
    """Mount a container's file system in the service's namespaces; answer with the path."""
    return Answer(_mounted(call, lambda name: call.runtime.containers.mount([name])))


def unmount(call: Call) -> Answer:
    """Unmount it."""
    _mounted(call, lambda name: call.runtime.containers.unmount([name]))
    return Answer(status=NOTHING)


def _mounted(call: Call, work: Any) -> str:
    [(_, found)] = work(find(call).id)
    if isinstance(found, PodpyError):
        raise found
    assert isinstance(found, str)
    return found


def show_mounted(call: Call) -> Answer:
    """List mounted containers: their paths by id."""
    return Answer({identifier: path for identifier, _, path in call.runtime.containers.mounted()})


def refuse_checkpoint(call: Call) -> Answer:
    """Refuse checkpoint and restore by name."""
    find(call)
    raise HttpError(501, f"{call.route.path.rpartition('/')[2]} isn't supported: podpy has no checkpoints")
