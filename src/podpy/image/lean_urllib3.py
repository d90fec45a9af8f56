"""urllib3, without what it would import for an HTTP/2 that podpy never asks for.

`urllib3.http2` imports `importlib.metadata`, to look up the version of h2 should somebody enable HTTP/2; that brings
`zipfile`, `shutil`, `bz2` and 30 more along, a sixth of the import's time in every pull and push. While urllib3 is
imported a stand-in is in its place that imports the real one when it is called, unless that is loaded already.
"""

from __future__ import annotations

import sys

_METADATA = "importlib.metadata"


def _version(distribution: str) -> str:
    from importlib.metadata import version

    return version(distribution)


if _METADATA in sys.modules:
    import urllib3
else:
    _stand_in = type(sys)(_METADATA)
    _stand_in.version = _version  # type: ignore[attr-defined]
    sys.modules[_METADATA] = _stand_in
    try:
        import urllib3
    finally:
        del sys.modules[_METADATA]

exceptions = urllib3.exceptions
HTTPError = exceptions.HTTPError

__all__ = ["HTTPError", "exceptions", "urllib3"]
