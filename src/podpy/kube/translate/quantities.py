"""Kubernetes' quantities: "500m", "64Mi", "1e3" (k8s.io/apimachinery, pkg/api/resource)."""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_LONGEST = 64  # characters
_SHOWN = 40
LARGEST = 2**63 - 1
"""Kubernetes' largest quantity, and the largest number in config.json's limits."""
_BINARY: dict[str, int] = {unit: 1024**power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}


def parse(text: str) -> Fraction:
    """Return a quantity's exact value. Raises ValueError."""
    found = _QUANTITY.fullmatch(text) if text.isascii() and len(text) <= _LONGEST else None
    if found is None:
        raise ValueError(f'"{text[:_SHOWN]}" is not a quantity, such as 500m or 64Mi')
    number, suffix = Fraction(found[1]), found[2] or ""
    if suffix in _BINARY:
        return number * int(_BINARY[suffix])
    power = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    return number * int(10**power) if power >= 0 else number / int(10**-power)


def up(value: Fraction) -> int:
    """Return the smallest whole number that is at least `value`."""
    return -(-value.numerator // value.denominator)
