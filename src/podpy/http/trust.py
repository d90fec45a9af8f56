"""Trust in TLS connections: the trusted authorities, and podpy's own certificate."""

from __future__ import annotations

import os

from podpy.http.lean_pycurl import pycurl
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.http.tls_details import Details

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


class Trust(Record):
    """How a server's certificate is checked. podpy's own is in the files `certificate` and `key`, or in `own`."""

    is_checked: bool = True
    by_hash: bool = False  # read the system's authorities from the directory of hashes instead of the bundle
    authorities: bytes = b""  # in PEM, besides the system's
    only_those: bool = False  # `authorities` alone, without the system's
    certificate: str = ""
    key: str = ""
    own: tuple[bytes, bytes] | None = None  # certificate and key in PEM
    details: Details | None = None  # the allowed versions of TLS

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
        if self.own is not None:
            easy.setopt(pycurl.SSLCERT_BLOB, self.own[0])
            easy.setopt(pycurl.SSLKEY_BLOB, self.own[1])
        if self.certificate or self.own is not None:
            easy.setopt(pycurl.KEYPASSWD, "")  # else OpenSSL asks at the terminal for an encrypted key's password

    def _apply_authorities(self, easy: pycurl.Curl) -> None:
        if self.only_those:
            easy.setopt(pycurl.CAINFO_BLOB, self.authorities)
            easy.unsetopt(pycurl.CAPATH)
            return
        bundle = "" if self.by_hash else _bundle()
        if self.authorities:
            easy.setopt(pycurl.CAINFO_BLOB, _read(bundle) + b"\n" + self.authorities)
        elif bundle:
            easy.setopt(pycurl.CAINFO, bundle)
        elif self.by_hash:
            easy.unsetopt(pycurl.CAINFO)  # libcurl's own bundle
        easy.setopt(pycurl.CAPATH, _directory())


def with_details(trust: Trust) -> Trust:
    """Return the trust with the file of --tls-details, which applies to all connections. Raises ConfigError."""
    if not os.environ.get("PODPY_TLS_DETAILS"):
        return trust
    from podpy.http import tls_details

    return trust.replace(details=tls_details.wanted())


def trust_proxy(easy: pycurl.Curl) -> None:
    """Check a proxy's certificate with the system's authorities."""
    bundle = _bundle()
    if bundle:
        easy.setopt(pycurl.PROXY_CAINFO, bundle)
    easy.setopt(pycurl.PROXY_CAPATH, _directory())


def has_hashes() -> bool:
    """Return whether the system's directory of authorities has links by hash (openssl-rehash(1)).

    OpenSSL then reads only the authority that it needs; reading a whole bundle takes 8 ms.
    """
    if os.environ.get("SSL_CERT_FILE"):
        return False
    try:
        return any(len(name) == _HASHED and name[-2:] == ".0" for name in os.listdir(_directory()))
    except OSError:
        return False


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
