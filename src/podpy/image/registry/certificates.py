"""A registry's certificates: containers-certs.d(5): a directory's *.crt are authorities, *.cert and *.key our own."""

from __future__ import annotations

import os

from podpy.errors import RegistryError
from podpy.http.trust import Trust, with_details

_BEGIN = b"-----BEGIN "


def trust_of(directories: tuple[str, ...], *, insecure: bool = False) -> Trust:
    """Return the trust for a registry with these directories of certs.d, of which the first that is there counts.

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
        break
    return with_details(Trust(is_checked=not insecure, authorities=authorities, certificate=certificate, key=key))


def _pem(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise RegistryError(f"{path}: not a usable certificate: {error.strerror}") from None
    if _BEGIN not in data:
        raise RegistryError(f"{path}: not a usable certificate: nothing in PEM is in it")
    return data
