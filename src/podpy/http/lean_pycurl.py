"""pycurl, without its half for asyncio, which podpy never uses.

`pycurl` imports `pycurl.async_multi` (since 7.46), and with it `dataclasses`, `inspect` and `typing`: 20 of the 30 ms
that its import takes. While pycurl is imported, an empty module replaces `async_multi`, unless that is loaded already.
A program that uses both podpy as a library and that half gets it at its first access.
"""

from __future__ import annotations

import sys

_ASYNC = "pycurl.async_multi"


def _late(name: str) -> object:
    if name != "AsyncCurlMulti":
        raise AttributeError(f"module 'pycurl' has no attribute {name!r}")
    from pycurl.async_multi import AsyncCurlMulti

    return AsyncCurlMulti


if _ASYNC in sys.modules:
    import pycurl
else:
    _stand_in = type(sys)(_ASYNC)
    _stand_in.AsyncCurlMulti = _stand_in  # type: ignore[attr-defined]
    sys.modules[_ASYNC] = _stand_in
    try:
        import pycurl
    finally:
        del sys.modules[_ASYNC]
    if vars(pycurl).pop("AsyncCurlMulti", None) is _stand_in:
        vars(pycurl)["__getattr__"] = _late

__all__ = ["pycurl"]
