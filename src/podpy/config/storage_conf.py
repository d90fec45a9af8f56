"""storage.conf (containers-storage.conf(5)): where Podman's store and networks are. podpy's store is elsewhere."""

from __future__ import annotations

import os

from podpy import files
from podpy.config.load_order import in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.config.paths import Paths

_VARIABLE = "CONTAINERS_STORAGE_CONF"
_SYSTEM = ("/etc/containers/storage.conf", "/usr/share/containers/storage.conf")
_ROOT_GRAPHROOT = "/var/lib/containers/storage"
_ROOT_NETWORKS = "/etc/containers/networks"
_PODPYS_FOR_ROOT = "/var/lib/containers/podpy"
_PODPYS_END = "/containers/podpy"


def graphroot_of_podman(paths: Paths, environ: Mapping[str, str] | None = None) -> str:
    """Return the graph root that Podman and Buildah use for this user. Raises ConfigError that names the file.

    The files and their order: podpy.config.load_order. In the system's main file, `rootless_storage_path` is a rootless
    user's; `graphroot` is root's, as for Podman 5.
    """
    environ = os.environ if environ is None else environ
    config_home = environ.get("XDG_CONFIG_HOME") or os.path.join(paths.home, ".config")
    given = environ.get(_VARIABLE, "")
    read = [given] if given else _files(paths, os.path.join(config_home, "containers"))
    settings: dict[str, str] = {}
    for path in (*read, environ.get(f"{_VARIABLE}_OVERRIDE", "")):
        found = _read(path) if path and os.path.exists(path) else {}
        if paths.rootless and path in _SYSTEM:
            found.pop("graphroot", None)
        settings |= found
    for key in ("graphroot", "rootless_storage_path") if paths.rootless else ("graphroot",):
        if text := settings.get(key):
            return _expanded(text, paths, environ)
    if not paths.rootless:
        return _ROOT_GRAPHROOT
    data = environ.get("XDG_DATA_HOME") or os.path.join(paths.home, ".local/share")
    return os.path.join(data, "containers/storage")


def network_directory(paths: Paths) -> str:
    """Return the directory of networks' definitions: Podman's own with the usual graph root, else graphroot/networks.

    Podman keeps root's in /etc, and a user's in its graph root (podman-network(1)). Raises ConfigError (storage.conf).
    """
    if paths.graphroot == _PODPYS_FOR_ROOT:
        return _ROOT_NETWORKS
    if not paths.graphroot.endswith(_PODPYS_END):
        return paths.graphroot + "/networks"
    usual = paths.graphroot.removesuffix("podpy") + "storage"
    return (_moved(paths, usual) or usual) + "/networks"


def _moved(paths: Paths, usual: str) -> str:
    """Return the graph root that a storage.conf gives Podman, or an empty text.

    Starts of containers ask for it, and reading TOML costs 20 ms: a file is read only if it may say another place.
    """
    keys = ("rootless_storage_path", "graphroot")
    read = _files(paths, paths.config_dirs[0])
    if not any(_says(path, keys[:1] if path in _SYSTEM else keys) for path in read):
        return ""
    environ = {
        "XDG_CONFIG_HOME": os.path.dirname(paths.config_dirs[0]),
        "XDG_DATA_HOME": os.path.dirname(os.path.dirname(usual)),
        "USER": _user_name(paths.uid),
    }
    return graphroot_of_podman(paths, environ)


def _files(paths: Paths, own: str) -> list[str]:
    return in_order("storage", (paths.uid or None) if paths.rootless else 0, own)


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _says(path: str, keys: tuple[str, ...]) -> bool:
    return any(line.strip().startswith(keys) for line in files.read_small(path).splitlines())


def _read(path: str) -> dict[str, str]:
    from podpy.config import toml

    storage = toml.read(path, "containers-storage.conf(5)").get("storage")
    found = storage if isinstance(storage, dict) else {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _expanded(text: str, paths: Paths, environ: Mapping[str, str]) -> str:
    values = {"HOME": paths.home, "UID": str(paths.uid), "USER": environ.get("USER", "")}
    for name, value in values.items():
        text = text.replace(f"${name}", value).replace(f"${{{name}}}", value)
    return text
