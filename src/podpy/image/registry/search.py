"""`podpy search`: by the search of API version 1 (Docker Hub, Quay), else by the catalog.

Only version 1's search has descriptions and stars. `_catalog` (distribution specification) lists every repository;
podpy then looks for the term in the names.
"""

from __future__ import annotations

from podpy.errors import ImageError, PodpyError
from podpy.image.failures import combined
from podpy.image.names.reference import DOCKER_DOMAIN, DOCKER_LIBRARY, REGISTRY, parse
from podpy.image.names.registries import registries_of
from podpy.image.progress import SILENT, Progress
from podpy.image.registry import remote
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from podpy.config.paths import Paths
    from podpy.image.registry.access import Access
    from podpy.image.registry.list import Listing

    T = TypeVar("T")

DEFAULT_LIMIT = 25
_DOCKER_SEARCH = "index.docker.io"  # docker.io's own name answers a search with a web page


class Found(Record):
    """One repository in a registry's search result."""

    index: str
    name: str
    description: str = ""
    stars: int = 0
    official: bool = False
    automated: bool = False


class Tags(Record):
    """One repository's tags, up to the limit."""

    index: str
    name: str
    tags: list[str]


def search(paths: Paths, term: str, access: Access, *, limit: int = 0, progress: Progress = SILENT) -> list[Found]:
    """Return each registry's results for `term`, at most `limit` (0: 25) from each.

    `term` may begin with a registry and a slash; else the unqualified-search registries are asked. Raises ConfigError,
    and the registries' errors if none has found anything.
    """

    def ask(registry: str, wanted: str) -> list[Found]:
        return _search_registry(paths, registry, wanted, access, limit or DEFAULT_LIMIT, progress)

    return _each(paths, term, ask, progress)


def list_tags(paths: Paths, term: str, access: Access, *, limit: int = 0, progress: Progress = SILENT) -> list[Tags]:
    """Return the tags of the repository `term` in each registry that has it; see `search`."""

    def ask(registry: str, wanted: str) -> list[Tags]:
        name = parse(f"{registry}/{wanted}").name

        def take(listing: Listing) -> list[str]:
            return list(_take(listing.tags(), limit or DEFAULT_LIMIT))

        tags = remote.list_from(paths, name, registries_of(paths), access, take, progress=progress)
        return [Tags(index=registry, name=name, tags=tags)]

    return _each(paths, term.removeprefix(REGISTRY), ask, progress)


def _each(paths: Paths, term: str, ask: Callable[[str, str], list[T]], progress: Progress) -> list[T]:
    # Everything before the first slash is the registry: a term needn't be a valid image name.
    registry, slash, wanted = term.partition("/")
    if not term or (slash and not registry):
        raise ImageError(f'"{term}" is nothing to search for')
    registries = [registry] if slash else registries_of(paths).search
    if not registries:
        progress.message(
            f"no unqualified-search registries are defined in registries.conf: none was asked. Search in one: "
            f"podpy search docker.io/{term}"
        )
    found: list[T] = []
    failures: list[PodpyError] = []
    for place in registries:
        try:
            found += ask(place, wanted if slash else term)
        except ImageError as error:
            failures.append(error)
    if failures and not found:
        raise combined(failures)
    for failure in failures:
        progress.message(f"WARNING: {failure}")
    return found


def _search_registry(
    paths: Paths, registry: str, term: str, access: Access, limit: int, progress: Progress
) -> list[Found]:
    def ask(listing: Listing) -> list[Any]:
        results = listing.search(term, limit) if term else None
        if results is None:
            names = (name for name in listing.repositories() if term in name)
            results = [{"name": name} for name in _take(names, limit)]
        return results[:limit]

    host = _DOCKER_SEARCH if registry == DOCKER_DOMAIN else ""
    results = remote.list_from(paths, registry, registries_of(paths), access, ask, host=host, progress=progress)
    return [found for result in results for found in _found(registry, result)]


def _take(items: Iterator[T], count: int) -> Iterator[T]:
    # zip asks its first argument first, so no page is fetched for an item beyond the limit.
    return (item for _, item in zip(range(count), items, strict=False))


def _found(registry: str, result: Any) -> Iterator[Found]:
    name = result.get("name") if isinstance(result, dict) else None
    if not isinstance(name, str) or not name.isprintable():
        return
    library = DOCKER_LIBRARY if registry == DOCKER_DOMAIN and "/" not in name else ""
    description, stars = result.get("description"), result.get("star_count")
    yield Found(
        index=_index(registry),
        name=f"{registry}/{library}{name}",
        description=_one_line(description) if isinstance(description, str) else "",
        stars=stars if isinstance(stars, int) else 0,
        official=result.get("is_official") is True,
        automated=result.get("is_automated") is True,
    )


def _index(registry: str) -> str:
    """Return Podman's INDEX column: a registry's last two labels (quay.io of eu.quay.io)."""
    labels = registry.split(".")
    return registry if ":" in registry else ".".join(labels[-2:])


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
