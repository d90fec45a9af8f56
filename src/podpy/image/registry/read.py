"""One repository in one registry, read-only: the OCI distribution specification's pull half.

The push half is in `podpy.image.registry.write`.
"""

from __future__ import annotations

from podpy.digests import check_bytes
from podpy.errors import AuthenticationError, DigestMismatchError, ImageError, NotThereError, RegistryError, shorten
from podpy.http.curl import HTTPError
from podpy.image.documents import schema
from podpy.image.names.reference import check_digest
from podpy.image.registry.challenge import Authenticator, error_text
from podpy.image.registry.http import drop, read_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from podpy.config.auth import Credentials
    from podpy.http.curl import Response
    from podpy.image.registry.http import Body, Connection

    class PolicyCheck(Protocol):
        """Decides about manifests; see `remote.PolicyCheck`."""

        def check_policy(self, manifest: bytes) -> None:
            """Raise TrustError if the image with this manifest may not come in."""


MOST_DIGITS = 18  # of an offset in a header


class Repository:
    """Reads manifests and blobs of `path` (without the host). Blobs may be read by several threads at once."""

    _actions = "pull"  # what a token must allow

    def __init__(self, connection: Connection, path: str, credentials: Credentials | None = None) -> None:
        self.name = f"{connection.host}/{path}" if path else connection.host
        self._path = path
        self._connection = connection
        self._authenticator = Authenticator(connection, credentials)
        self._has_credentials = credentials is not None
        self._scope = f"repository:{path}:{self._actions}"
        self.check: PolicyCheck | None = None

    def check_policy(self, manifest: bytes) -> None:
        """Return if policy.json accepts the image with this manifest. Raises TrustError.

        Only for repositories of `remote.PullSources`, which set `check`; no image of another one gets into the store.
        """
        assert self.check is not None, "a repository without a policy"
        self.check.check_policy(manifest)

    def digest(self, reference: str) -> str:
        """Return the digest of a tag's manifest by HEAD, or an empty text if the registry doesn't give it."""
        response = self._open("HEAD", f"/manifests/{reference}", {"Accept": ", ".join(schema.ACCEPT)})
        drop(response)
        if response.status != 200:
            return ""
        return response.headers.get("Docker-Content-Digest", "")

    def manifest(self, reference: str) -> tuple[bytes, str]:
        """Return the bytes of a manifest or index, by tag or digest, and its media type. Raises RegistryError.

        The bytes are checked against the digest; for a tag, against the digest that the registry states.
        """
        response = self._open("GET", f"/manifests/{reference}", {"Accept": ", ".join(schema.ACCEPT)})
        if response.status != 200:
            raise self._failure(response, f"manifest {reference}")
        stated = response.headers.get("Docker-Content-Digest", "")
        data = read_body(response, schema.MANIFEST_LIMIT)
        what = f"the manifest of {self.name}"
        if ":" in reference:
            check_bytes(data, check_digest(reference), what)
        elif stated.startswith("sha256:"):  # podpy checks no other algorithm
            check_bytes(data, stated, what)
        return data, response.headers.get("Content-Type", "")

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        """Return a whole blob (a configuration), its digest checked. Raises RegistryError, DigestMismatchError."""
        chunks = self.blob(descriptor.digest, descriptor.size if descriptor.size >= 0 else limit, 0)
        return check_bytes(b"".join(chunks), descriptor.digest, f"the configuration of {self.name}")

    def blob(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
        """Yield a blob's bytes from `offset` on; after a cut connection, continue at the offset reached.

        The blob has `size` bytes. Raises RegistryError if the registry sends more, or stops for good before its end.
        """
        failures = 0
        while offset < size:
            before = offset
            reason = "the connection was cut"
            try:
                for chunk in self._blob_once(digest, size, offset):
                    offset += len(chunk)
                    if offset > size:
                        raise DigestMismatchError(
                            f"{self.name}: blob {digest} has more bytes than the {size} its manifest says"
                        )
                    yield chunk
            except HTTPError as error:
                reason = self._connection.explain(error, f"blob {digest[:19]}").message
            if offset >= size:
                return
            # As long as each try brings some bytes, go on, however often the connection is cut.
            failures = 0 if offset > before else failures + 1
            if failures > self._connection.retries:
                raise RegistryError(
                    f"{self.name}: blob {digest} stopped at {offset} of {size} bytes: {reason}",
                    hint="Pull again: it goes on from there",
                )
            self._connection.wait(failures, f"{reason} ({offset} of {size} bytes)")

    def _blob_once(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
        headers = {"Range": f"bytes={offset}-{size - 1}"} if offset else {}
        response = self._open("GET", f"/blobs/{digest}", headers)
        if response.status == 416:  # range refused: read from the beginning, and skip what we have
            drop(response)
            response = self._open("GET", f"/blobs/{digest}", {})
        if response.status == 206:
            start = _range_start(response.headers.get("Content-Range", ""))
        elif response.status == 200:
            start = 0
        else:
            raise self._failure(response, f"blob {digest}")
        if start > offset:
            raise RegistryError(f"{self.name}: asked for blob {digest} from {offset} on, it sends from {start} on")
        skip = offset - start
        for chunk in response.stream():
            if skip >= len(chunk):
                skip -= len(chunk)
                continue
            yield chunk[skip:] if skip else chunk
            skip = 0

    def _open(
        self, method: str, path: str, headers: dict[str, str], *, body: Body | None = None, scope: str = ""
    ) -> Response:
        """Request `path` in this repository, with a token for `scope` if the registry asks for one."""
        url = self._connection.url(f"/v2/{self._path}{path}")

        def ask(authorization: dict[str, str]) -> Response:
            return self._connection.open_url(method, url, headers | authorization, what=self.name, body=body)

        return self._authorized(ask, scope or self._scope)

    def _authorized(self, ask: Callable[[dict[str, str]], Response], scope: str) -> Response:
        """Call `ask` with an Authorization header, again after each challenge that can be answered."""
        for attempt in range(3):
            used = self._authenticator.header(scope)
            response = ask({"Authorization": used} if used else {})
            if response.status != 401:
                return response
            drop(response)
            if attempt == 2 or not self._authenticator.answer(response, scope, used):
                break
        raise self._unauthorized(response)

    def _unauthorized(self, response: Response) -> AuthenticationError:
        host = self._connection.host
        if "insufficient_scope" in response.headers.get("WWW-Authenticate", ""):  # RFC 6750, 3.1: known, not allowed
            return AuthenticationError(
                f"{self.name}: denied: no permission to {self._actions.rpartition(',')[2]}",
                hint=f"Check the name, or run: podpy login {host}",
            )
        if self._has_credentials:
            return AuthenticationError(
                f"{self.name}: unauthorized: invalid username/password", hint=f"Run: podpy login {host}"
            )
        return AuthenticationError(
            f"{self.name}: unauthorized: {host} wants credentials", hint=f"Check the name, or run: podpy login {host}"
        )

    def _failure(self, response: Response, what: str) -> RegistryError:
        return self._failure_of(response.status, error_body(response), what)

    def _failure_of(self, status: int, body: bytes, what: str) -> RegistryError:
        message = f"{self.name}: {shorten(what)}: {error_text(body)}"
        if status == 403:
            host = self._connection.host
            return AuthenticationError(message, hint=f"Check the name, or run: podpy login {host}")
        if status == 404:
            return NotThereError(message, hint="Check the name and the tag")
        if status == 413:
            return RegistryError(
                f"{message} (413: too large)", hint="The registry, or a proxy before it, limits what it takes at once"
            )
        if status == 429:
            return RegistryError(f"{message} (429: too many requests)", hint="Wait, or log in: podpy login")
        return RegistryError(f"{message} ({status})")


def error_body(response: Response) -> bytes:
    """Return what an error answer says; empty if it can't be read."""
    try:
        return read_body(response)
    except ImageError:
        return b""


def _range_start(header: str) -> int:
    unit, _, span = header.partition(" ")
    start = span.partition("-")[0]
    # Latin-1 has digits that aren't decimal, and an offset can't have more decimals than a file's size.
    if unit.lower() != "bytes" or not start.isdecimal() or len(start) > MOST_DIGITS:
        raise RegistryError(f"the registry sent a part without saying which: {shorten(header)!r}")
    return int(start)
