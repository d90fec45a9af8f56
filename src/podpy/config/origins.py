"""Which file of containers.conf gave which setting its value: for `podpy info --debug-config`."""

from __future__ import annotations

from podpy.config import toml
from podpy.config.containers_conf import ContainersConf
from podpy.config.later import LATER
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNKNOWN = "podpy doesn't know it"


class Origin(Record):
    """A key that a file sets. `value` counts: for a key that podpy obeys, all files' together."""

    key: str  # SECTION.KEY
    value: Any
    files: tuple[str, ...]  # those that set it, in the order in which they are read: the last one counts most
    without_effect: str = ""  # why podpy doesn't obey it


def origins(conf: ContainersConf) -> list[Origin]:
    """Return what the files that `conf` was made of set, sorted. Raises ConfigError."""
    setters: dict[str, list[str]] = {}
    said: dict[str, Any] = {}
    for path in conf.files:
        for section, table in toml.read(path, "containers.conf(5)").items():
            for name, value in table.items() if isinstance(table, dict) else ():
                key = f"{section}.{name}"
                setters.setdefault(key, []).append(path)
                said[key] = value
    return [_origin(conf, key, said[key], tuple(setters[key])) for key in sorted(setters)]


def _origin(conf: ContainersConf, key: str, value: Any, files: tuple[str, ...]) -> Origin:
    section, _, name = key.partition(".")
    attribute = f"{section}_{name}" if section == "secrets" else name
    if key in LATER or not hasattr(ContainersConf, attribute):
        return Origin(key=key, value=value, files=files, without_effect=LATER.get(key, _UNKNOWN))
    return Origin(key=key, value=getattr(conf, attribute), files=files)
