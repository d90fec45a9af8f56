"""Ports of this host that nobody has."""

from __future__ import annotations

import os
import socket


def free(count: int = 1, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return the first of `count` neighbouring ports that are free now, outside of the ephemeral range."""
    begin = 20000 + os.getpid() * 97 % 10000  # far from where the next worker begins
    for first in range(begin, 32000, count):
        sockets = []
        try:
            for number in range(first, first + count):
                probe = socket.socket(socket.AF_INET, kind)
                sockets.append(probe)
                probe.bind(("0.0.0.0", number))
        except OSError:
            continue
        finally:
            for probe in sockets:
                probe.close()
        return first
    raise AssertionError("no free ports")
