"""A Kubernetes probe over HTTPS, as a program of its own: `python3 -I -S https_probe.py URL [HEADER…]`.

The monitor runs it in the container's network namespace, by podpy's `probe EXEC`, which drops its rights first. It is
in Python because podpy has no TLS in C; a run costs some 60 ms of CPU time. Like the kubelet, it accepts any
certificate, and follows redirects on the same host. Its output and exit status are those of `probe HTTP`.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
from urllib.parse import SplitResult, urljoin, urlsplit

REDIRECTS = 10
BODY_SIZE = 10240
TIMEOUT = 3600  # seconds; the monitor's own timeout is far shorter
WELL, ILL = 0, 1
ITSELF = ("127.0.0.1", "::1")


def main(words: list[str]) -> int:
    """Send the request, print the result, and return the exit status."""
    url, headers = words[0], _headers(words[1:])
    host = urlsplit(url).hostname
    for _ in range(REDIRECTS):
        try:
            status, location, body = _get(urlsplit(url), headers)
        except (OSError, http.client.HTTPException) as error:
            print(f'Get "{url}": {_words(error)}')
            return ILL
        target = urljoin(url, location) if location and status in (301, 302, 303, 307, 308) else ""
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or parts.hostname != host:
            return _tell(status, body)
        url = target
    print(f'Get "{url}": stopped after {REDIRECTS} redirects')
    return ILL


def _headers(lines: list[str]) -> list[tuple[str, str]]:
    given = [line.partition(": ")[::2] for line in lines]
    names = {name.lower() for name, _ in given}
    defaults = (("User-Agent", "kube-probe/podpy"), ("Accept", "*/*"), ("Connection", "close"))
    wanted = [*(pair for pair in defaults if pair[0].lower() not in names), *given]
    return [(name, value) for name, value in wanted if value or name.lower() not in ("user-agent", "accept")]


def _get(url: SplitResult, headers: list[tuple[str, str]]) -> tuple[int, str, bytes]:
    """Return status, Location and the beginning of the body. Raises OSError, HTTPException."""
    connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
    connection.sock = _connected(url)
    is_named = any(name.lower() == "host" for name, _ in headers)
    path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
    connection.putrequest("GET", path, skip_host=is_named, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    return response.status, response.headers.get("Location", ""), response.read(BODY_SIZE)


def _connected(url: SplitResult) -> socket.socket:
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    first: OSError | None = None
    for address in ITSELF if host == "localhost" else (host,):
        try:
            plain = socket.create_connection((address, port), TIMEOUT)
        except OSError as error:
            first = first or OSError(f"dial tcp {_place(address, port)}: connect: {_words(error)}")
            continue
        return _wrapped(plain, host) if url.scheme == "https" else plain
    raise first or OSError(f"{host}: no address")


def _wrapped(plain: socket.socket, host: str) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _words(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error) or type(error).__name__
    return text[:1].lower() + text[1:]


def _tell(status: int, body: bytes) -> int:
    is_well = 200 <= status < 400
    first = f"HTTP probe failed with statuscode: {status}" + ("\n" if body else "")
    sys.stdout.write("" if status < 300 else "Probe terminated redirects, Response body: " if is_well else first)
    sys.stdout.flush()
    sys.stdout.buffer.write(body)
    return WELL if is_well else ILL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
