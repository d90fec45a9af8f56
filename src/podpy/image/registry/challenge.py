"""Authentication by a registry's challenge: Basic, or a Bearer token from a token server.

https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/. Each scope's token is asked for once and used
until the registry refuses it.
"""

from __future__ import annotations

from _thread import allocate_lock as Lock

from podpy import fastjson
from podpy.errors import AuthenticationError, RegistryError, shorten
from podpy.image.registry.http import form, read_body, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.auth import Credentials
    from podpy.http.curl import Response
    from podpy.image.registry.http import Connection

_CLIENT = "podpy"


class Authenticator:
    """Answers a registry's challenges. Safe for several threads."""

    def __init__(self, connection: Connection, credentials: Credentials | None) -> None:
        self._connection = connection
        self._credentials = credentials
        self._headers: dict[str, str] = {}
        self._lock = Lock()

    def header(self, scope: str) -> str:
        """Return the Authorization header for a scope, or an empty text if nothing was asked for yet."""
        return self._headers.get(scope) or self._headers.get("basic", "")

    def answer(self, response: Response, scope: str, refused: str) -> bool:
        """Answer a 401's challenge; return whether there is now a header other than `refused` to try.

        Raises AuthenticationError (what to type), RegistryError (the token server can't be used).
        """
        challenges = _challenges(response.headers.getlist("WWW-Authenticate"))
        with self._lock:
            current = self.header(scope)
            if current and current != refused:
                return True  # another thread has just got a token
            if "bearer" in challenges:
                self._headers[scope] = "Bearer " + self._token(challenges["bearer"], scope)
            elif "basic" in challenges and self._credentials is not None:
                self._headers["basic"] = _basic(self._credentials)
            return self.header(scope) not in ("", refused)

    def _token(self, challenge: dict[str, str], scope: str) -> str:
        from urllib.parse import urlencode

        realm = challenge.get("realm", "")
        server = self._check_realm(realm)
        service = {"service": challenge["service"]} if challenge.get("service") else {}
        scopes = _scopes(scope, challenge.get("scope", ""))
        credentials = self._credentials
        what = f"token server {server}"
        if credentials is not None and credentials.identity_token:
            fields = {"grant_type": "refresh_token", "client_id": _CLIENT, "refresh_token": credentials.identity_token}
            fields |= service | ({"scope": " ".join(scopes)} if scopes else {})
            response = self._connection.open_url("POST", realm, {}, what=what, body=form(fields))
        else:
            headers = {"Authorization": _basic(credentials)} if credentials is not None else {}
            account = {"account": credentials.username} if credentials is not None else {}
            query = urlencode([*service.items(), *(("scope", one) for one in scopes), *account.items()])
            response = self._connection.open_url(
                "GET", realm + ("&" if "?" in realm else "?") + query, headers, what=what
            )
        body = read_body(response)
        if response.status in (401, 403):
            raise self._refused(server)
        if response.status != 200:
            raise RegistryError(f"{what} answered {response.status}: {error_text(body)}")
        return _token_in(body, what)

    def _check_realm(self, realm: str) -> str:
        """Return a token server's host. Raises RegistryError if it must not get the credentials."""
        parts = split(realm)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise RegistryError(f"{self._connection.host} names a token server that isn't one: {shorten(realm)}")
        if parts.scheme == "http" and self._credentials is not None and not self._connection.insecure:
            raise RegistryError(
                f"{self._connection.host} wants the password sent to {parts.netloc} over HTTP",
                hint="That is refused unless the registry is marked insecure in registries.conf",
            )
        return parts.netloc

    def _refused(self, where: str) -> AuthenticationError:
        host = self._connection.host
        if self._credentials is None:
            return AuthenticationError(f"{host}: {where} wants credentials", hint=f"Run: podpy login {host}")
        return AuthenticationError(f"{host}: invalid username/password, says {where}", hint=f"Run: podpy login {host}")


def error_text(body: bytes) -> str:
    """Return the message of an error answer: its first `errors` entry (distribution spec), else its text."""
    try:
        document = fastjson.loads(body)
        first = document["errors"][0]
        code = str(first.get("code") or "").replace("_", " ").lower()
        message = str(first.get("message") or "")
        detail = f"{code}: {message}" if code and message and code != message else code or message
        return shorten(detail, 200)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return shorten(body.decode("utf-8", "replace").strip().partition("\n")[0], 200) or "no reason given"


def error_codes(body: bytes) -> list[str]:
    """Return the codes of an error answer's entries, as the distribution specification lists them; empty: none."""
    try:
        return [str(entry.get("code") or "") for entry in fastjson.loads(body)["errors"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _scopes(wanted: str, challenged: str) -> list[str]:
    """Return the scopes to request: those of the challenge, and those that will be needed next.

    A HEAD is challenged for `pull` only, though a push comes next: one token then does for both. If the registry's
    challenge uses other names for the repository, these are used.
    """
    ours, theirs = _resources(wanted), _resources(challenged)
    if theirs and not ours.keys() & theirs.keys():
        ours = {}
    merged: dict[str, list[str]] = {}
    for resource, actions in (*ours.items(), *theirs.items()):
        known = merged.setdefault(resource, [])
        known += [action for action in actions if action not in known]
    return [f"{resource}:{','.join(actions)}" for resource, actions in merged.items()]


def _resources(scopes: str) -> dict[str, list[str]]:
    """Split `repository:a:pull,push repository:b:pull` into actions by resource."""
    parts = (scope.rpartition(":") for scope in scopes.split())
    return {resource: actions.split(",") for resource, _, actions in parts if resource}


def _basic(credentials: Credentials) -> str:
    import base64

    pair = f"{credentials.username}:{credentials.password}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _token_in(body: bytes, what: str) -> str:
    try:
        document = fastjson.loads(body)
        token = document.get("token") or document.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        token = None
    if not isinstance(token, str) or not token or not token.isprintable():
        raise RegistryError(f"{what} sent no token")
    return token


def _challenges(headers: list[str]) -> dict[str, dict[str, str]]:
    """Return the challenges by scheme (lower case) with their parameters (RFC 9110, 11.6.1)."""
    found: dict[str, dict[str, str]] = {}
    for header in headers:
        scheme = ""
        for word, value in _pairs(header):
            if value is None:
                scheme = word.lower()
                found.setdefault(scheme, {})
            elif scheme:
                found[scheme].setdefault(word.lower(), value)
    return found


def _pairs(header: str) -> list[tuple[str, str | None]]:
    """Split `Bearer realm="x",service="y", Basic realm=z` into (Bearer, None), (realm, x), …"""
    pairs: list[tuple[str, str | None]] = []
    rest = header
    while rest := rest.lstrip(" ,\t"):
        end = next((at for at, character in enumerate(rest) if character in " ,=\t"), len(rest))
        word, rest = rest[:end], rest[end:]
        if not rest.startswith("="):
            pairs.append((word, None))
            continue
        rest = rest[1:]
        if rest.startswith('"'):
            value, rest = _quoted(rest)
        else:
            value, comma, rest = rest.partition(",")
            rest = comma + rest
        pairs.append((word, value))
    return pairs


def _quoted(text: str) -> tuple[str, str]:
    value = ""
    at = 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 1
        value += text[at : at + 1]
        at += 1
    return value, text[at + 1 :]
