"""`network ls --filter`, `network prune --filter`: Podman's keys. All keys must match."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.libpod.filters import parse as shared
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from podpy.libpod.engine import Engine
    from podpy.network.definitions.network import Network

    Check = Callable[[Network], bool]
    Maker = Callable[[Engine, list[str]], Check]

_INVALID = 'invalid filter "{}"'


def matching(engine: Engine, filters: Sequence[str]) -> list[Network]:
    """Return the networks that match every filter, by name. Raises UsageError, ConfigError."""
    return _chosen(engine, shared.parse(_lower(filters), KEYS, unknown=_INVALID))


def unused(engine: Engine, filters: Sequence[str], *, gone: Collection[str] = ()) -> list[Network]:
    """Return the networks that a prune removes, by name: no container uses them, and they aren't the default one.

    The containers in `gone` count as removed. Raises UsageError, ConfigError.
    """
    wanted = shared.parse(_lower(filters), PRUNE_KEYS, unknown=_INVALID)
    used = {name for container_id, name in NetworkRows(engine.database).uses() if container_id not in gone}
    used.add(engine.conf.default_network)
    found = [network for network in _chosen(engine, wanted) if network.name not in used]
    if not found:
        return []
    from podpy.libpod.networks import of_podman

    kept = of_podman.used(engine, [network.name for network in found])
    return [network for network in found if network.name not in kept]


def _lower(filters: Sequence[str]) -> list[str]:
    """Return the filters with keys in small letters: Podman takes any."""
    parts = (text.partition("=") for text in filters)
    return [f"{key.lower()}{equals}{value}" for key, equals, value in parts]


def _chosen(engine: Engine, wanted: dict[str, list[str]]) -> list[Network]:
    checks = [_MAKERS[key](engine, values) for key, values in wanted.items()]
    return [network for network in engine.network_folder.all() if all(check(network) for check in checks)]


def _name(_engine: Engine, values: list[str]) -> Check:
    return lambda network: shared.match_pattern(values, network.name)


def _id(_engine: Engine, values: list[str]) -> Check:
    return lambda network: shared.match_id(values, network.id)


def _driver(_engine: Engine, values: list[str]) -> Check:
    return lambda network: network.driver in values


def _label(_engine: Engine, values: list[str]) -> Check:
    return lambda network: shared.match_labels(values, network.labels)


def _no_label(_engine: Engine, values: list[str]) -> Check:
    return lambda network: not any(shared.match_labels([text], network.labels) for text in values)


def _until(_engine: Engine, values: list[str]) -> Check:
    from podpy.libpod.filters.times import parse_time

    if len(values) > 1:
        raise UsageError("specify exactly one timestamp for until")
    limit = parse_time(values[0])
    return lambda network: network.created_ns < limit


def _dangling(engine: Engine, values: list[str]) -> Check:
    from podpy.go.values import boolean

    if len(values) > 1:
        raise UsageError('got more than one value for filter key "dangling"')
    try:
        wanted = boolean(values[0])
    except ValueError:
        raise UsageError(f'invalid dangling filter value "{values[0]}"', hint="true or false") from None
    used = {name for _, name in NetworkRows(engine.database).uses()} | {engine.conf.default_network}
    return lambda network: (network.name not in used) == wanted


_MAKERS: dict[str, Maker] = {
    "dangling": _dangling,
    "driver": _driver,
    "id": _id,
    "label": _label,
    "label!": _no_label,
    "name": _name,
    "until": _until,
}
KEYS = tuple(_MAKERS)
PRUNE_KEYS = ("label", "label!", "until")
