"""The upload half of the registry that can misbehave: cuts what it is sent, forgets it, refuses, sends elsewhere."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.support.images import sha256

if TYPE_CHECKING:
    from tests.image.odd_registry import OddRegistry


class Uploads:
    """What has arrived, and how uploads are to go wrong (set the attributes before pushing)."""

    def __init__(self) -> None:
        self.data: dict[str, bytearray] = {}
        self.cuts: list[int] = []  # the next requests with more than 2000 bytes end after so many
        self.forgets = False  # an upload that was cut is gone
        self.buffers = False  # a request that was cut leaves nothing, as behind a proxy that sends on only whole ones
        self.refuses_pieces = False
        self.statuses: list[tuple[int, dict[str, str]]] = []  # answers instead of the next uploads
        self.elsewhere = ""  # host:port where uploads go
        self.received = 0  # bytes of bodies
        self.mountable: dict[str, str] = {}  # repository: digest of a blob that it has
        self.hold: threading.Event | None = None  # wait for it in the middle of an upload
        self.reached = threading.Event()  # set when that is reached
        self.held = False
        self.manifest_statuses: list[tuple[int, bytes]] = []


class UploadHandler(BaseHTTPRequestHandler):
    """POST, PATCH, PUT and DELETE; GET of an upload."""

    odd: OddRegistry

    def send(self, status: int, data: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Answer with a body."""
        raise NotImplementedError

    def upload(self) -> None:
        """Answer whatever is asked about an upload."""
        uploads = self.odd.uploads
        parts = urlsplit(self.path)
        number = parts.path.rpartition("/")[2]
        query = parse_qs(parts.query)
        if self.command == "POST":
            self._begin(parts.path, query)
        elif number not in uploads.data:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send(404, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}')
        elif self.command == "GET":
            self.send(204, b"", self._progress(number))
        elif self.command == "DELETE":
            del uploads.data[number]
            self.send(204)
        else:
            self._take(number, query)

    def _begin(self, path: str, query: dict[str, list[str]]) -> None:
        uploads = self.odd.uploads
        if query.get("mount") and uploads.mountable.get(query["from"][0]) == query["mount"][0]:
            self.send(201)
            return
        number = str(len(uploads.data) + 1)
        uploads.data[number] = bytearray()
        host = f"http://{uploads.elsewhere}" if uploads.elsewhere else ""
        self.send(202, b"", {"Location": f"{host}{path}{number}?state=1", "Range": "0-0"})

    def _progress(self, number: str) -> dict[str, str]:
        size = len(self.odd.uploads.data[number])
        return {"Location": f"{urlsplit(self.path).path}?state=2", "Range": f"0-{max(0, size - 1)}"}

    def _take(self, number: str, query: dict[str, list[str]]) -> None:
        uploads = self.odd.uploads
        length = int(self.headers.get("Content-Length", "0"))
        start = self.headers.get("Content-Range", "").partition("-")[0]
        if start and int(start) != len(uploads.data[number]):
            self.rfile.read(length)
            self.send(416)
            return
        if self.command == "PATCH" and uploads.refuses_pieces:
            self.rfile.read(length)
            self.send(405)
            return
        if uploads.statuses and length > 2000:
            self.rfile.read(length)
            status, headers = uploads.statuses.pop(0)
            self.send(status, b"", headers)
            return
        if uploads.hold is not None and length > 2000:
            self.rfile.read(length // 2)
            uploads.held = True
            uploads.reached.set()
            uploads.hold.wait(200)
            uploads.held, self.close_connection = False, True
            return
        cut = uploads.cuts.pop(0) if uploads.cuts and length > 2000 else length
        data = self.rfile.read(min(cut, length))
        uploads.received += len(data)
        if cut >= length or not uploads.buffers:
            uploads.data[number] += data
        if cut < length:
            if uploads.forgets:
                del uploads.data[number]
            self.close_connection = True
            return
        self._answer(number, query)

    def _answer(self, number: str, query: dict[str, list[str]]) -> None:
        if self.command == "PATCH":
            self.send(202, b"", self._progress(number))
            return
        data = bytes(self.odd.uploads.data.pop(number))
        digest = query["digest"][0]
        if sha256(data) != digest:
            self.send(400, b'{"errors": [{"code": "DIGEST_INVALID", "message": "not that digest"}]}')
            return
        self.odd.blobs[digest] = data
        self.send(201, b"", {"Docker-Content-Digest": digest})

    def put_manifest(self) -> None:
        """Take a manifest."""
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.odd.uploads.manifest_statuses:
            status, body = self.odd.uploads.manifest_statuses.pop(0)
            self.send(status, body)
            return
        repository, _, reference = urlsplit(self.path).path.removeprefix("/v2/").partition("/manifests/")
        held: tuple[bytes, Any] = (data, self.headers["Content-Type"])
        self.odd.manifests[f"{repository}/{reference}"] = self.odd.manifests[f"{repository}/{sha256(data)}"] = held
        self.send(201, b"", {"Docker-Content-Digest": sha256(data)})
