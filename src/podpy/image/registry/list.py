"""A registry's lists: a repository's tags, all repositories, and the search of API version 1."""

from __future__ import annotations

from urllib.parse import urlencode

from podpy.errors import ImageError, RegistryError, shorten
from podpy.image.documents import schema
from podpy.image.registry.http import drop, join, read_body, split
from podpy.image.registry.read import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podpy.http.curl import Response
_PAGES_LIMIT = 10_000  # ends the list of a registry whose pages never end


class Listing(Repository):
    """The lists of a repository and of its registry."""

    def tags(self) -> Iterator[str]:
        """Yield the repository's tags in the registry's order, page by page. Raises RegistryError."""
        yield from self._pages(f"/v2/{self._path}/tags/list", "tags", self._scope)

    def repositories(self) -> Iterator[str]:
        """Yield the name of every repository in the registry, page by page. Raises RegistryError."""
        yield from self._pages("/v2/_catalog", "repositories", "registry:catalog:*")

    def search(self, term: str, limit: int) -> list[Any] | None:
        """Return the results of version 1's search; None if the registry doesn't have it. Raises RegistryError."""
        query = urlencode({"q": term, "n": limit})
        response = self._get(f"/v1/search?{query}", "")
        if response.status != 200:
            drop(response)
            return None
        try:
            document = schema.load_object(read_body(response), "the search's answer", schema.MANIFEST_LIMIT)
        except ImageError:  # some registries answer an unknown path with a web page
            return None
        results = document.get("results")
        return results if isinstance(results, list) else None

    def _get(self, path: str, scope: str) -> Response:
        url = self._connection.url(path)

        def ask(authorization: dict[str, str]) -> Response:
            return self._connection.open_url("GET", url, authorization, what=self.name)

        return self._authorized(ask, scope)

    def _pages(self, path: str, key: str, scope: str) -> Iterator[str]:
        for _ in range(_PAGES_LIMIT):
            response = self._get(path, scope)
            if response.status != 200:
                raise self._failure(response, f"list of {key}")
            following = _next_page(response.headers.get("Link", ""))
            document = schema.load_object(read_body(response, schema.MANIFEST_LIMIT), "the list", schema.MANIFEST_LIMIT)
            items = document.get(key) or []
            if not isinstance(items, list):
                raise RegistryError(f"{self.name}: the list of {key} is none")
            yield from (item for item in items if isinstance(item, str) and item.isprintable())
            if not following:
                return
            # Only the path counts: the next page must be on this registry.
            parts = split(join(self._connection.url(path), following))
            if not parts.path.startswith("/"):
                raise RegistryError(f"{self.name}: the next page's address is none: {shorten(following)}")
            path = parts.path + (f"?{parts.query}" if parts.query else "")
        raise RegistryError(f"{self.name}: the list of {key} has more than {_PAGES_LIMIT} pages")


def _next_page(header: str) -> str:
    """Return the address in `Link: </v2/_catalog?last=x&n=100>; rel="next"`, or an empty text (RFC 8288)."""
    address, _, parameters = header.strip().partition(">")
    return address[1:] if address.startswith("<") and 'rel="next"' in parameters.replace(" ", "") else ""
