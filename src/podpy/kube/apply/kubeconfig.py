"""kubeconfig files: clusters, users, and contexts, which combine the two (kubectl's rules).

$KUBECONFIG may name several files. Of two entries with one name the first file's counts, and so does the first
`current-context`. A relative path in a file is relative to the file's directory.
"""

from __future__ import annotations

import base64
import binascii
import os

from podpy.errors import ConfigError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Entry = dict[str, Any]

_LARGEST = 1 << 20  # bytes of a certificate, a key or a token
_LISTS = {"clusters": "cluster", "users": "user", "contexts": "context"}
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class Access(Record):
    """A cluster and its user. Certificates and the key are PEM; `plugin` names a program that prints credentials."""

    server: str  # https://HOST[:PORT][/PATH]
    namespace: str = "default"
    authorities: bytes = b""  # empty: the system's
    is_checked: bool = True
    server_name: str = ""  # the name in the server's certificate, if it isn't the host's
    proxy: str | None = None  # None: the environment's
    token: str = ""
    user: str = ""
    password: str = ""
    certificate: bytes = b""
    key: bytes = b""
    impersonated: dict[str, str] = {}  # headers
    plugin: dict[str, Any] = {}
    user_name: str = ""  # its name in the kubeconfig, for errors


def find_files(given: str, environ: Mapping[str, str]) -> list[str]:
    """Return the files to read: the given one, else $KUBECONFIG's, else ~/.kube/config. Raises ConfigError."""
    if given:
        return [given]
    named = [path for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    usual = os.path.join(environ.get("HOME", "") or "/", ".kube/config")
    files = [path for path in named or [usual] if os.path.exists(path)]
    if not files:
        raise ConfigError(
            "kubeconfig not given, unable to connect to cluster",
            hint="Give the file that the cluster's administrator or provider gave you by --kubeconfig or KUBECONFIG",
        )
    return files


def access(files: Sequence[str], *, authorities: str = "") -> Access:
    """Return the cluster and user of the current context; without one, the first cluster and user, as in Podman.

    `authorities`: a file with the cluster's authority, or "insecure". Raises ConfigError.
    """
    config = _Config(files)
    context = config.context()
    cluster = config.entry("clusters", context.get("cluster"))
    user = config.entry("users", context.get("user"))
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("https://", "http://")):
        raise ConfigError(f"{config.file}: the cluster has no server with https:// or http://: {server!r}")
    insecure = authorities.lower() == "insecure"
    trusted = _read(authorities) if authorities and not insecure else _pem(cluster, "certificate-authority")
    return Access(
        server=server.rstrip("/"),
        namespace=str(context.get("namespace") or "default"),
        authorities=trusted,
        is_checked=not (insecure or (cluster.get("insecure-skip-tls-verify") is True and not authorities)),
        server_name=str(cluster.get("tls-server-name") or ""),
        proxy=cluster.get("proxy-url"),
        **_credentials(user, config.file),
    )


def _credentials(user: Entry, file: str) -> dict[str, Any]:
    if user.get("auth-provider"):
        raise ConfigError(
            f"{file}: auth-provider, which Kubernetes 1.26 removed, is not supported",
            hint="Ask the cluster's provider for a kubeconfig with exec or a token",
        )
    # A token's file may be renewed, so it overrides a token that was copied from it.
    token = _read(user["tokenFile"]).decode(errors="replace").strip() if user.get("tokenFile") else user.get("token")
    certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
    if bool(certificate) != bool(key):
        raise ConfigError(f"{file}: a client's certificate needs its key, and the key its certificate")
    names = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
    return {
        "token": str(token or ""),
        "user": str(user.get("username") or ""),
        "password": str(user.get("password") or ""),
        "certificate": certificate,
        "key": key,
        "impersonated": {names[name]: str(user[name]) for name in names if user.get(name)},
        "plugin": user.get("exec") or {},
        "user_name": str(user.get("name") or ""),
    }


class _Config:
    """The merged files. `file` is the first one, for errors."""

    def __init__(self, files: Sequence[str]) -> None:
        self.file = files[0]
        self._current = ""
        self._entries: dict[str, dict[str, Entry]] = {kind: {} for kind in _LISTS}
        for path in files:
            self._add(path, _document(path))

    def _add(self, path: str, document: Entry) -> None:
        self._current = self._current or str(document.get("current-context") or "")
        for kind, name in _LISTS.items():
            entries = document.get(kind) or []
            for item in entries if isinstance(entries, list) else [entries]:
                if not isinstance(item, dict) or not isinstance(item.get(name) or {}, dict):
                    raise ConfigError(f"{path}: an entry of {kind} has no {name}")
                _check(path, item.get(name) or {})
                entry = {**(item.get(name) or {}), "name": item.get("name")}
                self._entries[kind].setdefault(str(item.get("name")), _absolute(entry, os.path.dirname(path)))

    def context(self) -> Entry:
        """Return the current context, or a context of the first cluster and user. Raises ConfigError."""
        if self._current:
            return self.entry("contexts", self._current)
        return {
            "cluster": next(iter(self._entries["clusters"]), None),
            "user": next(iter(self._entries["users"]), None),
        }

    def entry(self, kind: str, name: object) -> Entry:
        """Return an entry by name; an empty one if the context names no user. Raises ConfigError."""
        if not name and kind == "users":
            return {}
        found = self._entries[kind].get(str(name))
        if found is None:
            what = _LISTS[kind]
            raise ConfigError(f'{self.file}: no {what} named "{name}"' if name else f"{self.file}: it names no {what}")
        return found


def _document(path: str) -> Entry:
    import yaml

    try:
        with open(path, "rb") as file:
            found = yaml.load(file.read(16 * _LARGEST), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} isn't a kubeconfig")
    return found


def _check(path: str, entry: Entry) -> None:
    """Raise ConfigError for a value of the wrong type."""
    plugin = entry.get("exec") or {}
    if not isinstance(plugin, dict):
        raise ConfigError(f"{path}: exec must be a mapping")
    for name in ("args", "env"):
        if not isinstance(plugin.get(name) or [], list):
            raise ConfigError(f"{path}: {name} of exec must be a list")
    if not all(isinstance(pair, dict) for pair in plugin.get("env") or ()):
        raise ConfigError(f"{path}: env of exec must be a list of mappings")
    if not isinstance(entry.get("proxy-url") or "", str):
        raise ConfigError(f"{path}: proxy-url must be a text")


def _absolute(entry: Entry, directory: str) -> Entry:
    paths: Entry = {name: os.path.join(directory, str(entry[name])) for name in _PATHS if entry.get(name)}
    command = str((entry.get("exec") or {}).get("command") or "")
    if "/" in command:
        paths["exec"] = {**entry["exec"], "command": os.path.join(directory, command)}
    return {**entry, **paths}


def _pem(entry: Entry, name: str) -> bytes:
    """Return a certificate or a key: the entry's own (base64), else its file's content."""
    data = entry.get(f"{name}-data")
    if not data:
        return _read(entry[name]) if entry.get(name) else b""
    try:
        return base64.b64decode(str(data), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{name}-data of {entry.get('name')} is not base64") from None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
