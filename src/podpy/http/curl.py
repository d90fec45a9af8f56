"""One HTTP request and its answer, by libcurl: the only module that knows pycurl.

libcurl passes data to callbacks. Here it is driven step by step (`curl_multi_perform`), so the reader sets the pace,
and an exception of a body's source is raised where the answer is read. pycurl before 7.46 prints and drops a
callback's exceptions, and Ctrl-C can raise at the first instruction of any Python function. So the callbacks are a
list's `append`, which runs no Python code, and a generator's `send`. pycurl's import takes 10 ms, urllib3's took 80
(docs/performance.md).
"""

from __future__ import annotations

import os
from _thread import allocate_lock as Lock
from time import monotonic, sleep

from podpy.errors import shorten
from podpy.http.lean_pycurl import pycurl
from podpy.http.trust import trust_proxy
from podpy.notice import Details
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from podpy.http.trust import Trust

CHUNK = 256 << 10
CONNECT_TIMEOUT = 20  # seconds, TLS included
READ_TIMEOUT = 60.0  # seconds without a byte in either direction
_STEP = 1.0  # seconds, the longest single wait
_PAUSE = 0.01
_SUPPRESS_CONNECT_HEADERS = 265  # CURLOPT_SUPPRESS_CONNECT_HEADERS(3); pycurl has no name for it
_BY_ERRNO = (pycurl.E_COULDNT_CONNECT, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR)
_NO_SUCH_HOST = (pycurl.E_COULDNT_RESOLVE_HOST,)
_UNTRUSTED = (pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_ISSUER_ERROR)
_UNUSABLE = (  # the last one: the key doesn't fit the certificate, or needs a password
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_BAD_FUNCTION_ARGUMENT,
)
_REFUSED = ("alert certificate required", "alert unknown ca", "alert bad certificate")
_CUT = ("reset by peer", "unexpected eof", "ssl_error_syscall")
_NOT_TLS = ("wrong version number", "packet length too long", "http request", "record layer failure")
_PROXY = (pycurl.E_COULDNT_RESOLVE_PROXY, 97)  # 97: CURLE_PROXY
_HOPELESS = (
    pycurl.E_COULDNT_CONNECT,
    pycurl.E_URL_MALFORMAT,
    pycurl.E_UNSUPPORTED_PROTOCOL,
    *_NO_SUCH_HOST,
    *_UNTRUSTED,
    *_UNUSABLE,
)


class HTTPError(Exception):
    """No answer from `url`, or a truncated one. `code` is libcurl's (libcurl-errors(3)), `reason` is for people."""

    def __init__(self, url: str, code: int, reason: str, *, by_proxy: bool = False) -> None:
        super().__init__(reason)
        self.url = url
        self.code = code
        self.reason = reason
        self.is_proxy = code in _PROXY or by_proxy

    @property
    def is_unknown_host(self) -> bool:
        """Whether the host's name is unknown."""
        return self.code in _NO_SUCH_HOST

    @property
    def is_untrusted(self) -> bool:
        """Whether we don't trust the server's certificate."""
        return self.code in _UNTRUSTED

    @property
    def is_unusable(self) -> bool:
        """Whether one of our own files with a certificate or key can't be used."""
        return self.code in _UNUSABLE

    @property
    def is_refused(self) -> bool:
        """Whether the server rejects our certificate, or wants one."""
        return any(text in self.reason for text in _REFUSED)

    @property
    def is_not_tls(self) -> bool:
        """Whether the server doesn't speak TLS."""
        return self.code == pycurl.E_SSL_CONNECT_ERROR and any(text in self.reason.lower() for text in _NOT_TLS)

    @property
    def may_pass(self) -> bool:
        """Whether a retry can help: not after a wrong name, certificate or port."""
        if self.code == pycurl.E_SSL_CONNECT_ERROR and not any(text in self.reason.lower() for text in _CUT):
            return False
        return not (self.code in _HOPELESS or self.is_proxy or " alert " in self.reason)


class Headers:
    """The headers of an answer, their names in any case."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}

    def add(self, name: str, value: str) -> None:
        """Add a header."""
        self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """Return the values under a name, joined as RFC 9110, 5.3 says, or `default`."""
        values = self._values.get(name.lower())
        return ", ".join(values) if values else default

    def getlist(self, name: str) -> list[str]:
        """Return the values under a name."""
        return list(self._values.get(name.lower(), ()))

    def discard(self, name: str) -> None:
        """Remove the values under a name."""
        self._values.pop(name.lower(), None)


class Lines:
    """Pairs of libcurl handles (lines); each keeps its connections for the next request. Safe for several threads."""

    def __init__(self) -> None:
        self._idle: list[tuple[pycurl.CurlMulti, pycurl.Curl]] = []
        self._lock = Lock()

    def take(self) -> tuple[pycurl.CurlMulti, pycurl.Curl]:
        """Return an unused line, the most recently used one first: its connection may still be open."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return pycurl.CurlMulti(), pycurl.Curl()

    def give_back(self, line: tuple[pycurl.CurlMulti, pycurl.Curl]) -> None:
        """Keep a line for the next request."""
        with self._lock:
            self._idle.append(line)

    def close(self) -> None:
        """Close every connection that isn't in use."""
        with self._lock:
            for multi, easy in self._idle:
                easy.close()
                multi.close()
            self._idle.clear()


class Request(Record):
    """A request. `trust`: which certificates are trusted; `proxy`: the proxy's address, or empty. The body has `size`
    bytes; each call of `chunks()` yields them from the beginning.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    trust: Trust
    proxy: str = ""
    place: str = ""  # HOST:PORT to connect to, if it isn't what the URL says
    size: int = 0
    chunks: Callable[[], Iterable[bytes]] | None = None


class Response:
    """An answer whose headers have arrived; `stream` reads the body. Raises HTTPError if there is no answer."""

    def __init__(self, lines: Lines, request: Request) -> None:
        self.status = 0
        self.headers = Headers()
        self._request = request
        self._lines = lines
        self._multi, self._easy = lines.take()
        self._head: list[bytes] = []  # header lines that have arrived since the last step
        self._in_head = False
        self._pieces: list[bytes] = []
        self._has_headers = False
        self._is_done = False
        self._is_released = False
        self._failure: HTTPError | None = None
        self._raised: BaseException | None = None  # by a callback
        self._waited = 0.0  # seconds since the last byte
        self._has_begun = False  # some of the body is sent, or about to be
        self._rest = memoryview(b"")
        self._source: Iterator[bytes] = iter(())
        try:
            self._prepare()
            self._multi.add_handle(self._easy)
            while not (self._has_headers or self._is_done):
                self._advance()
                if self._failure is not None and not self._has_headers:
                    raise self._failure
        except BaseException:
            self.close()
            raise

    @property
    def length(self) -> int | None:
        """The body's size in bytes, or None if the server doesn't give it."""
        text = self.headers.get("Content-Length")
        return int(text) if text.isdecimal() and len(text) < 19 else None

    def stream(self) -> Iterator[bytes]:
        """Yield the body in pieces of about 256 KiB as they arrive. Raises HTTPError if it is cut off."""
        try:
            yield from self._taken()
            while not self._is_done:
                self._advance()
                yield from self._taken()
            if self._failure is not None:  # all that arrived before the cut has been yielded
                raise self._failure
        finally:
            self.close()

    def close(self) -> None:
        """End the request. Keep the connection if the whole answer has arrived, else close it."""
        if self._is_released:
            return
        self._is_released = True
        try:
            self._multi.remove_handle(self._easy)
        except pycurl.error:  # it was never added
            pass
        self._easy.reset()
        self._lines.give_back((self._multi, self._easy))

    def _taken(self) -> Iterator[bytes]:
        """Yield what has arrived, in pieces of at least CHUNK bytes (libcurl's have 16 KiB) except the last."""
        pieces = self._pieces.copy()
        self._pieces.clear()
        start = size = 0
        for place, piece in enumerate(pieces, 1):
            size += len(piece)
            if size >= CHUNK or place == len(pieces):
                yield b"".join(pieces[start:place])
                start, size = place, 0

    def _prepare(self) -> None:
        if Details.step is not None:  # without the query: it may hold a signature or a token
            Details.step(f"{self._request.method} {self._request.url.partition('?')[0]}")
        easy, request = self._easy, self._request
        easy.setopt(pycurl.URL, request.url)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)  # whatever an address may say
        easy.setopt(pycurl.NOSIGNAL, 1)  # signals are for the main thread
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        easy.setopt(pycurl.CONNECTTIMEOUT, CONNECT_TIMEOUT)
        easy.setopt(pycurl.BUFFERSIZE, CHUNK)
        # An empty text means no proxy. Unset, libcurl would read the environment by rules of its own.
        easy.setopt(pycurl.PROXY, request.proxy.encode())
        easy.setopt(pycurl.NOPROXY, "")
        easy.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
        if request.proxy.startswith("https:"):
            trust_proxy(easy)
        easy.setopt(pycurl.HEADERFUNCTION, self._head.append)
        easy.setopt(pycurl.WRITEFUNCTION, self._pieces.append)
        request.trust.apply(easy)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        if any(not line.isprintable() for line in lines):
            raise HTTPError(request.url, pycurl.E_URL_MALFORMAT, "a header with unprintable characters")
        if request.place:
            easy.setopt(pycurl.CONNECT_TO, [f"::{request.place}"])
        easy.setopt(pycurl.HTTPHEADER, [line.encode() for line in (*lines, "Expect:")])
        if request.method == "HEAD":
            easy.setopt(pycurl.NOBODY, 1)
        elif request.method in ("POST", "PUT", "PATCH"):
            self._prepare_body()
        elif request.method != "GET":
            easy.setopt(pycurl.CUSTOMREQUEST, request.method)

    def _prepare_body(self) -> None:
        easy = self._easy
        self._rewind(0, 0)
        answers = self._answers()
        next(answers)
        easy.setopt(pycurl.UPLOAD, 1)
        easy.setopt(pycurl.CUSTOMREQUEST, self._request.method)
        easy.setopt(pycurl.INFILESIZE_LARGE, self._request.size)
        easy.setopt(pycurl.READFUNCTION, answers.send)
        easy.setopt(pycurl.SEEKFUNCTION, self._rewind)

    def _advance(self) -> None:
        """Let libcurl work without blocking, else wait until it can. Raises what a body's source raised."""
        self._multi.perform()
        if self._raised is not None:
            raise self._raised
        has_news = bool(self._head or self._pieces)
        self._read_head()
        _, done, failed = self._multi.info_read()
        if failed:
            self._failure = self._error(failed[0][1], failed[0][2])
        if done or failed:
            self._is_done = True
        elif has_news:
            self._waited = 0.0
        else:
            self._wait()

    def _wait(self) -> None:
        began = monotonic()  # only this wait counts for the timeout: the reader may take any time
        timer = self._multi.timeout()  # milliseconds, -1: none; for example for trying IPv4 after IPv6 (RFC 8305)
        most = _STEP if timer < 0 else min(_STEP, timer / 1000)
        if self._multi.select(most) < 1 and monotonic() - began < min(most, _PAUSE):
            sleep(_PAUSE)  # libcurl waits for no descriptor, or for one that is too high for select(2)
        self._waited += monotonic() - began
        if self._waited > READ_TIMEOUT:
            reason = f"nothing came for {READ_TIMEOUT:.0f} s"
            self._failure = HTTPError(self._request.url, pycurl.E_OPERATION_TIMEDOUT, reason)
            self._is_done = True

    def _error(self, code: int, text: str) -> HTTPError:
        number, proxy = self._easy.getinfo(pycurl.OS_ERRNO), self._request.proxy
        by_proxy = bool(proxy) and (code == pycurl.E_COULDNT_CONNECT or "CONNECT" in text)
        if proxy.startswith("https:") and code in _UNTRUSTED:
            by_proxy = not self._easy.getinfo(pycurl.HTTP_CONNECTCODE)  # there was no tunnel yet
        if "routines::" in text and code not in _UNUSABLE:  # "…error:0A00042E:SSL routines::tlsv1 alert …, errno 0"
            text = text.rpartition("::")[2].partition(", errno")[0]
        elif number and code in _BY_ERRNO:
            text = os.strerror(number)
        elif code in (pycurl.E_PARTIAL_FILE, pycurl.E_SEND_FAIL_REWIND):
            text = "the connection was cut"
        elif code == pycurl.E_SSL_CACERT_BADFILE:
            text = "an authority's certificate can't be read"
        elif code == pycurl.E_SSL_CERTPROBLEM:
            text = text.partition(", OpenSSL")[0]
        elif proxy:  # its address may hold a password
            text = text.replace(f"'{proxy}'", "its address")
        if code in _UNTRUSTED:  # "SSL certificate problem: self-signed certificate (18)"
            text = text.rpartition(": ")[2].partition(" (")[0]
        return HTTPError(self._request.url, code, shorten(text), by_proxy=by_proxy)

    def _read_head(self) -> None:
        for line in self._head:
            text = line.decode("latin-1").strip()
            if not text:
                self._in_head = False
                self._has_headers = self.status >= 200  # lower ones are interim answers (RFC 9110, 15.2)
            elif self._in_head or self._has_headers:  # a header, or a trailer after a chunked body
                name, _, value = text.partition(":")
                self.headers.add(name.strip(), value.strip())
            else:
                self._in_head = True
                self.headers = Headers()
                status = text.partition(" ")[2][:3]
                self.status = int(status) if status.isdecimal() else 0
        self._head.clear()

    def _answers(self) -> Generator[bytes | int, int, None]:
        """Yield the body for libcurl; the caller sends the most bytes that it takes. Keep the source's exceptions for
        `_advance`.
        """
        answer: bytes | int = b""
        while True:
            try:
                while True:  # Ctrl-C may also raise at the head of a loop
                    most = yield answer
                    self._waited = 0.0
                    answer = self._next_bytes(most)
            except GeneratorExit:
                return
            except BaseException as error:
                self._raised = error
                answer = pycurl.READFUNC_ABORT

    def _next_bytes(self, most: int) -> bytes:
        while not self._rest:
            piece = next(self._source, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        taken, self._rest = self._rest[:most], self._rest[most:]
        self._has_begun = True
        return bytes(taken)

    def _rewind(self, offset: int, _origin: int) -> int:
        """Restart the body: libcurl asks for that if a kept connection dies before there is an answer. If some of the
        body was sent, the caller must know: the registry may have kept it, and would append the same bytes.
        """
        if offset or self._has_begun:
            return pycurl.SEEKFUNC_FAIL
        chunks = self._request.chunks
        self._source = iter(chunks()) if chunks is not None else iter(())
        self._rest = memoryview(b"")
        return pycurl.SEEKFUNC_OK
