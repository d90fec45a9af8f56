"""podman-connections.json: the services of other machines, by name, as podman-system-connection(1) keeps them.

The file is beside the user's own containers.conf, or where $PODMAN_CONNECTIONS_CONF says, and Podman's clients read the
same one. containers.conf may name more ([engine] service_destinations, active_service); podpy changes only the file.
What podpy doesn't know in it (Podman's farms) stays.
"""

from __future__ import annotations

import json
import os

from podpy import files
from podpy.config.rewriting import Rewriting
from podpy.errors import ConfigError, NotFoundError, UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths

_NAME = "podman-connections.json"
_LIMIT = 4 << 20
_MODE = 0o600  # Podman makes it 0644; which hosts somebody uses is nobody else's business
_FIELDS = (  # attribute, key of the JSON file, key of containers.conf
    ("uri", "URI", "uri"),
    ("identity", "Identity", "identity"),
    ("tls_ca", "TLSCA", "tls_ca"),
    ("tls_cert", "TLSCert", "tls_cert"),
    ("tls_key", "TLSKey", "tls_key"),
)
_ADD = "podpy system connection add NAME DESTINATION"


class Connection(Record):
    """A service: where it is (`uri`), by which key (paths of files), and where podpy read it.

    `is_default`: the one that a client takes without a name. `writable`: it stands in podman-connections.json.
    """

    name: str
    uri: str
    identity: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    is_machine: bool = False
    is_default: bool = False
    writable: bool = True


class Connections:
    """The connections of this user."""

    def __init__(self, paths: Paths, conf: ContainersConf, environ: Mapping[str, str]) -> None:
        self._path = environ.get("PODMAN_CONNECTIONS_CONF") or os.path.join(paths.config_dirs[0], _NAME)
        self._default = conf.active_service
        self._fixed = conf.service_destinations

    def list(self) -> list[Connection]:
        """Return all connections, sorted by name. Raises ConfigError for a file that can't be understood."""
        section = _section(self._read())
        default = section.get("Default") or self._default
        found = {name: _from(self._path, name, values, 2, writable=False) for name, values in self._fixed.items()}
        for name, values in section.get("Connections", {}).items():
            found[name] = _from(self._path, name, values, 1, writable=True)
        return [found[name].replace(is_default=name == default) for name in sorted(found)]

    def find(self, name: str) -> Connection | None:
        """Return the connection of this name, or None. Raises ConfigError."""
        return next((one for one in self.list() if one.name == name), None)

    def add(self, connection: Connection) -> None:
        """Write a connection, in place of one of the same name. The first one, and `is_default`, is the default.

        Raises ConfigError, OSError; then nothing has changed.
        """

        def change(section: dict[str, Any]) -> None:
            if connection.is_default or not section.get("Connections"):
                section["Default"] = connection.name
            section.setdefault("Connections", {})[connection.name] = _written(connection)

        self._edit(change)

    def set_default(self, name: str) -> None:
        """Let a connection of the file be the default. Raises NotFoundError, ConfigError, OSError."""

        def change(section: dict[str, Any]) -> None:
            _there(section, name)
            section["Default"] = name

        self._edit(change)

    def rename(self, name: str, new: str) -> None:
        """Give a connection of the file another name. Raises NotFoundError, UsageError (it is taken), ConfigError."""

        def change(section: dict[str, Any]) -> None:
            known = _there(section, name)
            if new in known and new != name:
                raise UsageError(f'connection "{new}" already exists', hint=f"podpy system connection remove {new}")
            known[new] = known.pop(name)
            if section.get("Default") == name:
                section["Default"] = new

        self._edit(change, renamed=(name, new))

    def remove(self, name: str) -> None:
        """Remove a connection from the file; none of that name is no error, as in Podman. Raises ConfigError."""

        def change(section: dict[str, Any]) -> None:
            section.get("Connections", {}).pop(name, None)
            if section.get("Default") == name:
                section.pop("Default")

        self._edit(change, renamed=(name, ""))

    def remove_all(self) -> None:
        """Remove all connections from the file. Raises ConfigError, OSError."""
        for name in _section(self._read()).get("Connections", {}):
            self.remove(name)

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(files.read(self._path, _LIMIT))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(f"parse {self._path}: {error}", hint="Mend the file, or move it away") from None
        if not isinstance(document, dict):
            raise ConfigError(f"parse {self._path}: it is no JSON object", hint="Mend the file, or move it away")
        return document

    def _edit(self, change: Callable[[dict[str, Any]], None], *, renamed: tuple[str, str] | None = None) -> None:
        """Change the file. `renamed`: also in Podman's farms, which are lists of names; a new name "" removes."""
        with Rewriting(self._path, directory_mode=0o755) as file:
            document = self._read()
            section = _section(document)
            change(section)
            document["Connection"] = section
            farms = document.setdefault("Farm", {})  # Podman's own client wants the key
            if renamed and isinstance(farms, dict) and isinstance(farms.get("List"), dict):
                old, new = renamed
                farms["List"] = {
                    farm: [new if name == old else name for name in names if name != old or new]
                    for farm, names in farms["List"].items()
                }
            file.replace(json.dumps(document).encode() + b"\n", _MODE)


def _section(document: Mapping[str, Any]) -> dict[str, Any]:
    section = document.get("Connection")
    kept = section if isinstance(section, dict) else {}
    if not isinstance(kept.get("Connections", {}), dict):
        kept.pop("Connections")
    return kept


def _there(section: dict[str, Any], name: str) -> dict[str, Any]:
    known: dict[str, Any] = section.get("Connections", {})
    if name not in known:
        words = f'"{name}" destination is not defined. See "podpy system connection add ..." to create a connection'
        raise NotFoundError(words, hint=_ADD)
    return known


def _from(path: str, name: str, values: object, column: int, *, writable: bool) -> Connection:
    """Return the connection that a table describes; `column`: whose keys it has. Raises ConfigError."""
    if not isinstance(values, dict):
        raise ConfigError(f'{path}: connection "{name}" must be a table', hint=_ADD)
    texts = {row[0]: str(values.get(row[column], "")) for row in _FIELDS}
    machine = values.get("IsMachine" if writable else "is_machine", False) is True
    return Connection(name=name, uri=texts.pop("uri"), is_machine=machine, writable=writable).replace(**texts)


def _written(connection: Connection) -> dict[str, str]:
    texts = {key: getattr(connection, attribute) for attribute, key, _ in _FIELDS}
    return {key: text for key, text in texts.items() if text or key == "URI"}
