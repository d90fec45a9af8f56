"""Kubernetes' probes and hooks as words, beside Docker's ["CMD", WORD…], ["CMD-SHELL", TEXT] and ["NONE"]. Pure.

    ["HTTP", URL, "NAME: VALUE"…]   GET; 200 to 399 is success
    ["TCP", "HOST:PORT"]            success if a connection opens
    ["GRPC", "HOST:PORT", SERVICE]  grpc.health.v1.Health/Check; SERVING is success
    ["SLEEP", SECONDS]              a hook that only waits

The host `localhost` is the container itself; each of its addresses is tried. The container's monitor runs probes in the
container's network namespace, so the image needs no program for them.
"""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.record import Record

HTTP = "http"
TCP = "tcp"
GRPC = "grpc"
SLEEP = "SLEEP"
_ITSELF = "localhost"
_KINDS = {"HTTP": HTTP, "TCP": TCP, "GRPC": GRPC}
_SCHEMES = ("http", "https")


class Probe(Record):
    """A request over the network: a probe, or (`http`) a hook."""

    kind: str  # http, tcp, grpc
    port: int
    host: str = ""  # an address; "": the container itself
    scheme: str = "http"  # or https; like the kubelet, podpy doesn't verify certificates
    path: str = "/"
    headers: list[tuple[str, str]] = []
    service: str = ""

    def words(self) -> list[str]:
        """Return the probe as a test. Raises UsageError for an impossible one, such as a host that is a name."""
        self._check()
        place = f"{_bracketed(self.host) if self.host else _ITSELF}:{self.port}"
        if self.kind == TCP:
            return ["TCP", place]
        if self.kind == GRPC:
            return ["GRPC", place, *([self.service] if self.service else [])]
        path = self.path if self.path.startswith("/") else f"/{self.path}"
        return ["HTTP", f"{self.scheme}://{place}{path}", *(f"{name}: {value}" for name, value in self.headers)]

    def _check(self) -> None:
        if self.host and self.host != _ITSELF and not _is_address(self.host):
            raise UsageError(
                f'probe host "{self.host}" is not an IP address',
                hint="Give the address, and the name as the header Host; without a host the container itself is probed",
            )
        if not 0 < self.port < 65536:
            raise UsageError(f"probe port {self.port} is not between 1 and 65535")
        if self.scheme not in _SCHEMES:
            raise UsageError(f'probe scheme "{self.scheme}" is neither HTTP nor HTTPS')
        for text in (self.path, self.service, *(part for pair in self.headers for part in pair)):
            if not text.isprintable():
                raise UsageError(f"probe: {text!r} has control characters")
        for name, _value in self.headers:
            if not name or ":" in name or " " in name:
                raise UsageError(f'probe header "{name}" is not a name')


def probe_of(test: list[str]) -> Probe | None:
    """Return the probe of a test, the inverse of `Probe.words`; None for a command, NONE, or an invalid probe."""
    kind = _KINDS.get(test[0]) if len(test) > 1 else None
    if kind is None:
        return None
    scheme, separator, rest = test[1].partition("://")
    place, slash, path = (rest if separator else test[1]).partition("/")
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdigit() or bool(separator) != (kind == HTTP):
        return None
    host = host.strip("[]")
    pairs = (header.partition(": ") for header in test[2:]) if kind == HTTP else ()
    return Probe(
        kind=kind,
        host="" if host == _ITSELF else host,
        port=int(port),
        scheme=scheme if kind == HTTP else "http",
        path=slash + path if kind == HTTP else "/",
        headers=[(name, value) for name, _, value in pairs],
        service=test[2] if kind == GRPC and len(test) > 2 else "",
    )


def sleep(seconds: int) -> list[str]:
    """Return the hook that waits for `seconds`. Raises UsageError."""
    if not 0 <= seconds < 2**31:
        raise UsageError(f"a hook can't sleep for {seconds} seconds")
    return [SLEEP, str(seconds)]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(text: str) -> bool:
    import socket

    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False
