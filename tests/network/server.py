"""Runs inside a container: answers on TCP and UDP ports with who asked, until it is ended.

server.py tcp:80 udp:53 …      one line "ready" when all are open
"""

from __future__ import annotations

import select
import socket
import sys


def open_port(text: str) -> socket.socket:
    """Open "tcp:80" or "udp:53" for IPv4 and IPv6."""
    protocol, _, number = text.partition(":")
    made = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("::", int(number)))
    if protocol == "tcp":
        made.listen(16)
    return made


def answer(ready: socket.socket) -> None:
    """Answer one client: "PROTOCOL PORT from ADDRESS"."""
    port = ready.getsockname()[1]
    if ready.type == socket.SOCK_STREAM:
        client, peer = ready.accept()
        with client:
            client.sendall(f"tcp {port} from {peer[0]}".encode())
        return
    _, peer = ready.recvfrom(100)
    ready.sendto(f"udp {port} from {peer[0]}".encode(), peer)


def main() -> None:
    """Serve for ever."""
    sockets = [open_port(text) for text in sys.argv[1:]]
    print("ready", flush=True)
    while True:
        for ready in select.select(sockets, [], [])[0]:
            answer(ready)


main()
