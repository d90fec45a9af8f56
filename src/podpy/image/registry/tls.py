"""Trust in TLS connections: the system's authorities, and a registry's certs.d.

containers-certs.d(5): a directory's *.crt are authorities, its *.cert and *.key our own certificates.
"""

from __future__ import annotations

import os

from podpy.errors import RegistryError
from podpy.image.registry.lean_pycurl import pycurl
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.registry.tls_details import Details

# The distributions' bundles of authorities: Debian, Fedora, openSUSE, Alpine. pycurl may be built for another path.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_DIRECTORY = "/etc/ssl/certs"
_HASHED = len("3513523f.0")
_BEGIN = b"-----BEGIN "


class Trust(Record):
    """How a server's certificate is checked; `certificate` and `key` are the paths of our own."""

    is_checked: bool = True
    by_hash: bool = False  # take the system's authorities from the directory with hashes, not from the bundle
    authorities: bytes = b""  # in PEM, besides the system's
    certificate: str = ""
    key: str = ""
    details: Details | None = None  # which TLS is spoken at all

    def apply(self, easy: pycurl.Curl) -> None:
        """Set the options of a request."""
        if self.details is not None:
            self.details.apply(easy)
        if self.is_checked:
            self._apply_authorities(easy)
        else:
            easy.setopt(pycurl.SSL_VERIFYPEER, 0)
            easy.setopt(pycurl.SSL_VERIFYHOST, 0)
        if self.certificate:
            easy.setopt(pycurl.SSLCERT, self.certificate)
            easy.setopt(pycurl.SSLKEY, self.key)
            easy.setopt(pycurl.KEYPASSWD, "")  # else OpenSSL asks at the terminal for an encrypted key's password

    def _apply_authorities(self, easy: pycurl.Curl) -> None:
        bundle = "" if self.by_hash else _bundle()
        if self.authorities:
            easy.setopt(pycurl.CAINFO_BLOB, _read(bundle) + b"\n" + self.authorities)
        elif bundle:
            easy.setopt(pycurl.CAINFO, bundle)
        elif self.by_hash:
            easy.unsetopt(pycurl.CAINFO)  # libcurl's own bundle
        easy.setopt(pycurl.CAPATH, _directory())


def trust_proxy(easy: pycurl.Curl) -> None:
    """Check a proxy's certificate by the system's authorities."""
    bundle = _bundle()
    if bundle:
        easy.setopt(pycurl.PROXY_CAINFO, bundle)
    easy.setopt(pycurl.PROXY_CAPATH, _directory())


def has_hashes() -> bool:
    """Return whether the system's directory of authorities has them under their hashes (openssl-rehash(1)).

    From it OpenSSL reads only the one that it needs; reading a whole bundle takes 8 ms.
    """
    if os.environ.get("SSL_CERT_FILE"):
        return False
    try:
        return any(len(name) == _HASHED and name[-2:] == ".0" for name in os.listdir(_directory()))
    except OSError:
        return False


def trust_of(directories: tuple[str, ...], *, insecure: bool = False) -> Trust:
    """Return the trust for a registry with these directories of certs.d; missing ones are skipped.

    Raises RegistryError for a file that can't be used, ConfigError for one of --tls-details.
    """
    authorities = b""
    certificate = key = ""
    for directory in directories:
        try:
            names = sorted(os.listdir(directory))
        except OSError:
            continue
        for name in names:
            path = os.path.join(directory, name)
            if name.endswith(".crt"):
                authorities += _pem(path) + b"\n"
            elif name.endswith(".cert"):
                certificate, key = path, path[:-5] + ".key"
                _pem(certificate)
                _pem(key)
    trust = Trust(is_checked=not insecure, authorities=authorities, certificate=certificate, key=key)
    if not os.environ.get("PODPY_TLS_DETAILS"):
        return trust
    from podpy.image.registry import tls_details

    return trust.replace(details=tls_details.wanted())


def _pem(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise RegistryError(f"{path}: not a usable certificate: {error.strerror}") from None
    if _BEGIN not in data:
        raise RegistryError(f"{path}: not a usable certificate: nothing in PEM is in it")
    return data


def _bundle() -> str:
    chosen = os.environ.get("SSL_CERT_FILE")
    return chosen or next((path for path in _BUNDLES if os.path.exists(path)), "")


def _directory() -> str:
    return os.environ.get("SSL_CERT_DIR") or _DIRECTORY


def _read(bundle: str) -> bytes:
    try:
        with open(bundle, "rb") as file:
            return file.read()
    except OSError:
        return b""
