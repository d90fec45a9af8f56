"""policy.json (containers-policy.json(5)): which images may come in, and who must have signed them.

Parsing is strict, as the man page demands: an unknown, duplicated, missing or ill-typed key makes the whole file an
error that names the file, the key and what is wrong with it. Nothing that isn't understood ever means "accept".

`podpy.image.trust` decides what a requirement means for an image. No file at all accepts everything: an
installation by pip brings none, and must be able to pull.
"""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.config.paths import may_be_there
from podpy.errors import ConfigError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SYSTEM_FILE = "/etc/containers/policy.json"
VENDORS_FILE = "/usr/share/containers/policy.json"  # Podman 6 reads it, too
ACCEPT, REJECT, SIGNED_BY, SIGSTORE_SIGNED = "insecureAcceptAnything", "reject", "signedBy", "sigstoreSigned"
GPG_KEYS = "GPGKeys"
MATCH_REPO_DIGEST_OR_EXACT = "matchRepoDigestOrExact"
_HINT = "See containers-policy.json(5)"
# What each kind of signedIdentity must hold besides its type.
_IDENTITIES: dict[str, tuple[str, ...]] = {
    "matchExact": (),
    MATCH_REPO_DIGEST_OR_EXACT: (),
    "matchRepository": (),
    "exactReference": ("dockerReference",),
    "exactRepository": ("dockerRepository",),
    "remapIdentity": ("prefix", "signedPrefix"),
}
_SIGSTORE_KEYS = ("keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki")
_REKOR_KEYS = ("rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas")
_PATH_TRANSPORTS = ("dir", "oci", "oci-archive", "sif")
_PLAIN_TRANSPORTS = ("docker-archive", "tarball")  # they know the scope "" only


class Identity(Record):
    """A `signedIdentity`: which name a signature must claim. `where` is its place in the file, for errors."""

    type: str = MATCH_REPO_DIGEST_OR_EXACT
    where: str = ""
    docker_reference: str = ""
    docker_repository: str = ""
    prefix: str = ""
    signed_prefix: str = ""


class Requirement(Record):
    """One requirement: its keys are files (`key_paths`) or contents (`key_data`)."""

    type: str
    where: str
    key_paths: list[str] = []
    key_data: list[bytes] = []
    identity: Identity = Identity()
    unsupported: str = ""  # a key that podpy can't check (fulcio, say): the requirement then rejects


class Policy(Record):
    """A whole policy.json, checked."""

    path: str
    default: list[Requirement]
    transports: dict[str, dict[str, list[Requirement]]] = {}

    def requirements(self, transport: str, scopes: list[str]) -> list[Requirement]:
        """Return what counts for an image: the first of its scopes (most specific first) that the file names.

        Else the transport's own default (the scope ""), else the file's.
        """
        named = self.transports.get(transport, {})
        for scope in (*scopes, ""):
            if scope in named:
                return named[scope]
        return self.default

    def all_requirements(self) -> Iterator[Requirement]:
        """Yield every requirement of the file."""
        yield from self.default
        for scopes in self.transports.values():
            for requirements in scopes.values():
                yield from requirements


def find_file(home: str, given: str = "") -> str:
    """Return the path of the policy.json that counts: `given`, the user's, the administrator's, the
    distribution's; empty if there is none.
    """
    if given:
        return given
    # Podman reads ~/.config only, whatever XDG_CONFIG_HOME says. What it refuses is refused here, too.
    configs = dict.fromkeys((os.environ.get("XDG_CONFIG_HOME") or "", os.path.join(home, ".config")))
    own = [os.path.join(config, "containers", "policy.json") for config in configs if config]
    # A dangling link is an error when it is read; it never means "no policy".
    return next((path for path in (*own, SYSTEM_FILE, VENDORS_FILE) if may_be_there(path, follow_links=False)), "")


def load(home: str, given: str = "") -> Policy | None:
    """Return the policy of this user, or None if there is no file. Raises ConfigError."""
    path = find_file(home, given)
    return parse(read(path), path) if path else None


def read(path: str) -> bytes:
    """Return a policy file's bytes. Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint=_HINT) from None


def parse(data: bytes, path: str) -> Policy:
    """Return what a policy file's bytes mean. Raises ConfigError that names `path` and the key that is wrong."""
    return _Parser(path).policy(data)


class _Parser:
    """Reads one file; `where` is the place of a value in it: `transports.docker["quay.io"][0].keyPath`."""

    def __init__(self, path: str) -> None:
        self._path = path

    def policy(self, data: bytes) -> Policy:
        try:
            document = fastjson.loads_strict(data)
        except (ValueError, RecursionError) as error:
            reason = error if isinstance(error, ValueError) else "nested too deeply"
            raise ConfigError(f"{self._path}: {reason}", hint=_HINT) from None
        self._object(document, "", required=("default",), optional=("transports",))
        transports = self._object(document.get("transports", {}), "transports")
        return Policy(
            path=self._path,
            default=self._requirements(document["default"], "default"),
            transports={name: self._scopes(name, value) for name, value in transports.items()},
        )

    def _scopes(self, transport: str, value: Any) -> dict[str, list[Requirement]]:
        found = {}
        for scope, requirements in self._object(value, f"transports.{transport}").items():
            where = f'transports.{transport}["{scope}"]'
            reason = _wrong_scope(transport, scope) if scope else ""
            if reason:
                raise self._error(where, reason)
            found[scope] = self._requirements(requirements, where)
        return found

    def _requirements(self, value: Any, where: str) -> list[Requirement]:
        if not isinstance(value, list):
            raise self._error(where, "it isn't a list of requirements")
        if not value:
            raise self._error(where, "the list of requirements is empty: it needs one at least")
        return [self._requirement(item, f"{where}[{number}]") for number, item in enumerate(value)]

    def _requirement(self, value: Any, where: str) -> Requirement:
        kind = self._kind(value, where)
        if kind in (ACCEPT, REJECT):
            self._object(value, where, required=("type",))
            return Requirement(type=kind, where=where)
        if kind == SIGNED_BY:
            return self._signed_by(value, where)
        if kind == SIGSTORE_SIGNED:
            return self._sigstore_signed(value, where)
        if kind == "signedBaseLayer":
            return Requirement(type=kind, where=where, unsupported=kind)
        raise self._error(f"{where}.type", f'unknown type "{kind}"')

    def _signed_by(self, value: dict[str, Any], where: str) -> Requirement:
        keys = ("keyPath", "keyPaths", "keyData")
        self._object(value, where, required=("type", "keyType"), optional=(*keys, "signedIdentity"))
        if self._text(value["keyType"], f"{where}.keyType") != GPG_KEYS:
            raise self._error(f"{where}.keyType", f'"{value["keyType"]}" is not supported: it must be {GPG_KEYS}')
        self._exactly_one(value, keys, where)
        return self._with_keys(value, where)

    def _sigstore_signed(self, value: dict[str, Any], where: str) -> Requirement:
        optional = (*_SIGSTORE_KEYS, *_REKOR_KEYS, "signedIdentity")
        self._object(value, where, required=("type",), optional=optional)
        self._exactly_one(value, _SIGSTORE_KEYS, where)
        unsupported = next((key for key in ("fulcio", "pki", *_REKOR_KEYS) if key in value), "")
        return self._with_keys(value, where).replace(unsupported=unsupported)

    def _with_keys(self, value: dict[str, Any], where: str) -> Requirement:
        paths = [value["keyPath"]] if "keyPath" in value else value.get("keyPaths", [])
        data = [value["keyData"]] if "keyData" in value else value.get("keyDatas", [])
        for key, listed in (("keyPaths", paths), ("keyDatas", data)):
            if not isinstance(listed, list) or (key in value and not listed):
                raise self._error(f"{where}.{key}", "it isn't a list with one entry at least")
        return Requirement(
            type=value["type"],
            where=where,
            key_paths=[self._text(path, f"{where}.keyPath") for path in paths],
            key_data=[self._bytes(text, f"{where}.keyData") for text in data],
            identity=self._identity(value["signedIdentity"], f"{where}.signedIdentity")
            if "signedIdentity" in value
            else Identity(where=where),
        )

    def _identity(self, value: Any, where: str) -> Identity:
        kind = self._kind(value, where)
        if kind not in _IDENTITIES:
            raise self._error(f"{where}.type", f'unknown type "{kind}"')
        keys = _IDENTITIES[kind]
        self._object(value, where, required=("type", *keys))
        texts = {key: self._text(value[key], f"{where}.{key}") for key in keys}
        return Identity(
            type=kind,
            where=where,
            docker_reference=texts.get("dockerReference", ""),
            docker_repository=texts.get("dockerRepository", ""),
            prefix=texts.get("prefix", ""),
            signed_prefix=texts.get("signedPrefix", ""),
        )

    def _kind(self, value: Any, where: str) -> str:
        if not isinstance(value, dict):
            raise self._error(where, "it isn't an object")
        if "type" not in value:
            raise self._error(where, 'it has no "type"')
        return self._text(value["type"], f"{where}.type")

    def _exactly_one(self, value: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
        given = [key for key in keys if key in value]
        if len(given) != 1:
            found = f"{', '.join(given)} are given" if given else "none is given"
            raise self._error(where, f"exactly one of {', '.join(keys)} must be given; {found}")

    def _object(
        self, value: Any, where: str, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return `value` if it is an object; with `required` or `optional`: with these keys and no others."""
        if not isinstance(value, dict):
            raise self._error(where, "it isn't an object")
        missing = [key for key in required if key not in value]
        if missing:
            raise self._error(where, f'it has no "{missing[0]}"')
        unknown = [key for key in value if key not in required and key not in optional]
        if unknown and (required or optional):
            raise self._error(where, f'unknown key "{unknown[0]}"')
        return value

    def _text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value:
            raise self._error(where, "it isn't a text, or an empty one")
        return value

    def _bytes(self, value: Any, where: str) -> bytes:
        from binascii import Error, a2b_base64

        text = self._text(value, where)
        try:
            # Line ends are allowed in it, as Go's decoder has it.
            return a2b_base64("".join(text.splitlines()), strict_mode=True)
        except (Error, ValueError):
            raise self._error(where, "it isn't base64") from None

    def _error(self, where: str, what: str) -> ConfigError:
        place = f"{self._path}: {where}" if where else self._path
        return ConfigError(f"{place}: {what}", hint=_HINT)


def _wrong_scope(transport: str, scope: str) -> str:
    """Return what is wrong with a scope for its transport, or an empty text. Unknown transports know any scope."""
    if transport in _PLAIN_TRANSPORTS:
        return f'{transport} has no scopes but ""'
    if transport in _PATH_TRANSPORTS:
        if not scope.startswith("/"):
            return "it isn't an absolute path"
        if scope == "/":
            return 'use the scope "" for everything'
        if os.path.normpath(scope) != scope:
            return f"not in its shortest form: {os.path.normpath(scope)}"
    if transport == "containers-storage" and not scope.startswith("["):
        return "it must begin with [DRIVER@GRAPHROOT] or [GRAPHROOT]"
    return ""
