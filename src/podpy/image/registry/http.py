"""HTTP for registries: TLS, proxies, redirects, retries. podpy.http.curl does each single request.

One `Connection` speaks to one registry host, and to those to which that host redirects. Credentials are sent only to
the host that they are meant for; a redirect to another host drops them.
"""

from __future__ import annotations

import time
from _thread import allocate_lock as Lock  # threading's own; the rest of it takes 3 ms to import

from podpy.errors import RegistryError, shorten
from podpy.http.curl import CHUNK, HTTPError, Lines, Request, Response
from podpy.http.proxies import proxy_for
from podpy.http.trust import Trust, has_hashes
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.certificates import trust_of
from podpy.record import Record
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from urllib.parse import SplitResult

BODY_LIMIT = 4 << 20  # bytes of an answer that is read whole: a manifest, a token, an error
DEFAULT_RETRIES = 3
LONGEST_WAIT = 120.0
_MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
RETRIED = (429, 500, 502, 503, 504)
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
_FORM = "application/x-www-form-urlencoded"


class Body(Record):
    """A request's body: `size` bytes of the media type `kind`; each call of `chunks()` yields them from the beginning.

    A redirect or a retry calls it again. A `secret` body is never sent to another host than the one it is meant for.
    """

    size: int
    kind: str
    chunks: Callable[[], Iterable[bytes]]
    secret: bool = False

    @classmethod
    def of(cls, data: bytes, kind: str) -> Body:
        """Return a body of bytes that are in memory."""
        return cls(size=len(data), kind=kind, chunks=lambda: (data,))


class Connection:
    """Requests to `https://HOST/…` (or http://, if allowed), with retries where they can help."""

    def __init__(
        self,
        host: str,
        *,
        insecure: bool = False,
        certificates: tuple[str, ...] = (),
        retries: int = DEFAULT_RETRIES,
        retry_delay: float = 0.0,
        progress: Progress = SILENT,
    ) -> None:
        """`insecure`: don't check certificates, and use HTTP if the host doesn't speak HTTPS.

        `certificates` are directories that may hold *.crt (authorities), *.cert and *.key (ours). `retry_delay` is the
        first wait in seconds (0: one second); it doubles each time.
        """
        self.host = host
        self.insecure = insecure
        self.retries = retries
        self._delay = retry_delay or 1.0
        self._progress = progress
        self._scheme = "https"
        self._scheme_known = not insecure
        self._certificates = certificates
        self._lines = Lines()
        self._trusts: dict[bool, Trust] = {}
        self._by_hash = not insecure and has_hashes()
        self._lock = Lock()  # several threads may start at once: only one finds the scheme

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._lines.close()

    def url(self, path: str) -> str:
        """Return the address of a path on this host; if HTTP is allowed, find out first whether it speaks HTTPS."""
        with self._lock:
            if not self._scheme_known:
                self._find_scheme()
        return self._origin() + path

    def _origin(self) -> str:
        return f"{self._scheme}://{_real_host(self.host)}"

    def is_own(self, url: str) -> bool:
        """Return whether an address is on this host: its credentials go nowhere else."""
        return self._is_made_here(url) or _authority(url) == _authority(
            f"{_split(url).scheme}://{_real_host(self.host)}"
        )

    def _is_made_here(self, url: str) -> bool:
        # Cheap: an address from `url` needn't be parsed, and most are from there.
        return url.startswith(self._origin() + "/")

    def open(self, method: str, path: str, headers: Mapping[str, str], *, what: str) -> Response:
        """Return the answer with its body still unread; follow redirects, retry after temporary failures.

        `what` names the object in errors. Raises RegistryError if there is no answer at all.
        """
        return self.open_url(method, self.url(path), headers, what=what)

    def open_url(
        self, method: str, url: str, headers: Mapping[str, str], *, what: str, body: Body | None = None
    ) -> Response:
        """Like `open`, with a full address and a body."""
        attempt = 0
        while True:
            try:
                response = self.open_once(method, url, headers, body)
            except HTTPError as error:
                if attempt >= self.retries or not error.may_pass:
                    raise self.explain(error, what) from error
                self.wait(attempt, f"{self._host(error)}: {error.reason}")
            else:
                if response.status not in RETRIED or attempt >= self.retries:
                    return response
                asked = retry_after(response)
                drop(response)
                self.wait(attempt, f"{self.host} answered {response.status}", asked)
            attempt += 1

    def wait(self, attempt: int, why: str, asked: float | None = None) -> None:
        """Sleep before the next try: `asked` seconds if the server named a time, else twice as long each time."""
        delay = min(self._delay * 2**attempt if asked is None else asked, LONGEST_WAIT)
        self._progress.message(f"{why}; retrying in {delay:.0f} s")
        time.sleep(delay)

    def explain(self, error: HTTPError, what: str) -> RegistryError:
        """Return the one-line error for a request without an answer."""
        host = self._host(error)
        before = "" if what == host else f"{what}: "  # in a search or a login the host is the only name
        if error.is_not_tls:
            return RegistryError(
                f"{before}{host} speaks HTTP, not HTTPS",
                hint="If that is meant, add --tls-verify=false, or insecure = true for it in registries.conf",
            )
        if error.is_proxy:
            return RegistryError(f"{what}: the proxy failed: {error.reason}", hint="Check HTTPS_PROXY and NO_PROXY")
        if error.is_unusable:
            return RegistryError(
                f"{what}: {error.reason}",
                hint=f"Check *.crt, *.cert and *.key in certs.d/{host} or --cert-dir, and SSL_CERT_FILE",
            )
        if error.is_refused:
            return RegistryError(
                f"{before}{host} wants another certificate from us: {error.reason}",
                hint=f"Put it into /etc/containers/certs.d/{host}/client.cert, and its key into client.key there",
            )
        if error.is_untrusted and host != self.host:
            return RegistryError(
                f"{before}{self.host} leads to {host}, whose certificate isn't trusted: {error.reason}",
                hint="Add its authority to the system's; --tls-verify=false turns the check off",
            )
        if error.is_untrusted:
            return RegistryError(
                f"{before}{host}'s certificate isn't trusted: {error.reason}",
                hint=f"Put its authority's certificate into /etc/containers/certs.d/{host}/ca.crt or "
                f"~/.config/containers/certs.d/{host}/ca.crt; --tls-verify=false turns the check off",
            )
        if error.is_unknown_host:
            return RegistryError(f"{before}no such host: {host}", hint="Check the name, and this machine's DNS")
        hint = "Check that the registry can be reached"
        if host == "localhost":  # without a port: the name of an image that was built here and was removed
            hint = "localhost/… names images that were made here, and this one isn't: podpy images shows those that are"
        return RegistryError(f"{before}{host}: {error.reason}", hint=hint)

    def _host(self, error: HTTPError) -> str:
        """Return the host that didn't answer: this one, or one to which it redirected."""
        return self.host if self.is_own(error.url) else _split(error.url).netloc.rpartition("@")[2]

    def _find_scheme(self) -> None:
        # Podman's order for insecure registries: HTTPS without checks, then HTTP.
        self._scheme_known = True
        try:
            drop(self._send("GET", f"https://{_real_host(self.host)}/v2/", {}, None))
        except HTTPError as error:
            if not (error.is_unknown_host or error.is_unusable or error.is_refused):
                self._scheme = "http"

    def open_once(self, method: str, url: str, headers: Mapping[str, str], body: Body | None = None) -> Response:
        """Return the answer to one request, redirects followed. Raises HTTPError, RegistryError."""
        sent, asked = dict(headers), url
        for _ in range(_MOST_REDIRECTS):
            response = self._send(method, url, sent, body)
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or not target:
                if url is not asked and _authority(url) != _authority(asked):
                    # Only this host may challenge for its credentials, not one to which it redirects.
                    response.headers.discard("WWW-Authenticate")
                return response
            drop(response)
            following = self.address(url, target)
            if _authority(following) != _authority(url):
                if body is not None and body.secret:
                    raise RegistryError(
                        f"{_authority(asked)} redirects what is secret to another host, {_authority(following)}"
                    )
                sent = {key: value for key, value in sent.items() if key.lower() not in ("authorization", "cookie")}
            url = following
        raise RegistryError(f"{self.host}: more than {_MOST_REDIRECTS} redirects")

    def address(self, url: str, target: str) -> str:
        """Resolve a Location header in the answer of `url`. Raises RegistryError."""
        following = join(url, target)
        scheme = _split(following).scheme
        if scheme not in ("http", "https"):
            raise RegistryError(f"{self.host} redirects to an address that isn't HTTP: {shorten(following)}")
        if scheme == "http" and url.startswith("https:") and not self.insecure:
            raise RegistryError(f"{self.host} redirects from HTTPS to HTTP: {shorten(_without_query(following))}")
        return following

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: Body | None) -> Response:
        full = {"User-Agent": f"podpy/{VERSION}", "Accept-Encoding": "identity", **headers}
        if body is not None:
            full["Content-Type"] = body.kind
        request = Request(
            method=method,
            url=_in_ascii(url),
            headers=full,
            trust=self._trust(self.is_own(url)).replace(by_hash=self._by_hash),
            proxy=self._proxy(url),
            size=body.size if body is not None else 0,
            chunks=body.chunks if body is not None else None,
        )
        try:
            return Response(self._lines, request)
        except HTTPError as error:
            if not (error.is_untrusted and request.trust.by_hash):
                raise
        self._by_hash = False  # trust authorities too that are only in the bundle
        return Response(self._lines, request.replace(trust=request.trust.replace(by_hash=False)))

    def _proxy(self, url: str) -> str:
        if self._is_made_here(url):
            return proxy_for(self._scheme, _real_host(self.host))
        parts = _split(url)
        return proxy_for(parts.scheme, parts.netloc)

    def _trust(self, own: bool) -> Trust:
        # certs.d's authorities and client keys are for this registry; hosts to which it redirects get the system's.
        if own not in self._trusts:
            self._trusts[own] = trust_of(self._certificates if own else (), insecure=self.insecure)
        return self._trusts[own]


def form(fields: Mapping[str, str]) -> Body:
    """Return a body in the format of web forms; its content is secret."""
    from urllib.parse import urlencode

    return Body.of(urlencode(fields).encode(), _FORM).replace(secret=True)


def drop(response: Response) -> None:
    """End an answer whose body isn't needed; a short body is read, so that the connection can be used again."""
    size = 0
    if (response.length or 0) <= CHUNK:
        try:
            for piece in response.stream():
                size += len(piece)
                if size > CHUNK:
                    break
        except HTTPError:
            pass
    response.close()


def read_body(response: Response, limit: int = BODY_LIMIT) -> bytes:
    """Return the whole body. Raises RegistryError if it is larger than `limit`, or cut off."""
    data = bytearray()
    try:
        for chunk in response.stream():
            data += chunk
            if len(data) > limit:
                raise RegistryError(f"the registry's answer has more than the {limit} bytes allowed")
    except HTTPError as error:
        raise RegistryError(f"the registry's answer stopped in its middle: {error.reason}", hint="Try again") from None
    finally:
        response.close()
    return bytes(data)


def split(url: str) -> SplitResult:
    """Return the parts of an untrusted address. Raises RegistryError if it isn't one."""
    try:
        return _split(url)
    except ValueError:
        raise RegistryError(f"not an address: {shorten(_without_query(url))}") from None


def join(url: str, target: str) -> str:
    """Resolve a header's address relative to `url`. Raises RegistryError if it isn't one."""
    from urllib.parse import urljoin

    try:
        target = target.encode("latin-1").decode()  # headers are read as Latin-1
    except UnicodeError:
        pass
    try:
        following = urljoin(url, target)
        _split(following)
    except ValueError:
        raise RegistryError(f"not an address: {shorten(_without_query(target))}") from None
    return following


def _split(url: str) -> SplitResult:
    from urllib.parse import urlsplit  # 5 ms

    return urlsplit(url)


def _authority(url: str) -> str:
    """Return the host of an address, with its port unless it is the scheme's default: the key for credentials."""
    parts = _split(url)
    return parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")


def _in_ascii(url: str) -> str:
    """Return an address in ASCII (RFC 3987, 3.1). Raises RegistryError if its host's name is impossible."""
    if url.isascii() and " " not in url:
        return url
    from urllib.parse import quote

    parts = _split(url)
    try:
        host = parts.netloc.encode("idna").decode()
    except UnicodeError:
        raise RegistryError(f"no such host: {shorten(parts.netloc)}", hint="Check the name") from None
    return quote(parts._replace(netloc=host).geturl(), safe=_AS_IT_IS)


def _real_host(host: str) -> str:
    return "registry-1.docker.io" if host == "docker.io" else host


def _without_query(url: str) -> str:
    return url.partition("?")[0]  # signed addresses have their secret in the query


def retry_after(response: Response) -> float | None:
    """Return how many seconds the server asks to wait (RFC 9110, 10.2.3), or None."""
    from email.utils import parsedate_to_datetime

    value = response.headers.get("Retry-After")
    if value.isdecimal():
        return float(value[:6])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except (ValueError, TypeError, OverflowError):
        return None
