"""Amounts in Kubernetes' canonical form (apimachinery: Quantity)."""

from __future__ import annotations

_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_SHARES = 1024  # of one CPU


def memory(size: int) -> str:
    """Return bytes with the largest binary suffix that leaves a whole number: 67108864 is "64Mi"."""
    place = 0
    while size and size % 1024 == 0 and place + 1 < len(_BINARY):
        size, place = size // 1024, place + 1
    return f"{size}{_BINARY[place]}"


def cpus(milli: int) -> str:
    """Return thousandths of a CPU: 500 is "500m", 2000 is "2"."""
    if milli % 1000:
        return f"{milli}m"
    number, place = milli // 1000, 0
    while number and number % 1000 == 0 and place + 1 < len(_DECIMAL):
        number, place = number // 1000, place + 1
    return f"{number}{_DECIMAL[place]}"


def milli_of_shares(shares: int) -> int:
    """Return the request, in thousandths of a CPU, that a kubelet converts to these shares."""
    return -(-shares * 1000 // _SHARES)
