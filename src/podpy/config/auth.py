"""Registry credentials: auth.json (containers-auth.json(5)), Docker's config.json, credential helpers.

Looked up in this order: the file that the caller names, $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json (if one of
these is named, no other file counts), the one in the run directory (Paths.auth_file), `containers/auth.json` in the
configuration directory, ~/.docker/config.json, ~/.dockercfg. In each, the most specific key wins:
`host/namespace/repository`, `host/namespace`, `host`. If the file names a helper for the host (`credHelpers`, Docker's
`credsStore`), the helper is asked first. registries.conf may name helpers besides the files.

Passwords are never part of an error's text or of a record's `repr`.
"""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.config import credential_helpers
from podpy.config.rewriting import Rewriting
from podpy.errors import ConfigError, NoHelperError, UsageError
from podpy.notice import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

DOCKER_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")
FILES = "containers-auth.json"  # registries.conf's name for the files, among the helpers
_told: set[str] = set()  # helpers that aren't there, once for each process
_LEGACY = ".dockercfg"
_FILE_LIMIT = 4 << 20


class Credentials:
    """A user's name and password for one registry, or an identity token (an OAuth2 refresh token)."""

    __slots__ = ("identity_token", "password", "username")

    def __init__(self, username: str = "", password: str = "", identity_token: str = "") -> None:
        self.username = username
        self.password = password
        self.identity_token = identity_token

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r}, …)"


class AuthFiles:
    """Where this user's credentials are."""

    def __init__(
        self,
        *,
        home: str,
        run_file: str = "",
        authfile: str = "",
        compat_authfile: str = "",
        helpers: Sequence[str] = (FILES,),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`run_file` is where `login` writes if nothing names another file. If `authfile` is given, no other file
        counts. The same goes for `compat_authfile`, in which keys are Docker's. `helpers` are registries.conf's
        `credential-helpers`.
        """
        environ = os.environ if environ is None else environ
        config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        docker = environ.get("DOCKER_CONFIG", "")
        given = environ.get("REGISTRY_AUTH_FILE", "")
        named = compat_authfile or authfile or given or (os.path.join(docker, "config.json") if docker else "")
        self._docker_keys = bool(compat_authfile)
        self._helpers = list(helpers)
        self.write_path = named or run_file
        self.paths = (
            [named]
            if named
            else [
                self.write_path,
                os.path.join(config, "containers", "auth.json"),
                os.path.join(home, ".docker", "config.json"),
                os.path.join(home, _LEGACY),
            ]
        )
        # A file that only the environment names needn't exist.
        self.missing = authfile if authfile and authfile != given and not os.path.exists(authfile) else ""

    def find(self, name: str) -> Credentials | None:
        """Return the credentials for `name` (host, or host/path of a repository), or None.

        Raises ConfigError for a file that can't be understood, AuthenticationError for a helper that fails.
        """
        if self.missing:
            raise ConfigError(
                f"authfile {self.missing}: no such file", hint="Run: podpy login --authfile FILE REGISTRY"
            )
        for helper in self._helpers:
            if helper == FILES:
                found = next(filter(None, (_find_in(_read(path), name, path) for path in self.paths)), None)
            else:
                found = _ask_helper(helper, name.partition("/")[0])
            if found is not None:
                return found
        return None

    def store(self, key: str, credentials: Credentials) -> None:
        """Write credentials for a registry (mode 0600), or hand them to the helper that is configured for it.

        Raises UsageError for a key with a path where a helper, or Docker's format, knows hosts only.
        """
        import base64

        if self._helpers and self._helpers[0] != FILES:
            _store_in_helper(self._helpers[0], key, credentials)
            return
        helper = _helper_for(_read(self.write_path), key)
        if helper:
            _store_in_helper(helper, key, credentials)
            return
        pair = f"{credentials.username}:{credentials.password}".encode()
        written = self._written_key(key)
        with self._rewriting() as file:
            document = _read(file.path)
            document.setdefault("auths", {})[written] = {"auth": base64.b64encode(pair).decode()}
            _write(file, document)

    def erase(self, key: str) -> bool:
        """Remove a registry's credentials wherever podpy keeps them. Return whether there were any."""
        erased = False
        for helper in self._helpers:
            if helper == FILES:
                erased = self._erase_from_file(key) or erased
            elif "/" not in key:
                erased = credential_helpers.erase(helper, key) or erased
        return erased

    def _erase_from_file(self, key: str) -> bool:
        document = _read(self.write_path)
        helper = _helper_for(document, key)
        if helper and "/" not in key:
            try:
                return credential_helpers.erase(helper, _server(key))
            except NoHelperError:
                pass  # then it has nothing that could be forgotten
        written = self._written_key(key)
        if written not in document.get("auths", {}):
            return False
        with self._rewriting() as file:
            document = _read(file.path)
            document.get("auths", {}).pop(written, None)
            _write(file, document)
        return True

    def erase_all(self) -> None:
        """Remove everything that `store` wrote."""
        for helper in self._helpers:
            if helper != FILES:
                for server in credential_helpers.servers(helper):
                    credential_helpers.erase(helper, server)
                continue
            document = _read(self.write_path)
            for host, name in _text_items(document.get("credHelpers")):
                try:
                    credential_helpers.erase(name, host)
                except NoHelperError:
                    continue
            if document:
                with self._rewriting() as file:
                    _write(file, {**_read(file.path), "auths": {}})

    def _rewriting(self) -> Rewriting:
        return Rewriting(self.write_path, directory_mode=0o700)

    def _written_key(self, key: str) -> str:
        if not self._docker_keys:
            return key
        if "/" in key:
            raise UsageError(
                f"{key}: Docker's format has no credentials for parts of a registry", hint="Give the host only"
            )
        return _server(key)


def parse_pair(text: str) -> Credentials:
    """Return what `--creds USER[:PASSWORD]` says."""
    username, _, password = text.partition(":")
    return Credentials(username, password)


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            data = file.read(_FILE_LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    try:
        document = fastjson.loads(data) if data.strip() else {}
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: not JSON", hint="Mend it, or remove it and log in again") from None
    if os.path.basename(path) == _LEGACY and isinstance(document, dict):
        document = {"auths": document}
    if not isinstance(document, dict) or not isinstance(document.get("auths", {}), dict):
        raise ConfigError(f"{path}: not a file of credentials", hint="See containers-auth.json(5)")
    return document


def _write(file: Rewriting, document: dict[str, Any]) -> None:
    import json

    file.replace(json.dumps(document, indent="\t").encode(), 0o600)


def _keys(name: str) -> list[str]:
    """Return the keys to look for, the most specific first: a/b/c, a/b, a."""
    keys = [name]
    while "/" in name:
        name = name.rpartition("/")[0]
        keys.append(name)
    if name == "docker.io":
        keys.extend(DOCKER_KEYS)
    return keys


def _find_in(document: dict[str, Any], name: str, path: str) -> Credentials | None:
    host = name.partition("/")[0]
    helper = _helper_for(document, host)
    if helper:
        found = _ask_helper(helper, _server(host))
        if found is not None:
            return found
    auths = document.get("auths", {})
    if not auths:
        return None
    for key in _keys(name):
        entry = auths.get(key)
        if entry is None:
            entry = next((value for other, value in auths.items() if _bare(other) == key), None)
        if isinstance(entry, dict) and entry:
            return _entry(entry, key, path)
    return None


def _bare(key: str) -> str:
    """Return Docker's old form of a key (https://host/v1/) as a host."""
    if "://" not in key:
        return key
    return key.partition("://")[2].partition("/")[0]


def _entry(entry: dict[str, Any], key: str, path: str) -> Credentials | None:
    import base64

    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Credentials(identity_token=token)
    packed = entry.get("auth")
    if not isinstance(packed, str) or not packed:
        username, password = entry.get("username"), entry.get("password")
        if isinstance(username, str) and isinstance(password, str):
            return Credentials(username, password)
        return None
    try:
        # Tools that break lines, and people who paste, leave white space in it (RFC 4648, 3.1 leaves that open).
        plain = base64.b64decode("".join(packed.split()), validate=True).decode()
        username, colon, password = plain.partition(":")
    except ValueError:
        colon = username = password = ""
    if not colon:
        raise ConfigError(f"{path}: the credentials for {key} are damaged", hint=f"Run: podpy login {key}")
    return Credentials(username, password.rstrip("\0"))


def _helper_for(document: dict[str, Any], key: str) -> str:
    """Return the helper that a file names for a registry, or an empty text."""
    host = key.partition("/")[0]
    helpers = dict(_text_items(document.get("credHelpers")))
    keys = (host, *DOCKER_KEYS) if host == "docker.io" else (host,)
    store = document.get("credsStore")
    return next((helpers[one] for one in keys if one in helpers), store if isinstance(store, str) else "")


def _text_items(table: object) -> list[tuple[str, str]]:
    return [pair for pair in table.items() if isinstance(pair[1], str)] if isinstance(table, dict) else []


def _server(host: str) -> str:
    """Return what Docker and its helpers call a registry."""
    return DOCKER_KEYS[0] if host == "docker.io" else host


def _ask_helper(helper: str, server: str) -> Credentials | None:
    """Return what a helper knows. If it isn't installed, warn once and return nothing: most images are public.

    Docker Desktop leaves `credsStore` behind when it is uninstalled.
    """
    try:
        found = credential_helpers.get(helper, server)
    except NoHelperError as error:
        if helper not in _told:
            _told.add(helper)
            warn(f"{error.message}: going on without the passwords that it keeps ({error.hint})")
        return None
    if found is None:
        return None
    username, secret = found
    if username == credential_helpers.TOKEN_USER:
        return Credentials(identity_token=secret)
    return Credentials(username, secret)


def _store_in_helper(helper: str, key: str, credentials: Credentials) -> None:
    if "/" in key:
        raise UsageError(f"{key}: the credential helper {helper} keeps passwords of whole registries only")
    credential_helpers.store(helper, _server(key), credentials.username, credentials.password)
