"""`--tls-details FILE`: the allowed versions, suites and groups of TLS (containers-tls-details.yaml(5)).

The file's path is in $PODPY_TLS_DETAILS, so it applies to every request of this process and its children.
"""

from __future__ import annotations

import os

from podpy.errors import ConfigError
from podpy.http.lean_pycurl import pycurl
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VARIABLE = "PODPY_TLS_DETAILS"
_VERSIONS = {
    "1.0": pycurl.SSLVERSION_TLSv1_0,
    "1.1": pycurl.SSLVERSION_TLSv1_1,
    "1.2": pycurl.SSLVERSION_TLSv1_2,
    "1.3": pycurl.SSLVERSION_TLSv1_3,
}
_SUITES_OF_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_EXCHANGES = {"RSA": "", "ECDHE_RSA": "ECDHE-RSA-", "ECDHE_ECDSA": "ECDHE-ECDSA-"}
_CIPHERS = {
    "AES_128_GCM_SHA256": "AES128-GCM-SHA256", "AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "AES_128_CBC_SHA": "AES128-SHA", "AES_256_CBC_SHA": "AES256-SHA", "AES_128_CBC_SHA256": "AES128-SHA256",
    "CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305",
}  # fmt: skip
_GROUPS = {
    "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "x25519": "X25519",
    "X25519MLKEM768": "X25519MLKEM768",
}  # fmt: skip


class Details(Record):
    """What a file allows. `suites`: up to TLS 1.2, by OpenSSL's names; None: the library's default."""

    version: int = 0
    suites: list[str] | None = None
    suites_of_1_3: list[str] | None = None
    groups: list[str] | None = None

    def apply(self, easy: pycurl.Curl) -> None:
        """Set the options of a request, and of its proxy."""
        version = self.version
        if self.suites is not None and self.suites_of_1_3 is not None:
            # A version without an allowed suite isn't used.
            if self.suites:
                easy.setopt(pycurl.SSL_CIPHER_LIST, ":".join(self.suites))
                easy.setopt(pycurl.PROXY_SSL_CIPHER_LIST, ":".join(self.suites))
            else:
                version = pycurl.SSLVERSION_TLSv1_3
            if self.suites_of_1_3:
                easy.setopt(pycurl.TLS13_CIPHERS, ":".join(self.suites_of_1_3))
                easy.setopt(pycurl.PROXY_TLS13_CIPHERS, ":".join(self.suites_of_1_3))
            else:
                version |= pycurl.SSLVERSION_MAX_TLSv1_2
        if version:
            easy.setopt(pycurl.SSLVERSION, version)
            easy.setopt(pycurl.PROXY_SSLVERSION, version)
        if self.groups is not None:
            easy.setopt(pycurl.SSL_EC_CURVES, ":".join(self.groups))


def wanted() -> Details | None:
    """Return what the given file allows, or None without a file. Raises ConfigError."""
    path = os.environ.get(VARIABLE, "")
    return _details(path, _fields(path)) if path else None


def _fields(path: str) -> dict[str, Any]:
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            found = yaml.safe_load(file)
    except OSError as error:
        raise ConfigError(f"reading {path}: {error.strerror}") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"parsing {path}: {' '.join(str(error).split())}") from None
    if not isinstance(found or {}, dict):
        raise ConfigError(f"parsing {path}: it must have fields: minVersion, cipherSuites, namedGroups")
    return dict(found or {})


def _details(path: str, fields: dict[str, Any]) -> Details:
    unknown = sorted(map(str, fields.keys() - {"minVersion", "cipherSuites", "namedGroups"}))
    if unknown:
        raise ConfigError(f"parsing {path}: field {unknown[0]} not found")
    version = str(fields.get("minVersion") or "")  # 1.2 without quotes is a number
    if version and version not in _VERSIONS:
        raise ConfigError(
            f'{path}: unrecognized TLS minimum version "{version}"', hint=f"One of {', '.join(_VERSIONS)}"
        )
    suites = _texts(path, fields, "cipherSuites")
    groups = _texts(path, fields, "namedGroups")
    for name in groups or ():
        if name not in _GROUPS:
            raise ConfigError(f'{path}: unrecognized TLS named group "{name}"', hint=f"One of {', '.join(_GROUPS)}")
    return Details(
        version=_VERSIONS[version] if version else 0,
        suites=None if suites is None else [_suite(path, name) for name in suites if name not in _SUITES_OF_1_3],
        suites_of_1_3=None if suites is None else [name for name in suites if name in _SUITES_OF_1_3],
        groups=None if groups is None else [_GROUPS[name] for name in groups],
    )


def _texts(path: str, fields: dict[str, Any], name: str) -> list[str] | None:
    found = fields.get(name)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise ConfigError(f"{path}: {name} must be a list of names")
    if not found:
        raise ConfigError(f"{path}: an empty {name} allows no connection")
    return found


def _suite(path: str, name: str) -> str:
    """Return OpenSSL's name of a cipher suite of TLS up to 1.2 (openssl-ciphers(1))."""
    exchange, _, cipher = name.removeprefix("TLS_").partition("_WITH_")
    if not name.startswith("TLS_") or exchange not in _EXCHANGES or cipher not in _CIPHERS:
        raise ConfigError(f'{path}: unrecognized TLS cipher suite "{name}"', hint="IANA's names, as Go has them")
    return _EXCHANGES[exchange] + _CIPHERS[cipher]
