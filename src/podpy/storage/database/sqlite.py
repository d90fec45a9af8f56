"""SQLite's C half, without what it would import for one decorator.

`_sqlite3` looks `functools.lru_cache` up when it is initialized (Modules/_sqlite/module.c, load_functools_lru_cache),
and the Python module `functools` brings `collections`, `operator`, `keyword` and `reprlib` along: three milliseconds of
every `podpy ps`. The decorator itself is C (`_functools._lru_cache_wrapper`), so while `_sqlite3` is imported a
stand-in that has just this is there in the place of `functools`, unless the real one is loaded already.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _load() -> Any:
    if "functools" in sys.modules:
        import _sqlite3

        return _sqlite3
    stand_in = type(sys)("functools")
    stand_in.lru_cache = _lru_cache  # type: ignore[attr-defined]
    sys.modules["functools"] = stand_in
    try:
        import _sqlite3
    finally:
        del sys.modules["functools"]
    return _sqlite3


def _lru_cache(maxsize: int) -> Callable[[Any], Any]:
    from _functools import _lru_cache_wrapper  # type: ignore[import-not-found]

    return lambda function: _lru_cache_wrapper(function, maxsize, False, tuple)


_sqlite3 = _load()
