"""A registry of ours that can misbehave: cuts, lies, refuses, redirects; with a token server if wanted."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.image.odd_uploads import UploadHandler, Uploads
from tests.support.images import MANIFEST_TYPE, Image, sha256
from tests.support.registry import make_certificate

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


class OddRegistry:
    """What it holds, how it misbehaves (set the attributes before pulling), and what it was asked."""

    def __init__(self) -> None:
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.blobs: dict[str, bytes] = {}
        self.pages: dict[str, tuple[object, str]] = {}  # path with query: a JSON answer, and its Link header
        self.cuts: list[int] = []  # the next blob answers end after so many bytes of their body
        self.statuses: list[tuple[int, dict[str, str]]] = []  # answers instead of the next blobs
        self.manifest_statuses: list[tuple[int, dict[str, str]]] = []
        self.ignores_range = False
        self.no_range = False  # a Range request is answered 416
        self.redirect_to = ""  # blobs are there
        self.tokens_for: dict[str, str] = {}  # user: password; with `anonymous`, everybody gets a token
        self.wants_token = False
        self.anonymous_token = False
        self.identity_token = ""
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bytes_sent = 0
        self.hold: threading.Event | None = None  # wait for it in the middle of a blob
        self.reached = threading.Event()  # set when the middle of a blob is reached
        self.uploads = Uploads()
        self.server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """host:port."""
        assert self.server is not None
        return f"127.0.0.1:{self.server.server_address[1]}"

    def add(self, repository: str, tag: str, image: Image) -> str:
        """Hold an image; return its manifest's digest."""
        manifest, blobs = image.blobs()
        digest = sha256(manifest)
        self.blobs.update({name: data for name, data in blobs.items() if name != digest})
        for reference in (tag, digest):
            self.manifests[f"{repository}/{reference}"] = (manifest, MANIFEST_TYPE)
        return digest

    def add_manifest(self, repository: str, tag: str, document: object, kind: str = MANIFEST_TYPE) -> bytes:
        """Hold any JSON as a manifest, or bytes as they are."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        for reference in (tag, sha256(data)):
            self.manifests[f"{repository}/{reference}"] = (data, kind)
        return data

    def paths(self, method: str = "GET") -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for asked, path, _ in self.requests if asked == method]

    def blob_requests(self) -> list[dict[str, str]]:
        """Return the headers of each request for a blob."""
        return [headers for _, path, headers in self.requests if "/blobs/" in path]

    @classmethod
    @contextmanager
    def start(cls, certificates: Path | None = None) -> Iterator[OddRegistry]:
        """Serve on a free port of 127.0.0.1 until the context's end; by HTTPS if there is a directory to make
        certificates in.
        """
        registry = cls()

        class Handler(_Handler):
            odd = registry

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        registry.server = server
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(make_certificate(certificates), certificates / "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield registry
        finally:
            if registry.hold is not None:
                registry.hold.set()
            server.shutdown()
            server.server_close()


class _Handler(UploadHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._handle(body=False)

    def do_GET(self) -> None:
        self._handle(body=True)

    def do_PUT(self) -> None:
        self._handle(body=True)

    do_PATCH = do_DELETE = do_PUT

    def do_POST(self) -> None:
        if urlsplit(self.path).path != "/token":
            self._handle(body=True)
            return
        length = int(self.headers.get("Content-Length", "0"))
        form = parse_qs(self.rfile.read(length).decode())
        self.odd.requests.append(("POST", self.path, dict(self.headers)))
        if form.get("refresh_token") == [self.odd.identity_token] and form.get("grant_type") == ["refresh_token"]:
            self._send(200, json.dumps({"access_token": "good"}).encode())
        else:
            self._send(401, b"{}")

    def _handle(self, *, body: bool) -> None:
        self.odd.requests.append((self.command, self.path, dict(self.headers)))
        path = urlsplit(self.path).path
        if path == "/token":
            self._token()
        elif self.path in self.odd.pages:
            answer, link = self.odd.pages[self.path]
            self._send(200, json.dumps(answer).encode(), {"Link": link} if link else {})
        elif self.odd.wants_token and self.headers.get("Authorization") != "Bearer good":
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            challenge = f'Bearer realm="http://{self.odd.address}/token",service="odd",scope="repository:x:pull"'
            self._send(401, b"{}", {"WWW-Authenticate": challenge})
        elif path == "/v2/":
            self._send(200, b"{}")
        elif "/blobs/uploads/" in path:
            self.upload()
        elif "/manifests/" in path and self.command == "PUT":
            self.put_manifest()
        elif "/manifests/" in path:
            self._manifest(path, body=body)
        else:
            self._blob(path.rpartition("/")[2], body=body)

    def _token(self) -> None:
        given = self.headers.get("Authorization", "")
        pairs = [f"{user}:{password}" for user, password in self.odd.tokens_for.items()]
        good = ["Basic " + base64.b64encode(pair.encode()).decode() for pair in pairs]
        if given in good or (self.odd.anonymous_token and not given):
            self._send(200, b'{"token": "good"}')
        else:
            self._send(401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "no"}]}')

    def _manifest(self, path: str, *, body: bool) -> None:
        if self.odd.manifest_statuses:
            status, headers = self.odd.manifest_statuses.pop(0)
            self._send(status, b"", headers)
            return
        repository, _, reference = path.removeprefix("/v2/").partition("/manifests/")
        found = self.odd.manifests.get(f"{repository}/{reference}")
        if found is None:
            error = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            self._send(404, json.dumps(error).encode(), body=body)
            return
        data, kind = found
        self._send(200, data, {"Content-Type": kind, "Docker-Content-Digest": sha256(data)}, body=body)

    def _blob(self, digest: str, *, body: bool) -> None:
        odd = self.odd
        if odd.statuses:
            status, headers = odd.statuses.pop(0)
            self._send(status, b"", headers)
            return
        if odd.redirect_to:
            self._send(307, b"", {"Location": f"http://{odd.redirect_to}{self.path}?secret=1"})
            return
        data = odd.blobs.get(digest)
        if data is None:
            self._send(404, b'{"errors": [{"code": "BLOB_UNKNOWN", "message": "blob unknown"}]}', body=body)
            return
        if not body:
            self._send(200, data, body=False)
            return
        status, headers, part = 200, {}, data
        asked = self.headers.get("Range", "")
        if asked and odd.no_range:
            self._send(416, b"")
            return
        if asked and not odd.ignores_range:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            status, part = 206, data[start:]
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send_blob(status, part, headers)

    def _send_blob(self, status: int, part: bytes, headers: dict[str, str]) -> None:
        odd = self.odd
        # Configurations are small and come in one piece: cuts are for layers.
        is_layer = len(part) > 2000 or (status == 206)
        cut = odd.cuts.pop(0) if odd.cuts and is_layer else len(part)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(part)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if odd.hold is not None and is_layer:
            half = len(part) // 2
            self.wfile.write(part[:half])
            self.wfile.flush()
            odd.reached.set()
            odd.hold.wait(200)  # no test lets it wait so long
            return
        self.wfile.write(part[:cut])
        odd.bytes_sent += min(cut, len(part))
        if cut < len(part):
            self.wfile.flush()
            self.close_connection = True

    def send(self, status: int, data: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self._send(status, data, headers)

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None, *, body: bool = True) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            if status != 204 or name != "Content-Length":
                self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)
