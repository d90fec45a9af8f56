"""pycurl, without its half for asyncio, which podpy never uses.

`pycurl` imports `pycurl.async_multi` (since 7.46), and with it `dataclasses`, `inspect` and `typing`: 20 of the 30 ms
that its import takes. While pycurl is imported an empty module stands in its place, unless that is loaded already.
"""

from __future__ import annotations

import sys

_ASYNC = "pycurl.async_multi"

if _ASYNC in sys.modules:
    import pycurl
else:
    _stand_in = type(sys)(_ASYNC)
    _stand_in.AsyncCurlMulti = None  # type: ignore[attr-defined]
    sys.modules[_ASYNC] = _stand_in
    try:
        import pycurl
    finally:
        del sys.modules[_ASYNC]

__all__ = ["pycurl"]
