"""Registry credentials: auth.json (containers-auth.json(5)), Docker's config.json, credential helpers.

Looked up in this order: the file that the caller names, $REGISTRY_AUTH_FILE, `containers/auth.json` in the run
directory, `containers/auth.json` in the configuration directory, $DOCKER_CONFIG/config.json, ~/.docker/config.json.
In each, the most specific key wins: `host/namespace/repository`, `host/namespace`, `host`.

Passwords are never part of an error's text or of a record's `repr`.
"""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import AuthenticationError, ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TOKEN_USER = "<token>"  # a helper's way to say that the secret is an identity token
DOCKER_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")
_HELPER_TIMEOUT = 60.0
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
        self, *, home: str, run_directory: str = "", authfile: str = "", environ: Mapping[str, str] | None = None
    ) -> None:
        """`run_directory` holds `containers/auth.json` if XDG_RUNTIME_DIR isn't set; `authfile` stands for itself."""
        environ = os.environ if environ is None else environ
        self._environ = environ
        named = authfile or environ.get("REGISTRY_AUTH_FILE", "")
        config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        docker = environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
        self.write_path = named or _run_auth_file(run_directory, environ)
        self.paths = (
            [named]
            if named
            else [
                self.write_path,
                os.path.join(config, "containers", "auth.json"),
                os.path.join(docker, "config.json"),
            ]
        )
        if authfile and not os.path.exists(authfile):
            self.missing: str = authfile
        else:
            self.missing = ""

    def find(self, name: str) -> Credentials | None:
        """Return the credentials for `name` (host, or host/path of a repository), or None.

        Raises ConfigError for a file that can't be understood, AuthenticationError for a helper that fails.
        """
        if self.missing:
            raise ConfigError(
                f"authfile {self.missing}: no such file", hint="Run: podpy login --authfile FILE REGISTRY"
            )
        for path in self.paths:
            found = _find_in(_read(path), name, path)
            if found is not None:
                return found
        return None

    def store(self, key: str, credentials: Credentials) -> None:
        """Write credentials for a registry (mode 0600), or hand them to the helper that is configured for it."""
        import base64

        document = _read(self.write_path)
        helper = _helper_for(document, key)
        if helper:
            secret = {"ServerURL": key, "Username": credentials.username, "Secret": credentials.password}
            _run_helper(helper, "store", fastjson.dumps(secret))
            return
        pair = f"{credentials.username}:{credentials.password}".encode()
        document.setdefault("auths", {})[key] = {"auth": base64.b64encode(pair).decode()}
        _write(self.write_path, document)

    def erase(self, key: str) -> bool:
        """Remove a registry's credentials. Return whether there were any."""
        document = _read(self.write_path)
        helper = _helper_for(document, key)
        if helper:
            _run_helper(helper, "erase", key)
            return True
        if document.get("auths", {}).pop(key, None) is None:
            return False
        _write(self.write_path, document)
        return True

    def erase_all(self) -> None:
        """Remove everything that `store` wrote."""
        document = _read(self.write_path)
        document["auths"] = {}
        _write(self.write_path, document)


def parse_pair(text: str) -> Credentials:
    """Return what `--creds USER[:PASSWORD]` says."""
    username, _, password = text.partition(":")
    return Credentials(username, password)


def _run_auth_file(run_directory: str, environ: Mapping[str, str]) -> str:
    if os.geteuid() == 0 and not environ.get("XDG_RUNTIME_DIR"):
        return "/run/containers/0/auth.json"
    base = environ.get("XDG_RUNTIME_DIR") or run_directory
    return os.path.join(base, "containers", "auth.json")


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
    if not isinstance(document, dict) or not isinstance(document.get("auths", {}), dict):
        raise ConfigError(f"{path}: not a file of credentials", hint="See containers-auth.json(5)")
    return document


def _write(path: str, document: dict[str, Any]) -> None:
    import json

    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    aside = f"{path}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w") as file:
        json.dump(document, file, indent="\t")
        file.flush()
        os.fsync(file.fileno())
    os.rename(aside, path)


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
        found = _ask_helper(helper, DOCKER_KEYS[0] if host == "docker.io" else host)
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
        username, colon, password = base64.b64decode(packed, validate=True).decode().partition(":")
    except ValueError:
        colon = username = password = ""
    if not colon:
        raise ConfigError(f"{path}: the credentials for {key} are damaged", hint=f"Run: podpy login {key}")
    return Credentials(username, password.rstrip("\0"))


def _helper_for(document: dict[str, Any], host: str) -> str:
    helpers = document.get("credHelpers")
    helper = helpers.get(host) if isinstance(helpers, dict) else None
    helper = helper or document.get("credsStore") or ""
    return helper if isinstance(helper, str) else ""


def _ask_helper(helper: str, host: str) -> Credentials | None:
    text = _run_helper(helper, "get", host)
    if text is None:
        return None
    try:
        answer = fastjson.loads(text)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError):
        raise AuthenticationError(f"docker-credential-{helper}: its answer can't be understood") from None
    return Credentials(identity_token=secret) if username == TOKEN_USER else Credentials(username, secret)


def _run_helper(helper: str, action: str, text: str) -> str | None:
    """Run `docker-credential-HELPER ACTION` with `text` on its stdin; return its answer, None: it has no such entry."""
    import subprocess

    if "/" in helper:
        raise ConfigError(f'the credential helper "{helper}" is not a name')
    command = [f"docker-credential-{helper}", action]
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_HELPER_TIMEOUT, check=False)
    except FileNotFoundError:
        raise AuthenticationError(
            f"{command[0]} is not installed", hint="Install it, or remove it from auth.json or config.json"
        ) from None
    except subprocess.TimeoutExpired:
        raise AuthenticationError(f"{' '.join(command)}: no answer in {_HELPER_TIMEOUT:.0f} seconds") from None
    if done.returncode == 0:
        return done.stdout
    if "not found" in done.stdout.lower() + done.stderr.lower():
        return None
    raise AuthenticationError(f"{' '.join(command)} failed with exit code {done.returncode}")
