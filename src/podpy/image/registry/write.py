"""One repository in one registry, writable: the OCI distribution specification's push half.

A blob that the registry has isn't sent: HEAD asks for it, then a mount from another repository is tried. Else one PUT
sends it, which every registry accepts. If the PUT is cut off, the registry says how much it has, and gets the rest. If
it kept nothing, the blob is sent again in pieces (PATCH), so the next cut costs only one piece.
"""

from __future__ import annotations

from podpy.digests import sha256
from podpy.errors import AuthenticationError, ManifestRefusedError, RegistryError, StorageError, shorten
from podpy.http.curl import HTTPError
from podpy.image.incoming.assemble import Blob
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.challenge import error_codes
from podpy.image.registry.http import RETRIED, Body, drop, retry_after
from podpy.image.registry.read import MOST_DIGITS, Repository, error_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podpy.http.curl import Response
EXISTS, MOUNTED, SENT = "exists", "mounted", "sent"
PIECE = 16 << 20
_BYTES = "application/octet-stream"
_MOST_MOUNTS = 3
_DONE = (200, 201, 202, 204)
_GONE = (404, 416)  # the upload is gone; the registry is at another offset
_NO_PIECES = (400, 405, 501)
# What may pass, as all blobs are there: another push moves the same blob into place, or writes the file that leads to
# it, which docker-registry reads half written (it says DIGEST_INVALID, and means its own file's content).
_PASSING = {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "DIGEST_INVALID"}
# What registries say of a format that they don't take: Quay and OpenShift; old ones that look for a tag in it.
_WRONG_FORMAT = ("MANIFEST_INVALID", "TAG_INVALID")


class _InterruptedError(Exception):
    """An upload stopped and may be continued. `asked`: how many seconds the registry asks to wait."""

    def __init__(self, reason: str, asked: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.asked = asked


class _Session:
    """An upload in progress: the address for the next bytes (empty: none yet), and how many bytes the registry has."""

    def __init__(self) -> None:
        self.url = ""
        self.offset = 0
        self.shown = 0  # bytes reported to the progress
        self.piece = 0  # bytes in one request, 0: all
        self.takes_pieces = True
        self.reached = 0  # the largest offset so far
        self.failures = 0  # since it was reached


class WritableRepository(Repository):
    """Writes and reads a repository's manifests and blobs. Several threads may write blobs at once."""

    _actions = "pull,push"

    def blob_exists(self, digest: str) -> bool:
        """Ask by HEAD whether the repository has a blob. Raises RegistryError, AuthenticationError."""
        response = self._open("HEAD", f"/blobs/{digest}", {})
        drop(response)
        if response.status not in (200, 404):
            raise self._failure(response, f"blob {digest}")
        return response.status == 200

    def put_blob(self, blob: Blob, *, mount_from: Sequence[str] = (), progress: Progress = SILENT) -> str:
        """Make sure that the repository has a blob; return EXISTS, MOUNTED or SENT.

        `mount_from` are repositories of the same registry (paths) that may have it. `blob.read(offset)` may be called
        several times. Raises RegistryError, AuthenticationError, and what `blob.read` raises.
        """
        if self.blob_exists(blob.digest):
            progress.layer_exists(blob.digest)
            return EXISTS
        session = _Session()
        for source in mount_from[:_MOST_MOUNTS]:
            if self._mount(blob.digest, source, session):
                progress.layer_exists(blob.digest)
                return MOUNTED
        progress.layer_started(blob.digest, blob.size, 0)
        self._upload(blob, session, progress)
        progress.layer_done(blob.digest)
        return SENT

    def put_bytes(self, data: bytes) -> str:
        """Like `put_blob` for bytes in memory (a configuration); return their digest."""
        digest = sha256(data)
        self.put_blob(Blob(digest=digest, size=len(data), read=lambda offset: iter((data[offset:],))))
        return digest

    def put_manifest(self, data: bytes, media_type: str, reference: str = "") -> str:
        """Write a manifest or index under a tag or its digest (`reference` empty: by its digest); return the digest.

        The blobs and manifests that it names must be there. Raises ManifestRefusedError, RegistryError,
        AuthenticationError.
        """
        digest = sha256(data)
        reference = reference or digest
        if ":" in reference and reference != digest:
            raise RegistryError(
                f"{self.name}: the manifest's digest is {digest}, not {reference}",
                hint="Push to a tag, or take the digest out of the destination",
            )
        response = self._put_manifest(data, media_type, reference)
        drop(response)
        stated = response.headers.get("Docker-Content-Digest", "")
        if stated.startswith("sha256:") and stated != digest:
            raise RegistryError(f"{self.name}: the registry made {stated} of the manifest {digest}")
        return digest

    def _put_manifest(self, data: bytes, media_type: str, reference: str) -> Response:
        attempt = 0
        while True:
            response = self._open("PUT", f"/manifests/{reference}", {}, body=Body.of(data, media_type))
            if response.status in _DONE:
                return response
            body = error_body(response)
            codes = error_codes(body)
            error = self._failure_of(response.status, body, f"manifest {reference}")
            if isinstance(error, AuthenticationError):
                raise error
            if _PASSING.isdisjoint(codes) or attempt >= self._connection.retries:
                if _refuses_format(response.status, codes, error.message):
                    raise ManifestRefusedError(error.message, hint="Another --format may be taken: oci, v2s2")
                raise error
            self._connection.wait(attempt, error.message)
            attempt += 1

    def _mount(self, digest: str, source: str, session: _Session) -> bool:
        """Mount a blob from another repository. If that fails, keep the upload that the registry opened instead."""
        from urllib.parse import urlencode  # 5 ms, which a push of existing blobs saves

        query = urlencode({"mount": digest, "from": source})
        scope = f"{self._scope} repository:{source}:pull"
        try:
            response = self._open("POST", f"/blobs/uploads/?{query}", {}, scope=scope)
        except AuthenticationError:
            return False  # we may not read that repository: send the blob
        drop(response)
        if response.status not in (201, 202):
            return False
        if session.url:
            drop(self._request("DELETE", session.url, again=True))
            session.url = ""
        if response.status == 202:
            session.url = self._location(response, self._connection.url(f"/v2/{self._path}/blobs/uploads/"))
        return response.status == 201

    def _upload(self, blob: Blob, session: _Session, progress: Progress) -> None:
        what = f"blob {blob.digest[:19]}"
        while True:
            asked = None
            try:
                if not session.url:
                    self._begin(session, what)
                if self._send_next(blob, session, progress):
                    return
                continue
            except HTTPError as error:
                reason = self._connection.explain(error, what).message
            except _InterruptedError as error:
                reason, asked = f"{what}: {error.reason}", error.asked
            self._connection.wait(session.failures, reason, asked)
            if self._find_offset(blob, session):
                return
            self._count_failure(blob, session, reason)

    def _count_failure(self, blob: Blob, session: _Session, reason: str) -> None:
        # As long as each try sends some bytes, go on, however often the connection is cut.
        if session.offset > session.reached:
            session.reached, session.failures = session.offset, 0
            return
        session.failures += 1
        if session.failures > self._connection.retries:
            raise RegistryError(
                f"{self.name}: blob {blob.digest} stopped at {session.offset} of {blob.size} bytes: {reason}",
                hint="Push again: what has arrived whole isn't sent again",
            )

    def _begin(self, session: _Session, what: str) -> None:
        response = self._open("POST", "/blobs/uploads/", {})
        if response.status != 202:
            raise self._failure(response, what)
        drop(response)
        session.url = self._location(response, self._connection.url(f"/v2/{self._path}/blobs/uploads/"))
        session.offset = 0
        least = response.headers.get("OCI-Chunk-Min-Length", "")
        if session.piece and least.isdecimal():
            session.piece = max(PIECE, int(least[:12]))

    def _send_next(self, blob: Blob, session: _Session, progress: Progress) -> bool:
        """Send the next piece, or all that is left; return whether the blob is complete."""
        from urllib.parse import quote

        left = blob.size - session.offset
        last = not session.piece or left == 0
        count = left if last else min(session.piece, left)
        url = session.url
        if last:
            url += ("&" if "?" in url else "?") + "digest=" + quote(blob.digest)
        headers = {"Content-Range": f"{session.offset}-{session.offset + count - 1}"} if count < blob.size else {}
        body = Body(size=count, kind=_BYTES, chunks=lambda: _part(blob, session, count, progress))
        response = self._request("PUT" if last else "PATCH", url, headers if count else {}, body)
        if response.status not in _DONE:
            raise self._interruption(response, session, last=last) or self._failure(response, f"blob {blob.digest}")
        drop(response)
        if last:
            return True
        session.url = self._location(response, session.url)
        before, session.offset = session.offset, _range_end(response, session.offset + count)
        if session.offset <= before:
            raise _InterruptedError("the registry doesn't keep what it is sent")
        return False

    def _interruption(self, response: Response, session: _Session, *, last: bool) -> _InterruptedError | None:
        """Return why the upload stopped, if it may go on."""
        status = response.status
        if status in RETRIED:
            drop(response)
            return _InterruptedError(f"the registry answered {status}", retry_after(response))
        if status in _GONE:
            drop(response)
            return _InterruptedError("the registry has lost the upload")
        if status in _NO_PIECES and not last and session.offset == 0:
            drop(response)
            session.piece, session.takes_pieces = 0, False
            return _InterruptedError("the registry takes no pieces")
        return None

    def _find_offset(self, blob: Blob, session: _Session) -> bool:
        """Ask how much has arrived; start a new upload if this one is gone. Return whether the blob is complete."""
        piece = PIECE if session.takes_pieces else 0
        if session.url:
            response = self._request("GET", session.url, again=True)
            drop(response)
            if response.status in _DONE:
                session.url = self._location(response, session.url)
                session.offset = _range_end(response, 0)
                session.piece = session.piece or (0 if session.offset else piece)
                if session.offset <= blob.size:
                    return False
        session.url, session.offset, session.piece = "", 0, piece
        return self.blob_exists(blob.digest)  # it may be complete, and only the answer was lost

    def _location(self, response: Response, url: str) -> str:
        target = response.headers.get("Location", "")
        return self._connection.address(url, target) if target else url

    def _request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: Body | None = None,
        again: bool = False,
    ) -> Response:
        """Request an address that the registry gave us; `again`: retry after temporary failures.

        Raises HTTPError otherwise. An address on another host gets no credentials.
        """

        def ask(authorization: dict[str, str]) -> Response:
            full = (headers or {}) | authorization
            if again:
                return self._connection.open_url(method, url, full, what=self.name, body=body)
            return self._connection.open_once(method, url, full, body)

        if not self._connection.is_own(url):
            return ask({})
        return self._authorized(ask, self._scope)


def _refuses_format(status: int, codes: list[str], message: str) -> bool:
    """Return whether a registry's answer is about a manifest's format: the first code decides, as in Podman."""
    first = codes[0] if codes else ""
    # Amazon's, of an OCI manifest that doesn't name its media type:
    is_amazons = first == "UNSUPPORTED" and "Invalid JSON syntax" in message
    return status == 415 or first in _WRONG_FORMAT or is_amazons


def _part(blob: Blob, session: _Session, count: int, progress: Progress) -> Iterator[bytes]:
    """Yield `count` bytes of a blob from the session's offset on."""
    progress.layer_advanced(blob.digest, session.offset - session.shown)
    session.shown = session.offset
    left = count
    for chunk in blob.read(session.offset) if count else ():
        piece = chunk[:left]
        yield piece
        progress.layer_advanced(blob.digest, len(piece))
        session.shown += len(piece)
        left -= len(piece)
        if not left:
            return
    if left:
        raise StorageError(f"blob {blob.digest} has {left} bytes less than it should", hint="Run: podpy system check")


def _range_end(response: Response, otherwise: int) -> int:
    """Return how many bytes the registry has, by its Range header: `0-99` is 100, `0-0` is 0 (or 1)."""
    text = response.headers.get("Range", "").removeprefix("bytes=")
    start, dash, end = text.partition("-")
    if not dash or start.strip() != "0" or not end.strip().isdecimal() or len(end) > MOST_DIGITS:
        if text:
            raise RegistryError(f"the registry says what it has in a way that can't be understood: {shorten(text)!r}")
        return otherwise
    return int(end) + 1 if int(end) else 0
