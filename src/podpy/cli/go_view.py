"""Plain data, as `inspect` returns it, the way Go's templates see it: structs, maps, times."""

from __future__ import annotations

from podpy.cli.gotemplate.values import Struct
from podpy.cli.gotime import GoTime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Dictionaries with these names are maps, whose keys are data; all others are structs, whose keys are fields.
_MAPS = frozenset(
    (
        "Labels", "Annotations", "Volumes", "PortBindings", "Ports", "Networks", "Tmpfs", "CgroupConf", "ExposedPorts",
        "Data", "DriverOpts", "IPAMConfig", "Options", "Config.LogConfig",
    )
)  # fmt: skip
_TIMES = frozenset(("Created", "StartedAt", "FinishedAt", "CheckpointedAt", "RestoredAt"))


def view(value: Any, name: str = "") -> Any:
    """Return the value with dictionaries as Structs or maps and known times as GoTime, by their fields' names."""
    if isinstance(value, dict):
        if name in _MAPS:
            return {key: view(item) for key, item in value.items()}
        return Struct({key: view(item, key) for key, item in value.items()})
    if isinstance(value, list):
        return [view(item) for item in value]
    if name in _TIMES and isinstance(value, str):
        return _time(value)
    return value


def _time(text: str) -> GoTime:
    from podpy.libpod.logs import nanoseconds

    return GoTime(None if text.startswith("0001-") else nanoseconds(text), utc=text.endswith("Z"))
