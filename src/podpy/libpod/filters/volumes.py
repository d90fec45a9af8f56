"""`volume ls --filter`, `volume prune --filter`: Podman's keys. All keys must match, as in Podman 6."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.libpod.filters import parse as shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from podpy.libpod.engine import Engine
    from podpy.storage.volumes.volume import Volume

    Check = Callable[[Volume], bool]
    Maker = Callable[[Engine, list[str]], Check]

_TRUE, _FALSE = ("true", "1"), ("false", "0")


def matching(engine: Engine, filters: list[str]) -> list[Volume]:
    """Return the volumes that match every filter, oldest first. Raises UsageError, NoSuchVolumeError (since)."""
    return _chosen(engine, shared.parse(filters, KEYS, of="volume"))


def unused(engine: Engine, filters: list[str], *, every: bool, gone: Collection[str] = ()) -> list[Volume]:
    """Return the volumes that a prune removes: anonymous ones (`every`: all) that no container uses, oldest first.

    The containers in `gone` count as removed. Docker's filter `all=true` means `every`. Raises UsageError.
    """
    wanted = shared.parse(filters, (*KEYS, "all"), of="volume")
    every = ("all" in wanted and _boolean("all", wanted.pop("all"))) or every
    used = {volume for container_id, volume in engine.volume_table.uses() if container_id not in gone}
    return [v for v in _chosen(engine, wanted) if v.name not in used and (every or v.anonymous)]


def _chosen(engine: Engine, wanted: dict[str, list[str]]) -> list[Volume]:
    checks = [_MAKERS[key](engine, values) for key, values in wanted.items()]
    return [volume for volume in engine.volume_table.all() if all(check(volume) for check in checks)]


def _after(engine: Engine, values: list[str]) -> Check:
    limit = min(engine.volume_table.find(name).created for name in values)
    return lambda volume: volume.created > limit


def _until(_engine: Engine, values: list[str]) -> Check:
    from podpy.libpod.filters.times import parse_time

    limit = min(parse_time(text) for text in values)
    return lambda volume: volume.created < limit


def _name(_engine: Engine, values: list[str]) -> Check:
    return lambda volume: shared.match_pattern(values, volume.name)


def _driver(_engine: Engine, values: list[str]) -> Check:
    return lambda volume: volume.driver in values


def _scope(_engine: Engine, values: list[str]) -> Check:
    return lambda _volume: "local" in values


def _label(_engine: Engine, values: list[str]) -> Check:
    return lambda volume: shared.match_labels(values, volume.labels)


def _no_label(_engine: Engine, values: list[str]) -> Check:
    return lambda volume: not any(shared.match_labels([text], volume.labels) for text in values)


def _option(_engine: Engine, values: list[str]) -> Check:
    pairs = [text.partition("=")[::2] for text in values]
    return lambda volume: any(key in volume.options and value in ("", volume.options[key]) for key, value in pairs)


def _dangling(engine: Engine, values: list[str]) -> Check:
    wanted = {_boolean("dangling", [text]) for text in values}
    used = {volume for _, volume in engine.volume_table.uses()}
    return lambda volume: (volume.name not in used) in wanted


def _anonymous(_engine: Engine, values: list[str]) -> Check:
    wanted = {_boolean("anonymous", [text]) for text in values}
    return lambda volume: volume.anonymous in wanted


def _boolean(key: str, values: list[str]) -> bool:
    text = values[-1].lower()
    if text not in (*_TRUE, *_FALSE):
        raise UsageError(f'"{values[-1]}" is not a valid value for the "{key}" filter - must be true or false')
    return text in _TRUE


_MAKERS: dict[str, Maker] = {
    "after": _after,
    "anonymous": _anonymous,
    "dangling": _dangling,
    "driver": _driver,
    "label": _label,
    "label!": _no_label,
    "name": _name,
    "opt": _option,
    "scope": _scope,
    "since": _after,
    "until": _until,
}
KEYS = tuple(_MAKERS)
