"""registries.conf, version 2 (containers-registries.conf(5)): which registries there are and what short names mean.

Files, later ones win table by table: $CONTAINERS_REGISTRIES_CONF, else the main file and its drop-ins
(podpy.config.load_order); last the short names that were recorded (`short-name-aliases.conf`). Inside one file the
first of two tables with one prefix counts.

Reading TOML costs 15 ms of imports and parsing (Debian's alias table is long), so the result is kept as JSON in the run
directory, with the size and time of every file it came from.
"""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.config.load_order import in_order
from podpy.config.paths import may_be_there
from podpy.errors import ConfigError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAIN_VARIABLE = "CONTAINERS_REGISTRIES_CONF"
SHORT_NAME_MODES = ("enforcing", "permissive", "disabled")
PULL_FROM_MIRROR = ("all", "digest-only", "tag-only")
_VERSION_2 = ("registry", "unqualified-search-registries", "short-name-mode", "aliases", "credential-helpers")
CACHE_NAME = "registries.json"
_RECORDED = "short-name-aliases.conf"
_CACHE_LIMIT = 64 << 20  # bytes
_CACHE_FORMAT = 2


class Endpoint(Record):
    """Where to fetch from: a mirror, or the registry itself."""

    location: str
    insecure: bool = False
    pull_from_mirror: str = "all"  # one of PULL_FROM_MIRROR (mirrors only)


class Registry(Record):
    """One `[[registry]]` table."""

    prefix: str
    location: str
    insecure: bool = False
    blocked: bool = False
    mirror_by_digest_only: bool = False
    mirrors: list[Endpoint] = []


class Registries(Record):
    """The merged configuration. `origin` maps an alias, and "" (the search list), to the file that has it."""

    search: list[str] = []
    short_name_mode: str = "enforcing"
    aliases: dict[str, str] = {}
    registries: list[Registry] = []
    credential_helpers: list[str] = ["containers-auth.json"]
    origin: dict[str, str] = {}

    def registry_for(self, name: str) -> Registry | None:
        """Return the table whose prefix matches `name` (domain/path[:tag][@digest]) best, or None."""
        best = None
        for registry in self.registries:
            if _matches(registry.prefix, name) and (best is None or len(registry.prefix) > len(best.prefix)):
                best = registry
        return best

    def endpoints(self, name: str, *, by_digest: bool) -> list[tuple[str, bool]]:
        """Return where to look for `name` (domain/path, no tag), best first: (rewritten name, insecure).

        Mirrors come first, the registry itself last. Raises ConfigError if the registry is blocked.
        """
        registry = self._allowed(name)
        if registry is None:
            return [(name, False)]
        found = []
        for mirror in registry.mirrors:
            if registry.mirror_by_digest_only and not by_digest:
                continue
            if mirror.pull_from_mirror == ("tag-only" if by_digest else "digest-only"):
                continue
            found.append((_rewrite(name, registry.prefix, mirror.location), mirror.insecure))
        found.append((_rewrite(name, registry.prefix, registry.location), registry.insecure))
        return found

    def insecure(self, name: str) -> bool:
        """Return whether a request other than a pull may go without TLS. Its name is never rewritten.

        containers-registries.conf(5), "Remapping and mirroring registries". Raises ConfigError if it is blocked.
        """
        registry = self._allowed(name)
        return registry is not None and registry.insecure

    def _allowed(self, name: str) -> Registry | None:
        registry = self.registry_for(name)
        if registry is not None and registry.blocked:
            where = self.origin.get("registry " + registry.prefix, "registries.conf")
            raise ConfigError(f"registry {registry.prefix} is blocked in {where}", hint="Take another registry")
        return registry


def load(
    *,
    home: str,
    rootless: bool,
    uid: int | None = None,
    cache_directory: str = "",
    environ: Mapping[str, str] | None = None,
) -> Registries:
    """Return the configuration of this user.

    `home` is the user's home directory; `uid` chooses the drop-ins, those for root or for users; `cache_directory` (the
    run directory) may be empty: then nothing is kept. Raises ConfigError that names the file.
    """
    environ = os.environ if environ is None else environ
    files = _files(home, rootless, uid, environ)
    key = [[path, *_stamp(path)] for path in files]
    cache = os.path.join(cache_directory, CACHE_NAME) if cache_directory else ""
    if cache:
        kept = _read_cache(cache, key)
        if kept is not None:
            return kept
    merged = _merge(files)
    if cache:
        _write_cache(cache, key, merged)
    return merged


def _files(home: str, rootless: bool, uid: int | None, environ: Mapping[str, str]) -> list[str]:
    given = environ.get(MAIN_VARIABLE)
    if given and not os.path.exists(given):
        raise ConfigError(f"{given}: no such file", hint=f"Unset {MAIN_VARIABLE}, or make it name a registries.conf")
    config_home = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = [given] if given else in_order("registries", uid, os.path.join(config_home, "containers"))
    cache_home = environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    cache_home = os.path.join(cache_home, "containers") if rootless else "/var/cache/containers"
    files.append(os.path.join(cache_home, _RECORDED))
    return [path for path in files if may_be_there(path)]


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read_cache(path: str, key: list[list[Any]]) -> Registries | None:
    try:
        kept = fastjson.loads(files.read(path, _CACHE_LIMIT))
        if kept["format"] != _CACHE_FORMAT or kept["key"] != key:
            return None
        return _from_plain(kept["value"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_cache(path: str, key: list[list[Any]], value: Registries) -> None:
    try:
        files.replace(path, fastjson.dumps({"format": _CACHE_FORMAT, "key": key, "value": value.as_dict()}))
    except OSError:
        pass  # a cache that can't be written costs time, never correctness


def _from_plain(plain: dict[str, Any]) -> Registries:
    tables = [
        Registry(**{**table, "mirrors": [Endpoint(**mirror) for mirror in table["mirrors"]]})
        for table in plain["registries"]
    ]
    return Registries(**{**plain, "registries": tables})


def _merge(files: list[str]) -> Registries:
    if not files:
        return Registries()
    from podpy.config import toml

    merged: dict[str, Any] = {"aliases": {}, "registries": {}, "origin": {}}
    for path in files:
        document = toml.read(path, "containers-registries.conf(5)")
        _add_document(merged, document, path, is_main=not _is_drop_in(path))
    merged["registries"] = list(merged["registries"].values())
    return Registries(**merged)


def _is_drop_in(path: str) -> bool:
    return os.path.dirname(path).endswith(".conf.d") or path.endswith("/" + _RECORDED)


def _add_document(merged: dict[str, Any], document: dict[str, Any], path: str, *, is_main: bool) -> None:
    if isinstance(document.get("registries"), dict):
        if not is_main or any(key in document for key in _VERSION_2):
            what = "a drop-in is" if not is_main else "it is, in part,"
            raise _error(path, f"{what} in the format of version 1 ([registries.search] …), mixed with version 2")
        _add_version_1(merged, document["registries"], path)
    search = document.get("unqualified-search-registries")
    if search is not None:
        merged["search"] = [_host(text, path) for text in _texts(search, path, "unqualified-search-registries")]
        merged["origin"][""] = path
    mode = document.get("short-name-mode")
    if mode:
        if mode not in SHORT_NAME_MODES:
            raise ConfigError(f'{path}: short-name-mode "{mode}" is not one of {", ".join(SHORT_NAME_MODES)}')
        merged["short_name_mode"] = mode
    if document.get("credential-helpers"):
        merged["credential_helpers"] = _texts(document["credential-helpers"], path, "credential-helpers")
    _add_aliases(merged, document.get("aliases", {}), path)
    _add_registries(merged, document.get("registry", []), path)


def _add_aliases(merged: dict[str, Any], aliases: Any, path: str) -> None:
    if not isinstance(aliases, dict):
        raise _error(path, "[aliases] is not a table")
    for name, target in aliases.items():
        if not isinstance(target, str):
            raise _error(path, f'alias "{name}" is not text')
        if _names_registry(name) or ":" in name or "@" in name:
            raise _error(path, f'alias "{name}": the short name must have no registry, tag or digest')
        if target and not _names_registry(target):
            raise _error(path, f'alias "{name}" = "{target}": the value must contain registry and repository')
        if "@" in target or ":" in target.rpartition("/")[2]:
            raise _error(path, f'alias "{name}" = "{target}": the value must not contain a tag or digest')
        merged["aliases"][name] = target
        merged["origin"][name] = path


def _add_registries(merged: dict[str, Any], tables: Any, path: str) -> None:
    if not isinstance(tables, list):
        raise _error(path, "registry is not an array of tables: write [[registry]]")
    found: dict[str, Registry] = {}
    by_location: dict[str, Registry] = {}
    for table in tables:
        registry = _registry(table, path)
        found.setdefault(registry.prefix, registry)
        other = by_location.setdefault(registry.location or registry.prefix, registry)
        for key in ("insecure", "blocked"):
            if getattr(other, key) != getattr(registry, key):
                raise _error(path, f"registry {registry.location} is defined several times, with different {key}")
    for prefix, registry in found.items():
        merged["registries"][prefix] = registry
        merged["origin"]["registry " + prefix] = path


def _add_version_1(merged: dict[str, Any], tables: dict[str, Any], path: str) -> None:
    """The old format: `[registries.search] registries = [...]`, `insecure`, `block`."""

    def names(kind: str) -> list[str]:
        table = tables.get(kind, {})
        if not isinstance(table, dict):
            raise _error(path, f"[registries.{kind}] is not a table")
        return _texts(table.get("registries", []), path, kind)

    if names("search"):
        merged["search"] = [_host(text, path) for text in names("search")]
        merged["origin"][""] = path
    for kind in ("insecure", "block"):
        for name in names(kind):
            old = merged["registries"].get(name, Registry(prefix=name, location=name))
            merged["registries"][name] = old.replace(**{"blocked" if kind == "block" else "insecure": True})


def _error(path: str, what: str) -> ConfigError:
    return ConfigError(f"{path}: {what}", hint="See containers-registries.conf(5)")


def _texts(value: object, path: str, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _error(path, f"{what} is not a list of texts")
    return value


def _host(text: str, path: str) -> str:
    host = text.rstrip("/")
    if not host or "/" in host or "@" in host or host.strip() != host:
        raise _error(path, f'unqualified-search-registries: "{text}" is not a host[:port]')
    return host


def _names_registry(name: str) -> bool:
    first, slash, _ = name.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)


def _registry(table: Any, path: str) -> Registry:
    if not isinstance(table, dict):
        raise _error(path, "[[registry]] is not a table")
    location = _location(table, "location", path)
    prefix = _location(table, "prefix", path) or location
    if not prefix:
        raise _error(path, "a [[registry]] has neither prefix nor location")
    wild = prefix.startswith("*.")
    if wild and any(character in prefix for character in "/@:"):
        raise _error(path, f'registry "{prefix}": a wildcard must be like *.example.com')
    if table.get("pull-from-mirror"):
        raise _error(path, f'registry "{prefix}": pull-from-mirror is for a mirror, not for the registry')
    by_digest_only = _truth(table, "mirror-by-digest-only", path)
    mirrors = table.get("mirror", [])
    if not isinstance(mirrors, list):
        raise _error(path, f'registry "{prefix}": mirror is not an array of tables: write [[registry.mirror]]')
    return Registry(
        prefix=prefix,
        location=location if wild else location or prefix,
        insecure=_truth(table, "insecure", path),
        blocked=_truth(table, "blocked", path),
        mirror_by_digest_only=by_digest_only,
        mirrors=[_mirror(mirror, prefix, path, by_digest_only) for mirror in mirrors],
    )


def _mirror(table: Any, prefix: str, path: str, by_digest_only: bool) -> Endpoint:
    location = _location(table, "location", path) if isinstance(table, dict) else ""
    if not location:
        raise _error(path, f'a mirror of registry "{prefix}" has no location')
    use = table.get("pull-from-mirror") or "all"
    if use not in PULL_FROM_MIRROR:
        raise _error(path, f'mirror "{location}": pull-from-mirror "{use}" is not one of {", ".join(PULL_FROM_MIRROR)}')
    if by_digest_only and table.get("pull-from-mirror"):
        raise _error(
            path, f'registry "{prefix}": mirror-by-digest-only and a mirror\'s pull-from-mirror exclude each other'
        )
    return Endpoint(location=location, insecure=_truth(table, "insecure", path), pull_from_mirror=use)


def _location(table: dict[str, Any], key: str, path: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise _error(path, f"{key} is not text")
    if value.startswith(("http://", "https://")):
        raise _error(path, f"invalid {key} '{value}': URI schemes are not supported")
    return value.rstrip("/")


def _truth(table: dict[str, Any], key: str, path: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise _error(path, f"{key} is neither true nor false")
    return value


def _matches(prefix: str, name: str) -> bool:
    if prefix.startswith("*."):
        host = name.partition("/")[0].partition(":")[0]
        return host.endswith(prefix[1:])
    return name.startswith(prefix) and (len(name) == len(prefix) or name[len(prefix)] in "/:@")


def _rewrite(name: str, prefix: str, location: str) -> str:
    if not location:
        return name
    if prefix.startswith("*."):
        return location + name[len(name.partition("/")[0].partition(":")[0]) :]
    return location + name[len(prefix) :]
