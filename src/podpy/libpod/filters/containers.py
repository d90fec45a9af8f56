"""The keys of `ps --filter`, which the other container commands share."""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import UsageError
from podpy.libpod.containers.table import STOPPED_BY_SERVICE, shown_status
from podpy.libpod.filters import parse as generic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine

    Test = Callable[[ContainerRow], bool]
    Maker = Callable[[Engine, list[str]], Test]

# The filter's names for states with other names in podpy.
_STATES = {"configured": "created", "stopped": "exited"}
_KNOWN_STATES = (
    "created", "initialized", "running", "paused", "exited", "stopped", "stopping", "removing", "unknown", "configured",
    "restarting",
)  # fmt: skip
_POLICIES = ("none", "no", "always", "on-failure", "unless-stopped", "never")


def matching(engine: Engine, rows: list[ContainerRow], filters: list[str]) -> list[ContainerRow]:
    """Return the rows that match all filters. Values of the same key are alternatives, except labels.

    Raises UsageError for an unknown key or value, NoSuchContainerError from before= and since=.
    """
    tests = [_MAKERS[key](engine, values) for key, values in generic.parse(filters, tuple(_MAKERS)).items()]
    return [row for row in rows if all(test(row) for test in tests)]


def _spec(row: ContainerRow) -> dict[str, Any]:
    spec: dict[str, Any] = fastjson.loads(row.spec)
    return spec


def _id(_engine: Engine, values: list[str]) -> Test:
    return lambda row: generic.match_id(values, row.id)


def _name(_engine: Engine, values: list[str]) -> Test:
    names = [value.replace("/", "") for value in values]
    return lambda row: generic.match_pattern(names, row.name)


def _label(_engine: Engine, values: list[str]) -> Test:
    return lambda row: generic.match_labels(values, row.labels_dict())


def _no_label(_engine: Engine, values: list[str]) -> Test:
    return lambda row: not generic.match_labels(values, row.labels_dict())


def _annotation(_engine: Engine, values: list[str]) -> Test:
    return lambda row: generic.match_labels(values, _spec(row)["annotations"])


def _no_annotation(_engine: Engine, values: list[str]) -> Test:
    return lambda row: not generic.match_labels(values, _spec(row)["annotations"])


def _exited(_engine: Engine, values: list[str]) -> Test:
    try:
        codes = {int(value) for value in values}
    except ValueError:
        raise UsageError(f'invalid filter "exited={values[-1]}": an exit code is needed') from None
    return lambda row: row.status == "exited" and row.exit_code in codes


def _status(_engine: Engine, values: list[str]) -> Test:
    for value in values:
        if value not in _KNOWN_STATES:
            raise UsageError(
                f"unknown container state: {value}: invalid argument", hint=f"States: {', '.join(_KNOWN_STATES)}"
            )
    wanted = {_STATES.get(value, value) for value in values}
    return lambda row: shown_status(row.status, row.started) in wanted


def _ancestor(_engine: Engine, values: list[str]) -> Test:
    def test(row: ContainerRow) -> bool:
        if any(value.removeprefix("sha256:") in row.image_id for value in values if value):
            return True
        name, colon, tag = row.image_name.rpartition(":")
        latest = bool(colon) and tag == "latest" and generic.match_pattern(values, name)
        return latest or generic.match_pattern(values, row.image_name)

    return test


def _before(engine: Engine, values: list[str]) -> Test:
    limit = min(engine.table.find(value).created for value in values)
    return lambda row: row.created < limit


def _since(engine: Engine, values: list[str]) -> Test:
    limit = min(engine.table.find(value).created for value in values)
    return lambda row: row.created > limit


def _until(_engine: Engine, values: list[str]) -> Test:
    from podpy.libpod.filters.times import parse_time

    if len(values) > 1:
        raise UsageError("only one until filter can be given")
    limit = parse_time(values[0])
    return lambda row: row.created < limit


def _volume(_engine: Engine, values: list[str]) -> Test:
    def test(row: ContainerRow) -> bool:
        for mount in _spec(row)["mounts"]:
            for value in values:
                source, colon, target = value.partition(":")
                if colon and (mount["source"], mount["target"]) == (source, target):
                    return True
                if not colon and source in (mount["target"], mount["source"]):
                    return True
        return False

    return test


def _health(engine: Engine, values: list[str]) -> Test:
    from podpy.monitor.files import health_state

    def test(row: ContainerRow) -> bool:
        health = _spec(row).get("health") or {}
        if health.get("test", ["NONE"])[:1] in ([], ["NONE"]):
            return "none" in values  # Docker's word
        return health_state(engine.health_directory, row.id) in values

    return test


def _pod(engine: Engine, values: list[str]) -> Test:
    from podpy.errors import NoSuchPodError
    from podpy.libpod.pods.table import PodTable

    table = PodTable(engine.database)
    wanted = set()
    for value in values:
        try:
            wanted.add(table.find(value).id)
        except NoSuchPodError:
            continue
    return lambda row: row.pod in wanted


def _network(engine: Engine, values: list[str]) -> Test:
    wanted = set()
    for value in values:
        kind, colon, name = value.partition(":")
        wanted.add(f"container:{engine.table.find(name).id}" if kind == "container" and colon else value)
    named = _named_networks(engine, values)

    def test(row: ContainerRow) -> bool:
        spec = _spec(row)
        if any(attachment["network"] in named for attachment in spec.get("networks") or ()):
            return True
        mode = str(spec["network"])
        return mode in wanted or (not mode.startswith("container:") and mode.partition(":")[0] in wanted)

    return test


def _named_networks(engine: Engine, values: list[str]) -> set[str]:
    """Return the names of the networks that these values name, by name or beginning of the id."""
    from podpy.errors import NoSuchNetworkError

    definitions = engine.network_folder
    found = set()
    for value in values:
        try:
            found.add(definitions.find(value).name)
        except NoSuchNetworkError:
            continue
    return found


def _restart_policy(_engine: Engine, values: list[str]) -> Test:
    for value in values:
        if value not in _POLICIES:
            raise UsageError(f"{value} invalid restart policy", hint=f"Policies: {', '.join(_POLICIES)}")
    wanted = {"" if value in ("none", "never") else value for value in values}
    return lambda row: _spec(row)["restart_policy"] in wanted


def _command(_engine: Engine, values: list[str]) -> Test:
    return lambda row: generic.match_pattern(values, (fastjson.loads(row.command) or [""])[0])


def _should_start_on_boot(_engine: Engine, values: list[str]) -> Test:
    wanted = generic.boolean("should-start-on-boot", values)

    def test(row: ContainerRow) -> bool:
        policy = _spec(row)["restart_policy"]
        stopped = row.stopped_by_user not in (0, STOPPED_BY_SERVICE)
        starts = policy == "always" or (policy == "unless-stopped" and not stopped)
        return starts == wanted

    return test


_MAKERS: dict[str, Maker] = {
    "id": _id,
    "name": _name,
    "label": _label,
    "label!": _no_label,
    "annotation": _annotation,
    "annotation!": _no_annotation,
    "exited": _exited,
    "status": _status,
    "ancestor": _ancestor,
    "before": _before,
    "since": _since,
    "until": _until,
    "volume": _volume,
    "health": _health,
    "pod": _pod,
    "network": _network,
    "restart-policy": _restart_policy,
    "command": _command,
    "should-start-on-boot": _should_start_on_boot,
}
